"""From an Athena query's text to DuckDB's SQL."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlglot.tokenizer_core import TokenType

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql.casts import assigned
from daap_local.athena.sql.dialect import parse_expression, parse_query, tokens_of
from daap_local.athena.sql.handlers import HANDLERS
from daap_local.athena.sql.model import Resolver, ResultColumn, Scan, Translated
from daap_local.athena.sql.queries import query
from daap_local.athena.sql.rendering import display, native
from daap_local.athena.sql.scopes import Compiled, Env, Origin, Session, Typed
from daap_local.athena.sql.types import parse_type

_PRESTO_VIEW = "/* Presto View: "


def translate(
    sql: str,
    resolve: Resolver,
    *,
    database: str | None = None,
    catalog: str | None = None,
    parameters: Sequence[str] = (),
    started: datetime | None = None,
) -> Translated:
    """Translate a query (SELECT, WITH, VALUES, TABLE) of Athena's engine v3.

    `parameters` are the SQL literals that stand for `?`; `started` is what now() answers (UTC).
    Raises AthenaFault: SyntaxFault for what is no query; COLUMN_NOT_FOUND, TABLE_NOT_FOUND, FUNCTION_NOT_FOUND,
    TYPE_MISMATCH and others as Trino would; NOT_SUPPORTED for what this translation does not know.
    """
    text = filled(sql, parameters)
    session = Session(resolve, started or datetime.now(UTC), HANDLERS, query, marker=_marker())
    try:
        made = query(Env(session, database=database, catalog=catalog), parse_query(text))
    except RecursionError as error:
        raise AthenaFault("EXCEEDED_COMPILER_LIMIT", "The query is nested too deeply") from error
    return _finished(made, session)


def _marker() -> str:
    """A word for the holes where tables belong that nobody can write into a query, a view or a column's name."""
    return f"scan {secrets.token_hex(8)}"


def _finished(made: Compiled, session: Session) -> Translated:
    aliases = tuple((item.typed.sql, item.typed.type) for item in made.fields)
    columns = tuple(ResultColumn(item.written or f"_col{at}", item.typed.type) for at, item in enumerate(made.fields))
    needs = made.needs.union(*(item.needs for item in made.fields))
    scans = tuple(_read(scan, session, needs, made.sql) for scan in session.scans.values())
    return Translated(native(made.sql, aliases), columns, scans, tuple(session.views), display(made.sql, aliases))


def _read(scan: Scan, session: Session, needs: frozenset[Origin], text: str) -> Scan:
    named = tuple(name for name, sql in session.columns[scan.token] if sql in text)
    read = tuple(name for name in named if (scan.token, name) in needs)
    predicates = session.predicates.get(scan.token)
    return replace(scan, columns=named, read=read, predicate=" AND ".join(predicates) if predicates else None)


def filled(sql: str, parameters: Sequence[str]) -> str:
    """A query's text with its parameters put where `?` stands. Raises INVALID_PARAMETER_USAGE for another number."""
    sql, tokens = tokens_of(sql)
    marks = [token for token in tokens if token.token_type is TokenType.PLACEHOLDER]
    if len(marks) != len(parameters):
        raise AthenaFault(
            "INVALID_PARAMETER_USAGE",
            f"line 1:1: Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}",
        )
    for token, value in reversed(list(zip(marks, parameters, strict=True))):
        parse_expression(value)
        sql = sql[: token.start] + value + sql[token.end + 1 :]
    return sql


def inserted(made: Translated, targets: Sequence[tuple[str, str]]) -> Translated:
    """A query as INSERT INTO takes it: its columns, in order, as the types of the target's columns (Hive or Presto).

    Raises TYPE_MISMATCH where their number differs, or two types have nothing in common.
    """
    kinds = [(name, parse_type(kind)) for name, kind in targets]
    shown = (
        f"Table: [{', '.join(str(kind) for _, kind in kinds)}], Query: [{', '.join(str(c.type) for c in made.columns)}]"
    )
    if len(kinds) != len(made.columns):
        raise AthenaFault("TYPE_MISMATCH", f"line 1:1: Insert query has mismatched column types: {shown}")
    parts = []
    for at, ((name, kind), column) in enumerate(zip(kinds, made.columns, strict=True)):
        value = assigned(Typed(f"i.c{at}", column.type), kind)
        if value is None:
            raise AthenaFault("TYPE_MISMATCH", f"line 1:1: Insert query has mismatched column types: {shown}")
        parts.append((name, kind, value.sql))
    listed = ", ".join(f'{value} AS "{name}"' for name, _, value in parts)
    names = ", ".join(f"c{at}" for at in range(len(parts)))
    text = f"SELECT {listed} FROM ({made.text}) AS i({names})"
    return replace(made, text=text, columns=tuple(ResultColumn(name, kind) for name, kind, _ in parts), display="")


def view_text(stored: str) -> str:
    """The Athena SQL in a view's ViewOriginalText, which Presto keeps as base64 of JSON within a comment."""
    text = stored.strip()
    if not text.startswith(_PRESTO_VIEW):
        return text
    try:
        body = json.loads(base64.b64decode(text.removeprefix(_PRESTO_VIEW).removesuffix("*/").strip()))
        return str(body["originalSql"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise AthenaFault("INVALID_VIEW", "View data is not that of a Presto view") from error

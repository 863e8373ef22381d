"""The way of a statement's text to its dataclass.

Hive's DDL and the query engine have grammars of their own; the first words say which one a statement is in.
Source: https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html
"""

from __future__ import annotations

from collections.abc import Callable

from daap_local.athena.faults import SyntaxFault, unsupported
from daap_local.athena.hive import dml
from daap_local.athena.hive.alter_table import alter_table
from daap_local.athena.hive.create_table import create_external_table
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.hive.databases import alter_database, create_database, drop_database
from daap_local.athena.hive.queries import checked_query
from daap_local.athena.hive.shows import describe, describe_view, show, show_create_view
from daap_local.athena.hive.tokens import Kind, Token, hive_tokens, query_tokens
from daap_local.athena.statements import (
    CreateTableAs,
    CreateView,
    DropTable,
    Explain,
    InsertInto,
    Prepare,
    Query,
    RepairTable,
    Statement,
    Unload,
)

_Reader = Callable[[Cursor], Statement]
_MAX_LENGTH = 262_144  # bytes of UTF-8: Athena's own limit for a query string
_REFUSED = (
    ("DELETE",), ("UPDATE",), ("MERGE",), ("OPTIMIZE",), ("VACUUM",), ("GRANT",), ("REVOKE",), ("SET",), ("RESET",),
    ("USE",), ("CALL",), ("TRUNCATE",), ("COMMENT",), ("ANALYZE",), ("START",), ("COMMIT",), ("ROLLBACK",),
    ("INSERT", "OVERWRITE"), ("CREATE", "FUNCTION"), ("CREATE", "ROLE"), ("CREATE", "INDEX"), ("CREATE", "MACRO"),
    ("CREATE", "TEMPORARY"), ("CREATE", "PROTECTED"), ("CREATE", "MATERIALIZED"), ("CREATE", "OR", "REPLACE", "TABLE"),
    ("DROP", "FUNCTION"), ("DROP", "ROLE"), ("DROP", "INDEX"), ("DROP", "MACRO"), ("ALTER", "VIEW"), ("ALTER", "INDEX"),
    ("EXPORT",), ("IMPORT",), ("LOAD",), ("LOCK",), ("UNLOCK",), ("USING",), ("INSTALL",), ("ATTACH",), ("DETACH",),
    ("COPY",), ("PRAGMA",), ("CHECKPOINT",), ("SUMMARIZE",),
)  # fmt: skip


def parse_statement(sql: str) -> Statement:
    """What `sql` asks for: one statement, with comments and one semicolon after it where they please.

    Raises SyntaxFault where it is no statement of Athena's, and AthenaFault NOT_SUPPORTED for what is refused by name.
    """
    if len(sql.encode()) > _MAX_LENGTH:
        raise SyntaxFault(f"a statement may have {_MAX_LENGTH} bytes")
    words = _first_words(sql)
    if not words:
        raise SyntaxFault("mismatched input '<EOF>'. Expecting: a statement")
    for refused in _REFUSED:
        if words[: len(refused)] == list(refused):
            raise unsupported(" ".join(refused))
    for start, tokens, read in _ROUTES:
        if words[: len(start)] == list(start):
            return _read(sql, tokens(sql), len(start), read)
    return _read(sql, query_tokens(sql), 0, _query)


def _first_words(sql: str) -> list[str]:
    """The keywords a statement begins with, as far as they are the same in both grammars."""
    words: list[str] = []
    for token in _lenient_tokens(sql):
        if token.kind not in (Kind.WORD, Kind.MARK) or len(words) == 4:  # noqa: PLR2004 (CREATE OR REPLACE VIEW)
            break
        words.append(token.text.upper())
    return words


def _lenient_tokens(sql: str) -> list[Token]:
    try:
        return query_tokens(sql)
    except SyntaxFault:
        return hive_tokens(sql)


def _read(sql: str, tokens: list[Token], skipped: int, read: _Reader) -> Statement:
    cursor = Cursor(sql, _single(tokens))
    cursor.skip(skipped)
    return read(cursor)


def _single(tokens: list[Token]) -> list[Token]:
    ends = [at for at, token in enumerate(tokens) if token.text == ";"]
    if ends and ends[0] < len(tokens) - 1:
        raise SyntaxFault("Only one sql statement is allowed")
    return tokens[:-1] if ends else tokens


def _query(cursor: Cursor) -> Query:
    return Query(checked_query(cursor))


def _create_table(cursor: Cursor) -> CreateTableAs:
    if any(token.value.upper() == "ICEBERG" for token in cursor.remaining()):
        raise unsupported("an Iceberg table (table_type = 'ICEBERG')")
    return dml.create_table_as(cursor)


def _drop_table(cursor: Cursor) -> DropTable:
    if_exists = cursor.if_exists()
    name = cursor.table()
    cursor.finish()
    return DropTable(name, if_exists)


def _repair(cursor: Cursor) -> RepairTable:
    name = cursor.table()
    cursor.finish()
    return RepairTable(name)


def _create_view(cursor: Cursor) -> CreateView:
    return dml.create_view(cursor, or_replace=False)


def _replace_view(cursor: Cursor) -> CreateView:
    return dml.create_view(cursor, or_replace=True)


def _explain(cursor: Cursor) -> Explain:
    analyze = cursor.accept("ANALYZE")
    if analyze:
        cursor.accept("VERBOSE")
    options = {}
    if cursor.ahead("(") and (cursor.ahead("(", "FORMAT") or cursor.ahead("(", "TYPE")):
        options = {name.upper(): value.upper() for name, value in cursor.listed(lambda: _option(cursor))}
    inner = cursor.rest_before_end()
    statement = parse_statement(inner)
    if not isinstance(statement, Query | CreateTableAs | InsertInto | Unload):
        raise unsupported("EXPLAIN of this statement")
    return Explain(inner, analyze, options)


def _option(cursor: Cursor) -> tuple[str, str]:
    return cursor.name(), cursor.name()


def _prepare(cursor: Cursor) -> Prepare:
    name = cursor.name()
    cursor.expect("FROM")
    text = cursor.rest_before_end()
    statement = parse_statement(text)
    if not isinstance(statement, Query | CreateTableAs | InsertInto | Unload):
        raise unsupported("PREPARE of this statement")
    return Prepare(name, text)


_Route = tuple[tuple[str, ...], Callable[[str], list[Token]], _Reader]
_ROUTES: tuple[_Route, ...] = (
    (("CREATE", "EXTERNAL", "TABLE"), hive_tokens, create_external_table),
    (("CREATE", "TABLE"), query_tokens, _create_table),
    (("CREATE", "DATABASE"), hive_tokens, create_database),
    (("CREATE", "SCHEMA"), hive_tokens, create_database),
    (("CREATE", "VIEW"), query_tokens, _create_view),
    (("CREATE", "OR", "REPLACE", "VIEW"), query_tokens, _replace_view),
    (("DROP", "TABLE"), hive_tokens, _drop_table),
    (("DROP", "VIEW"), query_tokens, dml.drop_view),
    (("DROP", "DATABASE"), hive_tokens, drop_database),
    (("DROP", "SCHEMA"), hive_tokens, drop_database),
    (("ALTER", "TABLE"), hive_tokens, alter_table),
    (("ALTER", "DATABASE"), hive_tokens, alter_database),
    (("ALTER", "SCHEMA"), hive_tokens, alter_database),
    (("MSCK", "REPAIR", "TABLE"), hive_tokens, _repair),
    (("SHOW", "CREATE", "VIEW"), query_tokens, show_create_view),
    (("SHOW",), hive_tokens, show),
    (("DESCRIBE", "VIEW"), query_tokens, describe_view),
    (("DESCRIBE",), hive_tokens, describe),
    (("DESC",), hive_tokens, describe),
    (("INSERT", "INTO"), query_tokens, dml.insert_into),
    (("UNLOAD",), query_tokens, dml.unload),
    (("EXPLAIN",), query_tokens, _explain),
    (("PREPARE",), query_tokens, _prepare),
    (("EXECUTE",), query_tokens, dml.execute),
    (("DEALLOCATE",), query_tokens, dml.deallocate),
)

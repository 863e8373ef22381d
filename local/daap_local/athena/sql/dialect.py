"""Athena's query text as a tree: sqlglot's Trino dialect, with functions left as they are written.

sqlglot maps many functions to trees of its own that lose which function it was; here every call stays a name with
arguments, so that the table of functions alone decides what a call means.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokens import TokenType

from daap_local.athena.faults import SyntaxFault

_KEPT = frozenset({"CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "NORMALIZE", "LISTAGG"})


class TypedLiteral(exp.Expression):
    """A literal with its type before it: DATE '2024-01-01', DECIMAL '1.5'."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "to": True}


def _typed(_parser: Any, this: exp.Expression, kind: exp.DataType) -> exp.Expression:
    return TypedLiteral(this=this, to=kind)


_LITERALS = ("DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPLTZ", "DECIMAL", "CHAR", "VARCHAR", "JSON",
             "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN", "UUID", "IPADDRESS", "VARBINARY")  # fmt: skip


class AthenaQueries(Trino):
    """Trino's grammar without sqlglot's own understanding of functions."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in Trino.Parser.FUNCTION_PARSERS.items() if name in _KEPT
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        COLUMN_OPERATORS: ClassVar[dict[Any, Any]] = {
            token: parser for token, parser in Trino.Parser.COLUMN_OPERATORS.items() if token is TokenType.DOT
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {exp.DType[name]: _typed for name in _LITERALS}


def parse_query(sql: str) -> exp.Expression:
    """The tree of one query. Raises SyntaxFault where it is none."""
    try:
        trees = AthenaQueries().parse(sql)
    except ParseError as error:
        raise _syntax_fault(error) from error
    except (TokenError, SqlglotError, RecursionError) as error:
        raise SyntaxFault(f"mismatched input: {error}") from error
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise SyntaxFault("one statement is expected")
    return found[0]


def parse_expression(sql: str) -> exp.Expression:
    """The tree of one expression, such as the value of a parameter."""
    tree = parse_query(f"SELECT {sql}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or len([v for v in tree.args.values() if v]) > 1:
        raise SyntaxFault(f"mismatched input '{sql}'")
    expression: exp.Expression = tree.expressions[0]
    return expression


def _syntax_fault(error: ParseError) -> SyntaxFault:
    detail: dict[str, Any] = dict(error.errors[0]) if error.errors else {}
    near = detail.get("highlight") or ""
    line, column = detail.get("line") or 1, detail.get("col") or 1
    return SyntaxFault(f"mismatched input '{near}'. {detail.get('description') or error}", line, column)

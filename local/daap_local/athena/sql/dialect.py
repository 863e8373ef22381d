"""Athena's query text as a tree: sqlglot's Trino dialect, with functions left as they are written.

sqlglot maps many functions to trees of its own that lose which function it was; here every call stays a name with
arguments, so that the table of functions alone decides what a call means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from daap_local.athena.faults import AthenaFault, SyntaxFault, unsupported

_KEPT = frozenset({"CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "NORMALIZE", "LISTAGG"})


class TypedLiteral(exp.Expression):
    """A literal with its type before it: DATE '2024-01-01', DECIMAL '1.5'."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "to": True}


def _typed(_parser: object, this: exp.Expr, kind: exp.DataType) -> exp.Expr:
    return TypedLiteral(this=this, to=kind)


_LITERALS = ("DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPLTZ", "DECIMAL", "CHAR", "VARCHAR", "JSON",
             "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "BOOLEAN", "UUID", "VARBINARY",
             "IPADDRESS")  # fmt: skip


class AthenaQueries(Trino):
    """Trino's grammar without sqlglot's own understanding of functions."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _KEPT
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        COLUMN_OPERATORS: ClassVar[dict[Any, Any]] = {
            token: parser for token, parser in TrinoParser.COLUMN_OPERATORS.items() if token is TokenType.DOT
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {exp.DType[name]: _typed for name in _LITERALS}


_BLANKS = re.compile(r"\b[xX]'[0-9A-Fa-f\s]*[0-9A-Fa-f][0-9A-Fa-f\s]*'")
"""Binary literals, whose digits may be in groups."""


def tokens_of(sql: str) -> tuple[str, Sequence[Token]]:
    """A query's text, with the blanks inside of binary literals taken out, and its tokens. Raises SyntaxFault."""
    try:
        return sql, AthenaQueries().tokenize(sql)
    except SqlglotError as error:
        joined = _BLANKS.sub(lambda found: re.sub(r"\s", "", found.group(0)), sql)
        if joined == sql:
            raise SyntaxFault(f"mismatched input: {error}") from error
        return tokens_of(joined)


def parse_query(sql: str) -> exp.Expr:
    """The tree of one query. Raises SyntaxFault where it is none."""
    dialect = AthenaQueries()
    sql, tokens = tokens_of(sql)
    try:
        check_tokens(tokens)
        _check_end(tokens)
        trees = dialect.parser().parse(list(tokens), sql)
    except ParseError as error:
        raise _refusal(tokens) or _syntax_fault(error) from error
    except (TokenError, SqlglotError, RecursionError) as error:
        raise SyntaxFault(f"mismatched input: {error}") from error
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise SyntaxFault("one statement is expected")
    return found[0]


_CLAUSES = frozenset({TokenType.FROM, TokenType.WHERE, TokenType.R_PAREN, TokenType.GROUP_BY, TokenType.ORDER_BY})
_OWN_SYNTAX = frozenset({"json_object", "json_array", "json_value", "json_query", "json_exists", "json_table",
                         "json_objectagg", "json_arrayagg", "match_recognize", "graph_table"})  # fmt: skip


def check_tokens(tokens: Sequence[Token]) -> None:
    """Refuse what sqlglot takes and Trino does not: a comma too many, FROM first, `==`, OFFSET after LIMIT."""
    for at, token in enumerate(tokens):
        if _is_all(tokens, at):
            raise AthenaFault(
                "COLUMN_NOT_FOUND", f"line {token.line}:{max(1, token.col - 2)}: Column 'all' cannot be resolved"
            )
        kind = tokens[at - 1].token_type if at else None
        wrong = kind is TokenType.COMMA and token.token_type in _CLAUSES
        wrong |= token.token_type is TokenType.FROM and kind in {None, TokenType.L_PAREN}
        wrong |= token.token_type is TokenType.EQ and token.text == "=="
        wrong |= (
            token.token_type is TokenType.STRING
            and kind in {TokenType.FROM, TokenType.JOIN}
            and not _in_call(tokens, at)
        )
        wrong |= token.token_type is TokenType.OFFSET and at > 1 and tokens[at - 2].token_type is TokenType.LIMIT
        if wrong:
            start = token.col - (token.end - token.start)
            raise SyntaxFault(f"mismatched input '{token.text}'", token.line, max(1, start))


def _in_call(tokens: Sequence[Token], at: int) -> bool:
    """Whether a FROM is that of TRIM, SUBSTRING or EXTRACT, as far as the tokens before it tell."""
    names = {"TRIM", "SUBSTRING", "EXTRACT"}
    return any(token.text.upper() in names for token in tokens[max(0, at - 8) : at])


def _check_end(tokens: Sequence[Token]) -> None:
    if tokens and tokens[-1].token_type is TokenType.COMMA:
        raise SyntaxFault("mismatched input '<EOF>'", tokens[-1].line, tokens[-1].col + 1)


def _is_all(tokens: Sequence[Token], at: int) -> bool:
    """GROUP BY ALL and ORDER BY ALL, where ALL is no more than a name to Trino."""
    before = tokens[at - 1].token_type if at else None
    return tokens[at].token_type is TokenType.ALL and before in {TokenType.GROUP_BY, TokenType.ORDER_BY}


def _refusal(tokens: Sequence[Token]) -> AthenaFault | None:
    """The refusal of a syntax of its own that Trino has, and that is not read here."""
    found = next((token.text for token in tokens if token.text.lower() in _OWN_SYNTAX), None)
    return unsupported(found) if found is not None else None


def parse_expression(sql: str) -> exp.Expr:
    """The tree of one expression, such as the value of a parameter."""
    tree = parse_query(f"SELECT {sql}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or len([v for v in tree.args.values() if v]) > 1:
        raise SyntaxFault(f"mismatched input '{sql}'")
    expression: exp.Expr = tree.expressions[0]
    return expression


def _syntax_fault(error: ParseError) -> SyntaxFault:
    detail: dict[str, Any] = dict(error.errors[0]) if error.errors else {}
    near = detail.get("highlight") or ""
    line, column = detail.get("line") or 1, detail.get("col") or 1
    return SyntaxFault(f"mismatched input '{near}'. {detail.get('description') or error}", line, column)

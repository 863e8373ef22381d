"""Whether a text is a query of Athena's: one statement, in the query engine's grammar and not in DuckDB's.

The parser underneath takes more than Athena does; what DuckDB alone understands is refused here, before it, by the
words it is written with. Source of the grammar: https://trino.io/docs/current/sql/select.html
"""

from __future__ import annotations

from collections.abc import Sequence

from daap_local.athena.faults import SyntaxFault
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.hive.tokens import Kind, Token, fault_at
from daap_local.athena.sql.dialect import parse_query

QUERY_WORDS = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_FOREIGN = tuple(
    tuple(words.split())
    for words in (
        "::", "{", "}", ";", "= =", "/ /", "* *", ": =", "-> >", ", ,", ", )", "( ,", ", FROM", ", WHERE", ", GROUP",
        ", ORDER", ", LIMIT", "DISTINCT ON (", "* EXCLUDE", "* EXCEPT (", "* REPLACE", "* RENAME", "PIVOT (",
        "UNPIVOT (", "USING SAMPLE",
        "SEMI JOIN", "ANTI JOIN", "ASOF JOIN", "ASOF LEFT", "POSITIONAL JOIN", "LATERAL VIEW",
        "FOR UPDATE", "FOR SHARE", "SELECT TOP", "AS MATERIALIZED", "AS NOT MATERIALIZED", "SIMILAR TO", "QUALIFY",
        "( FROM", "AT (",
    )
)  # fmt: skip
_FOREIGN_BY_FIRST = {
    first: [words for words in _FOREIGN if words[0] == first] for first in {words[0] for words in _FOREIGN}
}
_FROM_CALLS = frozenset({"TRIM", "EXTRACT", "SUBSTRING", "SUBSTR", "OVERLAY"})
_BEFORE_STAR = frozenset({"SELECT", "DISTINCT", ",", "."})
_AFTER_STAR = frozenset({
    "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "WINDOW",
    "AS",
})  # fmt: skip
_TEXT_AFTER = frozenset({"FROM", "JOIN", "ILIKE", "GLOB", "INTO"})
_BEFORE_LIST = frozenset({
    "SELECT", "IN", "WHERE", "AND", "OR", "NOT", "THEN", "ELSE", "WHEN", "BETWEEN", "LIKE", "BY", "ON", "HAVING",
    "CASE", "DISTINCT", "ALL",
})  # fmt: skip


def checked_query(cursor: Cursor, count: int | None = None) -> str:
    """Reads a query of `count` tokens (all that are left) and gives its text. Raises SyntaxFault, AthenaFault."""
    tokens = list(cursor.remaining()[:count])
    if not tokens or not any(cursor.ahead(word) for word in QUERY_WORDS):
        raise cursor.wrong(*QUERY_WORDS)
    _refuse_foreign(cursor.sql, tokens)
    offset = tokens[0].start
    text = cursor.skip(len(tokens))
    try:
        parse_query(text)
    except SyntaxFault as fault:
        raise _moved(fault, cursor.sql, offset) from fault
    return text


def _moved(fault: SyntaxFault, sql: str, offset: int) -> SyntaxFault:
    """The same complaint, placed in the whole statement rather than in the query inside."""
    message = str(fault).split(": ", 2)[-1]
    lines = sql[:offset].split("\n")
    column = fault.column + (len(lines[-1]) if fault.line == 1 else 0)
    return SyntaxFault(message, fault.line + len(lines) - 1, column)


def _refuse_foreign(sql: str, tokens: Sequence[Token]) -> None:
    for at, token in enumerate(tokens):
        if _foreign(tokens, at):
            raise fault_at(sql, token.start, f"mismatched input '{token.text}'")


def _foreign(tokens: Sequence[Token], at: int) -> bool:
    token, previous = tokens[at], tokens[at - 1] if at else None
    if previous is None:
        return False
    if token.kind is Kind.TEXT and previous.text.upper() == "FROM" and _in_call(tokens[: at - 1]):
        return False
    if _after_star(tokens[max(at - 2, 0) : at + 1]):
        return True
    patterns = _FOREIGN_BY_FIRST.get(token.text.upper(), ())
    return _foreign_pair(previous, token) or any(_starts(tokens, at, words) for words in patterns)


def _in_call(tokens: Sequence[Token]) -> bool:
    """Whether the tokens end inside the brackets of a function that has a FROM of its own."""
    depth = 0
    for at in range(len(tokens) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[at].text, 0)
        if depth < 0:
            return tokens[at - 1].text.upper() in _FROM_CALLS
    return False


def _after_star(three: Sequence[Token]) -> bool:
    """Whether the last of three tokens is a word that cannot follow the star of a select list."""
    if len(three) < 3 or three[1].text != "*" or three[2].kind is not Kind.WORD:  # noqa: PLR2004
        return False
    return three[0].text.upper() in _BEFORE_STAR and three[2].text.upper() not in _AFTER_STAR


def _foreign_pair(previous: Token, token: Token) -> bool:
    word = previous.text.upper() if previous.kind is Kind.WORD else ""
    if token.kind is Kind.TEXT:
        return word in _TEXT_AFTER or previous.kind is Kind.TEXT
    if token.text == "[":
        return word in _BEFORE_LIST or (previous.kind is Kind.MARK and previous.text not in (")", "]"))
    if token.kind is Kind.NUMBER:
        return word == "INTERVAL"
    return word in ("ILIKE", "GLOB") and token.kind is not Kind.MARK


def _starts(tokens: Sequence[Token], at: int, words: tuple[str, ...]) -> bool:
    upcoming = tokens[at : at + len(words)]
    if len(upcoming) < len(words) or any(token.kind in (Kind.NAME, Kind.TEXT) for token in upcoming):
        return False
    return all(token.text.upper() == word for token, word in zip(upcoming, words, strict=True))

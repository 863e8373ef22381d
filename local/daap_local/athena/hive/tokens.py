"""The words of a statement. Hive's DDL and the query engine quote differently, so each has its own reading.

Hive: names in backticks, strings in either quote with backslash escapes. Queries: names in double quotes, strings
in single quotes, doubled inside. Source: https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from daap_local.athena.faults import SyntaxFault


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """A token: `text` as written, `value` without its quotes, and where it lies in the statement."""

    kind: Kind
    text: str
    value: str
    start: int

    @property
    def end(self) -> int:
        """The offset after the token."""
        return self.start + len(self.text)


_SKIPPED = r"(?P<skip>\s+|--[^\n\r]*|/\*.*?\*/)"
_COMMON = (
    r"(?P<number>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+|\d+(?:[eE][+-]?\d+)?(?![\w$]))"
    r"|(?P<word>[\w$]+)|(?P<mark><>|!=|<=|>=|=>|->|\|\||::|.)"
)
HIVE_PATTERN = re.compile(
    _SKIPPED + r"""|(?P<name>`(?:[^`]|``)*`)|(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|""" + _COMMON, re.DOTALL
)
QUERY_PATTERN = re.compile(
    _SKIPPED + r"""|(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`)|(?P<text>'(?:[^']|'')*')|""" + _COMMON, re.DOTALL
)
_BACKTICKS = "backquoted identifiers are not supported; use double quotes to quote identifiers"
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([0-3][0-7]{2})|(.))", re.DOTALL)


def hive_tokens(sql: str) -> list[Token]:
    """`sql` as Hive's DDL reads it. Raises SyntaxFault."""
    return list(_tokens(sql, HIVE_PATTERN, _unescape))


def query_tokens(sql: str) -> list[Token]:
    """`sql` as the query engine reads it. Raises SyntaxFault."""
    tokens = list(_tokens(sql, QUERY_PATTERN, lambda text: text[1:-1].replace("''", "'")))
    for token in tokens:
        if token.text.startswith("`"):
            raise fault_at(sql, token.start, _BACKTICKS)
    return tokens


def position(sql: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    before = sql[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def fault_at(sql: str, offset: int, message: str) -> SyntaxFault:
    """A complaint about what lies at `offset`."""
    return SyntaxFault(message, *position(sql, offset))


def _tokens(sql: str, pattern: re.Pattern[str], unquote: Callable[[str], str]) -> Iterator[Token]:
    for match in pattern.finditer(sql):
        kind, text = match.lastgroup, match.group()
        if kind == "skip":
            continue
        if kind == "mark" and (text in "'\"`" or sql.startswith("/*", match.start())):
            raise fault_at(sql, match.start(), f"extraneous input '{text}': it is not closed")
        yield Token(Kind(kind), text, _value(Kind(kind), text, unquote), match.start())


def _value(kind: Kind, text: str, unquote: Callable[[str], str]) -> str:
    if kind is Kind.TEXT:
        return unquote(text)
    if kind is Kind.NAME:
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_escaped, text[1:-1])


def _escaped(match: re.Match[str]) -> str:
    code, octal, other = match.groups()
    if code:
        return chr(int(code, 16))
    if octal:
        return chr(int(octal, 8))
    return _ESCAPES.get(other, other)

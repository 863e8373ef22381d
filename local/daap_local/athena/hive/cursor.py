"""A place among a statement's tokens, and the small steps of a parser by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from daap_local.athena.faults import SyntaxFault
from daap_local.athena.hive.tokens import Kind, Token, fault_at
from daap_local.athena.tables import TableName

_END = "<EOF>"
_NAME_PARTS = 3
_T = TypeVar("_T")


class Cursor:
    """Reads tokens one after another; every complaint says where."""

    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        self.sql, self._tokens, self._at = sql, tokens, 0

    @property
    def current(self) -> Token:
        """The token to be read next; an empty mark at the end."""
        if self._at < len(self._tokens):
            return self._tokens[self._at]
        return Token(Kind.MARK, "", "", len(self.sql))

    @property
    def done(self) -> bool:
        """Whether everything has been read."""
        return self._at >= len(self._tokens)

    def ahead(self, *words: str) -> bool:
        """Whether the next tokens are these keywords or marks."""
        upcoming = self._tokens[self._at : self._at + len(words)]
        return len(upcoming) == len(words) and all(map(_is, upcoming, words))

    def accept(self, *words: str) -> bool:
        """Reads these keywords if they are next."""
        if not self.ahead(*words):
            return False
        self._at += len(words)
        return True

    def accept_any(self, *words: str) -> str | None:
        """Reads one of these keywords if one is next."""
        return next((word for word in words if self.accept(word)), None)

    def expect(self, *words: str) -> None:
        """Reads these keywords. Raises SyntaxFault."""
        for word in words:
            if not self.accept(word):
                raise self.wrong(word)

    def wrong(self, *expected: str) -> SyntaxFault:
        """The complaint about the current token, in the query engine's words."""
        hint = f". Expecting: {', '.join(repr(word) for word in expected)}" if expected else ""
        return fault_at(self.sql, self.current.start, f"mismatched input '{self.current.text or _END}'{hint}")

    def finish(self) -> None:
        """Raises SyntaxFault if anything is left."""
        if not self.done:
            raise self.wrong(_END)

    def take(self) -> Token:
        """Reads whatever is next. Raises SyntaxFault at the end."""
        if self.done:
            raise self.wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def take_kind(self, kind: Kind, expected: str) -> str:
        """Reads a token of one kind and gives its value. Raises SyntaxFault."""
        if self.current.kind is not kind:
            raise self.wrong(expected)
        return self.take().value

    def text(self) -> str:
        """Reads a string; strings side by side are one. Raises SyntaxFault."""
        value = self.take_kind(Kind.TEXT, "string")
        while self.current.kind is Kind.TEXT:
            value += self.take().value
        return value

    def name(self) -> str:
        """Reads an identifier in the quoting of its language, in lower case. Raises SyntaxFault."""
        if self.current.kind not in (Kind.WORD, Kind.NAME):
            raise self.wrong("identifier")
        return self.take().value.lower()

    def table(self) -> TableName:
        """Reads `[[catalog.]database.]table`. Raises SyntaxFault."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        if len(parts) > _NAME_PARTS:
            raise self.wrong()
        catalog, database, table = [None] * (_NAME_PARTS - len(parts)) + parts
        return TableName(str(table), database, catalog)

    def if_not_exists(self) -> bool:
        """Reads IF NOT EXISTS if it is next."""
        return self.accept("IF", "NOT", "EXISTS")

    def if_exists(self) -> bool:
        """Reads IF EXISTS if it is next."""
        return self.accept("IF", "EXISTS")

    def rest_before_end(self) -> str:
        """Reads all tokens that are left and gives their text, without what follows them."""
        return self.skip(len(self._tokens) - self._at)

    def remaining(self) -> Sequence[Token]:
        """The tokens that are left, unread."""
        return self._tokens[self._at :]

    def skip(self, count: int) -> str:
        """Reads so many tokens and gives their text as it was written."""
        start = self.current.start
        self._at = min(self._at + count, len(self._tokens))
        return self.sql[start : self._tokens[self._at - 1].end] if count else ""

    def closing(self) -> int:
        """How many tokens lie before the bracket that closes the one just opened. Raises SyntaxFault."""
        depth = 1
        for count, token in enumerate(self.remaining()):
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if not depth:
                return count
        self._at = len(self._tokens)
        raise self.wrong(")")

    def listed(self, item: Callable[[], _T]) -> list[_T]:
        """Reads `(item, ...)`. Raises SyntaxFault."""
        self.expect("(")
        items = [item()]
        while self.accept(","):
            items.append(item())
        self.expect(")")
        return items

    def properties(self) -> dict[str, str]:
        """Reads `('key' = 'value', ...)`, where a value may be a number or a word too. Raises SyntaxFault."""
        return dict(self.listed(self._property))

    def literal(self) -> str:
        """Reads a string, a number or a word as text. Raises SyntaxFault."""
        if self.current.kind is Kind.TEXT:
            return self.text()
        sign = "-" if self.accept("-") else ""
        if self.current.kind not in (Kind.NUMBER, Kind.WORD):
            raise self.wrong("literal")
        return sign + self.take().value

    def number(self) -> int:
        """Reads a whole number. Raises SyntaxFault."""
        value = self.take_kind(Kind.NUMBER, "number")
        if not value.isdecimal():
            raise self.wrong("number")
        return int(value)

    def _property(self) -> tuple[str, str]:
        key = self.text()
        self.expect("=")
        return key, self.literal()


def _is(token: Token, word: str) -> bool:
    return token.kind in (Kind.WORD, Kind.MARK) and token.text.upper() == word

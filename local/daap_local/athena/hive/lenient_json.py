"""JSON as the OpenX serde reads it: every value is a text, an object or a list, and much that is no JSON is taken.

Comments, single quotes, unquoted words, `=` or `=>` for `:`, `;` for `,`, and whatever follows the first value.
Source: the behaviour of open-json and of Trino's reader (trino-hive-formats, openxjson, README and JsonReader).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

Json = Any
"""What a text in JSON holds: None, a str, a Bare, a bool, an object as a dict or a list."""

_LITERAL = re.compile(r"[^ \r\n\t\f{}\[\]/\\:,=;#]*")
_SPACE = re.compile(r"[\t \n\r]*")
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", "a": "\x07", "v": "\x0b"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX, _OCTAL = re.compile("0[xX]([0-9a-fA-F]+)"), re.compile("0([0-7]+)")
_WHOLE = re.compile("[+-]?[0-9]+")
_LONG = 2**63
_SAFE_DIGITS = 19
_HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


class InvalidJson(ValueError):
    """The text cannot be read, however leniently."""


class Bare(str):
    """A value without quotes: a number, true or false, or any word."""

    __slots__ = ()


def read_json(text: str) -> Json:
    """None, a str, a Bare, a dict (the last of equal names counts) or a list. Raises InvalidJson."""
    try:
        return whole_characters(text, _STRICT.decode(text))
    except (ValueError, RecursionError):
        return whole_characters(text, _Reader(text).value())


def whole_characters(text: str, value: Json) -> Json:
    """What was read from `text`, where halves of characters that were escaped alone become '?', as in Java."""
    return _mended(value) if _HALF_ESCAPED.search(text) else value


def _mended(value: Json) -> Json:
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_mended(item) for item in value]
    return _paired(value) if isinstance(value, str) and not isinstance(value, Bare) else value


def _paired(text: str) -> str:
    """Halves side by side put together."""
    return _HALF.sub("?", text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"))


def last_wins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object in which the last of equal names counts, and stands where it was."""
    found = dict(pairs)
    if len(found) < len(pairs):
        found = {}
        for name, value in pairs:
            found.pop(name, None)
            found[name] = value
    return found


_STRICT = json.JSONDecoder(parse_float=Bare, parse_int=Bare, parse_constant=Bare, object_pairs_hook=last_wins)


def plain(value: Json) -> Json:
    """True and False of the strict reader as bare words."""
    return Bare("true" if value else "false") if isinstance(value, bool) else value


def json_text(value: Json) -> str:
    """A value as text: words and numbers in their canonical form, objects and lists as JSON without blanks."""
    if isinstance(value, Bare):
        return _canonical(value) or str(value)
    return value if isinstance(value, str) else _written(value)


def long_number(text: str) -> int:
    """A whole number in decimal, hexadecimal (0x) or octal (0) digits. Raises ValueError."""
    if text.isdecimal() and text.isascii() and text[0] != "0" and len(text) < _SAFE_DIGITS:
        return int(text)
    for pattern, base in ((_HEX, 16), (_OCTAL, 8)):
        if match := pattern.fullmatch(text):
            return _checked(int(match.group(1), base), text)
    if not _WHOLE.fullmatch(text) or (len(text) > 1 and text[0] == "0"):
        raise ValueError(f'For input string: "{text}"')
    return _checked(int(text), text)


def _checked(number: int, text: str) -> int:
    if not -_LONG <= number < _LONG:
        raise ValueError(f'For input string: "{text}"')
    return number


def _canonical(text: str) -> str | None:
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        return str(long_number(text))
    except ValueError:
        return _big_decimal(text)


def _big_decimal(text: str) -> str | None:
    """The text of Java's BigDecimal, or None."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
        return str(number if number else abs(number))
    except InvalidOperation:
        return None


def _written(value: Json) -> str:
    value = plain(value)
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(str(name))}:{_written(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, Bare) and (text := _canonical(value)) is not None:
        return text
    return _quoted(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("</", "<\\/")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def value(self) -> Json:
        mark = self._next()
        if mark == "":
            raise self._wrong("End of input")
        if mark in "\"'":
            return self._quoted_text(mark)
        read = _MARKS.get(mark)
        if read:
            return read(self)
        self._at -= 1
        return self._literal()

    def object(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        if self._accept("}"):
            return found
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise self._wrong("Names must be strings")
            self._separator()
            key = str(name)
            found.pop(key, None)
            found[key] = self.value()
            mark = self._next()
            if mark == "}":
                return found
            if mark not in (",", ";"):
                raise self._wrong("Unterminated object")

    def array(self) -> list[Json]:
        found: list[Json] = []
        trailing = False
        while True:
            mark = self._next()
            if mark == "]":
                return [*found, None] if trailing else found
            if mark in (",", ";"):
                found.append(None)
                trailing = True
                continue
            if mark == "":
                raise self._wrong("Unterminated array")
            self._at -= 1
            found.append(self.value())
            mark = self._next()
            if mark == "]":
                return found
            if mark not in (",", ";"):
                raise self._wrong("Unterminated array")
            trailing = True

    def _separator(self) -> None:
        mark = self._next()
        if mark not in (":", "="):
            raise self._wrong("Expected ':' after a field's name")
        if mark == "=" and self._text[self._at : self._at + 1] == ">":
            self._at += 1

    def _accept(self, mark: str) -> bool:
        found = self._next()
        if found == mark:
            return True
        self._at -= bool(found)
        return False

    def _literal(self) -> Bare | None:
        match = _LITERAL.match(self._text, self._at)
        if match is None or not match.group():
            raise self._wrong("Expected literal value")
        self._at = match.end()
        return None if match.group().lower() == "null" else Bare(match.group())

    def _quoted_text(self, quote: str) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == quote:
                return "".join(parts)
            parts.append(self._escaped() if char == "\\" else char)
        raise self._wrong("Unterminated string")

    def _escaped(self) -> str:
        char = self._text[self._at : self._at + 1]
        if not char:
            raise self._wrong("Unterminated escape sequence")
        self._at += 1
        if char != "u":
            return _ESCAPES.get(char, char)
        code = self._text[self._at : self._at + 4]
        self._at += 4
        try:
            return chr(int(code, 16))
        except ValueError:
            raise self._wrong(f"Invalid escape sequence: {code}") from None

    def _next(self) -> str:
        """The next character that is neither blank nor in a comment; '' at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if not self._comment():
                break
        char = self._text[self._at : self._at + 1]
        self._at += len(char)
        return char

    def _comment(self) -> bool:
        if self._text.startswith("/*", self._at):
            end = self._text.find("*/", self._at + 2)
            if end < 0:
                raise self._wrong("Unterminated c-style comment")
            self._at = end + 2
            return True
        if self._text.startswith(("//", "#"), self._at):
            self._at = len(self._text)
            return True
        return False

    def _wrong(self, problem: str) -> InvalidJson:
        return InvalidJson(f"{problem} at character {self._at} of {self._text}")


_MARKS: dict[str, Callable[[_Reader], Json]] = {"{": _Reader.object, "[": _Reader.array}

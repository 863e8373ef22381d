"""MySQL's and Joda's date patterns: reading text by them, and writing it by Joda's.

Sources: https://trino.io/docs/current/functions/datetime.html,
https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from daap_local.athena.sql.python.failures import Failed

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PIVOT = 2020


@dataclass(slots=True)
class Parsed:
    """What a text says of a moment, field by field; what it leaves out is that of 1970-01-01 00:00."""

    values: dict[str, int] = field(default_factory=dict)
    zone: str | None = None

    def moment(self) -> datetime:
        """The date and time. Raises ValueError where a field is out of its range."""
        values = self.values
        day = self._day()
        hour = values.get("hour", 0)
        if "half_hour" in values:
            hour = values["half_hour"] % 12 + 12 * values.get("half", 0)
        clock = time(hour, values.get("minute", 0), values.get("second", 0), values.get("millis", 0) * 1000)
        return datetime.combine(day, clock)

    def _day(self) -> date:
        values = self.values
        if "week" in values or "week_year" in values:
            return date.fromisocalendar(
                values.get("week_year", values.get("year", 1970)), values.get("week", 1), values.get("weekday", 1)
            )
        year = values.get("year", 1970)
        if "ordinal" in values:
            day = date(year, 1, 1) + timedelta(days=values["ordinal"] - 1)
            if day.year != year or values["ordinal"] < 1:
                raise ValueError("day of the year")
            return day
        return date(year, values.get("month", 1), values.get("day", 1))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern: the field it reads, and the regular expression for its text."""

    name: str
    expression: str


def _names(words: tuple[str, ...]) -> str:
    return "|".join(f"{word}|{word[:3]}" for word in words)


def _signed(digits: int) -> str:
    return rf"[+-]?\d{{1,{digits}}}"


_MYSQL_PIECES = {
    "a": Piece("weekday_name", _names(_DAYS)), "b": Piece("month_name", _names(_MONTHS)),
    "c": Piece("month", r"\d{1,2}"), "d": Piece("day", r"\d{1,2}"), "e": Piece("day", r"\d{1,2}"),
    "f": Piece("fraction", r"\d{1,9}"), "H": Piece("hour", r"\d{1,2}"), "h": Piece("half_hour", r"\d{1,2}"),
    "I": Piece("half_hour", r"\d{1,2}"), "i": Piece("minute", r"\d{1,2}"), "j": Piece("ordinal", r"\d{1,3}"),
    "k": Piece("hour", r"\d{1,2}"), "l": Piece("half_hour", r"\d{1,2}"), "M": Piece("month_name", _names(_MONTHS)),
    "m": Piece("month", r"\d{1,2}"), "p": Piece("half", "am|pm"), "S": Piece("second", r"\d{1,2}"),
    "s": Piece("second", r"\d{1,2}"), "v": Piece("week", r"\d{1,2}"), "W": Piece("weekday_name", _names(_DAYS)),
    "x": Piece("week_year", _signed(4)), "Y": Piece("year", _signed(4)), "y": Piece("short_year", r"\d{2}"),
}  # fmt: skip
_MYSQL_WHOLE = {"T": "%H:%i:%s", "r": "%h:%i:%s %p"}


def parse_mysql(text: str, pattern: str) -> Parsed | None:
    """What a text says by a MySQL pattern; None where it does not fit."""
    for letter, whole in _MYSQL_WHOLE.items():
        pattern = pattern.replace(f"%{letter}", whole)
    pieces: list[Piece | str] = []
    for found in re.finditer(r"%(.)|([^%]+)", pattern, re.DOTALL):
        letter = found.group(1)
        pieces.append(found.group(2) if letter is None else _MYSQL_PIECES.get(letter, letter))
    return _matched(text, pieces)


_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", re.DOTALL)
_JODA_FIELDS = {"M": "month", "d": "day", "H": "hour", "h": "half_hour", "K": "half_hour", "k": "clock_hour",
                "m": "minute", "s": "second", "D": "ordinal", "w": "week", "e": "weekday"}  # fmt: skip


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """A Joda pattern as (letter, letters) for fields and ("", text) for text."""
    made, end = [], 0
    for found in _JODA_TOKEN.finditer(pattern):
        token, end = found.group(0), found.end()
        if token.startswith("'"):
            made.append(("", (found.group(1) or "'").replace("''", "'")))
        else:
            made.append((found.group(2) or "", token))
    if end != len(pattern):
        raise Failed("INVALID_FUNCTION_ARGUMENT", f"Unterminated quote in pattern: {pattern}")
    return made


def parse_joda(text: str, pattern: str) -> Parsed | None:
    """What a text says by a Joda pattern; None where it does not fit."""
    return _matched(
        text, [_joda_piece(letter, token, pattern) if letter else token for letter, token in _tokens(pattern)]
    )


def _joda_piece(letter: str, token: str, pattern: str) -> Piece:  # noqa: PLR0911  (one case a letter)
    size = len(token)
    if letter in "yYxC":
        name = {"x": "week_year"}.get(letter, "year")
        return Piece(f"short_{name}" if size == 2 else name, r"\d{2}" if size == 2 else r"[+-]?\d{1,9}")
    if letter == "S":
        return Piece("fraction", rf"\d{{1,{size}}}")
    if letter == "M" and size >= 3:
        return Piece("month_name", _names(_MONTHS))
    if letter == "E":
        return Piece("weekday_name", _names(_DAYS))
    if letter == "a":
        return Piece("half", "am|pm")
    if letter == "Z":
        return Piece("zone", r"[A-Za-z][\w/+-]*" if size >= 3 else r"Z|[+-]\d{2}(?::?\d{2})?")
    if letter in _JODA_FIELDS:
        return Piece(_JODA_FIELDS[letter], r"[+-]?\d{1,9}" if size < 3 else r"\d{1,3}")
    raise Failed("NOT_SUPPORTED", f"The pattern {pattern} is not supported here")


def _matched(text: str, pieces: list[Piece | str]) -> Parsed | None:
    """Pieces of digits that stand side by side take as many as the pattern gives them room for, as Joda does."""
    expression = ""
    for at, piece in enumerate(pieces):
        if isinstance(piece, str):
            expression += re.escape(piece)
            continue
        following = pieces[at + 1] if at + 1 < len(pieces) else None
        expression += f"({_width(piece, following)})"
    found = re.fullmatch(expression, text, re.IGNORECASE)
    if found is None:
        return None
    parsed = Parsed()
    for piece, value in zip((piece for piece in pieces if isinstance(piece, Piece)), found.groups(), strict=True):
        _put(parsed, piece.name, value)
    return parsed


def _width(piece: Piece, following: Piece | str | None) -> str:
    if not isinstance(following, Piece) or r"\d" not in following.expression:
        return piece.expression
    return {"year": r"\d{4}", "week_year": r"\d{4}"}.get(
        piece.name, piece.expression.replace("{1,2}", "{2}").replace("{1,9}", "{2}")
    )


def _put(parsed: Parsed, name: str, text: str) -> None:
    """Put one field's text into what is parsed."""
    if name == "zone":
        parsed.zone = text
    elif name == "fraction":
        parsed.values["millis"] = int(text.ljust(3, "0")[:3])
    elif name == "half":
        parsed.values["half"] = int(text.lower() == "pm")
    elif name == "month_name":
        parsed.values["month"] = [month[:3].lower() for month in _MONTHS].index(text[:3].lower()) + 1
    elif name == "weekday_name":
        parsed.values["weekday_of_text"] = 1
    elif name.startswith("short_"):
        low = _PIVOT - 50
        parsed.values[name.removeprefix("short_")] = low + (int(text) - low) % 100
    elif name == "clock_hour":
        parsed.values["hour"] = int(text) % 24
    else:
        _check(name, int(text))
        parsed.values[name] = int(text)


def _check(name: str, value: int) -> None:
    if name == "half_hour" and not 0 <= value <= 12:
        raise Failed("INVALID_FUNCTION_ARGUMENT", f"Value {value} for clockhourOfHalfday must be in the range [1,12]")


def format_joda(local: datetime, zone: str, offset: int, pattern: str) -> str:
    """A moment by a Joda pattern; `offset` are the minutes that its zone is ahead of UTC."""
    return "".join(_written(letter, token, local, zone, offset, pattern) if letter else token
                   for letter, token in _tokens(pattern))  # fmt: skip


def _written(letter: str, token: str, local: datetime, zone: str, offset: int, pattern: str) -> str:  # noqa: PLR0911
    size = len(token)
    numbers = _numbers(local)
    if letter in "yYx" and size == 2:
        return f"{numbers[letter] % 100:02}"
    if letter == "M" and size >= 3:
        return _MONTHS[local.month - 1][: None if size > 3 else 3]
    if letter == "E":
        return _DAYS[local.weekday()][: None if size > 3 else 3]
    if letter == "S":
        return f"{local.microsecond // 1000:03}".ljust(size, "0")[:size]
    if letter == "a":
        return "AM" if local.hour < 12 else "PM"
    if letter == "Z":
        return zone if size >= 3 else _offset(offset, ":" if size == 2 else "")
    if letter in numbers:
        return str(numbers[letter]).zfill(size)
    raise Failed("NOT_SUPPORTED", f"The pattern {pattern} is not supported here")


def _offset(minutes: int, separator: str) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{separator}{rest:02}"


def _numbers(local: datetime) -> dict[str, int]:
    week_year, week, weekday = local.isocalendar()
    return {
        "y": local.year, "Y": local.year, "x": week_year, "w": week, "e": weekday, "D": local.timetuple().tm_yday,
        "M": local.month, "d": local.day, "H": local.hour, "k": local.hour or 24, "K": local.hour % 12,
        "h": local.hour % 12 or 12, "m": local.minute, "s": local.second,
    }  # fmt: skip

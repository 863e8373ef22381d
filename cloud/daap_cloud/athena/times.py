"""Dates and times by a strftime pattern, as SQL of Athena.

Athena's own date_parse reads patterns of MySQL's and is looser: it takes `9-Mar-11` for `%d-%b-%y`, and 69 as 2069.
So a text is held against the pattern as a regular expression, and its parts are put together as ISO text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from daap.engines.duckdb.sql import literal
from daap.model.table import Column

_MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
]  # fmt: skip
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _either(names: list[str]) -> str:
    """Any of the names, in any letter case; of ASCII alone, unlike the flag for it."""
    return "|".join("".join(f"[{char}{char.upper()}]" for char in name) for name in names)


def _short(names: list[str]) -> list[str]:
    return [name[:3] for name in names]


_PATTERNS = {
    "Y": "[0-9]{4}", "y": "[0-9]{2}", "m": "0[1-9]|1[0-2]", "-m": "[1-9]|1[0-2]",
    "b": _either(_short(_MONTHS)), "B": _either(_MONTHS),
    "d": "[0-3][0-9]", "-d": "[1-9]|[12][0-9]|3[01]", "j": "[0-3][0-9]{2}",
    "a": _either(_short(_DAYS)), "A": _either(_DAYS),
    "H": "[01][0-9]|2[0-3]", "-H": "[0-9]|1[0-9]|2[0-3]", "I": "0[1-9]|1[0-2]", "-I": "[1-9]|1[0-2]",
    "p": _either(["am", "pm"]), "M": "[0-5][0-9]", "-M": "[0-9]|[1-5][0-9]", "S": "[0-5][0-9]",
    "-S": "[0-9]|[1-5][0-9]", "f": "[0-9]{6}", "g": "[0-9]{3}",
}  # fmt: skip


_WIDTHS = {
    "Y": 4, "y": 2, "m": 2, "b": 3, "d": 2, "j": 3, "a": 3, "H": 2, "I": 2, "p": 2, "M": 2, "S": 2, "f": 6, "g": 3,
}  # fmt: skip
"""Characters of a directive's text, where there are always as many."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a pattern's directives find in a text, as SQL."""

    text: str
    pattern: str
    found: dict[str, str]
    """The SQL of each directive's text."""

    def find(self, *directives: str) -> str | None:
        """The text of the first of these that the pattern has."""
        return next((self.found[directive] for directive in directives if directive in self.found), None)

    def padded(self, directive: str) -> str:
        """Two digits of a directive in either form; `00` where the pattern has it not."""
        if found := self.find(directive):
            return found
        return f"lpad({short}, 2, '0')" if (short := self.find(f"-{directive}")) else "'00'"


def formatted_time(column: Column, pattern: str, text: str) -> tuple[str, str]:
    """The value of `text` by a strftime pattern, and whether it fits; a day that is none fails in the value."""
    parts = _take_apart(pattern, text)
    year = _year(parts)
    day = _day(parts, year)
    tests = [f"regexp_like({text}, {literal(parts.pattern)})", f"{year} <> '0000'", *_tests(parts, day, year)]
    if column.type.kind == "date":
        return day, " AND ".join(tests)
    fraction = parts.find("g", "f") or "'000'"
    if "f" in parts.found and not column.fraction:
        tests.append(f"substr({fraction}, 4) = '000'")
    clock = f"concat({_hour(parts)}, ':', {parts.padded('M')}, ':', {parts.padded('S')}, '.', substr({fraction}, 1, 3))"
    return f"CAST(concat(CAST({day} AS varchar), ' ', {clock}) AS timestamp(3))", " AND ".join(tests)


def _take_apart(pattern: str, text: str) -> _Parts:
    """Even parts are literal text, of which only these are signs in a regular expression: . ( )"""
    parts = re.split(r"%(-?[A-Za-z])", pattern)
    directives = parts[1::2]
    made = [
        f"({_PATTERNS[part]})" if place % 2 else re.sub(r"([.()])", r"[\1]", part) for place, part in enumerate(parts)
    ]
    whole = f"^{''.join(made)}$"
    widths = [_WIDTHS.get(part) if place % 2 else len(part) for place, part in enumerate(parts)]
    found = {
        directive: _find_part(text, whole, number, widths[: 2 * number - 1], widths[2 * number - 1 :])
        for number, directive in enumerate(directives, 1)
    }
    return _Parts(text, whole, found)


def _find_part(text: str, whole: str, number: int, before: list[int | None], behind: list[int | None]) -> str:
    """The text of a directive: by its place from the start or the end where that is fixed, which is cheaper."""
    width = behind[0]
    if width is not None and None not in before:
        return f"substr({text}, {sum(filter(None, before)) + 1}, {width})"
    if width is not None and None not in behind:
        return f"substr({text}, -{sum(filter(None, behind))}, {width})"
    return f"regexp_extract({text}, {literal(whole)}, {number})"


def _year(parts: _Parts) -> str:
    """Two digits are 1969 to 2068, as POSIX has them."""
    if short := parts.find("y"):
        return f"concat(CASE WHEN {short} < '69' THEN '20' ELSE '19' END, {short})"
    return str(parts.find("Y"))


def _day(parts: _Parts, year: str) -> str:
    """The date; by month and day where the pattern has both, else by the day of the year."""
    month, day = _month(parts), parts.padded("d")
    if month is None or day == "'00'":
        return f"date_add('day', CAST({parts.find('j')} AS integer) - 1, CAST(concat({year}, '-01-01') AS date))"
    return f"CAST(concat({year}, '-', {month}, '-', {day}) AS date)"


def _month(parts: _Parts) -> str | None:
    if name := parts.find("b", "B"):
        place = f"(strpos({literal(' '.join(_short(_MONTHS)))}, lower(substr({name}, 1, 3))) + 3) / 4"
        return f"lpad(CAST({place} AS varchar), 2, '0')"
    return None if (found := parts.padded("m")) == "'00'" else found


def _tests(parts: _Parts, day: str, year: str) -> list[str]:
    """What else the text says of the day has to be true of it."""
    tests = []
    if number := parts.find("j"):
        tests += [f"day_of_year({day}) = CAST({number} AS integer)", f"year({day}) = CAST({year} AS integer)"]
    if name := parts.find("a", "A"):
        tests.append(f"lower(substr({name}, 1, 3)) = substr({literal(''.join(_short(_DAYS)))}, {_third(day)}, 3)")
    return tests


def _third(day: str) -> str:
    return f"day_of_week({day}) * 3 - 2"


def _hour(parts: _Parts) -> str:
    half = parts.find("p")
    hour = parts.find("I", "-I")
    if half is None or hour is None:
        return parts.padded("H")
    later = f"CASE WHEN lower({half}) = 'pm' THEN 12 ELSE 0 END"
    return f"lpad(CAST(CAST({hour} AS integer) % 12 + {later} AS varchar), 2, '0')"

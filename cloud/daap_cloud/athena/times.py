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


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a pattern's directives find in a text, as SQL."""

    text: str
    pattern: str
    groups: dict[str, int]

    def find(self, *directives: str) -> str | None:
        """The text of the first of these that the pattern has."""
        for directive in directives:
            if directive in self.groups:
                return f"regexp_extract({self.text}, {literal(self.pattern)}, {self.groups[directive]})"
        return None

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
    if "f" in parts.groups and not column.fraction:
        tests.append(f"substr({fraction}, 4) = '000'")
    clock = f"concat({_hour(parts)}, ':', {parts.padded('M')}, ':', {parts.padded('S')}, '.', substr({fraction}, 1, 3))"
    return f"CAST(concat(CAST({day} AS varchar), ' ', {clock}) AS timestamp(3))", " AND ".join(tests)


def _take_apart(pattern: str, text: str) -> _Parts:
    """Even parts are literal text, of which only these are signs in a regular expression: . ( )"""
    groups: dict[str, int] = {}
    made = []
    for place, part in enumerate(re.split(r"%(-?[A-Za-z])", pattern)):
        if place % 2:
            groups[part] = len(groups) + 1
            made.append(f"({_PATTERNS[part]})")
        else:
            made.append(re.sub(r"([.()])", r"[\1]", part))
    return _Parts(text, f"^{''.join(made)}$", groups)


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

"""Strftime patterns by the value contract: which moments, written by a pattern, give a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PARTS = re.compile(r"%-?[A-Za-z]|.", re.DOTALL)


def write_moment(moment: datetime, pattern: str) -> str:
    """`moment` by `pattern`, the same under every locale and on every platform."""
    return "".join(_write_part(moment, part) for part in _PARTS.findall(pattern))


def _write_part(moment: datetime, part: str) -> str:
    hour = moment.hour % 12 or 12
    texts = {
        "%Y": f"{moment.year:04}", "%y": f"{moment.year % 100:02}",
        "%m": f"{moment.month:02}", "%-m": f"{moment.month}",
        "%b": _MONTHS[moment.month - 1][:3], "%B": _MONTHS[moment.month - 1],
        "%d": f"{moment.day:02}", "%-d": f"{moment.day}", "%j": f"{moment.timetuple().tm_yday:03}",
        "%a": _DAYS[moment.weekday()][:3], "%A": _DAYS[moment.weekday()],
        "%H": f"{moment.hour:02}", "%-H": f"{moment.hour}", "%I": f"{hour:02}", "%-I": f"{hour}",
        "%p": "AM" if moment.hour < 12 else "PM",
        "%M": f"{moment.minute:02}", "%-M": f"{moment.minute}",
        "%S": f"{moment.second:02}", "%-S": f"{moment.second}",
        "%g": f"{moment.microsecond // 1000:03}", "%f": f"{moment.microsecond:06}",
    }  # fmt: skip
    return texts[part] if part.startswith("%") else part


def written_by(pattern: str, text: str) -> set[datetime]:
    """All moments that give `text`, the case of names apart, when they are written by `pattern`.

    What a pattern does not name is taken as zero. More than one moment means that the pattern leaves
    open what the text says.
    """
    parts = _PARTS.findall(pattern)
    guesses = (_build_moment(fields) for fields in _readings(parts, text))
    return {moment for moment in guesses if moment and _same(write_moment(moment, pattern), text)}


def _same(one: str, other: str) -> bool:
    return other.isascii() and one.lower() == other.lower()


_SHAPES = {
    "%Y": "[0-9]{4}", "%y": "[0-9]{2}", "%m": "[0-9]{2}", "%-m": "[0-9]{1,2}", "%d": "[0-9]{2}",
    "%-d": "[0-9]{1,2}", "%j": "[0-9]{3}", "%H": "[0-9]{2}", "%-H": "[0-9]{1,2}", "%I": "[0-9]{2}",
    "%-I": "[0-9]{1,2}", "%M": "[0-9]{2}", "%-M": "[0-9]{1,2}", "%S": "[0-9]{2}", "%-S": "[0-9]{1,2}",
    "%g": "[0-9]{3}", "%f": "[0-9]{6}", "%p": "[AP]M", "%b": "[A-Z]{3}", "%B": "[A-Z]+",
    "%a": "[A-Z]{3}", "%A": "[A-Z]+",
}  # fmt: skip


def _readings(parts: list[str], text: str) -> Iterator[dict[str, str]]:
    """Every way to divide `text` among the parts of a pattern."""
    if not parts:
        if not text:
            yield {}
        return
    part, rest = parts[0], parts[1:]
    for length in range(1, len(text) + 1):
        if text[:length] == part or re.fullmatch(_SHAPES.get(part, "(?!)"), text[:length], re.IGNORECASE):
            for fields in _readings(rest, text[length:]):
                yield {part.replace("-", "") if len(part) > 1 else "": text[:length]} | fields


def _build_moment(fields: dict[str, str]) -> datetime | None:
    """The moment that has these fields, or None; the caller writes it again to compare them all."""
    try:
        minute, second, micro, milli = (int(fields.get(part, 0)) for part in ("%M", "%S", "%f", "%g"))
        day = date(_find_year(fields), *_find_day(fields))
        return datetime.combine(day, time(_find_hour(fields), minute, second, micro + milli * 1000))
    except ValueError:
        return None


def _find_year(fields: dict[str, str]) -> int:
    if "%Y" in fields:
        return int(fields["%Y"])
    short = int(fields["%y"])
    return short + (1900 if short >= 69 else 2000)


def _find_day(fields: dict[str, str]) -> tuple[int, int]:
    if "%j" in fields:
        moment = datetime.strptime(f"{_find_year(fields):04} {fields['%j']}", "%Y %j")  # noqa: DTZ007
        return moment.month, moment.day
    return _find_month(fields), int(fields["%d"])


def _find_month(fields: dict[str, str]) -> int:
    if "%m" in fields:
        return int(fields["%m"])
    name = (fields.get("%b") or fields["%B"]).title()
    names = [month[: len(name)] for month in _MONTHS] if "%b" in fields else _MONTHS
    return names.index(name) + 1


def _find_hour(fields: dict[str, str]) -> int:
    if "%I" not in fields:
        return int(fields.get("%H", 0))
    return int(fields["%I"]) % 12 + (12 if fields["%p"].upper() == "PM" else 0)

"""Dates in Java's patterns, as far as projected partitions use them, and steps of time.

Sources: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html and Java's
DateTimeFormatter.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from daap_local.athena.faults import AthenaFault, unsupported


class Unit(Enum):
    """A step of time: months, or seconds where its length is fixed."""

    YEAR = (12, 0.0)
    MONTH = (1, 0.0)
    WEEK = (0, 604_800.0)
    DAY = (0, 86_400.0)
    HOUR = (0, 3_600.0)
    MINUTE = (0, 60.0)
    SECOND = (0, 1.0)
    MILLI = (0, 0.001)


_PIECES = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "MMM": "%b",
    "MMMM": "%B", "DDD": "%j", "EEE": "%a", "SSS": "%f",
}  # fmt: skip
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_RELATIVE = re.compile(r"\s*NOW\s*(?:([+-])\s*([0-9]+)\s*([A-Z]+?)S?\s*)?", re.IGNORECASE)
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A pattern by its pieces: letters of Python's, or texts as they are."""

    pieces: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, pattern: str) -> DatePattern:
        """A Java pattern. Raises AthenaFault for letters that are not known here."""
        pieces = []
        for match in _TOKEN.finditer(pattern):
            quoted, letter = match.groups()
            if letter is None:
                pieces.append((match.group() if quoted is None else quoted.replace("''", "'") or "'", False))
            elif match.group() in _PIECES:
                pieces.append((_PIECES[match.group()], True))
            else:
                raise unsupported(f"the date pattern '{match.group()}'")
        return cls(tuple(pieces))

    def written(self, moment: datetime) -> str:
        """A moment in the pattern."""
        return "".join(_written(moment, piece) if letters else piece for piece, letters in self.pieces)

    def read(self, text: str) -> datetime:
        """The moment that a text in the pattern means. Raises ValueError."""
        form = "".join(piece if letters else piece.replace("%", "%%") for piece, letters in self.pieces)
        return datetime.strptime(text, form)  # noqa: DTZ007 (projected dates have no zone)

    def natural_unit(self) -> Unit | None:
        """The step of a pattern that ends with the day or with the month; None where it must be given."""
        letters = {piece for piece, is_letters in self.pieces if is_letters}
        if letters & {"%H", "%M", "%S", "%f"}:
            return None
        if letters & {"%d", "%j"}:
            return Unit.DAY
        return Unit.MONTH if letters & {"%m", "%b", "%B"} else None


def bound(text: str, pattern: DatePattern, now: datetime) -> datetime:
    """An end of a range: a date in the pattern, or NOW with something added. Raises AthenaFault."""
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative is None:
            return pattern.read(text)
        sign, count, unit = relative.groups()
        moment = now.replace(tzinfo=None)
        if count:
            moment = added(moment, int(f"{sign}{count}"), Unit[unit.upper()])
        return pattern.read(pattern.written(moment))
    except (ValueError, KeyError) as error:
        raise AthenaFault("INVALID_TABLE_PROPERTY", f"projection: '{text}' is no date of the format") from error


def added(moment: datetime, count: int, unit: Unit) -> datetime:
    """A moment so many units later; a day beyond a month's end becomes its last."""
    months, seconds = unit.value
    if not months:
        return moment + timedelta(seconds=count * seconds)
    years, month = divmod(moment.month - 1 + count * months, _MONTHS)
    year = moment.year + years
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def _written(moment: datetime, piece: str) -> str:
    if piece == "%Y":
        return f"{moment.year:04d}"
    return f"{moment.microsecond // 1000:03d}" if piece == "%f" else moment.strftime(piece)

"""The four kinds of projected partition keys: enum, integer, date and injected.

Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.date_patterns import DatePattern, Unit, added, bound
from daap_local.athena.hive.predicates import Conjunct
from daap_local.athena.hive.types import INTEGERS
from daap_local.athena.tables import ColumnDef


class ProjectedKey(Protocol):
    """What gives a key's values."""

    def values(self, own: Sequence[Conjunct], most: int) -> list[str]:
        """The values that may meet the key's own conditions, at most so many. Raises AthenaFault for more."""


def projected_key(parameters: Mapping[str, str], key: ColumnDef, now: datetime) -> ProjectedKey:
    """The projection that a table's properties give for one of its keys. Raises AthenaFault."""
    given = _Given(parameters, key.name)
    kind = given.text("type").strip().lower()
    if kind == "enum":
        return Listed(tuple(given.text("values").split(",")))
    if kind == "integer":
        return _integer(given, key)
    if kind == "date":
        return _date(given, now)
    if kind == "injected":
        return Injected(key.name)
    raise given.wrong(f"type '{kind}' is none of enum, integer, date and injected")


@dataclass(frozen=True, slots=True)
class Listed:
    """enum: the values in the property."""

    listed: tuple[str, ...]

    def values(self, own: Sequence[Conjunct], most: int) -> list[str]:
        """All of them."""
        del own
        return _few(self.listed, most)


@dataclass(frozen=True, slots=True)
class Injected:
    """injected: the values in the query."""

    name: str

    def values(self, own: Sequence[Conjunct], most: int) -> list[str]:
        """The values that the conditions name. Raises AthenaFault where they name none."""
        found = [set(one.equal) for one in own if one.equal is not None]
        if not found:
            raise AthenaFault(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {self.name}, the WHERE clause must contain only static "
                "equality conditions, and at least one such condition must be present.",
            )
        return _few(sorted(set.intersection(*found)), most)


@dataclass(frozen=True, slots=True)
class Counted:
    """integer: a range in steps, with leading zeros where digits are asked for."""

    low: int
    high: int
    step: int
    digits: int

    def values(self, own: Sequence[Conjunct], most: int) -> list[str]:
        """The numbers of the range, narrowed by plain comparisons."""
        low, high = self.low, self.high
        for operator, number in _numbers(own):
            low = max(low, number) if operator in ("=", ">", ">=") else low
            high = min(high, number) if operator in ("=", "<", "<=") else high
        first = self.low + -(-(low - self.low) // self.step) * self.step
        return _few((f"{number:0{self.digits}d}" for number in range(first, high + 1, self.step)), most)


@dataclass(frozen=True, slots=True)
class Dated:
    """date: a range in steps of a unit, written in a pattern."""

    pattern: DatePattern
    low: datetime
    high: datetime
    step: int
    unit: Unit

    def values(self, own: Sequence[Conjunct], most: int) -> list[str]:
        """The days, hours or the like of the range."""
        del own
        return _few(self._all(), most)

    def _all(self) -> Iterator[str]:
        count, moment, before = 0, self.low, ""
        while moment <= self.high:
            text = self.pattern.written(moment)
            if text != before:
                yield text
            count, before = count + 1, text
            moment = added(self.low, count * self.step, self.unit)


class _Given:
    """The properties of one key."""

    def __init__(self, parameters: Mapping[str, str], name: str) -> None:
        self._parameters, self._name = parameters, name

    def text(self, what: str, default: str | None = None) -> str:
        found = self._parameters.get(f"projection.{self._name}.{what}", default)
        if found is None:
            raise self.wrong(f"{what} is missing")
        return found

    def number(self, what: str, default: str) -> int:
        text = self.text(what, default).strip()
        if not text.isdecimal() or (what == "interval" and int(text) == 0):
            raise self.wrong(f"{what} '{text}' is no positive number")
        return int(text)

    def range(self) -> tuple[str, str]:
        low, comma, high = self.text("range").partition(",")
        if not comma or "," in high:
            raise self.wrong("range must have two values with a comma between")
        return low.strip(), high.strip()

    def wrong(self, problem: str) -> AthenaFault:
        return AthenaFault("INVALID_TABLE_PROPERTY", f"projection.{self._name}: {problem}")


def _integer(given: _Given, key: ColumnDef) -> ProjectedKey:
    low, high = given.range()
    digits = given.number("digits", "0")
    try:
        ends = int(low), int(high)
    except ValueError:
        raise given.wrong(f"range '{low},{high}' has no whole numbers") from None
    if key.type not in INTEGERS and key.type != "string":
        raise given.wrong(f"an integer projection cannot be of type {key.type}")
    return Counted(*ends, given.number("interval", "1"), digits)


def _date(given: _Given, now: datetime) -> ProjectedKey:
    pattern = DatePattern.of(given.text("format"))
    low, high = given.range()
    unit_name = given.text("interval.unit", "").strip().upper().rstrip("S")
    if unit_name not in Unit.__members__ and unit_name:
        raise given.wrong(f"interval.unit '{unit_name}' is not known")
    unit = Unit[unit_name] if unit_name else pattern.natural_unit()
    if unit is None:
        raise given.wrong("interval.unit is missing")
    ends = bound(low, pattern, now), bound(high, pattern, now)
    return Dated(pattern, *ends, given.number("interval", "1"), unit)


def _few(values: Iterable[str], most: int) -> list[str]:
    found = list(islice(values, most + 1))
    if len(found) > most:
        raise AthenaFault("CONSTRAINT_VIOLATION", f"the query needs more than {most} projected partitions")
    return found


def _numbers(own: Sequence[Conjunct]) -> Iterator[tuple[str, int]]:
    for one in own:
        yield from ((operator, int(text)) for operator, text in one.compared if text.lstrip("-").isdecimal())

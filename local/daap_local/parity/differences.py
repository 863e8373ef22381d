"""Differences: what they are of, what either side says, and the first examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from daap.model.verdict import MASK, cut_value

SHOWN = 10
"""Examples that a difference shows."""

Said = Mapping[str, str]
"""What each side says, by its name."""


class Kind(StrEnum):
    """What differs. Programs may rely on these words."""

    FAILURE = "failure"
    VERDICT = "verdict"
    RECEIPT = "receipt"
    REPORT = "report"
    ANNOTATED = "annotated"
    KEPT = "kept"
    SCHEMA = "schema"
    ROWS = "rows"
    CATALOGUE = "catalogue"
    SNAPSHOTS = "snapshots"
    QUERY = "query"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class Example:
    """One place where the sides differ, such as `line 5, column amount`."""

    where: str
    said: Said

    def __str__(self) -> str:
        return f"{self.where}: {say_sides(self.said)}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the sides differ: in a table, and in what came of one file if it is one file's.

    `told` says it in words; `examples` are the first ten of `count`.
    """

    kind: Kind
    table: str
    told: str
    said: Said
    file: str | None = None
    count: int = 1
    examples: tuple[Example, ...] = field(default=())

    def __str__(self) -> str:
        where = f"{self.table}, {self.file}" if self.file else self.table
        return f"{where}: {self.kind}: {self.told}: {say_sides(self.said)}"

    def dump(self) -> dict[str, Any]:
        """The difference as plain data."""
        return {
            "kind": str(self.kind), "table": self.table, "file": self.file, "message": self.told,
            "sides": dict(self.said), "count": self.count,
            "examples": [{"where": example.where, "sides": dict(example.said)} for example in self.examples],
        }  # fmt: skip


def say_sides(said: Said) -> str:
    """What each side says, in a line."""
    return "; ".join(f"{name} {text}" for name, text in said.items())


def show_value(value: object, *, personal: bool = False) -> str:
    """A value as differences show it: NULL told from an empty text, cut as in reports, masked if it is personal."""
    if value is None:
        return "NULL"
    return MASK if personal else repr(cut_value(str(value)))

"""What a check finds in a file: the verdict, its errors, and the error codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_KEPT = 1_000
"""Errors kept in full; all are counted."""

MAX_VALUE = 100
"""Characters of a value that a report shows."""

MASK = "***"


class Code(StrEnum):
    """Stable codes of what can be wrong with a file. Programs may rely on them."""

    NOT_REGISTERED = "not_registered"
    NOT_CSV = "not_csv"
    EMPTY_FILE = "empty_file"
    MISSING_HEADER = "missing_header"
    MISSING_COLUMN = "missing_column"
    EXTRA_COLUMN = "extra_column"
    DUPLICATE_COLUMN = "duplicate_column"
    UNREADABLE_HEADER = "unreadable_header"
    ENCODING_ERROR = "encoding_error"
    NUL_CHARACTER = "nul_character"
    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    BLANK_LINE = "blank_line"
    BROKEN_QUOTE = "broken_quote"
    UNCLOSED_QUOTE = "unclosed_quote"
    BROKEN_ESCAPE = "broken_escape"
    RECORD_TOO_LONG = "record_too_long"
    TYPE_ERROR = "type_error"
    TOO_LONG = "too_long"
    MISSING_VALUE = "missing_value"
    FILE_WITHDRAWN = "file_withdrawn"


@dataclass(frozen=True, slots=True)
class DataError:
    """One thing wrong in a file.

    `line` is the physical line an editor shows, from 1 (None: the file as a whole); `value` is cut
    to 100 characters and masked where the column is personal; `expected` says what would be right.
    """

    code: Code
    expected: str
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        where = ", ".join(
            part
            for part in (
                f"line {self.line}" if self.line else "",
                f"column {self.column}" if self.column else "",
            )
            if part
        )
        found = f" (found {self.value!r})" if self.value is not None else ""
        return f"{where + ': ' if where else ''}{self.code}: {self.expected}{found}"

    def dump(self) -> dict[str, Any]:
        """The error as plain data."""
        return {
            "code": str(self.code),
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "expected": self.expected,
        }


def cut_value(value: str) -> str:
    """`value` as a report shows it: at most 100 characters."""
    return value if len(value) <= MAX_VALUE else value[: MAX_VALUE - 1] + "…"


@dataclass(slots=True)
class ErrorLog:
    """Collects errors: counts them all by code, keeps the first thousand."""

    kept: list[DataError] = field(default_factory=list)
    counts: Counter[Code] = field(default_factory=Counter)

    def add(self, error: DataError) -> None:
        """Counts `error`, and keeps it while there is room."""
        self.counts[error.code] += 1
        if len(self.kept) < MAX_KEPT:
            self.kept.append(error)

    def merge(self, found: Iterable[DataError]) -> None:
        """Keeps the first by line of what is kept and what was `found`; counting is the caller's."""
        self.kept = sorted([*self.kept, *found], key=lambda error: error.line or 0)[:MAX_KEPT]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check: the file is accepted if there is no error.

    `rows` are the records read (header and blank lines apart), `size` the bytes and `content_hash`
    the hash of the file as it came; `errors` the first thousand, `counts` all of them by code;
    `path` names the way the engine took.
    """

    rows: int
    size: int
    content_hash: str
    errors: tuple[DataError, ...] = ()
    counts: dict[Code, int] = field(default_factory=dict)
    path: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the file is fit to be archived and curated."""
        return not self.counts

    @property
    def total(self) -> int:
        """How many errors there are in all."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One Parquet file, by its name below the target."""

    name: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Writer:
    """The engine that wrote, and why it was this one, where there was a choice."""

    name: str
    version: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a conversion wrote: the target it wrote to and the files there.

    `writer` is the engine that wrote, where it need not be the one that was asked.
    """

    target: str
    files: tuple[WrittenFile, ...]
    writer: Writer | None = None

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(file.rows for file in self.files)

"""What happened, as small frozen facts: the pipeline's use cases take and return these."""

from __future__ import annotations

from dataclasses import dataclass, field

from daap.model.loads import LoadId, Receipt
from daap.model.verdict import Written


@dataclass(frozen=True, slots=True)
class FileLanded:
    """A whole file lies in landing under `key`, brought by `actor`."""

    key: str
    actor: str = "unknown"


@dataclass(frozen=True, slots=True)
class FileArchived:
    """A checked file lies in raw history; `staged` is its Parquet where the check made it in passing."""

    receipt: Receipt
    staged: Written | None = None


@dataclass(frozen=True, slots=True)
class FileRefused:
    """A file was refused and lies in fail, beside its report."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class LoadCurated:
    """A snapshot is published."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """The event was an old one: its file has been taken already, or is gone.

    `load` where it is known; `file_id` where its claim is to be ended.
    """

    key: str
    load: LoadId | None = None
    file_id: str | None = field(default=None, compare=False)


Landed = FileArchived | FileRefused | NothingToDo
Outcome = LoadCurated | FileArchived | FileRefused | NothingToDo

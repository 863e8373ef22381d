"""The engine port: what reads CSV by the value contract and writes Parquet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict, Written

Progress = Callable[[str, float], None]
"""Called with the step's name and the share done, 0.0 to 1.0; may be called from another thread."""


def silent(_step: str, _share: float) -> None:
    """The progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Source:
    """A CSV file: the path or URL where an engine finds it, its size in bytes, and how to read it from the start."""

    location: str
    size: int
    open: Callable[[], BinaryIO]


class Engine(ABC):
    """Checks and converts one file by the value contract (docs/value-contract.md).

    Every engine gives the same verdict and the same rows for the same file and schema.
    What is wrong in the file is in the verdict; EngineFailed is raised for everything else,
    Cancelled where the person stopped it. What a store says comes as it is: ObjectMissing where the
    file is gone, StoreUnavailable where it cannot be read, or the target written, now.
    """

    name: str
    version: str

    @abstractmethod
    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        """Reads the whole file and judges every value."""

    @abstractmethod
    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        """Writes the rows of an accepted file as Parquet below `target` (a folder or prefix, not there yet).

        With `columns`, just these are written, in their order: those that the schema has with this name and
        type with their values, others as NULL; what else the file holds is passed over. That is how a snapshot
        is carried into a new major version. Raises EngineFailed if the file does not pass: nothing is dropped
        to make it fit.
        """


@runtime_checkable
class CanStage(Protocol):
    """An engine that can check and convert in one pass over the file."""

    def stage(
        self, source: Source, schema: TableSchema, target: str, progress: Progress = silent
    ) -> tuple[Verdict, Written | None]:
        """As check, then curate; the second part is None, and `target` empty, if the file is refused."""

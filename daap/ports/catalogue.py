"""The catalogue port: which tables there are, and which snapshots of them are visible."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from daap.model.loads import LoadId, OutputFile, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Written


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table as the catalogue knows it."""

    ref: TableRef
    schema: TableSchema
    widened: bool = field(default=False, compare=False)
    """Whether columns were added since the table was made, so that older snapshots lack them; set by the catalogue."""


class Catalogue(ABC):
    """Tables with their visible snapshots. A snapshot appears whole, at one moment, or not at all."""

    @abstractmethod
    def put_table(self, entry: TableEntry) -> None:
        """Makes the table and its `_latest` view known, or its new columns; the same again is no error."""

    @abstractmethod
    def tables(self) -> Sequence[TableEntry]:
        """All tables, in order."""

    @abstractmethod
    def table(self, database: str, table: str) -> TableEntry:
        """One table, by its name in SQL (case does not count); raises NotRegistered."""

    @abstractmethod
    def new_target(self, load: LoadId) -> str:
        """Where an engine may write a snapshot of this load, unseen by readers; a fresh place each time."""

    @abstractmethod
    def publish(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """Makes what was written the visible snapshot of `load`, durably.

        If the snapshot is visible already, that one stays and `written` is dropped: publishing twice
        gives one snapshot. Returns the files of the visible one.
        """

    @abstractmethod
    def replace(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """As publish, but what was written takes the place of a snapshot that is visible already, in one step."""

    @abstractmethod
    def withdraw(self, load: LoadId) -> None:
        """Makes a snapshot invisible at one moment, then removes its files and what was written and never published.

        One that is not there is no error.
        """

    @abstractmethod
    def drop_table(self, ref: TableRef) -> None:
        """Removes a table with all its snapshots; one that is not there is no error."""

    @abstractmethod
    def discard(self, load: LoadId) -> None:
        """Removes what was written for `load` and never published, from this or an earlier try."""

    @abstractmethod
    def snapshots(self, ref: TableRef) -> Sequence[str]:
        """The load timestamps of all visible snapshots, oldest first."""

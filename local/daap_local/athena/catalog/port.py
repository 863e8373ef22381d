"""The catalogue port: databases, tables with their versions, and partitions, in the shapes of Glue's API.

The shapes are Glue's own JSON (`DatabaseInput`, `TableInput`, `PartitionInput` going in; `Database`, `Table`,
`Partition` coming out), because clients store fields of their own in them and expect them back.
Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Types.html
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]


class GlueCatalog(ABC):
    """Names are folded to lower case. Raises EntityMissing, EntityExists, InvalidEntity and EntityRefused."""

    @abstractmethod
    def databases(self) -> list[Json]:
        """All databases, by name."""

    @abstractmethod
    def database(self, name: str) -> Json:
        """One database."""

    @abstractmethod
    def create_database(self, given: Json) -> None:
        """From a DatabaseInput."""

    @abstractmethod
    def update_database(self, name: str, given: Json) -> None:
        """From a DatabaseInput."""

    @abstractmethod
    def delete_database(self, name: str) -> None:
        """With all that is in it."""

    @abstractmethod
    def tables(self, database: str) -> list[Json]:
        """All tables and views of a database, by name."""

    @abstractmethod
    def table(self, database: str, name: str) -> Json:
        """One table."""

    @abstractmethod
    def create_table(self, database: str, given: Json) -> None:
        """From a TableInput."""

    @abstractmethod
    def update_table(self, database: str, given: Json, *, archive: bool = True) -> None:
        """From a TableInput; the state before is kept as a version, unless `archive` is false."""

    @abstractmethod
    def delete_table(self, database: str, name: str) -> None:
        """With its versions and partitions."""

    @abstractmethod
    def versions(self, database: str, name: str) -> list[Json]:
        """The `TableVersion`s of a table, the newest first; it is the table itself."""

    @abstractmethod
    def delete_version(self, database: str, name: str, version: str) -> None:
        """Removes one archived version."""

    @abstractmethod
    def partitions(self, database: str, table: str) -> list[Json]:
        """All partitions of a table, by their values."""

    @abstractmethod
    def partition(self, database: str, table: str, values: Sequence[str]) -> Json:
        """One partition."""

    @abstractmethod
    def create_partition(self, database: str, table: str, given: Json) -> None:
        """From a PartitionInput."""

    @abstractmethod
    def update_partition(self, database: str, table: str, values: Sequence[str], given: Json) -> None:
        """From a PartitionInput, which may have other values."""

    @abstractmethod
    def delete_partition(self, database: str, table: str, values: Sequence[str]) -> None:
        """Removes one partition."""

    def create_partitions(self, database: str, table: str, given: Sequence[Json]) -> None:
        """Several at once; the first that cannot be made ends it."""
        for one in given:
            self.create_partition(database, table, one)

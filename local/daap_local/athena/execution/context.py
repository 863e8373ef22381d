"""What the statements' modules work with: the catalogue, the objects, and one statement's own state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from daap.errors import Cancelled
from daap_local.athena.catalog.convert import partition_of, table_of
from daap_local.athena.catalog.faults import EntityMissing
from daap_local.athena.catalog.port import GlueCatalog, Json
from daap_local.athena.execution.record import CATALOG, Execution, Request
from daap_local.athena.execution.session import Session
from daap_local.athena.faults import AthenaFault
from daap_local.athena.objects.port import Objects
from daap_local.athena.tables import GlueTable, Partition, TableName


class Prepared(Protocol):
    """Where prepared statements are kept, by work group and name."""

    def find(self, group: str, name: str) -> Json | None:
        """A statement, or None."""

    def save(self, group: str, name: str, text: str, description: str | None = None, *, anew: bool = True) -> None:
        """Keeps a statement."""

    def drop(self, group: str, name: str) -> None:
        """Forgets a statement."""


@dataclass(frozen=True, slots=True)
class World:
    """What all statements share."""

    catalog: GlueCatalog
    objects: Objects
    footers: Any = None
    """What the readers of Parquet remember from one query to the next."""
    prepared: Prepared | None = None


@dataclass(slots=True)
class Job:
    """One statement being carried out."""

    world: World
    execution: Execution
    session: Session
    started: datetime
    _tables: dict[tuple[str, str], Json] = field(default_factory=dict)

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.execution.request

    @property
    def catalog(self) -> GlueCatalog:
        """The catalogue."""
        return self.world.catalog

    @property
    def objects(self) -> Objects:
        """The objects."""
        return self.world.objects

    def open(self, uri: str) -> BinaryIO:
        """Opens an object for the readers."""
        return self.objects.open(uri)

    def full_name(self, name: TableName) -> tuple[str, str]:
        """Database and table, in lower case; raises where the statement names no database or a foreign catalogue."""
        if name.catalog and name.catalog.lower() not in (CATALOG.lower(), "hive"):
            raise AthenaFault("CATALOG_NOT_FOUND", f"line 1:1: Catalog '{name.catalog}' does not exist")
        database = name.database or self.request.database
        if not database:
            raise AthenaFault(
                "MISSING_SCHEMA_NAME", "line 1:1: Schema must be specified when session schema is not set"
            )
        return database.lower(), name.table.lower()

    def json(self, name: TableName) -> Json:
        """A table as Glue has it; raises EntityMissing. The statement sees one and the same state of it throughout."""
        key = self.full_name(name)
        if key not in self._tables:
            self._tables[key] = self.catalog.table(*key)
        return self._tables[key]

    def find(self, name: TableName) -> GlueTable | None:
        """A table, or None."""
        try:
            return table_of(self.json(name))
        except EntityMissing:
            return None

    def table(self, name: TableName) -> GlueTable:
        """A table that has to be there."""
        found = self.find(name)
        if found is None:
            database, table = self.full_name(name)
            raise AthenaFault("FAILED", f"SemanticException [Error 10001]: Table not found {database}.{table}")
        return found

    def check_cutoff(self) -> None:
        """Cancels a statement that would read more than its work group lets it, as Athena does."""
        cutoff = self.request.cutoff
        if cutoff is not None and self.execution.usage.bytes > cutoff:
            raise Cancelled(f"Bytes scanned limit was exceeded: the limit is {cutoff} bytes")

    def partitions(self, table: GlueTable) -> list[Partition]:
        """All partitions that the catalogue has."""
        return [partition_of(one) for one in self.catalog.partitions(table.database, table.name)]

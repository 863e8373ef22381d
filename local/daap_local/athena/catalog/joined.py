"""The lake's own tables and those that people make, as one catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from daap_local.athena.catalog.faults import EntityExists, EntityMissing, EntityRefused
from daap_local.athena.catalog.lake import LakeTables
from daap_local.athena.catalog.port import GlueCatalog, Json
from daap_local.athena.catalog.shelved import ShelfCatalog


class JoinedCatalog(GlueCatalog):
    """The lake's own tables are read-only; tables of one's own may stand beside them in its databases."""

    def __init__(self, lake: LakeTables, own: ShelfCatalog) -> None:
        self._lake, self._own = lake, own

    def _is_lake(self, database: str) -> bool:
        return database.lower() in self._lake.names()

    def _lake_table(self, database: str, name: str) -> Json | None:
        try:
            return self._lake.table(database.lower(), name.lower()) if self._is_lake(database) else None
        except EntityMissing:
            return None

    def _make_room(self, database: str) -> None:
        """Tables of one's own in a database of the lake need that database on the shelf."""
        if self._is_lake(database):
            try:
                self._own.database(database)
            except EntityMissing:
                self._own.create_database({"Name": database.lower()})

    def _refuse_lake(self, database: str, name: str) -> None:
        if self._lake_table(database, name):
            raise EntityRefused(f"{database}.{name} is the lake's own: its definition follows from its product")

    def databases(self) -> list[Json]:
        """See GlueCatalog."""
        found = {one["Name"]: one for one in self._own.databases()}
        found |= {name: self._lake.database(name) for name in self._lake.names()}
        return [found[name] for name in sorted(found)]

    def database(self, name: str) -> Json:
        """See GlueCatalog."""
        return self._lake.database(name.lower()) if self._is_lake(name) else self._own.database(name)

    def create_database(self, given: Json) -> None:
        """See GlueCatalog."""
        if self._is_lake(str(given["Name"])):
            raise EntityExists("Database already exists.")
        self._own.create_database(given)

    def update_database(self, name: str, given: Json) -> None:
        """See GlueCatalog."""
        if self._is_lake(name):
            raise EntityRefused(f"{name} is the lake's own")
        self._own.update_database(name, given)

    def delete_database(self, name: str) -> None:
        """See GlueCatalog."""
        if self._is_lake(name):
            raise EntityRefused(f"{name} is the lake's own")
        self._own.delete_database(name)

    def tables(self, database: str) -> list[Json]:
        """See GlueCatalog."""
        if not self._is_lake(database):
            return self._own.tables(database)
        try:
            own = self._own.tables(database)
        except EntityMissing:
            own = []
        found = {table["Name"]: table for table in [*own, *self._lake.tables(database.lower())]}
        return [found[name] for name in sorted(found)]

    def table(self, database: str, name: str) -> Json:
        """See GlueCatalog."""
        return self._lake_table(database, name) or self._own.table(database, name)

    def create_table(self, database: str, given: Json) -> None:
        """See GlueCatalog."""
        if self._lake_table(database, str(given["Name"])):
            raise EntityExists("Table already exists.")
        self._make_room(database)
        self._own.create_table(database, given)

    def update_table(self, database: str, given: Json, *, archive: bool = True) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, str(given["Name"]))
        self._own.update_table(database, given, archive=archive)

    def delete_table(self, database: str, name: str) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, name)
        self._own.delete_table(database, name)

    def versions(self, database: str, name: str) -> list[Json]:
        """See GlueCatalog."""
        table = self._lake_table(database, name)
        return [{"VersionId": "0", "Table": table}] if table else self._own.versions(database, name)

    def delete_version(self, database: str, name: str, version: str) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, name)
        self._own.delete_version(database, name, version)

    def partitions(self, database: str, table: str) -> list[Json]:
        """See GlueCatalog."""
        if self._lake_table(database, table):
            return self._lake.partitions(database.lower(), table.lower())
        return self._own.partitions(database, table)

    def partition(self, database: str, table: str, values: Sequence[str]) -> Json:
        """See GlueCatalog."""
        if self._lake_table(database, table):
            return self._lake.partition(database.lower(), table.lower(), values)
        return self._own.partition(database, table, values)

    def create_partition(self, database: str, table: str, given: Json) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, table)
        self._own.create_partition(database, table, given)

    def create_partitions(self, database: str, table: str, given: Sequence[Json]) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, table)
        self._own.create_partitions(database, table, given)

    def update_partition(self, database: str, table: str, values: Sequence[str], given: Json) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, table)
        self._own.update_partition(database, table, values, given)

    def delete_partition(self, database: str, table: str, values: Sequence[str]) -> None:
        """See GlueCatalog."""
        self._refuse_lake(database, table)
        self._own.delete_partition(database, table, values)

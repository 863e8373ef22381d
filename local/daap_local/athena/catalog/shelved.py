"""A Glue catalogue of one's own, kept as documents."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from daap_local.athena.catalog.faults import EntityExists, EntityMissing, InvalidEntity
from daap_local.athena.catalog.port import GlueCatalog, Json
from daap_local.athena.shelf import Shelf

ACCOUNT = "000000000000"
_DATABASE, _TABLE, _VERSION, _PARTITION = "glue-database", "glue-table", "glue-version", "glue-partition"


class ShelfCatalog(GlueCatalog):
    """Databases, tables, versions and partitions on a Shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def databases(self) -> list[Json]:
        """See GlueCatalog."""
        return self._shelf.list(_DATABASE)

    def database(self, name: str) -> Json:
        """See GlueCatalog."""
        found = self._shelf.get(_DATABASE, name.lower())
        if found is None:
            raise EntityMissing(f"Database {name.lower()} not found.")
        return found

    def create_database(self, given: Json) -> None:
        """See GlueCatalog."""
        name = _name_of(given)
        with self._shelf.transaction():
            if self._shelf.get(_DATABASE, name):
                raise EntityExists("Database already exists.")
            self._shelf.put(_DATABASE, name, data=_described(given, name))

    def update_database(self, name: str, given: Json) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            before = self.database(name)
            after = {**_described(given, before["Name"]), "CreateTime": before["CreateTime"]}
            self._shelf.put(_DATABASE, before["Name"], data=after)

    def delete_database(self, name: str) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            found = self.database(name)["Name"]
            for kind in (_TABLE, _VERSION, _PARTITION):
                self._shelf.delete_below(kind, found)
            self._shelf.delete(_DATABASE, found)

    def tables(self, database: str) -> list[Json]:
        """See GlueCatalog."""
        return self._shelf.list(_TABLE, self.database(database)["Name"])

    def table(self, database: str, name: str) -> Json:
        """See GlueCatalog."""
        found = self._shelf.get(_TABLE, database.lower(), name.lower())
        if found is None:
            self.database(database)
            raise EntityMissing(f"Table {name.lower()} not found.")
        return found

    def create_table(self, database: str, given: Json) -> None:
        """See GlueCatalog."""
        name = _name_of(given)
        with self._shelf.transaction():
            base = self.database(database)["Name"]
            if self._shelf.get(_TABLE, base, name):
                raise EntityExists("Table already exists.")
            self._save_table(base, {**_described(given, name), "DatabaseName": base, "VersionId": "0"})

    def update_table(self, database: str, given: Json, *, archive: bool = True) -> None:
        """See GlueCatalog."""
        name = _name_of(given)
        with self._shelf.transaction():
            before = self.table(database, name)
            if not archive:
                self._shelf.delete(_VERSION, before["DatabaseName"], name, _padded(before["VersionId"]))
            kept = {key: before[key] for key in ("DatabaseName", "CreateTime")}
            after = {**_described(given, name), **kept, "VersionId": str(int(before["VersionId"]) + 1)}
            self._save_table(before["DatabaseName"], after)

    def _save_table(self, database: str, table: Json) -> None:
        self._shelf.put(_TABLE, database, table["Name"], data=table)
        version = {"VersionId": table["VersionId"], "Table": table}
        self._shelf.put(_VERSION, database, table["Name"], _padded(table["VersionId"]), data=version)

    def delete_table(self, database: str, name: str) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            found = self.table(database, name)
            key = (found["DatabaseName"], found["Name"])
            for kind in (_VERSION, _PARTITION):
                self._shelf.delete_below(kind, *key)
            self._shelf.delete(_TABLE, *key)

    def versions(self, database: str, name: str) -> list[Json]:
        """See GlueCatalog."""
        found = self.table(database, name)
        return self._shelf.list(_VERSION, found["DatabaseName"], found["Name"])[::-1]

    def delete_version(self, database: str, name: str, version: str) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            found = self.table(database, name)
            key = (found["DatabaseName"], found["Name"], _padded(version))
            if self._shelf.get(_VERSION, *key) is None:
                raise EntityMissing(f"Version {version} not found.")
            if found["VersionId"] == version:
                raise InvalidEntity("Can't delete the current version of a table.")
            self._shelf.delete(_VERSION, *key)

    def partitions(self, database: str, table: str) -> list[Json]:
        """See GlueCatalog."""
        found = self.table(database, table)
        return self._shelf.list(_PARTITION, found["DatabaseName"], found["Name"])

    def partition(self, database: str, table: str, values: Sequence[str]) -> Json:
        """See GlueCatalog."""
        found = self._shelf.get(_PARTITION, database.lower(), table.lower(), *values)
        if found is None:
            self.table(database, table)
            raise EntityMissing("Cannot find partition.")
        return found

    def create_partition(self, database: str, table: str, given: Json) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            found = self.table(database, table)
            values = _values_of(given, found)
            key = (found["DatabaseName"], found["Name"], *values)
            if self._shelf.get(_PARTITION, *key):
                raise EntityExists("Partition already exists.")
            self._shelf.put(_PARTITION, *key, data=_partition(given, found))

    def create_partitions(self, database: str, table: str, given: Sequence[Json]) -> None:
        """See GlueCatalog. All or none."""
        with self._shelf.transaction():
            super().create_partitions(database, table, given)

    def update_partition(self, database: str, table: str, values: Sequence[str], given: Json) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            before, found = self.partition(database, table, values), self.table(database, table)
            after = _values_of(given, found) if given.get("Values") else list(values)
            if after != list(values):
                self.delete_partition(database, table, values)
                self.create_partition(database, table, given)
                return
            data = {**_partition({**given, "Values": after}, found), "CreationTime": before["CreationTime"]}
            self._shelf.put(_PARTITION, found["DatabaseName"], found["Name"], *values, data=data)

    def delete_partition(self, database: str, table: str, values: Sequence[str]) -> None:
        """See GlueCatalog."""
        with self._shelf.transaction():
            found = self.partition(database, table, values)
            self._shelf.delete(_PARTITION, found["DatabaseName"], found["TableName"], *values)


def _name_of(given: Json) -> str:
    name = str(given["Name"]).lower()
    if not name.strip() or any(mark in name for mark in "\x1f/\n\r"):
        raise InvalidEntity(f"{name!r} is not allowed as a name")
    return name


def _described(given: Json, name: str) -> Json:
    now = time.time()
    times: dict[str, Any] = {"CreateTime": now, "UpdateTime": now} if "TargetDatabase" not in given else {}
    return {**given, "Name": name, **times, "CatalogId": ACCOUNT}


def _padded(version: str) -> str:
    """Versions in the order of their numbers."""
    return version.zfill(12)


def _values_of(given: Json, table: Json) -> list[str]:
    values = list(given.get("Values", ()))
    if len(values) != len(table.get("PartitionKeys") or ()):
        raise InvalidEntity("The number of partition keys do not match the number of partition values")
    if any("\x1f" in value for value in values):
        raise InvalidEntity("a partition value has a control character")
    return values


def _partition(given: Json, table: Json) -> Json:
    names = {"DatabaseName": table["DatabaseName"], "TableName": table["Name"], "CatalogId": ACCOUNT}
    return {**given, **names, "CreationTime": time.time()}

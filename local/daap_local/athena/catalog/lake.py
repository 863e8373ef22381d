"""The lake's products as Glue databases: read-only, made up at the moment of asking from the lake's own catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from daap.errors import NotRegistered
from daap.model.keys import table_prefix
from daap.model.loads import LoadId, TableRef
from daap.model.names import LOAD_TIMESTAMP
from daap.ports.catalogue import Catalogue, TableEntry
from daap_local.athena.catalog.events import EVENTS, LOGS, event_partition, event_partitions, event_table
from daap_local.athena.catalog.faults import EntityMissing
from daap_local.athena.catalog.port import Json
from daap_local.athena.catalog.shelved import ACCOUNT
from daap_local.folder_store import FolderStore

LATEST = "_latest"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet."
_SERDE = {
    "InputFormat": f"{_PARQUET}MapredParquetInputFormat",
    "OutputFormat": f"{_PARQUET}MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}serde.ParquetHiveSerDe", "Parameters": {}},
}


class LakeTables:
    """Databases `{product}_v{major}` and `daap_logs`, with their tables, `_latest` views and partitions."""

    def __init__(self, store: FolderStore, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue

    def names(self) -> list[str]:
        """The databases' names."""
        found = {entry.ref.database for entry in self._catalogue.tables()}
        return sorted(found | ({LOGS} if self._store.folder("logs/").is_dir() else set()))

    def database(self, name: str) -> Json:
        """One database."""
        return {"Name": name, "Description": "a product of the lake", "CatalogId": ACCOUNT, "Parameters": {}}

    def tables(self, database: str) -> list[Json]:
        """Tables, and after each its view of the newest snapshot."""
        if database == LOGS:
            return [event_table()]
        entries = [entry for entry in self._catalogue.tables() if entry.ref.database == database]
        return sorted((t for entry in entries for t in self._pair(entry)), key=lambda table: str(table["Name"]))

    def _pair(self, entry: TableEntry) -> tuple[Json, Json]:
        return _table(entry), self._view(entry)

    def table(self, database: str, name: str) -> Json:
        """One table or view; raises EntityMissing."""
        if (database, name) == (LOGS, EVENTS):
            return event_table()
        try:
            return _table(self._catalogue.table(database, name))
        except NotRegistered:
            return self._view(self._entry_of_view(database, name))

    def _entry_of_view(self, database: str, name: str) -> TableEntry:
        try:
            if name.endswith(LATEST):
                return self._catalogue.table(database, name[: -len(LATEST)])
        except NotRegistered:
            pass
        raise EntityMissing(f"Table {name} not found.")

    def _view(self, entry: TableEntry) -> Json:
        """The newest snapshot by its own timestamp, so that nothing else is opened."""
        stamps = self._catalogue.snapshots(entry.ref)
        condition = f"{LOAD_TIMESTAMP} = '{stamps[-1]}'" if stamps else "false"
        name = entry.ref.table.lower()
        sql = f'SELECT * FROM "{entry.ref.database}"."{name}" WHERE {condition}'  # noqa: S608 - checked names
        return _view_table(entry, f"{name}{LATEST}", sql)

    def partitions(self, database: str, table: str) -> list[Json]:
        """The snapshots of a table."""
        if (database, table) == (LOGS, EVENTS):
            return event_partitions(self._store)
        try:
            entry = self._catalogue.table(database, table)
        except NotRegistered:
            self._entry_of_view(database, table)
            return []
        return [_partition(entry, stamp) for stamp in self._catalogue.snapshots(entry.ref)]

    def partition(self, database: str, table: str, values: Sequence[str]) -> Json:
        """One snapshot; raises EntityMissing."""
        if (database, table) == (LOGS, EVENTS):
            return event_partition(values)
        found = [one for one in self.partitions(database, table) if one["Values"] == list(values)]
        if not found:
            raise EntityMissing("Cannot find partition.")
        return found[0]


def location_of(ref: TableRef) -> str:
    """Where a product's table lies, as S3 has it."""
    return f"s3://{table_prefix('curated', ref)}"


def _columns(entry: TableEntry) -> list[Json]:
    return [
        {"Name": column.name, "Type": str(column.type), "Comment": column.description}
        for column in entry.schema.columns
    ]


def _table(entry: TableEntry) -> Json:
    return {
        "Name": entry.ref.table.lower(), "DatabaseName": entry.ref.database, "CatalogId": ACCOUNT,
        "Description": entry.schema.table_description, "TableType": "EXTERNAL_TABLE", "VersionId": "0",
        "PartitionKeys": [{"Name": LOAD_TIMESTAMP, "Type": "string"}],
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "StorageDescriptor": {"Columns": _columns(entry), "Location": location_of(entry.ref), **_SERDE},
    }  # fmt: skip


def _view_table(entry: TableEntry, name: str, sql: str) -> Json:
    from daap_local.athena.hive.views import encode_view  # noqa: PLC0415 - the statements' parser is loaded late
    from daap_local.athena.sql import parse_type  # noqa: PLC0415 - as above

    columns = [*_columns(entry), {"Name": LOAD_TIMESTAMP, "Type": "string"}]
    return {
        "Name": name, "DatabaseName": entry.ref.database, "CatalogId": ACCOUNT, "TableType": "VIRTUAL_VIEW",
        "VersionId": "0", "PartitionKeys": [], "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "StorageDescriptor": {"Columns": columns, "Location": "", "SerdeInfo": {}},
        "ViewExpandedText": "/* Presto View */",
        "ViewOriginalText": encode_view(
            sql, entry.ref.database, [(c["Name"], str(parse_type(c["Type"]))) for c in columns]
        ),
    }  # fmt: skip


def _partition(entry: TableEntry, stamp: str) -> Json:
    table = _table(entry)
    place = f"{location_of(entry.ref)}{LOAD_TIMESTAMP}={LoadId(entry.ref, stamp).stamp}/"
    return {
        "Values": [stamp], "DatabaseName": table["DatabaseName"], "TableName": table["Name"], "CatalogId": ACCOUNT,
        "StorageDescriptor": {**table["StorageDescriptor"], "Location": place}, "Parameters": {},
    }  # fmt: skip

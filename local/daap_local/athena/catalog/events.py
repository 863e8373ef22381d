"""The lake's audit log as a table: `daap_logs.events`, JSON lines with one partition for each day."""

from __future__ import annotations

from collections.abc import Sequence

from daap.pipeline.audit import COLUMNS
from daap_local.athena.catalog.port import Json
from daap_local.athena.catalog.shelved import ACCOUNT
from daap_local.folder_store import FolderStore

LOGS, EVENTS = "daap_logs", "events"
_LOCATION = "s3://logs/events/"
_DAY = "date"
_STORAGE = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {}},
}


def event_table() -> Json:
    """The table; timestamps are text, as they are written."""
    return {
        "Name": EVENTS, "DatabaseName": LOGS, "CatalogId": ACCOUNT, "TableType": "EXTERNAL_TABLE", "VersionId": "0",
        "Description": "what happened to the loads", "PartitionKeys": [{"Name": _DAY, "Type": "string"}],
        "Parameters": {"EXTERNAL": "TRUE", "classification": "json"}, "StorageDescriptor": _storage(_LOCATION),
    }  # fmt: skip


def _storage(location: str) -> Json:
    columns = [{"Name": name, "Type": type_} for name, type_ in COLUMNS.items()]
    return {"Columns": columns, "Location": location, **_STORAGE}


def event_partitions(store: FolderStore) -> list[Json]:
    """The days there are."""
    days = sorted(path.name.partition("=")[2] for path in store.folder("logs/events/").glob(f"{_DAY}=*"))
    return [event_partition([day]) for day in days]


def event_partition(values: Sequence[str]) -> Json:
    """One day."""
    return {
        "Values": list(values), "DatabaseName": LOGS, "TableName": EVENTS, "CatalogId": ACCOUNT,
        "StorageDescriptor": _storage(f"{_LOCATION}{_DAY}={values[0]}/"), "Parameters": {},
    }  # fmt: skip

"""Glue's JSON as the tables that the executor works with, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from daap_local.athena.catalog.port import Json
from daap_local.athena.tables import ColumnDef, GlueTable, Partition, Storage

VIEW = "VIRTUAL_VIEW"


def table_of(given: Json) -> GlueTable:
    """A Glue `Table` as the executor sees it."""
    storage: Json = given.get("StorageDescriptor") or {}
    return GlueTable(
        database=given["DatabaseName"],
        name=given["Name"],
        columns=_columns(storage.get("Columns")),
        partition_keys=_columns(given.get("PartitionKeys")),
        storage=storage_of(storage),
        parameters=dict(given.get("Parameters") or {}),
        table_type=given.get("TableType") or "EXTERNAL_TABLE",
        view_sql=given.get("ViewOriginalText"),
        comment=given.get("Description"),
    )


def storage_of(given: Json) -> Storage:
    """A `StorageDescriptor` without its columns."""
    serde: Json = given.get("SerdeInfo") or {}
    return Storage(
        location=given.get("Location") or "",
        input_format=given.get("InputFormat") or "",
        output_format=given.get("OutputFormat") or "",
        serde=serde.get("SerializationLibrary") or "",
        serde_properties=dict(serde.get("Parameters") or {}),
        bucket_columns=tuple(given.get("BucketColumns") or ()),
        buckets=given.get("NumberOfBuckets") or -1,
    )


def partition_of(given: Json) -> Partition:
    """A Glue `Partition`."""
    return Partition(tuple(given["Values"]), storage_of(given.get("StorageDescriptor") or {}))


def table_input(table: GlueTable) -> Json:
    """A `TableInput` for Glue."""
    found: Json = {
        "Name": table.name,
        "TableType": table.table_type,
        "PartitionKeys": columns_input(table.partition_keys),
        "Parameters": dict(table.parameters),
        "StorageDescriptor": storage_input(table.storage, table.columns),
    }
    if table.comment:
        found["Description"] = table.comment
    if table.view_sql is not None:
        found |= {"ViewOriginalText": table.view_sql, "ViewExpandedText": "/* Presto View */"}
    return found


def storage_input(storage: Storage, columns: Iterable[ColumnDef]) -> Json:
    """A `StorageDescriptor`."""
    return {
        "Columns": columns_input(columns),
        "Location": storage.location,
        "InputFormat": storage.input_format,
        "OutputFormat": storage.output_format,
        "SerdeInfo": {"SerializationLibrary": storage.serde, "Parameters": dict(storage.serde_properties)},
        "Compressed": False,
        "NumberOfBuckets": storage.buckets,
        "BucketColumns": list(storage.bucket_columns),
        "StoredAsSubDirectories": False,
    }


def columns_input(columns: Iterable[ColumnDef]) -> list[Json]:
    """Glue's `Column`s."""
    return [
        {"Name": c.name, "Type": c.type, **({"Comment": c.comment} if c.comment else {})} for c in columns
    ]  # fmt: skip


INPUT_FIELDS = (
    "Name", "Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention", "StorageDescriptor",
    "PartitionKeys", "ViewOriginalText", "ViewExpandedText", "TableType", "Parameters", "TargetTable",
)  # fmt: skip
"""What a `Table` has in common with a `TableInput`."""


def as_input(table: Json) -> Json:
    """A `Table` that was read, as the `TableInput` that writes it back."""
    return {key: table[key] for key in INPUT_FIELDS if table.get(key) is not None}


def _columns(given: Any) -> tuple[ColumnDef, ...]:  # noqa: ANN401 - JSON
    return tuple(ColumnDef(one["Name"], one.get("Type") or "string", one.get("Comment")) for one in given or ())

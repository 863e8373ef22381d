"""Tables as a Glue catalogue describes them; what the executor, the readers and the SQL translation share.

Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a statement names it; `database` is None where it is left to the query's context."""

    table: str
    database: str | None = None
    catalog: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnDef:
    """A column with its Hive type text, such as `decimal(18,2)` or `array<struct<a:int>>`."""

    name: str
    type: str
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """How and where a table's, or a partition's, files lie (Glue's StorageDescriptor)."""

    location: str = ""
    input_format: str = ""
    output_format: str = ""
    serde: str = ""
    serde_properties: dict[str, str] = field(default_factory=dict)
    bucket_columns: tuple[str, ...] = ()
    buckets: int = -1


@dataclass(frozen=True, slots=True)
class GlueTable:
    """A table or a view; `view_sql` is the Athena SQL of a view."""

    database: str
    name: str
    columns: tuple[ColumnDef, ...] = ()
    partition_keys: tuple[ColumnDef, ...] = ()
    storage: Storage = field(default_factory=Storage)
    parameters: dict[str, str] = field(default_factory=dict)
    table_type: str = "EXTERNAL_TABLE"
    view_sql: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: its values in the order of the table's partition keys, as text, and its files."""

    values: tuple[str, ...]
    storage: Storage

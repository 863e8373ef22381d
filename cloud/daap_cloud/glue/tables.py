"""Tables as Glue is told of them: curated Parquet, and raw CSV as it came.

Raw tables lie in databases of their own, `{product}_v{major}_raw`: no registered table can have such a name there,
and who may query curated data need not be let see raw history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daap.model.loads import TableRef
from daap.model.names import LOAD_TIMESTAMP
from daap.model.table import Dialect, TableSchema
from daap_cloud.glue.calls import Json

NEVER = ("\u0001", "\u0002")
"""An escape and a quote where a file is written without them: control characters, for which text has no use.

Backslash, the default escape of the serde, would lose backslashes that are data.
"""

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet."
_PARQUET_STORAGE: Json = {
    "InputFormat": f"{_PARQUET}MapredParquetInputFormat",
    "OutputFormat": f"{_PARQUET}MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": f"{_PARQUET}serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}
_KEYS = [{"Name": LOAD_TIMESTAMP, "Type": "string", "Comment": "when the file came, in UTC"}]
_MAX_COMMENT, _MAX_DESCRIPTION = 255, 2048
"""Bytes that Glue takes. Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html"""


@dataclass(frozen=True, slots=True)
class GlueColumn:
    """A column: its name, its Hive type, and what it holds."""

    name: str
    type: str
    comment: str = ""

    def describe(self) -> Json:
        """As Glue takes it."""
        told = {"Name": self.name, "Type": self.type}
        return {**told, "Comment": _cut(self.comment, _MAX_COMMENT)} if self.comment else told


def columns_of(schema: TableSchema) -> tuple[GlueColumn, ...]:
    """The columns of a schema, in their order."""
    return tuple(GlueColumn(column.name, str(column.type), column.description) for column in schema.columns)


def raw_database(ref: TableRef) -> str:
    """The database of raw tables."""
    return f"{ref.database}_raw"


def parquet_storage(columns: Iterable[GlueColumn], location: str) -> Json:
    """Parquet below `location` (s3://.../)."""
    return {"Columns": [column.describe() for column in columns], "Location": location, **_PARQUET_STORAGE}


def csv_storage(columns: Sequence[str], dialect: Dialect, location: str) -> Json:
    """CSV below `location`, each column as text, by its place in the line.

    Source: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    """
    marks = {
        "separatorChar": dialect.delimiter,
        "quoteChar": dialect.quote or NEVER[1],
        "escapeChar": dialect.own_escape or NEVER[0],
    }
    return {
        "Columns": [{"Name": name, "Type": "string"} for name in columns], "Location": location,
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde", "Parameters": marks},
    }  # fmt: skip


def skipped_lines(dialect: Dialect) -> int:
    """The lines before the data, for the table property `skip.header.line.count`."""
    return dialect.skip_lines + int(dialect.header)


def curated_table(ref: TableRef, columns: Iterable[GlueColumn], description: str, location: str) -> Json:
    """The table of all snapshots, a partition each. Athena finds Parquet's columns by name: a snapshot that lacks one
    has NULL there.

    Source: https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
    """
    return {
        "Name": ref.table.lower(), "Description": _cut(description, _MAX_DESCRIPTION), "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": _KEYS, "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "StorageDescriptor": parquet_storage(columns, location),
    }  # fmt: skip


def raw_table(ref: TableRef, schema: TableSchema, location: str) -> Json:
    """The table of all files as they came, a partition for each load."""
    note = "Files as they came: text, columns by their place in the line. "
    return {
        "Name": ref.table.lower(), "Description": _cut(note + schema.table_description, _MAX_DESCRIPTION),
        "TableType": "EXTERNAL_TABLE", "PartitionKeys": _KEYS,
        "Parameters": {
            "EXTERNAL": "TRUE", "classification": "csv",
            "skip.header.line.count": str(skipped_lines(schema.dialect)),
        },
        "StorageDescriptor": csv_storage([column.name for column in schema.columns], schema.dialect, location),
    }  # fmt: skip


def _cut(text: str, most: int) -> str:
    """One line of at most so many bytes."""
    return " ".join(text.split()).encode()[:most].decode(errors="ignore")

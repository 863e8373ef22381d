"""From a statement to the table that Glue keeps.

Source: https://docs.aws.amazon.com/athena/latest/ug/create-table.html
"""

from __future__ import annotations

from collections.abc import Sequence

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.formats import OPENX_JSON, OPENX_OUTPUT, TEXT_INPUT, Format, format_named, format_of_serde
from daap_local.athena.statements import CreateTable
from daap_local.athena.tables import ColumnDef, GlueTable, Storage

_IN_BUCKET = 2
"""The slashes in s3://bucket."""
_DEFAULT_PROPERTIES = (("serialization.format", "1"),)


def glue_table(statement: CreateTable, database: str, ddl_time: int) -> GlueTable:
    """The table that CREATE EXTERNAL TABLE makes; `ddl_time` is now in seconds. Raises AthenaFault."""
    if not statement.location:
        raise AthenaFault("INVALID_TABLE_PROPERTY", f"table {statement.name.table} has no LOCATION")
    if not statement.columns:
        raise AthenaFault("SYNTAX_ERROR", f"table {statement.name.table} has no columns")
    parameters = {"EXTERNAL": "TRUE", **statement.properties, "transient_lastDdlTime": str(ddl_time)}
    if statement.comment is not None:
        parameters["comment"] = statement.comment
    return GlueTable(
        database, statement.name.table, statement.columns, statement.partitioned_by, _storage(statement), parameters,
        comment=statement.comment,
    )  # fmt: skip


def as_select_table(
    database: str, name: str, columns: Sequence[ColumnDef], keys: Sequence[str], file_format: str, location: str,
    serde_properties: dict[str, str], bucketed: tuple[tuple[str, ...], int], ddl_time: int,
) -> GlueTable:  # fmt: skip
    """The table that CTAS makes: `columns` with the partition keys last."""
    one = format_named(file_format)
    properties = {**dict(_DEFAULT_PROPERTIES), **serde_properties}
    storage = Storage(location, one.input_format, one.output_format, one.serde, properties, *bucketed)
    plain = tuple(column for column in columns if column.name not in keys)
    partitioned = tuple(column for column in columns if column.name in keys)
    parameters = {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "transient_lastDdlTime": str(ddl_time)}
    return GlueTable(database, name, plain, partitioned, storage, parameters)


def _storage(statement: CreateTable) -> Storage:
    one = _format(statement)
    serde = statement.serde or one.serde
    properties = {**dict(_DEFAULT_PROPERTIES), **statement.row_format, **statement.serde_properties}
    return Storage(
        _as_path(statement.location or ""), one.input_format, one.output_format, serde, properties,
        statement.clustered_by, statement.buckets if statement.buckets is not None else -1,
    )  # fmt: skip


def _as_path(location: str) -> str:
    """A location as Hadoop's Path writes it: without slashes at its end, but for a bucket's own."""
    bare = location.rstrip("/")
    return bare if bare.count("/") > _IN_BUCKET else location


def _format(statement: CreateTable) -> Format:
    if statement.input_format and statement.output_format:
        default = format_named("TEXTFILE").serde if statement.input_format == TEXT_INPUT else ""
        if not (statement.serde or default):
            raise AthenaFault("INVALID_TABLE_PROPERTY", "INPUTFORMAT needs a ROW FORMAT SERDE")
        return Format(statement.input_format, statement.output_format, default)
    if statement.stored_as:
        return format_named(statement.stored_as)
    if statement.serde == OPENX_JSON:
        return Format(TEXT_INPUT, OPENX_OUTPUT, OPENX_JSON)
    return format_named(_implied(statement.serde))


def _implied(serde: str | None) -> str:
    """The files that a serde reads where the statement does not say: text, but for Parquet and the like."""
    named = format_of_serde(serde) if serde else "TEXTFILE"
    return named if named in ("PARQUET", "ORC", "AVRO") else "TEXTFILE"

"""What CTAS, INSERT and UNLOAD are to write: formats, compressions, partitions and buckets.

Sources: https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html, .../unload.html, .../insert-into.html and
.../compression-formats.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.avro_schema import check_columns, is_given
from daap_local.athena.hive.formats import OPENX_JSON, format_named, format_of_serde
from daap_local.athena.tables import ColumnDef, GlueTable

Properties = Mapping[str, str | tuple[str, ...]]
_TEXTS = ("TEXTFILE", "JSON", "CSV")
_COMPRESSIONS = {
    "PARQUET": ("GZIP", "SNAPPY", "ZSTD", "LZ4", "NONE", "UNCOMPRESSED"),
    "ORC": ("ZLIB", "SNAPPY", "ZSTD", "LZ4", "NONE"),
    "AVRO": ("DEFLATE", "SNAPPY", "ZSTD", "BZIP2", "NONE"),
    **dict.fromkeys(_TEXTS, ("GZIP", "BZIP2", "ZSTD", "DEFLATE", "NONE")),
}
_CTAS = frozenset({
    "table_type", "external_location", "is_external", "format", "partitioned_by", "bucketed_by", "bucket_count",
    "write_compression", "parquet_compression", "orc_compression", "field_delimiter", "compression_level", "location",
})  # fmt: skip
_UNLOAD = frozenset({"format", "partitioned_by", "compression", "field_delimiter", "compression_level"})
_MARKS = {"PARQUET": ("parquet.compression", "parquet.compress"), "ORC": ("orc.compress",)}


@dataclass(frozen=True, slots=True)
class Target:
    """Files to be written: `columns` with their Hive types in the query's order, the partition keys last."""

    columns: tuple[ColumnDef, ...]
    partition_keys: tuple[str, ...] = ()
    format: str = "PARQUET"
    compression: str = "GZIP"
    serde_properties: Mapping[str, str] = field(default_factory=dict)
    bucketed_by: tuple[str, ...] = ()
    bucket_count: int = 0
    file_stem: str = "part"

    def __post_init__(self) -> None:
        _check_columns(self)

    @property
    def data_columns(self) -> tuple[ColumnDef, ...]:
        """The columns that lie in the files."""
        return self.columns[: len(self.columns) - len(self.partition_keys)]


def target_of_ctas(properties: Properties, columns: Sequence[ColumnDef], stem: str) -> Target:
    """What CREATE TABLE AS is to write. Raises AthenaFault for properties that Athena would not take."""
    _known(properties, _CTAS, "table")
    form = _format(_text(properties, "format") or "PARQUET")
    given = next(
        (text for key in ("write_compression", f"{form.lower()}_compression") if (text := _text(properties, key))), None
    )
    bucketed = tuple(name.lower() for name in _list(properties, "bucketed_by"))
    count = _text(properties, "bucket_count") or "0"
    if not count.isdecimal() or bool(bucketed) != bool(int(count)):
        raise _invalid("bucketed_by and bucket_count must be given together")
    return _target(columns, properties, form, given, bucketed, int(count), stem)


def target_of_unload(properties: Properties, columns: Sequence[ColumnDef], stem: str) -> Target:
    """What UNLOAD is to write. Raises AthenaFault."""
    _known(properties, _UNLOAD, "UNLOAD")
    form = _text(properties, "format")
    if not form:
        raise _invalid("UNLOAD needs the property 'format'")
    return _target(columns, properties, _format(form), _text(properties, "compression"), (), 0, stem)


def target_of_table(table: GlueTable, stem: str) -> Target:
    """What INSERT INTO is to write into a table. Raises AthenaFault for a serde that is not written here."""
    storage = table.storage
    form = format_of_serde(storage.serde)
    if form not in _COMPRESSIONS:
        raise unsupported(f"writing with {storage.serde}")
    marks = {**storage.serde_properties, **table.parameters}
    if form == "AVRO" and is_given(marks):
        raise unsupported("writing Avro by avro.schema.literal")
    given = next((marks[key] for key in ("write.compression", *_MARKS.get(form, ())) if marks.get(key)), None)
    properties = {**storage.serde_properties, "openx": str(storage.serde == OPENX_JSON).lower()}
    return Target(
        table.columns + table.partition_keys, tuple(key.name for key in table.partition_keys), form,
        _compression(form, given), properties, storage.bucket_columns, max(storage.buckets, 0), stem,
    )  # fmt: skip


def _target(
    columns: Sequence[ColumnDef], properties: Properties, form: str, given: str | None, bucketed: tuple[str, ...],
    count: int, stem: str,
) -> Target:  # fmt: skip
    keys = tuple(name.lower() for name in _list(properties, "partitioned_by"))
    delimiter = _text(properties, "field_delimiter")
    serde = {"field.delim": delimiter, "serialization.format": delimiter} if delimiter else {}
    return Target(tuple(columns), keys, form, _compression(form, given), serde, bucketed, count, stem)


def _check_columns(target: Target) -> None:
    names = [column.name for column in target.columns]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise AthenaFault("DUPLICATE_COLUMN_NAME", f"Column name '{double}' specified more than once")
    keys = list(target.partition_keys)
    if missing := [key for key in keys if key not in names]:
        raise _invalid(f"Partition columns {missing} not present in schema")
    if keys and names[-len(keys) :] != keys:
        order = "Partition keys must be the last columns in the table and in the same order as the table properties"
        raise AthenaFault("HIVE_COLUMN_ORDER_MISMATCH", f"{order}: {keys}")
    if keys and len(keys) == len(names):
        raise _invalid("Table contains only partition columns")
    if missing := [name for name in target.bucketed_by if name not in names]:
        raise _invalid(f"Bucketing columns {missing} not present in schema")
    if target.format == "AVRO":
        check_columns(target.data_columns)


def _format(name: str) -> str:
    form = name.upper()
    format_named(form)
    if form not in _COMPRESSIONS:
        raise unsupported(f"writing {form}")
    return form


def _compression(form: str, given: str | None) -> str:
    compression = (given or _COMPRESSIONS[form][0]).upper()
    if compression not in _COMPRESSIONS[form]:
        raise _invalid(f"{compression} compression is not supported for {form}")
    return "NONE" if compression == "UNCOMPRESSED" else compression


def _known(properties: Properties, names: frozenset[str], what: str) -> None:
    unknown = sorted(set(properties) - names)
    if unknown:
        raise _invalid(f"Catalog 'awsdatacatalog' {what} property '{unknown[0]}' does not exist")


def _text(properties: Properties, key: str) -> str | None:
    value = properties.get(key)
    if isinstance(value, tuple):
        raise _invalid(f"Invalid value for property '{key}'")
    return value


def _list(properties: Properties, key: str) -> tuple[str, ...]:
    value = properties.get(key, ())
    if isinstance(value, str):
        raise _invalid(f"Invalid value for property '{key}': Cannot convert '{value}' to array(varchar)")
    return value


def _invalid(problem: str) -> AthenaFault:
    return AthenaFault("INVALID_TABLE_PROPERTY", problem)

"""Parquet tables: columns by name, or by place, and only between types that Athena lets pass.

Sources: https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html, the error
`Field x's type INT64 in parquet file ... is incompatible with type double defined in table schema`, and which types
Trino's reader takes (trino-parquet, ColumnReaderFactory): a wider integer passes for a narrower as long as each value
fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq

from daap.engines.duckdb.sql import identifier, literal
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.files import DataFile, FileList
from daap_local.athena.hive.footers import Footers
from daap_local.athena.hive.streams import FileRows, Rows
from daap_local.athena.hive.types import INTEGERS, HiveType, duckdb_text, parse_type, presto_text
from daap_local.athena.hive.values import text_value, whole_milliseconds
from daap_local.athena.tables import ColumnDef

BY_INDEX = "parquet.column.index.access"
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_PARQUET_BITS = 32
_SHORT = 18
_Test = Callable[[pa.DataType], bool]


def parquet_scans(listed: FileList, footers: Footers) -> Sequence[str]:
    """One SELECT for each schema among the files. Raises AthenaFault for columns of the wrong type.

    Where no column of the files themselves is wanted, the footers' numbers of rows are enough.
    """
    found = footers.all(listed.files, listed.opener)
    if not listed.wanted.columns:
        return [listed.select_counted([footer.rows for footer in found])]
    groups: dict[tuple[int, bool], tuple[pa.Schema, list[DataFile]]] = {}
    for file, footer in zip(listed.files, found, strict=True):
        key = (id(footer.schema), file.path is None)
        groups.setdefault(key, (footer.schema, []))[1].append(file)
    return [_scan(listed, schema, files) for schema, files in groups.values()]


def column_values(listed: FileList, schema: pa.Schema, url: str) -> list[str]:
    """The expressions of the wanted columns from files of one schema. Raises AthenaFault."""
    found = _find_fields(listed, schema)
    return [_value(column, field, url) for column, field in zip(listed.wanted.columns, found, strict=True)]


def _find_fields(listed: FileList, schema: pa.Schema) -> list[pa.Field | None]:
    """Which field of the files is which wanted column; None for one that they do not have."""
    by_index = listed.storage.serde_properties.get(BY_INDEX, "").lower() == "true"
    names = {name.lower(): at for at, name in reversed(list(enumerate(schema.names)))}
    pairs = zip(listed.wanted.places, listed.wanted.columns, strict=True)
    found = [
        (place if place < len(schema) else None) if by_index else names.get(column.name.lower())
        for place, column in pairs
    ]
    return [None if at is None else schema.field(at) for at in found]


def _scan(listed: FileList, schema: pa.Schema, files: Sequence[DataFile]) -> str:
    part = FileList(listed.table, files, listed.connection, listed.opener, listed.wanted, listed.storage)
    values = column_values(listed, schema, files[0].url)
    if files[0].path is None:
        return part.select(part.register("rows", _stream(part, schema)), values)
    paths = ", ".join(literal(str(file.path)) for file in files)
    source = f"read_parquet([{paths}], hive_partitioning = false, filename = 'hive_name')"
    return part.select(source, values, "d.hive_name")


def _stream(part: FileList, schema: pa.Schema) -> FileRows:
    """The wanted columns of files that are read through the opener."""
    fields = list({field.name: field for field in _find_fields(part, schema) if field is not None}.values())
    names = [field.name for field in fields]

    def read(file: DataFile) -> Iterator[Rows]:
        with closing(part.opener(file.url)) as stream, pq.ParquetFile(stream) as opened:
            for batch in opened.iter_batches(columns=names, use_threads=False):
                yield batch.num_rows, [batch.column(name) for name in names]

    return FileRows(fields, part.files, read)


def _value(column: ColumnDef, field: pa.Field | None, url: str) -> str:
    type_ = parse_type(column.type)
    if field is None:
        return f"NULL::{duckdb_text(type_)}"
    try:
        return value_of(f"d.{identifier(field.name)}", field.type, type_)
    except _Incompatible as error:
        problem = (
            f"Field {field.name}'s type {_physical(field.type)} in parquet file {url} is incompatible with type {error}"
        )
        raise AthenaFault("HIVE_BAD_DATA", f"{problem} defined in table schema") from error


class _Incompatible(Exception):
    """A type of a file that cannot be read as a type of the table."""


def value_of(column: str, found: pa.DataType, type_: HiveType) -> str:
    """The expression that reads a file's type as a table's; the column itself where nothing is to be done."""
    if type_.nested:
        return _NESTED[type_.kind](column, found, type_)
    taken = _SHORT_DECIMAL if type_.kind == "decimal" and type_.numbers[0] <= _SHORT else _TAKEN[type_.kind]
    if not any(test(found) for test in taken):
        raise _Incompatible(presto_text(type_))
    return _converted(column, found, type_)


def _converted(column: str, found: pa.DataType, type_: HiveType) -> str:
    if type_.kind == "timestamp":
        return _timestamp(column, found)
    if type_.kind == "binary":
        return f"encode({column})" if _is_text(found) else column
    if type_.kind in ("string", "varchar", "char"):
        return text_value(_text(column, found), type_)
    if type_.kind in ("boolean", "date") or _same_number(found, type_):
        return column
    cast = f"CAST({column} AS {duckdb_text(type_)})"
    return _fitting(column, cast, type_) if _can_overflow(found, type_) else cast


def _can_overflow(found: pa.DataType, type_: HiveType) -> bool:
    return type_.kind in INTEGERS and (pa.types.is_decimal(found) or found.bit_width > _BITS[type_.kind])


def _fitting(column: str, cast: str, type_: HiveType) -> str:
    """The cast where the value is in the type's range, and otherwise the failure of Trino's reader."""
    most = 1 << (_BITS[type_.kind] - 1)
    problem = f"HIVE_CURSOR_ERROR: Failed to read Parquet file: a value is out of the range of {presto_text(type_)}"
    return f"CASE WHEN {column} NOT BETWEEN {-most} AND {most - 1} THEN error({literal(problem)}) ELSE {cast} END"


def _same_number(found: pa.DataType, type_: HiveType) -> bool:
    if type_.kind == "decimal":
        return pa.types.is_decimal(found) and (found.precision, found.scale) == type_.numbers
    return str(found) == {"int": "int32", "bigint": "int64", "smallint": "int16", "tinyint": "int8"}.get(
        type_.kind, type_.kind
    )


def _text(column: str, found: pa.DataType) -> str:
    return f"decode({column})" if _is_binary(found) else column


def _timestamp(column: str, found: pa.DataType) -> str:
    plain = f"({column} AT TIME ZONE 'UTC')" if found.tz else f"{column}::TIMESTAMP"
    return plain if found.unit in ("s", "ms") else whole_milliseconds(plain)


def _array(column: str, found: pa.DataType, type_: HiveType) -> str:
    if not (pa.types.is_list(found) or pa.types.is_large_list(found)):
        raise _Incompatible(presto_text(type_))
    inner = value_of("x", found.value_type, type_.parts[0])
    return column if inner == "x" else f"list_transform({column}, lambda x: {inner})"


def _map(column: str, found: pa.DataType, type_: HiveType) -> str:
    if not pa.types.is_map(found):
        raise _Incompatible(presto_text(type_))
    key = value_of("x", found.key_type, type_.parts[0])
    item = value_of("x", found.item_type, type_.parts[1])
    if (key, item) == ("x", "x"):
        return column
    keys, items = (
        f"list_transform(map_keys({column}), lambda x: {key})",
        f"list_transform(map_values({column}), lambda x: {item})",
    )
    return f"CASE WHEN {column} IS NOT NULL THEN map({keys}, {items}) END"


def _struct(column: str, found: pa.DataType, type_: HiveType) -> str:
    if not pa.types.is_struct(found):
        raise _Incompatible(presto_text(type_))
    fields = {field.name.lower(): field for field in found}
    parts = []
    for name, part in zip(type_.names, type_.parts, strict=True):
        field = fields.get(name.lower())
        inner = f"struct_extract({column}, {literal(field.name)})" if field is not None else ""
        value = value_of(inner, field.type, part) if field is not None else f"NULL::{duckdb_text(part)}"
        parts.append((name, inner, value))
    same = [field.name for field in found] == list(type_.names) and all(inner == value for _, inner, value in parts)
    packed = ", ".join(f"{identifier(name)} := {value}" for name, _, value in parts)
    return column if same else f"CASE WHEN {column} IS NOT NULL THEN struct_pack({packed}) END"


def _is_binary(found: pa.DataType) -> bool:
    return any(test(found) for test in _BINARY)


def _is_text(found: pa.DataType) -> bool:
    if pa.types.is_dictionary(found):
        return _is_text(found.value_type)
    return any(test(found) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_whole_decimal(found: pa.DataType) -> bool:
    """Whether it is a decimal of at most 18 digits, all of them before the point."""
    return bool(pa.types.is_decimal(found) and found.scale == 0 and found.precision <= _SHORT)


def _is_narrow(found: pa.DataType) -> bool:
    """Whether it is an integer that Parquet keeps in 32 bits."""
    return _is_whole(found) and found.bit_width <= _PARQUET_BITS


def _is_whole(found: pa.DataType) -> bool:
    """Whether it is an integer; unsigned ones of 32 bits and more would be read with a wrong sign, so they are not."""
    narrow = pa.types.is_unsigned_integer(found) and found.bit_width < _PARQUET_BITS
    return bool(pa.types.is_signed_integer(found) or narrow)


def _physical(found: pa.DataType) -> str:
    """What Parquet calls the type, as far as it has a name of its own for it."""
    return next((name for test, name in _NAMES if test(found)), str(found))


_BINARY: tuple[_Test, ...] = (
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view,
)  # fmt: skip
_NESTED: dict[str, Callable[[str, pa.DataType, HiveType], str]] = {"array": _array, "map": _map, "struct": _struct}
_TEXTS: tuple[_Test, ...] = (_is_text, _is_binary)
_TAKEN: dict[str, tuple[_Test, ...]] = {
    "boolean": (pa.types.is_boolean,), "float": (pa.types.is_float32,),
    "double": (pa.types.is_float64, pa.types.is_float32), "date": (pa.types.is_date32,),
    "timestamp": (pa.types.is_timestamp,), "decimal": (pa.types.is_decimal,),
    "string": _TEXTS, "varchar": _TEXTS, "char": _TEXTS, "binary": _TEXTS,
    **dict.fromkeys(INTEGERS, (_is_whole, _is_whole_decimal)),
}  # fmt: skip
_SHORT_DECIMAL: tuple[_Test, ...] = (pa.types.is_decimal, _is_narrow)
_NAMES: tuple[tuple[_Test, str], ...] = (
    (pa.types.is_int64, "INT64"), (pa.types.is_timestamp, "INT64"), (pa.types.is_integer, "INT32"),
    (pa.types.is_date32, "INT32"), (pa.types.is_float32, "FLOAT"), (pa.types.is_float64, "DOUBLE"),
    (pa.types.is_boolean, "BOOLEAN"), (pa.types.is_decimal, "FIXED_LEN_BYTE_ARRAY"), (_is_text, "BINARY"),
    (_is_binary, "BINARY"),
)  # fmt: skip

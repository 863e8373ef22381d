"""What a table's columns are in Avro.

Source: Trino's AvroHiveFileUtils, which maps Hive's types, and AvroHiveFileWriter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.types import HiveType, parse_type
from daap_local.athena.tables import ColumnDef

Schema = Any
"""A schema as JSON has it: a name, a union's list, or an object."""

LITERAL, _URL = "avro.schema.literal", "avro.schema.url"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_KIND: dict[str, Schema] = {
    "boolean": "boolean", "tinyint": "int", "smallint": "int", "int": "int", "bigint": "long", "float": "float",
    "double": "double", "string": "string", "binary": "bytes", "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-millis"},
}  # fmt: skip


def schema_of(columns: Sequence[ColumnDef]) -> Schema:
    """The schema of rows of these columns, each of which may be NULL."""
    types = [(column.name, parse_type(column.type)) for column in columns]
    return _record("baseRecord", types, count())


def is_given(properties: Mapping[str, str]) -> bool:
    """Whether a table names its schema itself. Raises AthenaFault for one that lies elsewhere."""
    if properties.get(LITERAL, "").strip() not in ("", "none"):
        return True
    if properties.get(_URL, "").strip():
        raise unsupported(_URL)
    return False


def check_columns(columns: Sequence[ColumnDef]) -> None:
    """Raises AthenaFault for what cannot be written as Avro, in Trino's words."""
    for column in columns:
        _check(column.name, parse_type(column.type))
        _check_name(column.name)


def _record(name: str, types: Sequence[tuple[str, HiveType]], numbers: count[int]) -> Schema:
    fields = [{"name": one, "type": _nullable(type_, numbers), "default": None} for one, type_ in types]
    return {"type": "record", "name": name, "fields": fields}


def _nullable(type_: HiveType, numbers: count[int]) -> Schema:
    if type_.kind == "struct":
        pairs = list(zip(type_.names, type_.parts, strict=True))
        return ["null", _record(f"record_{next(numbers)}", pairs, numbers)]
    if type_.nested:
        inner = "items" if type_.kind == "array" else "values"
        return ["null", {"type": type_.kind, inner: _nullable(type_.parts[-1], numbers)}]
    if type_.kind == "decimal":
        precision, scale = type_.numbers
        return ["null", {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}]
    if type_.kind in ("varchar", "char"):
        return ["null", {"type": "string", "logicalType": type_.kind, "maxLength": type_.numbers[0]}]
    return ["null", _OF_KIND[type_.kind]]


def _check(name: str, type_: HiveType) -> None:
    if type_.kind in ("tinyint", "smallint"):
        problem = f"Column '{name}' is {type_.kind}, which is not supported by Avro. Use integer instead."
        raise AthenaFault("NOT_SUPPORTED", problem)
    if type_.kind == "map" and type_.parts[0].kind != "string":
        raise AthenaFault("NOT_SUPPORTED", f"Column '{name}' has a non-varchar map key, which is not supported by Avro")
    for part in type_.parts:
        _check(name, part)
    for one in type_.names:
        _check_name(one)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        problem = f"Error creating Avro Container file: illegal character in: {name}"
        raise AthenaFault("HIVE_WRITER_OPEN_ERROR", problem)

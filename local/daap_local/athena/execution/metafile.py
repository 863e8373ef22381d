"""The `.metadata` files beside results: the columns of a result as a small protobuf message.

The shape is known from the files themselves (https://stackoverflow.com/questions/55991018): field 1 is an id of the
engine's, field 4 repeats a column, whose fields are those of the API's ColumnInfo in its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_VARINT, _BYTES = 0, 2
_QUERY, _COLUMN = 1, 4
_TEXTS = ((1, "catalog"), (2, "schema"), (3, "table"), (4, "name"), (5, "name"), (6, "type"))
_UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column of a result, as GetQueryResults tells of it."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0
    case_sensitive: bool = False
    catalog: str = "hive"
    schema: str = ""
    table: str = ""

    def describe(self) -> dict[str, Any]:
        """As a `ColumnInfo` of the API."""
        return {
            "CatalogName": self.catalog, "SchemaName": self.schema, "TableName": self.table, "Name": self.name,
            "Label": self.name, "Type": self.type, "Precision": self.precision, "Scale": self.scale,
            "Nullable": "UNKNOWN", "CaseSensitive": self.case_sensitive,
        }  # fmt: skip


def encode(query: str, columns: Sequence[ColumnInfo]) -> bytes:
    """The content of a `.metadata` file."""
    return _bytes(_QUERY, query.encode()) + b"".join(_bytes(_COLUMN, _encode_column(c)) for c in columns)


def _encode_column(column: ColumnInfo) -> bytes:
    texts = b"".join(_bytes(field, getattr(column, name).encode()) for field, name in _TEXTS if getattr(column, name))
    numbers = ((7, column.precision), (8, column.scale), (9, _UNKNOWN), (10, int(column.case_sensitive)))
    return texts + b"".join(_varint(field << 3 | _VARINT) + _varint(value) for field, value in numbers if value)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def decode(data: bytes) -> list[ColumnInfo]:
    """The columns in a `.metadata` file."""
    return [_decode_column(value) for field, value in _fields(data) if field == _COLUMN and isinstance(value, bytes)]


def _decode_column(data: bytes) -> ColumnInfo:
    found = dict(_fields(data))
    texts = {name: _text(found.get(field, b"")) for field, name in _TEXTS}
    return ColumnInfo(
        **texts, precision=_number(found.get(7)), scale=_number(found.get(8)), case_sensitive=bool(found.get(10))
    )


def _text(value: bytes | int) -> str:
    return value.decode() if isinstance(value, bytes) else ""


def _number(value: bytes | int | None) -> int:
    return value if isinstance(value, int) else 0


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    place = 0
    while place < len(data):
        key, place = _read_varint(data, place)
        value, place = _read_varint(data, place)
        if key & 7 == _BYTES:
            yield key >> 3, data[place : place + value]
            place += value
        else:
            yield key >> 3, value


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while data[place] & 0x80:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return value | data[place] << shift, place + 1

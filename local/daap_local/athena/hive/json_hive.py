"""org.apache.hive.hcatalog.data.JsonSerDe, row by row.

Source: https://docs.aws.amazon.com/athena/latest/ug/hive-json-serde.html (a name may stand in an object once) and
Trino's reader (trino-hive-formats, line/json/JsonDeserializer). What is none of a column's type is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.lenient_json import Bare, InvalidJson, Json, whole_characters
from daap_local.athena.hive.scalars import cut_text, date_value, decimal_number, in_range, scalar, timestamp_value
from daap_local.athena.hive.types import HiveType

_Decoder = Callable[[Json], Json]
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}


class HiveJson:
    """A line into the values of the wanted columns."""

    def __init__(self, properties: Mapping[str, str], columns: Sequence[tuple[int, str, HiveType]]) -> None:
        if properties.get("timestamp.formats"):
            raise unsupported("the Hive JSON serde with timestamp.formats")
        self._columns = [(name.lower(), f"_col{place}", _decoder(type_)) for place, name, type_ in columns]
        self._read = json.JSONDecoder(
            parse_float=Bare, parse_int=Bare, parse_constant=_no_constant, object_pairs_hook=_folded
        )

    def __call__(self, line: str) -> Sequence[Json]:
        """The values. Raises InvalidJson, ValueError."""
        try:
            found, _ = self._read.raw_decode(line.lstrip(" \t\r\n"))
            found = whole_characters(line, found)
        except RecursionError as error:
            raise InvalidJson("too deep") from error
        except json.JSONDecodeError as error:
            raise InvalidJson(f"{error.msg} at character {error.pos} of {line}") from error
        if not isinstance(found, dict):
            raise InvalidJson("start of object expected")
        return [_decoded(decode, found.get(name, found.get(internal))) for name, internal, decode in self._columns]


def _folded(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = {name.lower(): value for name, value in pairs}
    if len(found) < len(pairs):
        raise InvalidJson(f"Duplicate field in an object: {sorted(name for name, _ in pairs)}")
    return _Object(found, pairs)


class _Object(dict[str, Json]):
    """The fields of an object by their names in lower case; `pairs` are as written."""

    def __init__(self, fields: dict[str, Json], pairs: list[tuple[str, Json]]) -> None:
        super().__init__(fields)
        self.pairs = pairs


def _no_constant(text: str) -> None:
    raise InvalidJson(f"Non-standard token '{text}'")


def _decoded(decode: _Decoder, value: Json) -> Json:
    return None if value is None else decode(value)


def _decoder(type_: HiveType) -> _Decoder:
    if type_.kind == "array":
        return _array(_decoder(type_.parts[0]))
    if type_.kind == "map":
        return _map(type_)
    if type_.kind == "struct":
        return _struct(type_)
    read = _scalar(type_)

    def decode(value: Json) -> Json:
        if isinstance(value, dict | list):
            raise ValueError(f"Invalid JSON: {type_} value must be a scalar json value")
        return read(value)

    return decode


def _array(decode: _Decoder) -> _Decoder:
    def array(value: Json) -> Json:
        if not isinstance(value, list):
            raise ValueError("Invalid JSON: start of array expected")
        return [_decoded(decode, item) for item in value]

    return array


def _map(type_: HiveType) -> _Decoder:
    key, decode = scalar(type_.parts[0]), _decoder(type_.parts[1])

    def entries(value: Json) -> Json:
        if not isinstance(value, _Object):
            raise ValueError("Invalid JSON: start of object expected")
        return list({key(name): _decoded(decode, item) for name, item in value.pairs}.items())

    return entries


def _struct(type_: HiveType) -> _Decoder:
    parts = [
        (name, f"_col{at}", _decoder(part))
        for at, (name, part) in enumerate(zip(type_.names, type_.parts, strict=True))
    ]

    def struct(value: Json) -> Json:
        if not isinstance(value, dict):
            raise ValueError("Invalid JSON: start of object expected")
        return {name: _decoded(decode, value.get(name, value.get(internal))) for name, internal, decode in parts}

    return struct


def _scalar(type_: HiveType) -> _Decoder:
    if type_.kind in _BITS:
        return lambda value: in_range(_whole(_number(value)), _BITS[type_.kind])
    if type_.kind in ("float", "double"):
        return lambda value: float(_number(value))
    if type_.kind == "decimal":
        return lambda value: decimal_number(_text(value), *type_.numbers)
    if type_.kind in ("string", "varchar", "char"):
        return lambda value: cut_text(_text(value), type_)
    read = _READERS[type_.kind]
    return lambda value: read(_text(value))


def _whole(text: str) -> int:
    """A number's whole part, as Jackson gives it."""
    return int(Decimal(text)) if any(char in text for char in ".eE") else int(text)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(value: Json) -> str:
    if not isinstance(value, Bare):
        raise ValueError(f"Current token ({_text(value)}) not numeric, can not use numeric value accessors")
    return value


_READERS: dict[str, Callable[[str], Json]] = {
    "boolean": lambda text: text.lower() == "true", "binary": str.encode, "date": date_value,
    "timestamp": timestamp_value,
}  # fmt: skip

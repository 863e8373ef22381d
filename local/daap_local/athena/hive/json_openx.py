"""org.openx.data.jsonserde.JsonSerDe, row by row.

Source: https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html and Trino's reader (trino-hive-formats,
openxjson/README.md), which says for every type what is taken. What is none of the type is an error, or NULL where
the serde's property strict.parsing is false (Trino before 2025 knew no other way).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.lenient_json import Bare, Json, json_text, long_number, plain, read_json
from daap_local.athena.hive.scalars import (
    cut_text,
    date_value,
    decimal_number,
    double_number,
    in_range,
    rounded,
    timestamp_value,
)
from daap_local.athena.hive.types import HiveType

_Decoder = Callable[[Json], Json]
_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_MILLIS_DIGITS = 13
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (Athena's timestamps have no zone)
_NUMERIC_TIME = re.compile(r"[-+.0-9]+")
_ZONED_TIME = re.compile(r"(.+?)(?:[zZ]|([+-])([0-9]{2}):?([0-9]{2}))")
_JAVA_SPACE = "".join(map(chr, range(33)))


@dataclass(frozen=True, slots=True)
class _Names:
    """How the names of fields are found in an object."""

    insensitive: bool
    dots: bool
    mapped: Mapping[str, str]

    def finder(self, name: str) -> Callable[[dict[str, Json]], Json]:
        """What gets the field of a column or of a struct's part; None where it is missing."""
        wanted = self.mapped.get(name, name)
        key = wanted.lower() if self.insensitive else wanted
        if not (self.dots and "_" in name):
            return lambda fields: fields.get(key)
        return lambda fields: fields[key] if key in fields else self._dotted(fields, name)

    def folded(self, fields: dict[str, Json]) -> dict[str, Json]:
        """The object with its names as `finder` looks for them; the last of equal names counts."""
        return {name.lower(): value for name, value in fields.items()} if self.insensitive else fields

    def _dotted(self, fields: dict[str, Json], name: str) -> Json:
        return next((value for key, value in fields.items() if "." in key and key.replace(".", "_") == name), None)


class OpenXJson:
    """A line into the values of the wanted columns."""

    def __init__(self, properties: Mapping[str, str], columns: Sequence[tuple[int, str, HiveType]]) -> None:
        if properties.get("timestamp.formats"):
            raise unsupported("the OpenX JSON serde with timestamp.formats")
        self._names = _names(properties)
        self._strict = properties.get("strict.parsing", "true").lower() == "true"
        self._places = [place for place, _, _ in columns]
        self._columns = [(self._names.finder(name.lower()), self._decoder(type_)) for _, name, type_ in columns]

    def __call__(self, line: str) -> Sequence[Json] | None:
        """The values, or None for a line that is neither an object nor a list. Raises InvalidJson, ValueError."""
        text = line.strip(_JAVA_SPACE)
        if not text.startswith(("{", "[")):
            return None
        found = read_json(text)
        if isinstance(found, list):
            return self._listed(found)
        fields = self._names.folded(found)
        return [_decoded(decode, find(fields)) for find, decode in self._columns]

    def _listed(self, found: list[Json]) -> Sequence[Json]:
        values = (found[place] if place < len(found) else None for place in self._places)
        return [_decoded(decode, value) for (_, decode), value in zip(self._columns, values, strict=True)]

    def _decoder(self, type_: HiveType) -> _Decoder:
        if type_.kind == "array":
            return self._array(self._decoder(type_.parts[0]))
        if type_.kind == "map":
            return self._map(*map(self._decoder, type_.parts))
        if type_.kind == "struct":
            return self._struct(type_)
        if type_.kind in ("string", "varchar", "char"):
            return lambda value: cut_text(json_text(value), type_)
        if type_.kind == "boolean":
            return lambda value: not isinstance(value, dict | list) and _text(value).lower() == "true"
        return _scalar(type_) if self._strict else _forgiving(_scalar(type_))

    def _array(self, decode: _Decoder) -> _Decoder:
        def array(value: Json) -> Json:
            if value == "":
                return None
            return [_decoded(decode, item) for item in value] if isinstance(value, list) else [_decoded(decode, value)]

        return array

    def _map(self, key: _Decoder, decode: _Decoder) -> _Decoder:
        def entries(value: Json) -> Json:
            if not isinstance(value, dict):
                return _blank(value, "MAP")
            found: dict[Json, Json] = {}
            for name, item in value.items():
                made = key(name)
                found.pop(made, None)
                if made is not None:
                    found[made] = _decoded(decode, item)
            return list(found.items())

        return entries

    def _struct(self, type_: HiveType) -> _Decoder:
        parts = [
            (name, self._names.finder(name), self._decoder(part))
            for name, part in zip(type_.names, type_.parts, strict=True)
        ]

        def struct(value: Json) -> Json:
            if isinstance(value, list):
                found = [*value, *[None] * len(parts)]
                return {name: _decoded(decode, item) for (name, _, decode), item in zip(parts, found, strict=False)}
            if not isinstance(value, dict):
                _blank(value, "ROW")
                return dict.fromkeys(type_.names)
            fields = self._names.folded(value)
            return {name: _decoded(decode, find(fields)) for name, find, decode in parts}

        return struct


def _names(properties: Mapping[str, str]) -> _Names:
    insensitive = properties.get("case.insensitive", "true").lower() == "true"
    mapped = {key.removeprefix("mapping."): value for key, value in properties.items() if key.startswith("mapping.")}
    return _Names(insensitive, properties.get("dots.in.keys", "").lower() == "true", mapped)


def _decoded(decode: _Decoder, value: Json) -> Json:
    return None if value is None else decode(plain(value))


def _text(value: Json) -> str:
    return str(value)


def _blank(value: Json, kind: str) -> None:
    """Blanks stand for NULL where an object is wanted. Raises ValueError for anything else."""
    if isinstance(value, list) or _text(value).strip(_JAVA_SPACE):
        raise ValueError(f"Primitive can not be coerced to a {kind}")


def _scalar(type_: HiveType) -> _Decoder:
    read = _of_text(type_)

    def decode(value: Json) -> Json:
        if isinstance(value, dict | list):
            raise ValueError(f"an object or a list can not be coerced to {type_}")
        if type_.kind == "binary" and isinstance(value, Bare):
            raise ValueError("Unquoted JSON string is not allowed for VARBINARY")
        return read(_text(value))

    return decode


def _forgiving(decode: _Decoder) -> _Decoder:
    """A decoder that gives NULL for a text that is none of the type; objects and lists are still an error."""

    def decoded(value: Json) -> Json:
        try:
            return decode(value)
        except ValueError:
            if isinstance(value, dict | list):
                raise
            return None

    return decoded


def _of_text(type_: HiveType) -> Callable[[str], Json]:
    if type_.kind in _BITS:
        return lambda text: in_range(_whole(text), _BITS[type_.kind])
    if type_.kind == "decimal":
        return lambda text: decimal_number(text, *type_.numbers)
    return {
        "float": double_number,
        "double": double_number,
        "date": _date,
        "timestamp": _timestamp,
        "binary": _bytes,
    }[type_.kind]


def _whole(text: str) -> int:
    try:
        return long_number(text)
    except ValueError:
        return _truncated(text)


def _truncated(text: str) -> int:
    try:
        number = Decimal(text)
        if not number.is_finite() or text != text.strip() or "_" in text:
            raise ValueError(f'For input string: "{text}"')
        return int(number)
    except InvalidOperation as error:
        raise ValueError(f'For input string: "{text}"') from error


def _date(text: str) -> date:
    try:
        return date_value(text)
    except ValueError:
        days = long_number(text)
    try:
        return (_EPOCH + timedelta(days=days)).date()
    except OverflowError as error:
        raise ValueError(f"the day {text} is out of range") from error


def _timestamp(text: str) -> datetime:
    """A text with colons, a number of seconds with a fraction, or one of seconds or milliseconds by its length."""
    if text.find(":") > 0:
        return _clock(text)
    if not _NUMERIC_TIME.fullmatch(text):
        raise ValueError(f"Invalid timestamp: {text}")
    if "." in text:
        return _EPOCH + timedelta(milliseconds=_truncated(str(Decimal(text) * 1000)))
    number = int(text)
    return _EPOCH + (timedelta(milliseconds=number) if len(text) >= _MILLIS_DIGITS else timedelta(seconds=number))


def _clock(text: str) -> datetime:
    zoned = _ZONED_TIME.fullmatch(text)
    if zoned is None or "T" not in text.upper():
        return timestamp_value(text)
    moment = timestamp_value(zoned.group(1).upper())
    sign, hours, minutes = zoned.groups()[1:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return rounded((moment + offset if sign == "-" else moment - offset).replace(tzinfo=UTC).replace(tzinfo=None))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {text}") from error

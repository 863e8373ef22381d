"""Texts into single values, for what is read row by row: the inside of nested values, and JSON.

The rules are those of `values`, which says them in SQL. Source: Trino's readers (trino-hive-formats, HiveFormatUtils).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from daap_local.athena.hive.types import HiveType

Scalar = Callable[[str], Any]
"""A text's value; raises ValueError where it is none."""

_BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_MOMENT = pa.timestamp("us")
_ARROW = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "string": pa.string(), "char": pa.string(), "varchar": pa.string(),
    "binary": pa.binary(), "date": pa.date32(),
}  # fmt: skip
_INTEGER = re.compile(r"([+-]?)([0-9]*)(?:\.[0-9]*)?")
_DOUBLE = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?|[+-]?(?:NaN|Infinity)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"([+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?[0-9]+)[fFdD]?")
_DATE = re.compile(r"([+-]?[0-9]{1,9})-([+-]?[0-9]{1,9})-([+-]?[0-9]{1,9})")
_BLANK_TIMESTAMP = re.compile(_DATE.pattern + r" ([+-]?[0-9]{1,9}):([+-]?[0-9]{1,9}):([+-]?[0-9]{1,9})(\.[0-9]{0,9})?")
_ISO_TIMESTAMP = re.compile(
    r"([+-]?[0-9]{1,9})-([0-9]{1,9})-([0-9]{1,9})[tT]([0-9]{1,9}):([0-9]{1,9})(?::([0-9]{1,9})(\.[0-9]{0,9})?)?"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=_\-\s]*")
_TRIMMED = "".join(map(chr, range(33)))
_WIDE = Context(prec=80)
_MONTHS = 12


def arrow_type(type_: HiveType, moment: pa.DataType = _MOMENT) -> pa.DataType:
    """The Arrow type that holds the values of `type_`; `moment` is the one of timestamps."""
    parts = [arrow_type(part, moment) for part in type_.parts]
    if type_.kind == "array":
        return pa.list_(*parts)
    if type_.kind == "map":
        return pa.map_(*parts)
    if type_.kind == "struct":
        return pa.struct(list(zip(type_.names, parts, strict=True)))
    if type_.kind == "decimal":
        return pa.decimal128(*type_.numbers)
    return moment if type_.kind == "timestamp" else _ARROW[type_.kind]


def scalar(type_: HiveType) -> Scalar:
    """The reader of a type without inner types."""
    if type_.kind in _BITS:
        return lambda text: whole_number(text, _BITS[type_.kind])
    if type_.kind == "decimal":
        return lambda text: decimal_number(text, *type_.numbers)
    if type_.kind in ("varchar", "char"):
        return lambda text: cut_text(text, type_)
    return _READERS[type_.kind]


def whole_number(text: str, bits: int) -> int:
    """Digits with a sign; digits after a point are dropped."""
    match = _INTEGER.fullmatch(text)
    if match is None or text in ("", "+", "-"):
        raise ValueError(f'For input string: "{text}"')
    return in_range(int(match.group(1) + (match.group(2) or "0")), bits)


def in_range(number: int, bits: int) -> int:
    """`number`, if it fits. Raises ValueError."""
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError(f"Value out of range: {number}")
    return number


def double_number(text: str) -> float:
    """A number as Java's Double.parseDouble takes it."""
    trimmed = text.strip(_TRIMMED)
    match = _DOUBLE.fullmatch(trimmed)
    if match is not None:
        return float(match.group(1) or trimmed)
    hexadecimal = _HEXADECIMAL.fullmatch(trimmed)
    if hexadecimal is None:
        raise ValueError(f'For input string: "{text}"')
    return float.fromhex(hexadecimal.group(1))


def decimal_number(text: str, precision: int, scale: int) -> Decimal:
    """A number rounded half up to the scale; too many digits are an error."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"Cannot convert '{text}' to decimal({precision},{scale}). Value is not a number.")
    try:
        value = Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)
    except InvalidOperation as error:
        raise ValueError(f"Cannot convert '{text}' to decimal({precision},{scale}). Value too large.") from error
    if len(value.as_tuple().digits) > precision and abs(value) >= Decimal(10) ** (precision - scale):
        raise ValueError(f"Cannot convert '{text}' to decimal({precision},{scale}). Value too large.")
    return value


def boolean_value(text: str) -> bool:
    """true or false, in any case."""
    if text.lower() not in ("true", "false"):
        raise ValueError(f"'{text}' is neither true nor false")
    return text.lower() == "true"


def date_value(text: str) -> date:
    """Year, month and day; what follows a blank is dropped, and what is beyond a range counts on into the next."""
    match = _DATE.fullmatch(text.strip(_TRIMMED).split(" ")[0])
    if match is None:
        raise ValueError(f"Text '{text}' could not be parsed")
    return _counted_day(*map(int, match.groups())).date()


def timestamp_value(text: str) -> datetime:
    """A date and a time, rounded half up to milliseconds."""
    trimmed = text.strip(_TRIMMED)
    match = _BLANK_TIMESTAMP.fullmatch(trimmed) or _ISO_TIMESTAMP.fullmatch(trimmed)
    if match is None:
        raise ValueError(f"Text '{text}' could not be parsed")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micros = int((match.group(7) or ".0")[1:].ljust(9, "0")) // 1000
    try:
        later = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)
        return rounded(_counted_day(year, month, day) + later)
    except OverflowError as error:
        raise ValueError(f"Text '{text}' could not be parsed") from error


def rounded(moment: datetime) -> datetime:
    """A timestamp in Athena's milliseconds, rounded half up."""
    moment += timedelta(microseconds=500)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def cut_text(text: str, type_: HiveType) -> str:
    """A text cut to the length of a varchar or char; a char keeps no blanks at its end."""
    if type_.kind == "varchar":
        return text[: type_.numbers[0]]
    return text[: type_.numbers[0]].rstrip(" ") if type_.kind == "char" else text


def _counted_day(year: int, month: int, day: int) -> datetime:
    more, month = divmod(month - 1, _MONTHS)
    try:
        return datetime(year + more, month + 1, 1) + timedelta(days=day - 1)  # noqa: DTZ001 (Athena's have no zone)
    except OverflowError as error:
        raise ValueError(f"the year {year} is out of range") from error


def _binary(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        return text.encode()
    kept = re.sub("[^A-Za-z0-9+/]", "", text.translate({ord("-"): "+", ord("_"): "/"}))
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return base64.b64decode(kept + "=" * (-len(kept) % 4))


def _text(text: str) -> str:
    return text


_READERS: dict[str, Scalar] = {
    "boolean": boolean_value, "float": double_number, "double": double_number, "date": date_value,
    "timestamp": timestamp_value, "string": _text, "binary": _binary,
}  # fmt: skip

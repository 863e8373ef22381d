"""JSON as Trino reads and writes it: json_parse sorts the keys of objects, json_extract leaves them as they stand.

Source: https://trino.io/docs/current/functions/json.html.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from daap_local.athena.sql.python.failures import invalid, uncast

Value: TypeAlias = Any
"""What JSON holds: dicts, lists, texts, numbers as texts of their own, booleans, None; or that there is nothing."""


class Number(str):
    """A JSON number by its text."""

    __slots__ = ()


class Members(dict[str, Value]):
    """An object: a key that comes twice leads to its first value; `pairs` are all, as they stand in the text."""

    def __init__(self, pairs: Sequence[tuple[str, Value]]) -> None:
        super().__init__(reversed(pairs))
        self.pairs = pairs


def _refuse(name: str) -> Value:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refuse, object_pairs_hook=Members)
_MISSING = object()


def _read(text: str) -> Value:
    """The value of a JSON text. Raises ValueError where it is none."""
    return _DECODER.decode(text)


def _read_or_missing(text: str) -> Value:
    try:
        return _read(text)
    except (ValueError, RecursionError):
        return _MISSING


def _write(value: Value, *, ordered: bool = True) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return f"[{','.join(_write(item, ordered=ordered) for item in value)}]"
    if isinstance(value, Members):
        items = sorted(dict(value.pairs).items()) if ordered else value.pairs
        return f"{{{','.join(f'{quote(key)}:{_write(item, ordered=ordered)}' for key, item in items)}}}"
    return {True: "true", False: "false", None: "null"}[value]


def quote(text: str) -> str:
    """A text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def _number(text: str) -> str:
    """A number's text as json_parse keeps it: a double where it has a fraction or an exponent."""
    if re.search("[.eE]", text):
        return of_double(float(text))
    return text.removeprefix("-") if text == "-0" else text


def java_double(value: float) -> str:
    """A double's text as Java has it."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  (NaN)
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")  # noqa: PLR0124
    shown = repr(value)
    if value == 0 or 0.001 <= abs(value) < 10_000_000:
        return format(Decimal(shown), "f") if "e" in shown else shown
    sign, digits, exponent = Decimal(shown).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) + int(exponent) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def _normal(value: Value) -> Value:
    if isinstance(value, Number):
        return Number(_number(value))
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, Members):
        return Members([(key, _normal(item)) for key, item in value.pairs])
    return value


def _as_found(value: Value) -> str:
    """A part of a JSON text: its keys stay in order, its numbers take their one form."""
    return _write(_normal(value), ordered=False)


def parse(text: str) -> str:
    """json_parse: the text in its one form."""
    value = _read_or_missing(text)
    if value is _MISSING:
        raise invalid(f"Cannot convert value to JSON: '{text}'")
    return _write(_normal(value))


_STEP = re.compile(r"\.\s*(\*|[\w$-]+)|\[\s*(?:(\d+|\*)|\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|([\w-]+))\s*\]")


def _steps(path: str) -> list[str | int]:
    """The steps of a path: keys and places. Raises INVALID_FUNCTION_ARGUMENT for what is no such path."""
    if not path.startswith("$"):
        path = f"$.{path}" if re.match(r"[\w]", path) else path
    steps: list[str | int] = []
    at = 1
    while path.startswith("$") and at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise invalid(f"Invalid JSON path: '{path}'")
        key, place, double, single, bare = found.groups()
        if "*" in {key, place}:
            raise invalid(f"JSON path with a wildcard is not supported here: '{path}'")
        text = next((part for part in (key, double, single, bare) if part is not None), None)
        steps.append(int(place) if place is not None else re.sub(r"\\(.)", r"\1", text or ""))
        at = found.end()
    if not path.startswith("$"):
        raise invalid(f"Invalid JSON path: '{path}'")
    return steps


def _found(text: str, path: str) -> Value:
    value = _read_or_missing(text)
    for step in _steps(path):
        value = _stepped(value, step)
    return value


def _stepped(value: Value, step: str | int) -> Value:
    if isinstance(value, dict):
        return value.get(str(step), _MISSING)
    if isinstance(value, list) and (isinstance(step, int) or step.isdigit()):
        place = int(step)
        return value[place] if place < len(value) else _MISSING
    return _MISSING


def extract(text: str, path: str) -> str | None:
    """json_extract: what the path leads to, as JSON."""
    value = _found(text, path)
    return None if value is _MISSING else _as_found(value)


def scalar(text: str, path: str) -> str | None:
    """json_extract_scalar: a text, number or boolean as text."""
    value = _found(text, path)
    if value is _MISSING or value is None or isinstance(value, list | dict):
        return None
    return value if isinstance(value, str) else str(value).lower()


def length(text: str) -> int | None:
    """json_array_length: NULL for what is no array."""
    value = _read_or_missing(text)
    return len(value) if isinstance(value, list) else None


def element(text: str, place: int) -> str | None:
    """json_array_get, from the end where the place is negative."""
    value = _read_or_missing(text)
    if not isinstance(value, list) or not -len(value) <= place < len(value):
        return None
    return value[place] if isinstance(value[place], str) else _as_found(value[place])


def contains(text: str, wanted: str) -> bool | None:
    """json_array_contains."""
    value = _read_or_missing(text)
    if not isinstance(value, list):
        return None
    return any(_write(item) == wanted for item in value)


def size(text: str, path: str) -> int | None:
    """json_size: the members of an object or array; 0 for a scalar."""
    value = _found(text, path)
    if value is _MISSING:
        return None
    return len(value.pairs if isinstance(value, Members) else value) if isinstance(value, list | dict) else 0


def is_scalar(text: str) -> bool:
    """is_json_scalar."""
    value = _read_or_missing(text)
    if value is _MISSING:
        raise invalid(f"Invalid JSON value: {text}")
    return not isinstance(value, list | dict)


def of_double(value: float) -> str:
    """A double as JSON."""
    return java_double(value) if math.isfinite(value) else quote(java_double(value))


def of_real(value: float) -> str:
    """A real as JSON, by the shortest digits that mean it."""
    import struct  # noqa: PLC0415

    for digits in range(1, 10):
        shown = float(f"{value:.{digits}g}")
        if struct.pack("f", shown) == struct.pack("f", value):
            return java_double(shown)
    return java_double(value)


def _cast(text: str, kind: str) -> Value:
    """A JSON scalar for a cast; NULL for null."""
    value = _read(text)
    if isinstance(value, list | dict):
        raise uncast(f"Cannot cast '{text}' to {kind}")
    return value


def to_varchar(text: str) -> str | None:
    """CAST(json AS varchar)."""
    value = _cast(text, "varchar")
    if value is None:
        return None
    if isinstance(value, Number):
        return scientific(float(value)) if re.search("[.eE]", value) else str(value)
    return value if isinstance(value, str) else str(value).lower()


def scientific(value: float) -> str:
    """A double as CAST(double AS varchar) writes it."""
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{len(digits) + int(exponent) - 1}"


def to_boolean(text: str) -> bool | None:
    """CAST(json AS boolean)."""
    value = _cast(text, "boolean")
    if isinstance(value, Number):
        if not re.search("[.eE]", value) and not -(2**63) <= int(value) < 2**63:
            raise uncast(f"Cannot cast '{value}' to boolean")
        return float(value) != 0
    if isinstance(value, str):
        if value.lower() in {"true", "t", "1"}:
            return True
        if value.lower() in {"false", "f", "0"}:
            return False
        raise uncast(f"Cannot cast '{value}' to BOOLEAN")
    return None if value is None else bool(value)


def to_double(text: str) -> float | None:
    """CAST(json AS double)."""
    value = _cast(text, "double")
    if value is None or isinstance(value, bool):
        return None if value is None else float(value)
    try:
        return float(value)
    except ValueError as error:
        raise uncast(f"Cannot cast '{value}' to DOUBLE") from error


def _whole(text: str, kind: str, shown: str, bits: int) -> int | None:
    value = _cast(text, kind)
    if value is None or isinstance(value, bool):
        return None if value is None else int(value)
    if isinstance(value, Number):
        number = int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))
    elif re.fullmatch(r"[+-]?[0-9]+", value):
        number = int(value)
    else:
        raise uncast(f"Cannot cast '{value}' to {shown}")
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise uncast(f"Cannot cast '{value}' to {shown}")
    return number


def to_bigint(text: str) -> int | None:
    """CAST(json AS bigint)."""
    return _whole(text, "bigint", "BIGINT", 64)


def to_integer(text: str) -> int | None:
    """CAST(json AS integer)."""
    return _whole(text, "integer", "INT", 32)


def to_smallint(text: str) -> int | None:
    """CAST(json AS smallint)."""
    return _whole(text, "smallint", "SMALLINT", 16)


def to_tinyint(text: str) -> int | None:
    """CAST(json AS tinyint)."""
    return _whole(text, "tinyint", "TINYINT", 8)


def to_decimal(text: str, precision: int, scale: int) -> str | None:
    """CAST(json AS decimal(precision, scale))."""
    value = _cast(text, f"decimal({precision},{scale})")
    if value is None:
        return None
    try:
        number = Decimal(int(value) if isinstance(value, bool) else value).quantize(
            Decimal(1).scaleb(-scale), ROUND_HALF_UP
        )
    except ArithmeticError as error:
        raise uncast(f"Cannot cast '{value}' to DECIMAL({precision},{scale})") from error
    if abs(number.scaleb(scale)) >= 10**precision:
        raise uncast(f"Cannot cast input json to DECIMAL({precision},{scale})")
    return format(number, "f")


def elements(text: str) -> list[str | None] | None:
    """The elements of an array, each as JSON."""
    value = _read(text)
    if value is None:
        return None
    if not isinstance(value, list):
        raise uncast(f"Cannot cast to array. Expected a json array, but got {text[:1]}\n{text}")
    return [_as_found(item) for item in value]


def members(text: str) -> list[dict[str, str]] | None:
    """The members of an object, as they stand."""
    value = _read(text)
    if value is None:
        return None
    if not isinstance(value, Members):
        raise uncast(f"Cannot cast to map. Expected a json object, but got {text[:1]}\n{text}")
    if len(value) < len(value.pairs):
        raise uncast(f"Cannot cast to map. Duplicate map keys are not allowed\n{text}")
    return [{"k": key, "v": _as_found(item)} for key, item in value.pairs]


def fields(text: str, names: list[str]) -> list[str | None] | None:
    """A row's fields: of an array by place, of an object by name (in any case)."""
    value = _read(text)
    if value is None:
        return None
    if isinstance(value, list):
        if len(value) != len(names):
            raise uncast(f"Cannot cast to row. Expected {len(names)} values, but got {len(value)}\n{text}")
        return [_as_found(item) for item in value]
    if not isinstance(value, dict):
        raise uncast(f"Cannot cast to row. Expected a json array or object, but got {text[:1]}\n{text}")
    known = {key.lower(): item for key, item in value.items()}
    return [_as_found(known[name.lower()]) if name.lower() in known else None for name in names]

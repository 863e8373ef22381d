"""Dates, times, timestamps and intervals: their arithmetic, and EXTRACT.

Intervals are held as whole milliseconds or whole months; a timestamp with time zone is held as a struct of the
instant (`u`, a UTC timestamp) and its zone (`z`); a time with time zone of the time in UTC (`u`) and its offset in
minutes (`z`).
Source: https://trino.io/docs/current/functions/datetime.html.
"""

from __future__ import annotations

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast, coerce
from daap_local.athena.sql.coercion import coercible, common
from daap_local.athena.sql.scopes import Env, Typed, fault
from daap_local.athena.sql.types import Type

_INTERVALS = (t.DAY_INTERVAL, t.MONTH_INTERVAL)
_MOMENTS = ("date", "time", "timestamp", t.ZONED)
_MOVABLE = (*_MOMENTS, t.ZONED_TIME)


def moment_arithmetic(left: Typed, right: Typed, sign: str) -> Typed | None:
    """Arithmetic in which a date, a timestamp or an interval takes part; None for anything else."""
    if left.type.name in _MOVABLE and right.type in _INTERVALS and sign in "+-":
        return moved(left, right, sign)
    if left.type in _INTERVALS and right.type.name in _MOVABLE and sign == "+":
        return moved(right, left, sign)
    if left.type in _INTERVALS or right.type in _INTERVALS:
        return _interval_arithmetic(left, right, sign)
    if sign == "-":
        return _difference(left, right)
    return None


def _interval_arithmetic(left: Typed, right: Typed, sign: str) -> Typed | None:
    if left.type == right.type and sign in "+-":
        return Typed(f"({left.sql} {sign} {right.sql})", left.type)
    if left.type in _INTERVALS and right.type.numeric and sign in "*/":
        return _scaled(left, right, sign)
    if right.type in _INTERVALS and left.type.numeric and sign == "*":
        return _scaled(right, left, sign)
    return None


def _scaled(interval: Typed, factor: Typed, sign: str) -> Typed:
    """An interval times or by a number, cut to whole units."""
    held = t.duckdb_type(interval.type)
    if sign == "*" and factor.type.name in t.INTEGERS:
        return Typed(f"CAST({interval.sql} * {factor.sql} AS {held})", interval.type)
    number = cast(factor, t.DOUBLE).sql
    return Typed(f"CAST(trunc({interval.sql} {sign} {number}) AS {held})", interval.type)


def _difference(left: Typed, right: Typed) -> Typed | None:
    """The time between two dates or timestamps."""
    if left.type == right.type == t.DATE:
        return Typed(f"(CAST({left.sql} - {right.sql} AS BIGINT) * 86400000)", t.DAY_INTERVAL)
    kind = common(left.type, right.type)
    if kind is None or kind.name not in {"timestamp", t.ZONED}:
        return None
    one, other = (_instant(coerce(value, kind)) for value in (left, right))
    return Typed(f"((epoch_us({one}) - epoch_us({other})) // 1000)", t.DAY_INTERVAL)


def _instant(value: Typed) -> str:
    return f"struct_extract({value.sql}, 'u')" if value.type.name == t.ZONED else value.sql


def moved(value: Typed, interval: Typed, sign: str) -> Typed:
    """A date, time or timestamp moved by an interval."""
    amount = interval.sql if sign == "+" else f"(-({interval.sql}))"
    name = {t.ZONED: "zoned", t.ZONED_TIME: "clock"}.get(value.type.name, value.type.name)
    unit = "millis" if interval.type == t.DAY_INTERVAL else "months"
    if unit == "months" and name in {"time", "clock"}:
        raise fault("TYPE_MISMATCH", f"Cannot apply operator: {value.type} {sign} {interval.type}")
    kind = value.type
    if unit == "millis" and kind.params and kind.params[0] < 3:
        kind = Type(kind.name, (3,))
    return Typed(f"athena_{name}_plus_{unit}({value.sql}, {amount})", kind, zone=value.zone)


PARTS = {
    "YEAR": "year", "QUARTER": "quarter", "MONTH": "month", "WEEK": "week", "DAY": "day", "DAY_OF_MONTH": "day",
    "DAY_OF_WEEK": "isodow", "DOW": "isodow", "DAY_OF_YEAR": "dayofyear", "DOY": "dayofyear",
    "YEAR_OF_WEEK": "isoyear", "YOW": "isoyear", "HOUR": "hour", "MINUTE": "minute", "SECOND": "second",
}  # fmt: skip
_CLOCK = ("HOUR", "MINUTE", "SECOND")
_OFFSETS = {"TIMEZONE_HOUR": "//", "TIMEZONE_MINUTE": "%"}
_LOCAL = {t.ZONED: "athena_local", t.ZONED_TIME: "athena_clock_local"}
"""What makes the local time of a value with a time zone."""


def extract(env: Env, node: exp.Extract) -> Typed:
    """EXTRACT(field FROM value)."""
    name = node.this.name.upper()
    return part_of(env.typed(node.expression), name, node)


def part_of(value: Typed, name: str, node: exp.Expr) -> Typed:
    """A field of a date, time, timestamp or interval, as bigint."""
    if name in _OFFSETS and value.type.name == t.ZONED:
        return Typed(f"athena_{name.lower()}({value.sql})", t.BIGINT)
    if name in _OFFSETS and value.type.name == t.ZONED_TIME:
        return Typed(f"CAST(struct_extract({value.sql}, 'z') {_OFFSETS[name]} 60 AS BIGINT)", t.BIGINT)
    if name not in PARTS:
        raise fault("INVALID_FUNCTION_ARGUMENT", f"Invalid EXTRACT field: {name}", node)
    if value.type in _INTERVALS:
        return _interval_part(value, name, node)
    allowed = {
        "date": set(PARTS) - set(_CLOCK), "time": set(_CLOCK), t.ZONED_TIME: set(_CLOCK), "timestamp": set(PARTS),
        t.ZONED: set(PARTS),
    }  # fmt: skip
    if name not in allowed.get(value.type.name, set()) and value.type != t.UNKNOWN:
        raise fault("TYPE_MISMATCH", f"Cannot extract {name} from {value.type}", node)
    if value.type == t.UNKNOWN:
        value = cast(value, t.TIMESTAMP)
    local = f"{_LOCAL[value.type.name]}({value.sql})" if value.type.name in _LOCAL else value.sql
    return Typed(f"CAST({PARTS[name]}({local}) AS BIGINT)", t.BIGINT)


_UNITS = {"DAY": (86_400_000, None), "HOUR": (3_600_000, 24), "MINUTE": (60_000, 60), "SECOND": (1000, 60)}


def _interval_part(value: Typed, name: str, node: exp.Expr) -> Typed:
    if value.type == t.MONTH_INTERVAL and name in {"YEAR", "MONTH"}:
        sql = f"{value.sql} // 12" if name == "YEAR" else f"{value.sql} % 12"
        return Typed(f"CAST({sql} AS BIGINT)", t.BIGINT)
    if value.type == t.DAY_INTERVAL and name in _UNITS:
        size, wrap = _UNITS[name]
        sql = f"{value.sql} // {size}"
        return Typed(f"(({sql}) % {wrap})" if wrap else f"({sql})", t.BIGINT)
    raise fault("TYPE_MISMATCH", f"Cannot extract {name} from {value.type}", node)


def as_moment(value: Typed, node: exp.Expr, what: str) -> Typed:
    """A value that is a date, a time or a timestamp. Raises TYPE_MISMATCH for others; NULL is a timestamp."""
    if value.type == t.UNKNOWN:
        return cast(value, t.TIMESTAMP)
    if value.type.name == t.ZONED_TIME:
        raise fault("NOT_SUPPORTED", f"{what} of {value.type} is not supported here", node)
    if value.type.name not in _MOMENTS:
        raise fault("TYPE_MISMATCH", f"Unexpected parameters ({value.type}) for function {what}", node)
    return value


def is_text(value: Typed) -> bool:
    """Whether a value can be given where varchar is asked for."""
    return coercible(value.type, t.VARCHAR)

"""Date and time functions.

Source: https://trino.io/docs/current/functions/datetime.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast, cast_sql, coerce
from daap_local.athena.sql.coercion import coercible, common
from daap_local.athena.sql.functions.special import Special
from daap_local.athena.sql.moments import PARTS, as_moment, is_text, part_of
from daap_local.athena.sql.patterns import joda_to_strftime, mysql_to_strftime
from daap_local.athena.sql.predicates import zoned_at
from daap_local.athena.sql.scopes import Env, Typed, fault
from daap_local.athena.sql.types import Type

_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_CLOCK_UNITS = ("millisecond", "second", "minute", "hour")
_MILLIS = {
    "millisecond": 1,
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(value: Typed, allowed: tuple[str, ...], node: exp.Expr, kind: str) -> str:
    """A unit given as a constant text."""
    if not value.literal or not isinstance(value.value, str):
        raise fault("NOT_SUPPORTED", f"{node.name} with a unit that is no constant is not supported here", node)
    unit = value.value.lower()
    if unit not in allowed:
        raise fault("INVALID_FUNCTION_ARGUMENT", f"'{value.value}' is not a valid {kind} field", node)
    return unit


def _units_of(kind: Type) -> tuple[str, ...]:
    return {"date": _DATE_UNITS, "time": _CLOCK_UNITS}.get(kind.name, _DATE_UNITS + _CLOCK_UNITS)


_FIELD_WORD = {"date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP", t.ZONED: "TIMESTAMP"}


def _name_of(kind: Type) -> str:
    return "zoned" if kind.name == t.ZONED else kind.name


def date_add(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """date_add(unit, number, value): of the value's own type."""
    if len(given) != 3 or not coercible(given[1].type, t.BIGINT):
        return None
    value = as_moment(given[2], node, "date_add")
    unit = _unit(given[0], _units_of(value.type), node, _FIELD_WORD[value.type.name])
    number = coerce(given[1], t.BIGINT).sql
    if unit in _MONTHS:
        sql = f"athena_{_name_of(value.type)}_plus_months({value.sql}, CAST({number} * {_MONTHS[unit]} AS INTEGER))"
        return Typed(sql, value.type, zone=value.zone)
    if value.type.name == t.ZONED and unit in {"day", "week"}:
        days = 7 if unit == "week" else 1
        return Typed(
            f"athena_zoned_plus_days({value.sql}, CAST({number} * {days} AS INTEGER))", value.type, zone=value.zone
        )
    kind = value.type
    sql = f"athena_{_name_of(kind)}_plus_millis({value.sql}, {number} * {_MILLIS[unit]})"
    if unit == "millisecond" and kind.params and kind.params[0] < 3:
        exact = Typed(sql, Type(kind.name, (3,)), zone=value.zone)
        return cast(exact, kind)
    return Typed(sql, kind, zone=value.zone)


def date_diff(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """date_diff(unit, from, to): whole units that have passed."""
    if len(given) != 3:
        return None
    first, second = as_moment(given[1], node, "date_diff"), as_moment(given[2], node, "date_diff")
    kind = common(first.type, second.type)
    if kind is None:
        return None
    unit = _unit(given[0], _units_of(kind), node, _FIELD_WORD[kind.name])
    one, other = coerce(first, kind).sql, coerce(second, kind).sql
    if kind.name == "time":
        return Typed(f"((athena_time_us({other}) - athena_time_us({one})) // {_MILLIS[unit] * 1000})", t.BIGINT)
    if kind.name == t.ZONED:
        return _zoned_diff(unit, one, other)
    if unit in _MILLIS:
        return Typed(f"athena_elapsed({one}, {other}, {_MILLIS[unit]})", t.BIGINT)
    return Typed(f"athena_months_between({one}, {other}, {_MONTHS[unit]})", t.BIGINT)


def _zoned_diff(unit: str, one: str, other: str) -> Typed:
    """Hours and less are counted between instants, days and more on the first one's calendar."""
    if unit in _CLOCK_UNITS:
        return Typed(f"athena_elapsed(({one}).u, ({other}).u, {_MILLIS[unit]})", t.BIGINT)
    first, second = f"athena_local({one})", f"athena_local(athena_at_zone({other}, ({one}).z))"
    if unit in _MILLIS:
        return Typed(f"athena_elapsed({first}, {second}, {_MILLIS[unit]})", t.BIGINT)
    return Typed(f"athena_months_between({first}, {second}, {_MONTHS[unit]})", t.BIGINT)


def date_trunc(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """date_trunc(unit, value): of the value's own type."""
    if len(given) != 2:
        return None
    value = as_moment(given[1], node, "date_trunc")
    unit = _unit(given[0], _units_of(value.type), node, _FIELD_WORD[value.type.name])
    if unit == "millisecond" and (value.type.params or (3,))[0] <= 3:
        return value
    if value.type.name == "time":
        return Typed(f"athena_trunc_time({value.sql}, {_MILLIS[unit] * 1000})", value.type)
    if value.type.name == t.ZONED:
        return _zoned_trunc(value, unit)
    truncated = f"date_trunc('{unit}', {value.sql})"
    held = f"CAST({truncated} AS DATE)" if value.type == t.DATE else f"CAST({truncated} AS TIMESTAMP)"
    return Typed(held, value.type)


def _zoned_trunc(value: Typed, unit: str) -> Typed:
    if unit in {"second", "minute", "millisecond"}:
        sql = f"athena_zoned(CAST(date_trunc('{unit}', ({value.sql}).u) AS TIMESTAMP), ({value.sql}).z)"
    else:
        local = f"CAST(date_trunc('{unit}', athena_local({value.sql})) AS TIMESTAMP)"
        sql = f"athena_from_local({local}, ({value.sql}).z)"
    return Typed(sql, value.type, zone=value.zone)


def to_date(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """date(value): as CAST(value AS date)."""
    return cast(given[0], t.DATE) if len(given) == 1 else None


def last_day(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """last_day_of_month(value)."""
    if len(given) != 1:
        return None
    value = as_moment(given[0], node, "last_day_of_month")
    return Typed(f"last_day({cast(value, t.DATE).sql})", t.DATE)


def _part(name: str) -> Special:
    """A function that is EXTRACT under another name."""

    def made(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
        return part_of(given[0], name, node) if len(given) == 1 else None

    return made


def millisecond(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """millisecond(value): of the second."""
    if len(given) != 1:
        return None
    value = as_moment(given[0], node, "millisecond")
    local = f"({value.sql}).u" if value.type.name == t.ZONED else value.sql
    return Typed(f"CAST(millisecond({local}) % 1000 AS BIGINT)", t.BIGINT)


def timezone_part(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """timezone_hour, timezone_minute."""
    return part_of(given[0], node.name.upper(), node) if len(given) == 1 else None


def from_unixtime(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """from_unixtime(seconds [, zone | hours, minutes])."""
    if len(given) not in {1, 2, 3} or not coercible(given[0].type, t.DOUBLE):
        return None
    kind = Type(t.ZONED, (3,))
    seconds = coerce(given[0], t.DOUBLE).sql
    if len(given) == 1:
        return Typed(f"athena_from_unixtime({seconds}, 'UTC')", kind, zone="UTC")
    if len(given) == 2 and is_text(given[1]):
        known = given[1].value if given[1].literal else None
        return Typed(f"athena_from_unixtime({seconds}, {given[1].sql})", kind, zone=known)
    if len(given) == 3 and all(coercible(value.type, t.BIGINT) for value in given[1:]):
        zone = f"athena_offset_zone({given[1].sql}, {given[2].sql})"
        return Typed(f"athena_from_unixtime({seconds}, {zone})", kind)
    return None


def to_iso8601(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """to_iso8601(value)."""
    if len(given) != 1:
        return None
    value = as_moment(given[0], node, "to_iso8601")
    if value.type == t.DATE:
        return Typed(f"CAST({value.sql} AS VARCHAR)", t.varchar(16))
    if value.type.name == "time":
        return None
    name = "zoned" if value.type.name == t.ZONED else "timestamp"
    return Typed(f"athena_iso_{name}({value.sql}, {value.type.params[0]})", t.varchar(_iso_length(value.type)))


def _iso_length(kind: Type) -> int:
    """The longest ISO text of a type, as Trino counts it."""
    fraction = kind.params[0] + 1 if kind.params[0] else 0
    return fraction + (28 if kind.name == t.ZONED else 22)


def at_timezone(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """at_timezone(value, zone): the same instant there."""
    return zoned_at(given[0], given[1], node) if len(given) == 2 else None


def with_timezone(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """with_timezone(timestamp, zone): that time there."""
    if len(given) != 2 or not is_text(given[1]) or not coercible(given[0].type, t.TIMESTAMP):
        return None
    value = coerce(given[0], t.TIMESTAMP) if given[0].type.name != "timestamp" else given[0]
    known = given[1].value if given[1].literal else None
    return Typed(f"athena_from_local({value.sql}, {given[1].sql})", Type(t.ZONED, value.type.params), zone=known)


def now(env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """now(), current_timestamp [(p)], localtimestamp [(p)], current_date and so on: when the query began, in UTC."""
    name = node.name.lower()
    precision = given[0].value if given and isinstance(given[0].value, int) else 3
    if len(given) > 1 or precision > t.MAX_FRACTION:
        raise fault("NOT_SUPPORTED", f"{name}({precision}) is not supported here", node)
    moment = env.session.started.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    cut = (
        f"athena_round_timestamp(TIMESTAMP '{moment}', {10 ** (t.MAX_FRACTION - precision)})"
        if precision != 3
        else f"TIMESTAMP '{moment[:23]}'"
    )
    if name == "current_date":
        return Typed(f"DATE '{moment[:10]}'", t.DATE)
    if name in {"localtime", "current_time"}:
        local = Typed(f"CAST({cut} AS TIME)", Type("time", (precision,)))
        return local if name == "localtime" else replace(cast(local, Type(t.ZONED_TIME, (precision,))), zone="UTC")
    if name == "localtimestamp":
        return Typed(cut, Type("timestamp", (precision,)))
    return Typed(f"athena_zoned({cut}, 'UTC')", Type(t.ZONED, (precision,)), zone="UTC")


def timezone_name(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """current_timezone()."""
    return Typed("'UTC'", t.VARCHAR) if not given else None


def _pattern(value: Typed, node: exp.Expr) -> str | None:
    """A constant pattern; None where the call is NULL anyway."""
    if value.type == t.UNKNOWN:
        return None
    if not value.literal or not isinstance(value.value, str):
        raise fault("NOT_SUPPORTED", f"{node.name} with a pattern that is no constant is not supported here", node)
    return value.value


def _formatted(mysql: bool) -> Special:
    """date_format (MySQL's patterns) or format_datetime (Joda's)."""

    def made(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
        if len(given) != 2 or not is_text(given[1]):
            return None
        value = as_moment(given[0], node, node.name)
        if value.type.name == "time":
            return None
        pattern = _pattern(given[1], node)
        if pattern is None:
            return Typed("CAST(NULL AS VARCHAR)", t.VARCHAR)
        return Typed(_format_sql(value, pattern, node, mysql=mysql), t.VARCHAR)

    return made


def _format_sql(value: Typed, pattern: str, node: exp.Expr, *, mysql: bool) -> str:
    local = (
        f"athena_local({value.sql})"
        if value.type.name == t.ZONED
        else cast_sql(value.sql, value.type, Type("timestamp", (6,)))
    )
    wanted = mysql_to_strftime(pattern, node) if mysql else joda_to_strftime(pattern)
    if wanted is not None:
        return f"strftime({local}, {t.literal(wanted)})"
    zone = f"({value.sql}).z" if value.type.name == t.ZONED else "'UTC'"
    offset = f"athena_zone_offset({value.sql})" if value.type.name == t.ZONED else "0"
    return f"athena_format_datetime({local}, {zone}, {offset}, {t.literal(pattern)})"


def date_parse(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """date_parse(text, MySQL pattern): a quick way for texts in their usual form, an exact one for all others."""
    if len(given) != 2 or not is_text(given[0]) or not is_text(given[1]):
        return None
    pattern = _pattern(given[1], node)
    kind = Type("timestamp", (3,))
    if pattern is None:
        return Typed("CAST(NULL AS TIMESTAMP)", kind)
    text = cast(given[0], t.VARCHAR).sql
    wanted = mysql_to_strftime(pattern, node)
    exact = f"athena_date_parse({text}, {t.literal(pattern)})"
    if wanted is None or not {"%Y", "%m", "%d"} <= set(re.findall("%.", wanted)) or re.search("%[^YmdHMS%]", wanted):
        return Typed(exact, kind)
    quick = f"try_strptime({text}, {t.literal(wanted)})"
    return Typed(f"CASE WHEN strftime({quick}, {t.literal(wanted)}) = {text} THEN {quick} ELSE {exact} END", kind)


def parse_datetime(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """parse_datetime(text, Joda pattern)."""
    if len(given) != 2 or not is_text(given[0]) or not is_text(given[1]):
        return None
    kind = Type(t.ZONED, (3,))
    pattern = _pattern(given[1], node)
    if pattern is None:
        return Typed(f"CAST(NULL AS {t.duckdb_type(kind)})", kind)
    sql = f"athena_read_zoned(athena_parse_datetime({cast(given[0], t.VARCHAR).sql}, {t.literal(pattern)}))"
    bare = re.sub("'[^']*'", "", pattern)
    return Typed(sql, kind, zone=None if "Z" in bare or "z" in bare else "UTC")


_PART_FUNCTIONS = {
    "year": "YEAR", "quarter": "QUARTER", "month": "MONTH", "week": "WEEK", "week_of_year": "WEEK", "day": "DAY",
    "day_of_month": "DAY", "day_of_week": "DOW", "dow": "DOW", "day_of_year": "DOY", "doy": "DOY",
    "year_of_week": "YOW", "yow": "YOW", "hour": "HOUR", "minute": "MINUTE", "second": "SECOND",
}  # fmt: skip
TEMPORAL: Mapping[str, Special] = MappingProxyType({
    **{name: _part(field) for name, field in _PART_FUNCTIONS.items() if field in PARTS},
    **dict.fromkeys(("now", "current_timestamp", "localtimestamp", "current_date", "current_time", "localtime"), now),
    "date_add": date_add, "date_diff": date_diff, "date_trunc": date_trunc, "date": to_date,
    "last_day_of_month": last_day, "millisecond": millisecond, "timezone_hour": timezone_part,
    "timezone_minute": timezone_part, "from_unixtime": from_unixtime, "to_iso8601": to_iso8601,
    "at_timezone": at_timezone, "with_timezone": with_timezone, "current_timezone": timezone_name,
    "date_format": _formatted(mysql=True), "format_datetime": _formatted(mysql=False), "date_parse": date_parse,
    "parse_datetime": parse_datetime,
})  # fmt: skip

"""Casts, as strict as Trino's, and what is coerced without being asked.

Each pair of types has one way, looked up in a table by the names of the types; a pair without one is refused
(`Cannot cast boolean to date`). The checks that look at values are macros (macros.sql).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql import types as t
from daap_local.athena.sql.binding import bound_sql
from daap_local.athena.sql.coercion import coercible, common_of
from daap_local.athena.sql.scopes import Typed
from daap_local.athena.sql.types import Type

Way = Callable[[str, Type, Type], str]
"""From DuckDB SQL, its type and the wanted type to DuckDB SQL of the wanted type."""


def cast(value: Typed, target: Type) -> Typed:
    """CAST(value AS target). Raises TYPE_MISMATCH where Trino has no such cast."""
    if value.type == target:
        return value
    return Typed(
        cast_sql(value.sql, value.type, target),
        target,
        zone=value.zone if target.name in t.WITH_ZONE else None,
        origins=value.origins if keeps_order(value.type, target) else (),
    )


def keeps_order(source: Type, target: Type) -> bool:
    """Whether the cast changes nothing but the type's name."""
    return source.name == target.name and source.name in {"varchar", "array"}


def coerce(value: Typed, target: Type) -> Typed:
    """The value as `target`, to which it is coercible: a cast that never fails, and keeps a literal's value."""
    if value.type == target:
        return value
    made = cast(value, target)
    return replace(made, value=value.value, literal=value.literal)


def coerce_all(values: list[Typed]) -> tuple[list[Typed], Type] | None:
    """All values as their common type; None if they have none."""
    shared = common_of(value.type for value in values)
    if shared is None:
        return None
    return [coerce(value, shared) for value in values], shared


def assigned(value: Typed, target: Type) -> Typed | None:
    """The value as a column of type `target` takes it on INSERT; None if it does not.

    Trino takes whatever has a common type with the column, and casts it: a double for an integer, say. A text that is
    too long fails when it runs, unless only blanks are lost.
    """
    if coercible(value.type, target):
        return coerce(value, target)
    if common_of((value.type, target)) is None or (target.args and _has_limited_text(target)):
        return None
    made = cast(value, target)
    return replace(made, sql=_unshortened(value, made.sql, target)) if target.textual else made


def _has_limited_text(kind: Type) -> bool:
    return (kind.textual and bool(kind.params)) or any(_has_limited_text(part) for part in kind.args)


def _unshortened(value: Typed, made: str, target: Type) -> str:
    problem = f"Cannot truncate non-space characters when casting from {value.type} to {target} on INSERT"
    message = t.literal(f"INVALID_CAST_ARGUMENT: {problem}")
    return f"athena_guard(length(rtrim({value.sql}, ' ')) > {target.params[0]}, {message}, {made})"


def cast_sql(sql: str, source: Type, target: Type) -> str:
    """DuckDB SQL for a cast. Raises TYPE_MISMATCH where Trino has none."""
    if source == target:
        return sql
    if source == t.UNKNOWN:
        return f"CAST(NULL AS {t.duckdb_type(target)})"
    way = _WAYS.get((source.name, target.name)) or _group_way(source, target)
    if way is None:
        raise AthenaFault("TYPE_MISMATCH", f"line 1:1: Cannot cast {source} to {target}")
    if way in _SINGLE:
        return way(sql, source, target)
    return bound_sql(sql, lambda name: way(name, source, target))


def _group_way(source: Type, target: Type) -> Way | None:
    group = {**dict.fromkeys(t.INTEGERS, "int"), "real": "float", "double": "float"}
    return _WAYS.get((group.get(source.name, source.name), group.get(target.name, target.name)))


def plain(sql: str, _source: Type, target: Type) -> str:
    """DuckDB's own cast, where it does what Trino's does."""
    return f"CAST({sql} AS {t.duckdb_type(target)})"


def _same(sql: str, _source: Type, _target: Type) -> str:
    return sql


def named(name: str, *, sized: bool = False) -> Way:
    """A macro of one argument, named for both types where it differs by the wanted one."""

    def way(sql: str, _source: Type, target: Type) -> str:
        return f"{name}_{target.name}({sql})" if sized else f"{name}({sql})"

    return way


def _text_to_decimal(sql: str, _source: Type, target: Type) -> str:
    kind = t.duckdb_type(target)
    checked = f"athena_text_decimal({sql}, TRY_CAST(athena_trimmed({sql}) AS {kind}), {t.literal(str(target).upper())})"
    return f"CAST({checked} AS {kind})"


def _number_to_decimal(sql: str, source: Type, target: Type) -> str:
    if source.name == "decimal" and _widens(source, target):
        return plain(sql, source, target)
    if source.name in t.INTEGERS and coercible(source, target):
        return plain(sql, source, target)
    kind = t.duckdb_type(target)
    shown = f"athena_{source.name}_text({sql})" if source.name in {"double", "real"} else f"CAST({sql} AS VARCHAR)"
    before, after = f"Cannot cast {_source_name(source)} '", f"' to {_target_name(target)}"
    message = f"{t.literal(before)} || {shown} || {t.literal(after)}"
    exact = f"CAST({sql} AS VARCHAR)" if source.name in {"double", "real"} else sql
    return f"athena_checked({sql}, TRY_CAST({exact} AS {kind}), 'INVALID_CAST_ARGUMENT', {message})"


def _source_name(kind: Type) -> str:
    return {"integer": "INTEGER", "bigint": "BIGINT", "decimal": "DECIMAL"}.get(kind.name, kind.name.upper())


def _target_name(kind: Type) -> str:
    return f"DECIMAL({kind.params[0]}, {kind.params[1]})"


def _widens(source: Type, target: Type) -> bool:
    (p1, s1), (p2, s2) = source.params, target.params
    return s2 >= s1 and p2 - s2 >= p1 - s1


def _to_varchar(sql: str, source: Type, target: Type) -> str:
    shown = varchar_of(sql, source)
    if not target.params:
        return shown
    room = _TEXT_ROOM.get(source.name)
    if source.textual:
        return shown if source.params and source.params[0] <= target.params[0] else f"left({shown}, {target.params[0]})"
    if room is not None and room <= target.params[0]:
        return shown
    message = f"'Value ' || {shown} || ' cannot be represented as {target}'"
    return f"athena_fitting({shown}, {target.params[0]}, {message})"


_FRACTIONS = {0: "", 3: ".%g", 6: ".%f"}
"""How strftime writes fractions of so many digits."""
_TEXT_ROOM = {"boolean": 5, "tinyint": 4, "smallint": 6, "integer": 11, "bigint": 20}


_TEXTS = {
    "double": "athena_double_varchar", "real": "athena_real_varchar", "date": "athena_date_varchar",
    "ipaddress": "athena_ipaddress_text", t.DAY_INTERVAL.name: "athena_day_interval_text",
    t.MONTH_INTERVAL.name: "athena_month_interval_text",
}  # fmt: skip
"""The macro that makes a value's text."""
_PRECISE_TEXTS = {
    "timestamp": "athena_timestamp_text", "time": "athena_time_text", t.ZONED: "athena_zoned_text",
    t.ZONED_TIME: "athena_clock_text",
}  # fmt: skip
"""The same of types with a precision, which is the macro's second argument."""


def varchar_of(sql: str, source: Type) -> str:
    """A value's text by CAST(value AS varchar), which for doubles is not the text that results show."""
    if source.name in _TEXTS:
        return f"{_TEXTS[source.name]}({sql})"
    if source.name == "timestamp" and source.params[0] in _FRACTIONS:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S{_FRACTIONS[source.params[0]]}')"
    if source.name in _PRECISE_TEXTS:
        return f"{_PRECISE_TEXTS[source.name]}({sql}, {source.params[0]})"
    if source.name == "decimal" and source.params[0] == source.params[1]:
        return f"replace(CAST({sql} AS VARCHAR), '.', '0.')"
    return sql if source.textual else f"CAST({sql} AS VARCHAR)"


def _to_char(sql: str, source: Type, target: Type) -> str:
    length = target.params[0]
    shown = varchar_of(sql, source)
    return f"rpad(rtrim(left({shown}, {length}), ' '), {length}, ' ')"


def _unit(kind: Type) -> int:
    """The microseconds that a value of a type with a precision is a multiple of."""
    return int(10 ** (t.MAX_FRACTION - kind.params[0]))


def _to_timestamp(sql: str, source: Type, target: Type) -> str:
    if source.name == "timestamp" and source.params[0] <= target.params[0]:
        return sql
    return f"athena_round_timestamp({sql}, {_unit(target)})"


def _date_to_moment(sql: str, _source: Type, _target: Type) -> str:
    return f"CAST({sql} AS TIMESTAMP)"


def _to_zoned(sql: str, source: Type, target: Type) -> str:
    if source.name == t.ZONED:
        if source.params[0] <= target.params[0]:
            return sql
        return f"athena_round_zoned({sql}, {_unit(target)})"
    return f"athena_zoned({_to_timestamp(f'CAST({sql} AS TIMESTAMP)', t.Type('timestamp', (6,)), target)}, 'UTC')"


def _text_to_timestamp(sql: str, _source: Type, target: Type) -> str:
    return f"athena_round_timestamp(athena_text_timestamp({sql}), {_unit(target)})"


def _text_to_zoned(sql: str, _source: Type, target: Type) -> str:
    return f"athena_round_zoned(athena_text_zoned({sql}), {_unit(target)})"


def _text_to_time(sql: str, _source: Type, target: Type) -> str:
    return f"athena_round_time(athena_text_time({sql}), {_unit(target)})"


def _to_time(sql: str, source: Type, target: Type) -> str:
    if source.name == "time" and source.params[0] <= target.params[0]:
        return sql
    if source.name == t.ZONED_TIME:
        return f"athena_round_time(athena_clock_local({sql}), {_unit(target)})"
    local = f"athena_local({sql})" if source.name == t.ZONED else sql
    return f"athena_round_time(athena_time_of({local}), {_unit(target)})"


def _to_clock(sql: str, source: Type, target: Type) -> str:
    """To a time with time zone: with the offset that the value has, else UTC's."""
    if source.name == t.ZONED_TIME:
        return sql if source.params[0] <= target.params[0] else f"athena_round_clock({sql}, {_unit(target)})"
    offset = f"athena_zone_offset({sql})" if source.name == t.ZONED else "0"
    return f"athena_clock({_to_time(sql, source, t.Type('time', target.params))}, {offset})"


def _text_to_clock(sql: str, _source: Type, target: Type) -> str:
    return f"athena_round_clock(athena_text_clock({sql}), {_unit(target)})"


def _to_int(sql: str, source: Type, target: Type) -> str:
    """A double or real as an integer, half up; a real that no bigint holds becomes the greatest or least."""
    name = "athena_real_bigint" if (source, target) == (t.REAL, t.BIGINT) else f"athena_double_{target.name}"
    return f"{name}({sql})"


def _to_float(sql: str, source: Type, target: Type) -> str:
    return f"athena_narrowed({sql})" if (source, target) == (t.DOUBLE, t.REAL) else plain(sql, source, target)


def _between_integers(sql: str, source: Type, target: Type) -> str:
    if t.INTEGERS.index(source.name) <= t.INTEGERS.index(target.name):
        return plain(sql, source, target)
    return f"athena_int_{target.name}({sql})"


def _undated(_sql: str, source: Type, target: Type) -> str:
    raise AthenaFault("NOT_SUPPORTED", f"line 1:1: CAST of {source} to {target} is not supported here")


def _zoned_to_timestamp(sql: str, _source: Type, target: Type) -> str:
    return f"athena_round_timestamp(athena_local({sql}), {_unit(target)})"


def _zoned_to_date(sql: str, _source: Type, _target: Type) -> str:
    return f"CAST(athena_local({sql}) AS DATE)"


def _array(sql: str, source: Type, target: Type) -> str:
    inner = cast_sql("x", source.args[0], target.args[0])
    return sql if inner == "x" else f"list_transform({sql}, lambda x: {inner})"


def _map(sql: str, source: Type, target: Type) -> str:
    key, value = (
        cast_sql(f"(x).{part}", one, other)
        for part, one, other in zip(("key", "value"), source.args, target.args, strict=True)
    )
    if (key, value) == ("(x).key", "(x).value"):
        return sql
    pairs = f"list_transform(map_entries({sql}), lambda x: struct_pack(k := {key}, v := {value}))"
    return f"map_from_entries({pairs})"


def _row(sql: str, source: Type, target: Type) -> str:
    if len(source.args) != len(target.args):
        raise AthenaFault("TYPE_MISMATCH", f"line 1:1: Cannot cast {source} to {target}")
    names = zip(t.field_names(source), t.field_names(target), source.args, target.args, strict=True)
    parts = [
        f"{t.quoted(new)} := {cast_sql(f'struct_extract({sql}, {t.literal(old)})', one, other)}"
        for old, new, one, other in names
    ]
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


def _via_json(sql: str, source: Type, _target: Type) -> str:
    from daap_local.athena.sql.jsons import to_json  # noqa: PLC0415  (the two call each other)

    return to_json(sql, source)


def _from_json(sql: str, _source: Type, target: Type) -> str:
    from daap_local.athena.sql.jsons import from_json  # noqa: PLC0415  (the two call each other)

    return from_json(sql, target)


_SINGLE: tuple[Way, ...] = (plain, _date_to_moment, _array)
"""Ways that name their argument once."""
_INT_TEXT = named("athena_text", sized=True)
_WAYS: dict[tuple[str, str], Way] = {
    ("varchar", "int"): _INT_TEXT, ("varchar", "float"): _INT_TEXT, ("varchar", "boolean"): _INT_TEXT,
    ("varchar", "date"): _INT_TEXT, ("varchar", "uuid"): _INT_TEXT, ("varchar", "decimal"): _text_to_decimal,
    ("varchar", "timestamp"): _text_to_timestamp, ("varchar", t.ZONED): _text_to_zoned,
    ("varchar", "time"): _text_to_time, ("varchar", "varbinary"): named("encode"),
    ("char", "float"): _INT_TEXT,
    ("char", "varchar"): _to_varchar, ("char", "char"): _to_char, ("varchar", "char"): _to_char,
    ("varchar", "varchar"): _to_varchar, ("int", "varchar"): _to_varchar, ("float", "varchar"): _to_varchar,
    ("decimal", "varchar"): _to_varchar, ("boolean", "varchar"): _to_varchar, ("date", "varchar"): _to_varchar,
    ("timestamp", "varchar"): _to_varchar, ("time", "varchar"): _to_varchar, (t.ZONED, "varchar"): _to_varchar,
    ("uuid", "varchar"): _to_varchar, (t.DAY_INTERVAL.name, "varchar"): _to_varchar,
    (t.MONTH_INTERVAL.name, "varchar"): _to_varchar,
    ("int", "int"): _between_integers, ("int", "float"): plain, ("int", "decimal"): _number_to_decimal,
    ("int", "boolean"): plain, ("boolean", "int"): plain, ("boolean", "float"): plain,
    ("boolean", "decimal"): plain, ("float", "boolean"): plain, ("decimal", "boolean"): plain,
    ("float", "int"): _to_int, ("float", "float"): _to_float,
    ("float", "decimal"): _number_to_decimal, ("decimal", "int"): named("athena_decimal", sized=True),
    ("decimal", "float"): plain, ("decimal", "decimal"): _number_to_decimal,
    ("date", "timestamp"): _date_to_moment, ("date", t.ZONED): _to_zoned, ("timestamp", "date"): plain,
    ("timestamp", "timestamp"): _to_timestamp, ("timestamp", t.ZONED): _to_zoned, ("timestamp", "time"): _to_time,
    ("time", "timestamp"): _undated, (t.ZONED_TIME, "timestamp"): _undated,
    ("time", t.ZONED): _undated, (t.ZONED_TIME, t.ZONED): _undated,
    ("varchar", t.ZONED_TIME): _text_to_clock, (t.ZONED_TIME, "varchar"): _to_varchar,
    ("time", t.ZONED_TIME): _to_clock, ("timestamp", t.ZONED_TIME): _to_clock, (t.ZONED, t.ZONED_TIME): _to_clock,
    (t.ZONED_TIME, t.ZONED_TIME): _to_clock, (t.ZONED_TIME, "time"): _to_time,
    ("varchar", "ipaddress"): _INT_TEXT, ("ipaddress", "varchar"): _to_varchar,
    ("varbinary", "ipaddress"): named("athena_ipaddress_of"), ("ipaddress", "varbinary"): _same,
    (t.ZONED, "timestamp"): _zoned_to_timestamp, (t.ZONED, "date"): _zoned_to_date, (t.ZONED, "time"): _to_time,
    (t.ZONED, t.ZONED): _to_zoned, ("time", "time"): _to_time,
    ("array", "array"): _array, ("map", "map"): _map, ("row", "row"): _row,
    **{(name, "json"): _via_json for name in ("varchar", "int", "float", "decimal", "boolean", "date", "timestamp",
                                              "array", "map", "row")},
    **{("json", name): _from_json for name in ("varchar", "int", "float", "decimal", "boolean", "array", "map", "row")},
}  # fmt: skip

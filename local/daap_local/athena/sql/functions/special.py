"""Functions that are more than a template: their result's type hangs on the arguments, or an argument is a constant.

Sources: https://trino.io/docs/current/functions/ (conditional, datetime, math, decimal, string, array).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast, coerce, coerce_all, varchar_of
from daap_local.athena.sql.coercion import coercible, common
from daap_local.athena.sql.operators import compare, computed, joined
from daap_local.athena.sql.predicates import made_row
from daap_local.athena.sql.scopes import Env, Typed, fault, uncommon
from daap_local.athena.sql.types import Type

Special = Callable[[Env, exp.Anonymous, list[Typed]], "Typed | None"]
"""From the place, the call and its arguments to the translation; None where the arguments do not fit."""


def try_value(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """try(expression): NULL where it fails."""
    if len(given) != 1:
        return None
    if node.find(exp.Select):
        raise fault("NOT_SUPPORTED", "TRY of a subquery is not supported here", node)
    return Typed(f"TRY({given[0].sql})", given[0].type, zone=given[0].zone)


def coalesce(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """coalesce(value, value, ...)."""
    shared = coerce_all(given)
    if len(given) < 2:
        return None
    if shared is None:
        raise uncommon("All COALESCE operands", [value.type for value in given], node)
    values, kind = shared
    zones = {value.zone for value in values}
    return Typed(
        f"coalesce({', '.join(value.sql for value in values)})", kind, zone=zones.pop() if len(zones) == 1 else None
    )


def nullif(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """nullif(value, other)."""
    if len(given) != 2:
        return None
    if common(given[0].type, given[1].type) is None:
        raise fault("TYPE_MISMATCH", f"Types are not comparable with NULLIF: {given[0].type} vs {given[1].type}", node)
    test = compare(given[0], given[1], "=", node).sql
    return Typed(f"CASE WHEN {test} THEN NULL ELSE {given[0].sql} END", given[0].type, zone=given[0].zone)


def extreme(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """greatest, least: NULL if any is NULL."""
    shared = coerce_all(given)
    if shared is None or len(given) < 1 or shared[1].name in {"array", "map", "row", "json"}:
        return None
    values, kind = shared
    if kind.name in {"real", "double"}:
        tests = "".join(f"WHEN isnan({value.sql}) THEN CAST('NaN' AS DOUBLE) " for value in values)
        inner = f"CASE {tests}ELSE {node.name.lower()}({', '.join(value.sql for value in values)}) END"
    else:
        inner = f"{node.name.lower()}({', '.join(value.sql for value in values)})"
    nulls = " OR ".join(f"{value.sql} IS NULL" for value in values)
    return Typed(f"CASE WHEN {nulls} THEN NULL ELSE {inner} END", kind)


def type_name(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """typeof(value)."""
    if len(given) != 1:
        return None
    shown = str(given[0].type)
    return Typed(t.literal(shown), t.VARCHAR)


def concat(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """concat(a, b, ...) of texts, varbinary or arrays."""
    if len(given) < 2:
        return None
    made: Typed | None = given[0]
    for value in given[1:]:
        made = joined(made, value) if made is not None else None
    return made


def replace_text(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """replace(text, part [, other]): its length is bounded where the arguments' are."""
    if len(given) not in {2, 3} or not all(coercible(value.type, t.VARCHAR) for value in given):
        return None
    other = given[2] if len(given) == 3 else Typed("''", t.varchar(0))
    kind = t.VARCHAR
    if given[0].type.params and other.type.params:
        size, added = given[0].type.params[0], other.type.params[0]
        kind = t.varchar(min(2**31 - 1, size + added * (size + 1)))
    values = ", ".join(coerce(value, t.VARCHAR).sql for value in (given[0], given[1], other))
    return Typed(f"athena_replace({values})", kind)


def row(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """ROW(a, b)."""
    return made_row(given)


def modulus(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """mod(a, b): as a % b."""
    return computed(given[0], given[1], "%") if len(given) == 2 else None


def decimal_rounding(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """round, ceil, floor, truncate of decimals; their results have types of their own."""
    if not given or given[0].type.name != "decimal":
        return None
    precision, scale = given[0].type.params
    name = {"ceiling": "ceil"}.get(node.name.lower(), node.name.lower())
    if len(given) == 2 and name in {"round", "truncate"}:
        return _to_places(given, name, precision, scale)
    if len(given) != 1:
        return None
    whole = (
        max(1, min(t.MAX_DECIMAL, precision - scale + min(scale, 1)))
        if name != "truncate"
        else max(1, precision - scale)
    )
    kind = t.decimal(whole, 0)
    function = {"truncate": "trunc"}.get(name, name)
    return Typed(f"CAST({function}({given[0].sql}) AS {t.duckdb_type(kind)})", kind)


def _to_places(given: list[Typed], name: str, precision: int, scale: int) -> Typed | None:
    """round(decimal, places) and truncate(decimal, places)."""
    if not coercible(given[1].type, t.INTEGER):
        return None
    kind = t.decimal(min(t.MAX_DECIMAL, precision + 1), scale) if name == "round" else given[0].type
    call = f"athena_exact_{name}(CAST({given[0].sql} AS VARCHAR), {given[1].sql})"
    return Typed(f"CAST({call} AS {t.duckdb_type(kind)})", kind)


def array_join(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """array_join of elements that are no texts."""
    if len(given) not in {2, 3} or given[0].type.name != "array" or given[0].type.args[0].textual:
        return None
    kind = given[0].type.args[0]
    if kind == t.UNKNOWN:
        inner = "CAST(x AS VARCHAR)"
    elif kind.args or kind in {t.VARBINARY, t.JSON}:
        return None
    else:
        inner = varchar_of("x", kind)
    if len(given) == 3:
        inner = f"coalesce({inner}, {given[2].sql})"
    shown = f"list_transform({given[0].sql}, lambda x: {inner})"
    return Typed(f"array_to_string({shown}, {given[1].sql})", t.VARCHAR)


def sequence(env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """sequence of dates and timestamps, by an interval or by days."""
    if len(given) not in {2, 3} or given[0].type.name not in {"date", "timestamp"}:
        return None
    kind = common(given[0].type, given[1].type)
    if kind is None or kind.name in t.WITH_ZONE:
        return None
    if len(given) == 2 and kind != t.DATE:
        return None
    step = given[2] if len(given) == 3 else None
    first, last = (coerce(value, kind).sql for value in given[:2])
    if step is None:
        by = f"to_days(CASE WHEN {last} >= {first} THEN 1 ELSE -1 END)"
    elif step.type == t.DAY_INTERVAL:
        by = f"to_milliseconds({step.sql})"
    elif step.type == t.MONTH_INTERVAL:
        made = f"athena_month_moments({first}, {last}, {step.sql})"
        return Typed(f"CAST({made} AS {t.duckdb_type(t.array(kind))})", t.array(kind))
    else:
        return None
    del env, node
    made = f"athena_moments({first}, {last}, {by})"
    held = t.duckdb_type(t.array(kind))
    return Typed(f"CAST({made} AS {held})", t.array(kind))


def zipped(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """zip(array, array, ...): rows of elements, padded with NULL."""
    if not 2 <= len(given) <= 5 or any(value.type.name != "array" for value in given):
        return None
    kind = Type("row", args=tuple(value.type.args[0] for value in given), fields=(None,) * len(given))
    held = t.duckdb_type(t.array(kind))
    parts = ", ".join(f"{name} := struct_extract_at(x, {at + 1})" for at, name in enumerate(t.field_names(kind)))
    lists = f"list_zip({', '.join(value.sql for value in given)})"
    return Typed(f"CAST(list_transform({lists}, lambda x: struct_pack({parts})) AS {held})", t.array(kind))


def map_entries(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """map_entries(map): an array of rows."""
    if len(given) != 1 or given[0].type.name != "map":
        return None
    kind = Type("row", args=given[0].type.args, fields=(None, None))
    sql = f"list_transform(map_entries({given[0].sql}), lambda x: struct_pack(field0 := (x).key, field1 := (x).value))"
    return Typed(sql, t.array(kind))


def from_entries(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """map_from_entries and multimap_from_entries."""
    if len(given) != 1 or given[0].type.name != "array":
        return None
    kind = given[0].type.args[0]
    if kind.name != "row" or len(kind.args) != 2:
        return None
    names = t.field_names(kind)
    parts = ", ".join(
        f"{name} := struct_extract(x, {t.literal(field)})" for name, field in zip("kv", names, strict=True)
    )
    pairs = f"list_transform({given[0].sql}, lambda x: struct_pack({parts}))"
    if node.name.lower() == "map_from_entries":
        return Typed(f"athena_map_from_pairs({pairs})", t.map_of(*kind.args))
    return Typed(f"athena_multimap_agg({pairs})", t.map_of(kind.args[0], t.array(kind.args[1])))


def empty_map(_env: Env, _node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """map()."""
    if given:
        return None
    return Typed("MAP {}", t.map_of(t.UNKNOWN, t.UNKNOWN))


def first_of(value: list[Typed]) -> Typed:
    """The first argument as varchar."""
    return cast(value[0], t.VARCHAR)


SPECIALS: Mapping[str, Special] = MappingProxyType({
    "try": try_value, "coalesce": coalesce, "nullif": nullif, "greatest": extreme, "least": extreme,
    "typeof": type_name,
        "replace": replace_text, "concat": concat, "row": row, "mod": modulus, "round": decimal_rounding,
    "ceil": decimal_rounding, "ceiling": decimal_rounding, "floor": decimal_rounding, "truncate": decimal_rounding,
    "array_join": array_join, "sequence": sequence, "zip": zipped, "map_entries": map_entries,
    "map_from_entries": from_entries, "multimap_from_entries": from_entries, "map": empty_map,
})  # fmt: skip

"""Predicates and the expressions with a syntax of their own: LIKE, IN, EXISTS, subqueries, rows, arrays, zones.

Sources: https://trino.io/docs/current/functions/comparison.html, /functions/datetime.html, /sql/select.html.
"""

from __future__ import annotations

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast, coerce, coerce_all
from daap_local.athena.sql.coercion import common
from daap_local.athena.sql.comparing import comparable
from daap_local.athena.sql.operators import compare
from daap_local.athena.sql.scopes import Compiled, Env, Typed, fault, only, uncommon
from daap_local.athena.sql.types import Type


def like(env: Env, node: exp.Like) -> Typed:
    """value [NOT] LIKE pattern: without ESCAPE there is no escape character."""
    only(node, "this", "expression", "negate")
    return _negated(_like(env, node, None), bool(node.args.get("negate")))


def escaped_like(env: Env, node: exp.Escape) -> Typed:
    """value [NOT] LIKE pattern ESCAPE character."""
    if not isinstance(node.this, exp.Like):
        raise fault("NOT_SUPPORTED", f"ESCAPE of {type(node.this).__name__} is not supported here", node)
    mark = env.typed(node.expression)
    if not mark.literal or not isinstance(mark.value, str) or len(mark.value) != 1:
        raise fault("INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character", node)
    return _negated(_like(env, node.this, mark.value), bool(node.this.args.get("negate")))


def _negated(made: Typed, negate: bool) -> Typed:
    return Typed(f"(NOT {made.sql})", t.BOOLEAN) if negate else made


def _like(env: Env, node: exp.Like, mark: str | None) -> Typed:
    value, pattern = env.typed(node.this), env.typed(node.expression)
    if isinstance(node.expression, exp.Any | exp.All):
        raise fault("SYNTAX_ERROR", "mismatched input in LIKE", node)
    for part, name in ((value, "Left"), (pattern, "Pattern for")):
        if not (part.type.textual or part.type == t.UNKNOWN):
            raise fault(
                "TYPE_MISMATCH",
                f"{name} side of LIKE expression must evaluate to a varchar (actual: {part.type})",
                node,
            )
    tail = ""
    if mark is not None:
        _check_escapes(pattern, mark, node)
        tail = f" ESCAPE {t.literal(mark)}"
    one, other = cast(value, t.VARCHAR), cast(pattern, t.VARCHAR)
    return Typed(f"({one.sql} LIKE {other.sql}{tail})", t.BOOLEAN)


def _check_escapes(pattern: Typed, mark: str, node: exp.Expr) -> None:
    """The escape character may stand before %, _ and itself alone."""
    if not isinstance(pattern.value, str):
        return
    rest = pattern.value
    while mark in rest:
        rest = rest[rest.index(mark) + 1 :]
        if rest[:1] not in {"%", "_", mark} or not rest:
            raise fault(
                "INVALID_FUNCTION_ARGUMENT",
                "Escape character must be followed by '%', '_' or the escape character itself",
                node,
            )
        rest = rest[1:]


def within(env: Env, node: exp.In) -> Typed:
    """value IN (list) or value IN (query)."""
    only(node, "this", "expressions", "query")
    value = env.typed(node.this)
    if node.args.get("query") is not None:
        return _in_query(env, value, node)
    parts = [env.typed(part) for part in node.expressions]
    shared = coerce_all([value, *parts])
    if shared is None:
        raise uncommon("IN value and list items", [value.type, *(part.type for part in parts)], node)
    (first, *others), kind = shared
    if kind.name in {"row", "array", "map", "real", "double", *t.WITH_ZONE}:
        return Typed(f"({' OR '.join(compare(first, other, '=', node).sql for other in others)})", t.BOOLEAN)
    return Typed(f"({first.sql} IN ({', '.join(other.sql for other in others)}))", t.BOOLEAN)


def _in_query(env: Env, value: Typed, node: exp.In) -> Typed:
    made = subquery_of(env, node.args["query"])
    env.needs.update(*(item.needs for item in made.fields))
    width = len(value.type.args) if value.type.name == "row" else 1
    if len(made.fields) == 1:
        return _in_column(env, value, made, node)
    if value.type.name != "row" or width != len(made.fields):
        raise fault(
            "TYPE_MISMATCH", f"Value expression and result of subquery must be of the same type: {value.type}", node
        )
    return _in_columns(env, value, made, node)


def _in_column(env: Env, value: Typed, made: Compiled, node: exp.In) -> Typed:
    kind = common(value.type, made.fields[0].typed.type)
    if kind is None or not comparable(kind, ordered=False):
        raise fault(
            "TYPE_MISMATCH",
            "Value expression and result of subquery must be of the same type: "
            f"{value.type} vs {made.fields[0].typed.type}",
            node,
        )
    if kind.name in {"row", "array", "map"}:
        raise fault("NOT_SUPPORTED", f"IN a subquery of {kind.name}s is not supported here", node)
    one, other = coerce(value, kind), coerce(made.fields[0].typed, kind)
    if kind.name in t.WITH_ZONE:
        return Typed(
            f"(({one.sql}).u IN (SELECT ({other.sql}).u FROM ({made.sql}) AS {env.session.alias()}))", t.BOOLEAN
        )
    return Typed(f"({one.sql} IN (SELECT {other.sql} FROM ({made.sql}) AS {env.session.alias()}))", t.BOOLEAN)


def _in_columns(env: Env, value: Typed, made: Compiled, node: exp.In) -> Typed:
    from daap_local.athena.sql.columns import field_at  # noqa: PLC0415

    ones, others = [], []
    for at, item in enumerate(made.fields):
        kind = common(value.type.args[at], item.typed.type)
        if kind is None or kind.args or kind.name in t.WITH_ZONE:
            raise fault(
                "TYPE_MISMATCH", f"Value expression and result of subquery must be of the same type: {value.type}", node
            )
        ones.append(coerce(field_at(value, at), kind).sql)
        others.append(coerce(item.typed, kind).sql)
    listed = f"SELECT {', '.join(others)} FROM ({made.sql}) AS {env.session.alias()}"
    return Typed(f"(({', '.join(ones)}) IN ({listed}))", t.BOOLEAN)


def exists(env: Env, node: exp.Exists) -> Typed:
    """EXISTS (query)."""
    return Typed(f"(EXISTS ({subquery_of(env, node.this).sql}))", t.BOOLEAN)


def subquery_of(env: Env, node: exp.Expr) -> Compiled:
    """A subquery of an expression; what it reads is read for the query around it."""
    inner = node.this if type(node) is exp.Subquery and not _has_tail(node) else node
    made = env.session.query(env, inner)
    env.needs.update(made.needs)
    return made


def _has_tail(node: exp.Expr) -> bool:
    return any(node.args.get(part) for part in ("order", "limit", "offset", "with_"))


def scalar_subquery(env: Env, node: exp.Subquery) -> Typed:
    """(query) as a value: of one column; more than one row fails."""
    made = subquery_of(env, node)
    env.needs.update(*(item.needs for item in made.fields))
    if len(made.fields) != 1:
        kinds = ", ".join(str(item.typed.type) for item in made.fields)
        raise fault("NOT_SUPPORTED", f"A subquery of several columns ({kinds}) as a value is not supported here", node)
    field = made.fields[0]
    return Typed(f"({made.sql})", field.typed.type, zone=field.typed.zone)


def row_value(env: Env, node: exp.Tuple) -> Typed:
    """(a, b): a row."""
    return made_row([env.typed(part) for part in node.expressions])


def made_row(values: list[Typed], names: tuple[str | None, ...] = ()) -> Typed:
    """A row of values, nameless unless named."""
    kind = Type("row", args=tuple(value.type for value in values), fields=names or (None,) * len(values))
    parts = (f"{t.quoted(name)} := {value.sql}" for name, value in zip(t.field_names(kind), values, strict=True))
    return Typed(f"struct_pack({', '.join(parts)})", kind)


def array(env: Env, node: exp.Array) -> Typed:
    """ARRAY[...]."""
    values = [env.typed(part) for part in node.expressions]
    shared = coerce_all(values)
    if shared is None:
        raise uncommon("All ARRAY elements", [value.type for value in values], node)
    parts, kind = shared
    listed = ", ".join(part.sql for part in parts)
    return Typed(f"CAST([{listed}] AS {t.duckdb_type(t.array(kind))})", t.array(kind))


def at_time_zone(env: Env, node: exp.AtTimeZone) -> Typed:
    """value AT TIME ZONE zone."""
    value = env.typed(node.this)
    zone = node.args["zone"]
    if isinstance(zone, exp.Interval):
        raise fault("NOT_SUPPORTED", "AT TIME ZONE with an interval is not supported here", node)
    return zoned_at(value, env.typed(zone), node)


def zoned_at(value: Typed, zone: Typed, node: exp.Expr) -> Typed:
    """The same instant in another zone."""
    if value.type.name == "timestamp" or value.type == t.DATE:
        value = cast(value, Type(t.ZONED, value.type.params or (0,)))
    if value.type.name in {"time", t.ZONED_TIME}:
        raise fault("NOT_SUPPORTED", f"{value.type} AT TIME ZONE is not supported here", node)
    if value.type.name != t.ZONED or not (zone.type.textual or zone.type == t.UNKNOWN):
        raise fault(
            "TYPE_MISMATCH",
            f"Type of value must be a time or timestamp with or without time zone (actual {value.type})",
            node,
        )
    known = zone.value if zone.literal and isinstance(zone.value, str) else None
    return Typed(f"athena_at_zone({value.sql}, {zone.sql})", value.type, zone=known)


def parameter(_env: Env, node: exp.Placeholder) -> Typed:
    """?: parameters are put in before the text is parsed, so that one which is left has no value."""
    raise fault("INVALID_PARAMETER_USAGE", "Incorrect number of parameters: more are expected", node)

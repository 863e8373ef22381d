"""Calls of aggregate and window functions: DISTINCT, ORDER BY, FILTER, OVER and IGNORE NULLS.

Sources: https://trino.io/docs/current/functions/aggregate.html and https://trino.io/docs/current/functions/window.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast, coerce
from daap_local.athena.sql.coercion import coercible
from daap_local.athena.sql.comparing import comparable, grouping_key, truth
from daap_local.athena.sql.functions.aggregates import AGGREGATES, WINDOWED
from daap_local.athena.sql.functions.signatures import Signature, call, described
from daap_local.athena.sql.ordering import ordering
from daap_local.athena.sql.scopes import Env, Typed, fault, only


@dataclass(frozen=True, slots=True)
class Tail:
    """What stands around an aggregate's arguments: DISTINCT, ORDER BY, FILTER with OVER, IGNORE NULLS."""

    distinct: bool = False
    order: str = ""
    window: str = ""
    nulls: str = ""

    def fill(self, template: str) -> str:
        """A template with these parts put in."""
        parts = {"{d}": "DISTINCT " if self.distinct else "", "{o}": self.order, "{w}": self.window, "{n}": self.nulls}
        for mark, text in parts.items():
            template = template.replace(mark, text)
        return template


def aggregate_call(env: Env, node: exp.Anonymous, *, filtered: str = "", over: str = "", nulls: str = "") -> Typed:
    """A call of an aggregate function; of a window function where `over` is given."""
    name = node.name.lower()
    if not over:
        _check_place(env, name, node)
    inside = replace(env, inside=True)
    nodes, distinct, order = _arguments(node)
    arguments = [inside.typed(part) for part in nodes if not isinstance(part, exp.Star | exp.Lambda)]
    if distinct:
        for argument in arguments:
            grouping_key(argument, node)
    written = f" ORDER BY {ordering(inside, order)}" if order else ""
    tail = Tail(distinct, written, f"{filtered}{over}", nulls)
    return _called(name, arguments, tail, node, nodes)


def _check_place(env: Env, name: str, node: exp.Expr) -> None:
    if name in WINDOWED:
        raise fault("MISSING_OVER", f"Window function {name} requires an OVER clause", node)
    if env.inside:
        raise fault(
            "NESTED_AGGREGATION",
            f"Cannot nest aggregations inside aggregation '{name}': [{node.sql(dialect='trino')}]",
            node,
        )
    if env.aggregates:
        raise fault(
            "EXPRESSION_NOT_SCALAR",
            f"{env.aggregates} cannot contain aggregations, window functions or grouping operations: "
            f"[{node.sql(dialect='trino')}]",
            node,
        )


def _arguments(node: exp.Anonymous) -> tuple[list[exp.Expr], bool, list[exp.Ordered]]:
    """The arguments, whether they are DISTINCT, and the ORDER BY that sqlglot hangs on the last of them."""
    nodes, order = list(node.expressions), []
    if nodes and isinstance(nodes[-1], exp.Order):
        order = list(nodes[-1].expressions)
        nodes[-1] = nodes[-1].this
    if len(nodes) == 1 and isinstance(nodes[0], exp.Distinct):
        only(nodes[0], "expressions")
        return list(nodes[0].expressions), True, order
    return nodes, False, order


def _called(name: str, arguments: list[Typed], tail: Tail, node: exp.Anonymous, nodes: list[exp.Expr]) -> Typed:
    if name == "count" and len(nodes) <= 1 and (not nodes or isinstance(nodes[0], exp.Star)):
        return Typed(f"count(*){tail.window}", t.BIGINT)
    special = _SPECIAL.get(name)
    made = special(name, arguments, tail) if special is not None else None
    made = made or _plain(name, arguments, tail)
    if made is None:
        kinds = ", ".join(str(argument.type) for argument in arguments)
        known = described((*AGGREGATES.get(name, ()), *WINDOWED.get(name, ())), name)
        raise fault(
            "FUNCTION_NOT_FOUND", f"Unexpected parameters ({kinds}) for function {name}. Expected: {known}", node
        )
    return made


def _plain(name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    table = WINDOWED.get(name) or AGGREGATES.get(name, ())
    made = call((_with_tail(signature, tail) for signature in table), arguments)
    if made is None:
        return None
    if tail.order and "ORDER BY" not in made.sql and name not in {"count", "sum", "avg", "min", "max"}:
        raise fault("NOT_SUPPORTED", f"ORDER BY in {name} is not supported here")
    if tail.distinct and "DISTINCT" not in made.sql:
        raise fault("NOT_SUPPORTED", f"DISTINCT in {name} is not supported here")
    return made


def _with_tail(signature: Signature, tail: Tail) -> Signature:
    return replace(signature, template=tail.fill(signature.template.replace("{d}{args}", "{args}")))


def _sum(_name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    if len(arguments) != 1 or arguments[0].type.name != "decimal":
        return None
    kind = t.decimal(t.MAX_DECIMAL, arguments[0].type.params[1])
    return Typed(tail.fill(f"CAST(sum({{d}}{arguments[0].sql}){{w}} AS {t.duckdb_type(kind)})"), kind)


def _average(_name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    """The average of decimals keeps their type, rounded half up."""
    if len(arguments) != 1 or arguments[0].type.name != "decimal":
        return None
    kind = arguments[0].type
    total, count = tail.fill(f"sum({{d}}{arguments[0].sql}){{w}}"), tail.fill(f"count({{d}}{arguments[0].sql}){{w}}")
    made = f"athena_exact_average(CAST({total} AS VARCHAR), {count}, {kind.params[1]})"
    return Typed(f"CAST({made} AS {t.duckdb_type(kind)})", kind)


def _extreme(name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    """min(x), max(x) of what can be ordered; min(x, n): the n least as an array."""
    if not arguments or not comparable(arguments[0].type, ordered=True):
        return None
    if len(arguments) == 2 and coercible(arguments[1].type, t.BIGINT):
        return Typed(
            tail.fill(f"nullif({name}({arguments[0].sql}, {arguments[1].sql}){{w}}, [])"), t.array(arguments[0].type)
        )
    if len(arguments) == 1:
        return Typed(tail.fill(f"{name}({{d}}{arguments[0].sql}){{w}}"), arguments[0].type, zone=arguments[0].zone)
    return None


def _extreme_by(name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    """max_by(x, key): x of the row with the greatest key, NULL too; with a number, an array of so many."""
    if len(arguments) not in {2, 3} or not comparable(arguments[1].type, ordered=True):
        return None
    function = "arg_max" if name == "max_by" else "arg_min"
    value, key = arguments[0], arguments[1]
    held = f"struct_pack(v := {value.sql})"
    if len(arguments) == 3:
        sql = f"{function}({held}, {key.sql}, {arguments[2].sql}){{w}}"
        return Typed(tail.fill(f"list_transform({sql}, lambda x: (x).v)"), t.array(value.type))
    return Typed(tail.fill(f"struct_extract({function}({held}, {key.sql}){{w}}, 'v')"), value.type)


def _percentile(_name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    """The exact percentile where Athena approximates: of a value with that many below it."""
    if len(arguments) != 2 or not arguments[0].type.numeric:
        return None
    value = coerce(arguments[0], _PERCENTILES.get(arguments[0].type.name, t.BIGINT))
    if arguments[1].type.name == "array":
        shares = cast(arguments[1], t.array(t.DOUBLE)).sql
        return Typed(tail.fill(f"athena_percentiles(list({value.sql}){{w}}, {shares})"), t.array(value.type))
    share = cast(arguments[1], t.DOUBLE).sql
    sql = tail.fill(f"athena_percentile(list({value.sql}){{w}}, {share})")
    return Typed(f"CAST({sql} AS {t.duckdb_type(value.type)})", value.type)


_PERCENTILES = {"real": t.REAL, "double": t.DOUBLE, "decimal": t.DOUBLE}
"""Types whose percentiles are not bigints."""


def _moment_statistics(name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    """Skewness and kurtosis, from the central moments."""
    if len(arguments) != 1 or not coercible(arguments[0].type, t.DOUBLE) or tail.distinct:
        return None
    value = coerce(arguments[0], t.DOUBLE).sql
    return Typed(tail.fill(f"athena_{name}(list({value}){{w}})"), t.DOUBLE)


def _arbitrary(_name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    if len(arguments) != 1:
        return None
    return Typed(tail.fill(f"any_value({arguments[0].sql}){{w}}"), arguments[0].type, zone=arguments[0].zone)


def _histogram(_name: str, arguments: list[Typed], tail: Tail) -> Typed | None:
    if len(arguments) != 1:
        return None
    kind = t.map_of(grouping_key(arguments[0]).type, t.BIGINT)
    return Typed(tail.fill(f"CAST(histogram({arguments[0].sql}){{w}} AS {t.duckdb_type(kind)})"), kind)


def _refused(name: str, _arguments: list[Typed], _tail: Tail) -> Typed | None:
    raise fault("NOT_SUPPORTED", f"{name} is not supported here")


_SPECIAL = {
    "sum": _sum, "avg": _average, "min": _extreme, "max": _extreme, "min_by": _extreme_by, "max_by": _extreme_by,
    "approx_percentile": _percentile, "skewness": _moment_statistics, "kurtosis": _moment_statistics,
    "histogram": _histogram, "arbitrary": _arbitrary, "any_value": _arbitrary,
    **dict.fromkeys(("checksum", "reduce_agg", "numeric_histogram", "approx_most_frequent", "approx_set", "merge",
                     "tdigest_agg", "qdigest_agg", "multimap_union", "entropy"), _refused),
}  # fmt: skip
REFUSED_AGGREGATES = frozenset(name for name, maker in _SPECIAL.items() if maker is _refused)


def is_aggregate(name: str) -> bool:
    """Whether a name is an aggregate or window function's."""
    return name in AGGREGATES or name in WINDOWED or name in _SPECIAL


def filtered(env: Env, node: exp.Filter) -> Typed:
    """aggregate FILTER (WHERE condition)."""
    if isinstance(node.this, exp.GroupConcat):
        return listagg(env, node.this, filtered=_filter(env, node))
    return aggregate_call(env, _aggregate_of(node.this), filtered=_filter(env, node))


def _filter(env: Env, node: exp.Filter) -> str:
    inside = replace(env, inside=True)
    test = truth(inside.typed(node.expression.this), "FILTER expression", node.expression.this)
    return f" FILTER (WHERE {test.sql})"


def _aggregate_of(node: exp.Expr) -> exp.Anonymous:
    if not isinstance(node, exp.Anonymous) or not is_aggregate(node.name.lower()):
        raise fault(
            "FUNCTION_NOT_AGGREGATE",
            f"Filter is only valid for aggregation functions: {node.sql(dialect='trino')}",
            node,
        )
    return node


def windowed(env: Env, node: exp.Window) -> Typed:
    """function OVER (...) or OVER name."""
    if env.aggregates:
        raise fault(
            "EXPRESSION_NOT_SCALAR",
            f"{env.aggregates} cannot contain aggregations, window functions or grouping operations: "
            f"[{node.sql(dialect='trino')}]",
            node,
        )
    inner, nulls = node.this, ""
    if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
        nulls, inner = " IGNORE NULLS" if isinstance(inner, exp.IgnoreNulls) else "", inner.this
    if isinstance(inner, exp.Filter):
        raise fault("NOT_SUPPORTED", "FILTER is not yet supported for window functions", node)
    if not isinstance(inner, exp.Anonymous) or not is_aggregate(inner.name.lower()):
        raise fault("FUNCTION_NOT_WINDOW", f"Not a window function: {inner.sql(dialect='trino')}", node)
    if nulls and inner.name.lower() not in WINDOWED:
        raise fault("NULL_TREATMENT_NOT_ALLOWED", "Cannot specify null treatment clause for aggregation function", node)
    return aggregate_call(env, inner, over=f" OVER ({_specification(env, node)})", nulls=nulls)


def _specification(env: Env, node: exp.Window) -> str:
    only(node, "this", "partition_by", "order", "spec", "over", "alias", "first")
    parts: list[str] = []
    partition, order, spec = _inherited(env, node)
    if partition:
        keys = (grouping_key(env.typed(part), part).sql for part in partition)
        parts.append(f"PARTITION BY {', '.join(keys)}")
    if order:
        parts.append(f"ORDER BY {ordering(env, order)}")
    if spec is not None:
        parts.append(_frame(env, spec, order))
    return " ".join(parts)


def _inherited(env: Env, node: exp.Window) -> tuple[list[exp.Expr], list[exp.Ordered], exp.WindowSpec | None]:
    """The parts of a window, with those of the named window it begins from."""
    partition = list(node.args.get("partition_by") or ())
    order = list(node.args["order"].expressions) if node.args.get("order") else []
    spec = node.args.get("spec")
    name = node.args.get("alias")
    if name is None:
        return partition, order, spec
    base = env.windows.get(name.name.lower())
    if base is None:
        raise fault("INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {name.name}", node)
    outer_partition, outer_order, outer_spec = _inherited(env, base)
    return outer_partition or partition, order or outer_order, spec or outer_spec


def _frame(env: Env, spec: exp.WindowSpec, order: list[exp.Ordered]) -> str:
    only(spec, "kind", "start", "start_side", "end", "end_side")
    start = _bound(env, spec.args.get("start"), spec.args.get("start_side"), order)
    if not spec.args.get("end"):
        return f"{spec.args['kind'].upper()} {start}"
    end = _bound(env, spec.args.get("end"), spec.args.get("end_side"), order)
    return f"{spec.args['kind'].upper()} BETWEEN {start} AND {end}"


def _bound(env: Env, value: object, side: object, order: list[exp.Ordered]) -> str:
    if isinstance(value, str):
        return f"{value} {side or ''}".strip().upper()
    if not isinstance(value, exp.Expr):
        raise fault("NOT_SUPPORTED", "This window frame is not supported here")
    typed = env.typed(value)
    if typed.type in {t.DAY_INTERVAL, t.MONTH_INTERVAL}:
        unit = "to_milliseconds" if typed.type == t.DAY_INTERVAL else "to_months"
        _check_interval_order(env, order, value)
        return f"{unit}({typed.sql}) {side}"
    return f"{typed.sql} {side}"


def _check_interval_order(env: Env, order: list[exp.Ordered], node: exp.Expr) -> None:
    kind = env.typed(order[0].this).type if len(order) == 1 else t.UNKNOWN
    if kind.name not in {"date", "timestamp"}:
        raise fault("NOT_SUPPORTED", f"A window frame of intervals over {kind} is not supported here", node)


def listagg(env: Env, node: exp.GroupConcat, *, filtered: str = "") -> Typed:
    """LISTAGG([DISTINCT] text [, separator]) WITHIN GROUP (ORDER BY ...)."""
    only(node, "this", "separator")
    _check_place(env, "listagg", node)
    inside, inner, order = replace(env, inside=True), node.this, ""
    if isinstance(inner, exp.Order):
        order, inner = f" ORDER BY {ordering(inside, inner.expressions)}", inner.this
    distinct = isinstance(inner, exp.Distinct)
    value = inside.typed(inner.expressions[0] if distinct else inner)
    if not value.type.textual or not order:
        raise fault("FUNCTION_NOT_FOUND", f"Unexpected parameters ({value.type}) for function listagg", node)
    separator = node.args.get("separator")
    mark = env.typed(separator).sql if separator is not None else "''"
    sql = f"string_agg({'DISTINCT ' if distinct else ''}{value.sql}, {mark}{order}){filtered}"
    return Typed(sql, t.VARCHAR)


def grouping(env: Env, arguments: Iterable[exp.Expr]) -> Typed:
    """grouping(column, ...): which of the columns are not grouped by, as bits."""
    return Typed(f"CAST(grouping({', '.join(env.typed(part).sql for part in arguments)}) AS INTEGER)", t.INTEGER)

"""Functions that take lambdas.

Sources: https://trino.io/docs/current/functions/lambda.html, /functions/array.html, /functions/map.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast_sql, coerce
from daap_local.athena.sql.coercion import coercible, common
from daap_local.athena.sql.comparing import truth
from daap_local.athena.sql.scopes import Env, Scope, Typed, fault
from daap_local.athena.sql.types import Type

WithLambda = Callable[[Env, exp.Anonymous], "Typed | None"]


def _lambda(env: Env, node: exp.Expr, arguments: list[Type], call: exp.Expr) -> tuple[Typed, list[str]]:
    """A lambda's body, and the names that its arguments have in DuckDB."""
    if not isinstance(node, exp.Lambda) or len(node.expressions) != len(arguments):
        raise fault(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters for function {call.name}: a lambda of {len(arguments)} arguments is expected",
            call,
        )
    names = [f"{env.session.alias()}_{part.name.lower()}" for part in node.expressions]
    quoted = [t.quoted(name) for name in names]
    bound = tuple((part.name.lower(), Typed(name, kind))
                  for part, name, kind in zip(node.expressions, quoted, arguments, strict=True))  # fmt: skip
    scope = Scope(env.scope.fields, env.scope.parent, (*env.scope.lambdas, *bound))
    inner = replace(env, scope=scope, aggregates="Lambda expression")
    return inner.typed(node.this), quoted


def _array(env: Env, node: exp.Expr, call: exp.Expr) -> Typed:
    value = env.typed(node)
    if value.type.name != "array":
        raise fault("FUNCTION_NOT_FOUND", f"Unexpected parameters ({value.type}) for function {call.name}", call)
    return value


def _map(env: Env, node: exp.Expr, call: exp.Expr) -> Typed:
    value = env.typed(node)
    if value.type.name != "map":
        raise fault("FUNCTION_NOT_FOUND", f"Unexpected parameters ({value.type}) for function {call.name}", call)
    return value


def transform(env: Env, node: exp.Anonymous) -> Typed | None:
    """transform(array, x -> value)."""
    if len(node.expressions) != 2:
        return None
    value = _array(env, node.expressions[0], node)
    body, (x,) = _lambda(env, node.expressions[1], [value.type.args[0]], node)
    kind = t.array(body.type)
    return Typed(f"CAST(list_transform({value.sql}, lambda {x}: {body.sql}) AS {t.duckdb_type(kind)})", kind)


def filter_array(env: Env, node: exp.Anonymous) -> Typed | None:
    """filter(array, x -> condition)."""
    if len(node.expressions) != 2:
        return None
    value = _array(env, node.expressions[0], node)
    body, (x,) = _lambda(env, node.expressions[1], [value.type.args[0]], node)
    return Typed(
        f"list_filter({value.sql}, lambda {x}: coalesce({truth(body, 'lambda', node).sql}, false))", value.type
    )


def _matching(env: Env, node: exp.Anonymous) -> Typed | None:
    """any_match, all_match, none_match: NULL where it hangs on a NULL."""
    if len(node.expressions) != 2:
        return None
    value = _array(env, node.expressions[0], node)
    body, (x,) = _lambda(env, node.expressions[1], [value.type.args[0]], node)
    tests = f"list_transform({value.sql}, lambda {x}: {truth(body, 'lambda', node).sql})"
    return Typed(f"athena_{node.name.lower()}({tests})", t.BOOLEAN)


def reduce(env: Env, node: exp.Anonymous) -> Typed | None:
    """reduce(array, start, (state, x) -> state, state -> value)."""
    if len(node.expressions) != 4:
        return None
    value, start = _array(env, node.expressions[0], node), env.typed(node.expressions[1])
    element, state = value.type.args[0], start.type
    body, (s, x) = _lambda(env, node.expressions[2], [state, element], node)
    if body.type != state and common(state, body.type) is not None:
        state = common(state, body.type) or state
        start = coerce(start, state)
        body, (s, x) = _lambda(env, node.expressions[2], [state, element], node)
    if not coercible(body.type, state):
        raise fault(
            "FUNCTION_NOT_FOUND", f"Unexpected parameters for function reduce: {body.type} is not {state}", node
        )
    held_state, held_element = t.duckdb_type(state), t.duckdb_type(element)
    pair = f"struct_pack(s := CAST(NULL AS {held_state}), e := p_)"
    step = _replaced(coerce(body, state).sql, {s: "(a_).s", x: "(b_).e"})
    folded = (
        f"list_reduce(list_transform({value.sql}, lambda p_: {pair}), "
        f"lambda a_, b_: struct_pack(s := {step}, e := CAST(NULL AS {held_element})), "
        f"struct_pack(s := CAST({start.sql} AS {held_state}), e := CAST(NULL AS {held_element}))).s"
    )
    last, (final,) = _lambda(env, node.expressions[3], [state], node)
    done = last.sql if last.sql == final else f"list_transform([{folded}], lambda {final}: {last.sql})[1]"
    sql = folded if last.sql == final else done
    return Typed(f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE {sql} END", last.type)


def _replaced(sql: str, names: Mapping[str, str]) -> str:
    """The arguments' names replaced; they are unique, so that nothing else has them."""
    for name, new in names.items():
        sql = sql.replace(name, new)
    return sql


def zip_with(env: Env, node: exp.Anonymous) -> Typed | None:
    """zip_with(array, array, (x, y) -> value): the shorter one padded with NULL."""
    if len(node.expressions) != 3:
        return None
    one, other = (_array(env, part, node) for part in node.expressions[:2])
    body, (x, y) = _lambda(env, node.expressions[2], [one.type.args[0], other.type.args[0]], node)
    inner = _replaced(body.sql, {x: "struct_extract_at(p_, 1)", y: "struct_extract_at(p_, 2)"})
    return Typed(f"list_transform(list_zip({one.sql}, {other.sql}), lambda p_: {inner})", t.array(body.type))


def _entries(env: Env, node: exp.Anonymous) -> tuple[Typed, Typed, str, str] | None:
    """A map, the lambda's body, and the SQL of key and value in it."""
    if len(node.expressions) != 2:
        return None
    value = _map(env, node.expressions[0], node)
    body, (k, v) = _lambda(env, node.expressions[1], list(value.type.args), node)
    return value, Typed(_replaced(body.sql, {k: "(p_).key", v: "(p_).value"}), body.type), k, v


def map_filter(env: Env, node: exp.Anonymous) -> Typed | None:
    """map_filter(map, (k, v) -> condition)."""
    found = _entries(env, node)
    if found is None:
        return None
    value, body = found[0], truth(found[1], "lambda", node)
    sql = f"map_from_entries(list_filter(map_entries({value.sql}), lambda p_: coalesce({body.sql}, false)))"
    return Typed(f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE {sql} END", value.type)


def transform_values(env: Env, node: exp.Anonymous) -> Typed | None:
    """transform_values(map, (k, v) -> value)."""
    found = _entries(env, node)
    if found is None:
        return None
    value, body = found[0], found[1]
    kind = t.map_of(value.type.args[0], body.type)
    pairs = f"list_transform(map_entries({value.sql}), lambda p_: struct_pack(k := (p_).key, v := {body.sql}))"
    return Typed(_mapped(value, pairs, kind), kind)


def transform_keys(env: Env, node: exp.Anonymous) -> Typed | None:
    """transform_keys(map, (k, v) -> key): fails for keys that come twice."""
    found = _entries(env, node)
    if found is None:
        return None
    value, body = found[0], found[1]
    kind = t.map_of(body.type, value.type.args[1])
    pairs = f"list_transform(map_entries({value.sql}), lambda p_: struct_pack(k := {body.sql}, v := (p_).value))"
    return Typed(_mapped(value, pairs, kind), kind)


def _mapped(value: Typed, pairs: str, kind: Type) -> str:
    made = f"CAST(athena_map_from_pairs({pairs}) AS {t.duckdb_type(kind)})"
    return f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE {made} END"


def map_zip_with(env: Env, node: exp.Anonymous) -> Typed | None:
    """map_zip_with(map, map, (k, x, y) -> value)."""
    if len(node.expressions) != 3:
        return None
    one, other = (_map(env, part, node) for part in node.expressions[:2])
    if one.type.args[0] != other.type.args[0]:
        return None
    kinds = [one.type.args[0], one.type.args[1], other.type.args[1]]
    body, (k, x, y) = _lambda(env, node.expressions[2], kinds, node)
    inner = _replaced(
        body.sql, {k: "p_", x: f"athena_map_element({one.sql}, p_)", y: f"athena_map_element({other.sql}, p_)"}
    )
    keys = f"athena_list_union(map_keys({one.sql}), map_keys({other.sql}))"
    pairs = f"list_transform({keys}, lambda p_: struct_pack(k := p_, v := {inner}))"
    kind = t.map_of(kinds[0], body.type)
    return Typed(f"CASE WHEN {other.sql} IS NULL THEN NULL ELSE {_mapped(one, pairs, kind)} END", kind)


def array_sort(env: Env, node: exp.Anonymous) -> Typed | None:
    """array_sort(array, comparator) is refused; without a comparator it is an ordinary function."""
    if len(node.expressions) == 2:
        raise fault("NOT_SUPPORTED", "array_sort with a comparator is not supported here", node)
    del env
    return None


def refused(env: Env, node: exp.Anonymous) -> Typed | None:
    """A function with lambdas that is not there yet."""
    del env
    raise fault("NOT_SUPPORTED", f"{node.name} is not supported here", node)


def unchanged(sql: str, source: Type, target: Type) -> str:
    """A value as another type."""
    return cast_sql(sql, source, target)


LAMBDAS: Mapping[str, WithLambda] = MappingProxyType({
    "transform": transform, "filter": filter_array, "any_match": _matching, "all_match": _matching,
    "none_match": _matching, "reduce": reduce, "zip_with": zip_with, "map_filter": map_filter,
    "transform_values": transform_values, "transform_keys": transform_keys, "map_zip_with": map_zip_with,
})  # fmt: skip

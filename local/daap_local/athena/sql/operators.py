"""Operators: arithmetic, comparison, logic, CASE, LIKE, IN, as Trino types and evaluates them.

Sources: https://trino.io/docs/current/functions/math.html, /functions/decimal.html, /functions/comparison.html,
/functions/conditional.html, /functions/datetime.html.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.binding import bound
from daap_local.athena.sql.casts import cast, coerce, coerce_all
from daap_local.athena.sql.coercion import as_decimal, coercible, common
from daap_local.athena.sql.comparing import comparable, compared, truth
from daap_local.athena.sql.literals import read_type, whole
from daap_local.athena.sql.moments import moment_arithmetic
from daap_local.athena.sql.scopes import Env, Typed, fault, only, uncommon
from daap_local.athena.sql.types import Type

_SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_WORDS = {"+": "addition", "-": "subtraction", "*": "multiplication", "/": "division", "%": "modulus"}


def paren(env: Env, node: exp.Paren) -> Typed:
    """(expression)."""
    inner = env.typed(node.this)
    return Typed(f"({inner.sql})", inner.type, inner.value, inner.literal, inner.origins, inner.zone)


def arithmetic(env: Env, node: exp.Binary) -> Typed:
    """+ - * / % of numbers, dates, timestamps and intervals."""
    left, right, sign = env.typed(node.this), env.typed(node.expression), _SIGNS[type(node)]
    once = sign in "+-*" and left.type.numeric and right.type.numeric
    made = (
        computed(left, right, sign)
        if once
        else bound([left, right], lambda v: computed(v[0], v[1], sign) or moment_arithmetic(v[0], v[1], sign))
    )
    if made is None:
        raise fault("TYPE_MISMATCH", f"Cannot apply operator: {left.type} {sign} {right.type}", node)
    return made


def computed(left: Typed, right: Typed, sign: str) -> Typed | None:
    """Arithmetic of two numbers; None for anything else."""
    left, right = _numbered(left, right), _numbered(right, left)
    if not (left.type.numeric and right.type.numeric):
        return None
    shared = common(left.type, right.type)
    if shared is None:
        return None
    if shared.name == "decimal":
        return _decimals(left, right, sign)
    one, other = coerce(left, shared).sql, coerce(right, shared).sql
    if shared.name in t.INTEGERS:
        return Typed(_integers(one, other, right, sign, shared), shared)
    return Typed(_floats(one, other, sign, shared), shared)


def _numbered(value: Typed, other: Typed) -> Typed:
    return cast(value, other.type) if value.type == t.UNKNOWN and other.type.numeric else value


def _integers(one: str, other: str, right: Typed, sign: str, kind: Type) -> str:
    if sign not in "/%":
        return f"({one} {sign} {other})" if kind.name in {"integer", "bigint"} else _small(one, other, sign, kind)
    operator = "//" if sign == "/" else "%"
    if right.literal and right.value and right.value != -1:
        return f"({one} {operator} {other})"
    return f"athena_{'divide' if sign == '/' else 'modulus'}({one}, {other})"


def _small(one: str, other: str, sign: str, kind: Type) -> str:
    return f"CAST({one} {sign} {other} AS {t.duckdb_type(kind)})"


def _floats(one: str, other: str, sign: str, kind: Type) -> str:
    if sign == "%":
        return f"athena_fmod({one}, {other})"
    return f"CAST({one} {sign} {other} AS FLOAT)" if kind == t.REAL else f"({one} {sign} {other})"


def _decimals(left: Typed, right: Typed, sign: str) -> Typed | None:
    left, right = (coerce(value, as_decimal(value.type)) for value in (left, right))
    (p1, s1), (p2, s2) = left.type.params, right.type.params
    makers: dict[str, Callable[[], Typed]] = {
        "*": lambda: _multiplied(left, right), "/": lambda: _divided(left, right), "%": lambda: _remainder(left, right),
    }  # fmt: skip
    if sign in makers:
        return makers[sign]()
    scale = max(s1, s2)
    precision = max(p1 - s1, p2 - s2) + scale + 1
    return _fitted(left, right, sign, precision, scale)


def _fitted(left: Typed, right: Typed, sign: str, precision: int, scale: int) -> Typed:
    """A sum, difference or product of decimals."""
    kind = t.decimal(min(precision, t.MAX_DECIMAL), scale)
    wide = t.duckdb_type(kind)
    if sign == "*":
        return (
            _product(left, right, kind)
            if precision > t.MAX_DECIMAL
            else Typed(f"CAST({left.sql} * {right.sql} AS {wide})", kind)
        )
    return Typed(f"CAST(CAST({left.sql} AS {wide}) {sign} CAST({right.sql} AS {wide}) AS {wide})", kind)


def _product(left: Typed, right: Typed, kind: Type) -> Typed:
    """A product whose type has no room for all digits: in DuckDB for values that leave room, else by way of texts."""
    (p1, s1), (p2, s2) = left.type.params, right.type.params
    half = t.MAX_DECIMAL // 2
    room = t.MAX_DECIMAL - min(p2, half) if p1 >= p2 else min(p1, half)
    if room < s1 or t.MAX_DECIMAL - room < s2:
        return _exact(left, right, "*", kind)

    def made(values: list[Typed]) -> Typed:
        one = f"TRY_CAST({values[0].sql} AS DECIMAL({room},{s1}))"
        other = f"TRY_CAST({values[1].sql} AS DECIMAL({t.MAX_DECIMAL - room},{s2}))"
        exact = _exact(values[0], values[1], "*", kind).sql
        quick = f"CAST({one} * {other} AS {t.duckdb_type(kind)})"
        return Typed(f"CASE WHEN {one} IS NOT NULL AND {other} IS NOT NULL THEN {quick} ELSE {exact} END", kind)

    if len(left.sql) + len(right.sql) < _REPEATED:
        return made([left, right])
    return bound([left, right], made) or made([left, right])


_REPEATED = 1000
"""Factors shorter than this are written several times: a list for every row would cost more."""


def _exact(left: Typed, right: Typed, sign: str, kind: Type) -> Typed:
    call = (
        f"athena_exact({t.literal(sign)}, CAST({left.sql} AS VARCHAR), CAST({right.sql} AS VARCHAR), {kind.params[1]})"
    )
    return Typed(f"CAST({call} AS {t.duckdb_type(kind)})", kind)


def _multiplied(left: Typed, right: Typed) -> Typed:
    (p1, s1), (p2, s2) = left.type.params, right.type.params
    if s1 + s2 > t.MAX_DECIMAL:
        raise fault("INVALID_FUNCTION_ARGUMENT", f"DECIMAL scale must be in range [0, precision (38)]: {s1 + s2}")
    return _fitted(left, right, "*", p1 + p2, s1 + s2)


def _divided(left: Typed, right: Typed) -> Typed:
    (p1, s1), (p2, s2) = left.type.params, right.type.params
    scale = max(s1, s2)
    kind = t.decimal(min(t.MAX_DECIMAL, p1 + s2 + max(s2 - s1, 0)), scale)
    shift = scale - s1 + s2
    if max(p1 + s1 + 1, p2 + s2 + 1, p1 + shift + 1, kind.params[0] + scale + 1) > t.MAX_DECIMAL:
        return _exact(left, right, "/", kind)
    quotient = f"athena_decimal_divide({_unscaled(left)}, {_unscaled(right)}, {10**shift})"
    return Typed(_scaled(quotient, kind), kind)


def _unscaled(value: Typed) -> str:
    """A decimal's digits as a whole number."""
    scale = value.type.params[1]
    return f"CAST({value.sql} * {10**scale} AS HUGEINT)" if scale else f"CAST({value.sql} AS HUGEINT)"


def _scaled(digits: str, kind: Type) -> str:
    """A decimal from its digits as a whole number."""
    precision, scale = kind.params
    if not scale:
        return f"CAST({digits} AS {t.duckdb_type(kind)})"
    unit = f"0.{'0' * (scale - 1)}1"
    product = f"CAST({digits} AS DECIMAL({precision},0)) * CAST({unit} AS DECIMAL({scale},{scale}))"
    return f"CAST({product} AS {t.duckdb_type(kind)})"


def _remainder(left: Typed, right: Typed) -> Typed:
    (p1, s1), (p2, s2) = left.type.params, right.type.params
    scale = max(s1, s2)
    kind = t.decimal(min(t.MAX_DECIMAL, min(p1 - s1, p2 - s2) + scale), scale)
    wide = common(left.type, right.type) or kind
    if max(p1 - s1, p2 - s2) + scale > t.MAX_DECIMAL:
        return _exact(left, right, "%", kind)
    one, other = coerce(left, wide).sql, coerce(right, wide).sql
    return Typed(f"CAST(athena_modulus({one}, {other}) AS {t.duckdb_type(kind)})", kind)


def negative(env: Env, node: exp.Neg) -> Typed:
    """-expression; of a literal, the negative literal."""
    inner = env.typed(node.this)
    if isinstance(node.this, exp.Literal) and inner.literal and inner.type.numeric:
        return _negative_literal(inner)
    if not inner.type.numeric and inner.type not in {t.DAY_INTERVAL, t.MONTH_INTERVAL}:
        raise fault("TYPE_MISMATCH", f"Cannot negate {inner.type}", node)
    return Typed(f"(-({inner.sql}))", inner.type)


def _negative_literal(inner: Typed) -> Typed:
    if isinstance(inner.value, float):
        return Typed(f"CAST('{-inner.value!r}' AS DOUBLE)", t.DOUBLE, -inner.value, literal=True)
    made = whole(-inner.value)
    sql = f"({made.sql})" if inner.type != t.BIGINT else f"CAST('{made.sql}' AS BIGINT)"
    return Typed(sql, inner.type, made.value, literal=True)


def comparison(env: Env, node: exp.Binary) -> Typed:
    """= <> < <= > >=, also with ANY, SOME and ALL of a subquery."""
    sign = _COMPARISONS[type(node)]
    quantifier = _quantifier(node.expression)
    if quantifier is not None:
        return _quantified(env, node, sign, *quantifier)
    return compare(env.typed(node.this), env.typed(node.expression), sign, node)


_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip


def compare(left: Typed, right: Typed, sign: str, node: exp.Expr | None = None) -> Typed:
    """A comparison of two values as their common type. Raises TYPE_MISMATCH where they have none."""
    shared = coerce_all([left, right])
    if shared is None or not comparable(shared[1], ordered=sign not in {"=", "<>", *_DISTINCT}):
        raise fault("TYPE_MISMATCH", f"Cannot apply operator: {left.type} {sign} {right.type}", node)
    if shared[1].name in {"real", "double", "row", "array"}:
        return bound(shared[0], lambda v: Typed(compared(v[0], v[1], sign), t.BOOLEAN)) or shared[0][0]
    return Typed(compared(shared[0][0], shared[0][1], sign), t.BOOLEAN)


_DISTINCT = ("IS DISTINCT FROM", "IS NOT DISTINCT FROM")


def _quantifier(node: exp.Expr) -> tuple[str, exp.Expr] | None:
    """ANY or ALL, and the query it is of; sqlglot takes some of them for calls."""
    if isinstance(node, exp.Any | exp.All):
        return ("ANY" if isinstance(node, exp.Any) else "ALL"), _query_of(node.this)
    name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
    if (
        name in {"ALL", "ANY", "SOME"}
        and len(node.expressions) == 1
        and isinstance(node.expressions[0], exp.Query | exp.Values)
    ):
        return ("ALL" if name == "ALL" else "ANY"), node.expressions[0]
    return None


def _quantified(env: Env, node: exp.Binary, sign: str, word: str, inner_query: exp.Expr) -> Typed:
    left, query = env.typed(node.this), env.session.query(env, inner_query)
    if len(query.fields) != 1:
        raise fault("NOT_SUPPORTED", "Multiple columns returned by subquery are not yet supported", node)
    env.needs.update(query.needs | query.fields[0].needs)
    kind = common(left.type, query.fields[0].typed.type)
    if kind is None or kind.name in {"real", "double", "row", "array", "map", *t.WITH_ZONE}:
        raise fault("NOT_SUPPORTED", f"{sign} {word} of {left.type} is not supported here", node)
    inner = coerce(query.fields[0].typed, kind).sql
    return Typed(f"({coerce(left, kind).sql} {sign} {word} (SELECT {inner} FROM ({query.sql})))", t.BOOLEAN)


def _query_of(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Subquery | exp.Paren) and not node.args.get("with_") else node


def connective(env: Env, node: exp.Connector) -> Typed:
    """AND, OR, flattened so that a long list does not nest deeply."""
    word = "AND" if isinstance(node, exp.And) else "OR"
    parts = [truth(env.typed(part), f"Logical {word} term", part).sql for part in node.flatten()]
    return Typed(f"({f' {word} '.join(parts)})", t.BOOLEAN)


def negation(env: Env, node: exp.Not) -> Typed:
    """NOT expression."""
    return Typed(f"(NOT {truth(env.typed(node.this), 'Value of logical NOT expression', node).sql})", t.BOOLEAN)


def nullness(env: Env, node: exp.Is) -> Typed:
    """IS NULL; IS TRUE and the like are no part of Trino's SQL."""
    if not isinstance(node.expression, exp.Null):
        raise fault("SYNTAX_ERROR", f"mismatched input '{node.expression.sql()}'. Expecting: 'NULL'", node)
    return Typed(f"({env.typed(node.this).sql} IS NULL)", t.BOOLEAN)


def between(env: Env, node: exp.Between) -> Typed:
    """value BETWEEN low AND high."""
    only(node, "this", "low", "high")
    value, low, high = (env.typed(node.args[name]) for name in ("this", "low", "high"))
    return Typed(f"({compare(value, low, '>=', node).sql} AND {compare(value, high, '<=', node).sql})", t.BOOLEAN)


def case(env: Env, node: exp.Case) -> Typed:
    """CASE [value] WHEN ... THEN ... ELSE ... END."""
    subject = env.typed(node.this) if node.this is not None else None
    conditions = [_condition(env, subject, part) for part in node.args["ifs"]]
    results = [env.typed(part.args["true"]) for part in node.args["ifs"]]
    default = node.args.get("default")
    results.append(env.typed(default) if default is not None else Typed("NULL", t.UNKNOWN))
    shared = coerce_all(results)
    if shared is None:
        raise uncommon("All CASE results", [result.type for result in results], node)
    values, kind = shared
    arms = " ".join(f"WHEN {test} THEN {value.sql}" for test, value in zip(conditions, values, strict=False))
    return Typed(f"CASE {arms} ELSE {values[-1].sql} END", kind)


def _condition(env: Env, subject: Typed | None, part: exp.If) -> str:
    test = env.typed(part.this)
    if subject is None:
        return truth(test, "CASE WHEN clause", part).sql
    return compare(subject, test, "=", part).sql


def if_then(env: Env, node: exp.If) -> Typed:
    """if(condition, value[, otherwise])."""
    test = truth(env.typed(node.this), "IF condition", node).sql
    default = node.args.get("false")
    results = [env.typed(node.args["true"]), env.typed(default) if default is not None else Typed("NULL", t.UNKNOWN)]
    shared = coerce_all(results)
    if shared is None:
        raise fault(
            "TYPE_MISMATCH", f"Result types for IF must be the same: {results[0].type} vs {results[1].type}", node
        )
    (one, other), kind = shared
    return Typed(f"CASE WHEN {test} THEN {one.sql} ELSE {other.sql} END", kind)


def explicit_cast(env: Env, node: exp.Cast) -> Typed:
    """CAST(value AS type)."""
    only(node, "this", "to")
    return _positioned(env.typed(node.this), read_type(node.args["to"]), node)


def try_cast(env: Env, node: exp.TryCast) -> Typed:
    """TRY_CAST(value AS type): NULL where the cast fails."""
    made = _positioned(env.typed(node.this), read_type(node.args["to"]), node)
    return Typed(f"TRY({made.sql})", made.type)


def _positioned(value: Typed, kind: Type, node: exp.Expr) -> Typed:
    made = cast(value, kind)
    del node
    return Typed(made.sql, kind, None, False, made.origins, made.zone)


def concatenation(env: Env, node: exp.DPipe) -> Typed:
    """|| of texts, of varbinary, of arrays, or of an array and an element."""
    left, right = env.typed(node.this), env.typed(node.expression)
    made = joined(left, right)
    if made is None:
        raise fault(
            "FUNCTION_NOT_FOUND", f"Unexpected parameters ({left.type}, {right.type}) for function concat", node
        )
    return made


def joined(left: Typed, right: Typed) -> Typed | None:
    """left || right; None where there is no such thing."""
    if "array" in {left.type.name, right.type.name}:
        return _joined_arrays(left, right)
    if t.UNKNOWN in {left.type, right.type}:
        nothing = t.array(left.type if right.type == t.UNKNOWN else right.type)
        return Typed(f"CAST(NULL AS {t.duckdb_type(nothing)})", nothing)
    kind = common(left.type, right.type)
    if kind is None or not (kind.textual or kind == t.VARBINARY):
        return None
    if kind.name == "char":
        return Typed(f"({left.sql} || {right.sql})", Type("char", (left.type.params[0] + right.type.params[0],)))
    one, other = cast(left, t.VARCHAR) if kind.textual else left, cast(right, t.VARCHAR) if kind.textual else right
    return Typed(f"({one.sql} || {other.sql})", t.VARCHAR if kind.textual else kind)


def _joined_arrays(left: Typed, right: Typed) -> Typed | None:
    kind = common(left.type, right.type)
    if kind is not None:
        return Typed(f"athena_concat({coerce(left, kind).sql}, {coerce(right, kind).sql})", kind)
    if left.type.name == "array" and coercible(right.type, left.type.args[0]):
        return Typed(f"athena_append({left.sql}, {coerce(right, left.type.args[0]).sql})", left.type)
    if right.type.name == "array" and coercible(left.type, right.type.args[0]):
        return Typed(f"athena_prepend({coerce(left, right.type.args[0]).sql}, {right.sql})", right.type)
    return None

"""Comparison of values of one type, where DuckDB's own differs: NaN, zoned timestamps, rows, arrays with NULLs."""

from __future__ import annotations

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import coerce
from daap_local.athena.sql.scopes import Typed, fault
from daap_local.athena.sql.types import Type

_INFINITY = "CAST('Infinity' AS DOUBLE)"


def comparable(kind: Type, *, ordered: bool) -> bool:
    """Whether Trino compares values of a type: for equality, or (`ordered`) for what is less."""
    if ordered and kind.name in {"map", "json"}:
        return False
    return all(comparable(part, ordered=ordered) for part in kind.args)


def compared(left: Typed, right: Typed, sign: str) -> str:
    """A comparison of two values of the same type, in DuckDB's SQL."""
    kind = left.type
    if "DISTINCT" in sign:
        return f"({_key(left)} {sign} {_key(right)})"
    if kind.name in {"real", "double"}:
        return _floating(left, right, sign)
    if kind.name in {"row", "array", "map"}:
        return _nested(left, right, sign)
    return f"({_key(left)} {sign} {_key(right)})"


def _key(value: Typed) -> str:
    """What is compared of a value: of what has a time zone, the instant or the time in UTC."""
    return f"struct_extract({value.sql}, 'u')" if value.type.name in t.WITH_ZONE else value.sql


def _floating(left: Typed, right: Typed, sign: str) -> str:
    """NaN is equal to nothing, and neither more nor less; to DuckDB it is equal to itself and more than all."""
    plain = f"{left.sql} {sign} {right.sql}"
    if sign == "<>":
        return f"({plain} OR isnan({left.sql}))" if not (left.literal or right.literal) else f"({plain})"
    watched = right if sign in {"<", "<="} else left
    other = left if watched is right else right
    if watched.literal or (sign == "=" and other.literal):
        return f"({plain})"
    return f"({plain} AND {watched.sql} <= {_INFINITY})"


def _nested(left: Typed, right: Typed, sign: str) -> str:
    if sign not in {"=", "<>"}:
        return f"athena_ordered({left.sql}, {right.sql}, {left.sql} {sign} {right.sql})"
    equal = _equal(left.sql, right.sql, left.type)
    return equal if sign == "=" else f"(NOT {equal})"


def _equal(one: str, other: str, kind: Type) -> str:
    """Equality of nested values: NULL where it hangs on a NULL inside."""
    if kind.name == "row":
        parts = (
            _equal(f"struct_extract({one}, {t.literal(name)})", f"struct_extract({other}, {t.literal(name)})", part)
            for name, part in zip(t.field_names(kind), kind.args, strict=True)
        )
        return f"({' AND '.join(parts)})"
    if kind.name == "array":
        inner = _equal("struct_extract_at(x, 1)", "struct_extract_at(x, 2)", kind.args[0])
        return f"athena_array_equal({one}, {other}, list_transform(list_zip({one}, {other}), lambda x: {inner}))"
    if kind.name == "map":
        return f"athena_map_equal({one}, {other})"
    return compared(Typed(one, kind), Typed(other, kind), "=")


def truth(value: Typed, what: str, node: exp.Expr | None = None) -> Typed:
    """A value as a condition. Raises TYPE_MISMATCH for what is not boolean."""
    if value.type not in {t.BOOLEAN, t.UNKNOWN}:
        raise fault("TYPE_MISMATCH", f"{what} must evaluate to a boolean (actual: {value.type})", node)
    return coerce(value, t.BOOLEAN)


def grouping_key(value: Typed, node: exp.Expr | None = None) -> Typed:
    """A value that rows are grouped, joined or made distinct by. Raises where equal values would not be the same."""
    if t.with_zone(value.type) and value.zone is None:
        raise fault(
            "NOT_SUPPORTED",
            "Grouping by times whose time zones differ from row to row is not supported here",
            node,
        )
    if not comparable(value.type, ordered=False):
        raise fault("TYPE_MISMATCH", f"{value.type} is not comparable, and therefore cannot be used in GROUP BY", node)
    return value

"""Which types Trino turns into which by itself, and the type that two of them have in common.

Source: https://trino.io/docs/current/language/types.html and the behaviour of Trino's analyser.
"""

from __future__ import annotations

from collections.abc import Iterable

from daap_local.athena.sql.types import (
    MAX_DECIMAL,
    UNKNOWN,
    VARCHAR,
    ZONED,
    ZONED_TIME,
    Type,
    decimal,
)

_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_RANK = {"tinyint": 0, "smallint": 1, "integer": 2, "bigint": 3, "decimal": 4, "real": 5, "double": 6}
_TEMPORAL = {"date": 0, "timestamp": 1, ZONED: 2}
_CLOCKS = {"time": 0, ZONED_TIME: 1}


def common(first: Type, second: Type) -> Type | None:  # noqa: PLR0911  (one case a kind of types)
    """The least type that both can become without an explicit cast; None if there is none."""
    if second in {first, UNKNOWN}:
        return first
    if first == UNKNOWN:
        return second
    if first.numeric and second.numeric:
        return _common_number(first, second)
    if first.name in _TEMPORAL and second.name in _TEMPORAL:
        return _common_moment(first, second, _TEMPORAL)
    if first.name in _CLOCKS and second.name in _CLOCKS:
        return _common_moment(first, second, _CLOCKS)
    if first.textual and second.textual:
        return _common_text(first, second)
    if first.name == second.name:
        return _common_nested(first, second)
    return None


def common_of(types: Iterable[Type]) -> Type | None:
    """The common type of several; `unknown` for none."""
    found: Type | None = UNKNOWN
    for kind in types:
        found = common(found, kind) if found is not None else None
    return found


def coercible(source: Type, target: Type) -> bool:
    """Whether Trino turns `source` into `target` by itself."""
    shared = common(source, target)
    return shared is not None and _same(shared, target)


def _same(first: Type, second: Type) -> bool:
    """Equal types, the names of a row's fields apart."""
    if first.args and first.name == second.name and len(first.args) == len(second.args):
        return all(_same(one, other) for one, other in zip(first.args, second.args, strict=True))
    return first == second


def as_decimal(kind: Type) -> Type:
    """The decimal that holds every value of an integer type."""
    return decimal(_DIGITS[kind.name], 0) if kind.name in _DIGITS else kind


def _common_number(first: Type, second: Type) -> Type:
    higher = first if _RANK[first.name] >= _RANK[second.name] else second
    if higher.name != "decimal":
        return higher
    (p1, s1), (p2, s2) = as_decimal(first).params, as_decimal(second).params
    scale = max(s1, s2)
    return decimal(min(MAX_DECIMAL, max(p1 - s1, p2 - s2) + scale), scale)


def _common_moment(first: Type, second: Type, ranks: dict[str, int]) -> Type:
    higher = first if ranks[first.name] >= ranks[second.name] else second
    precision = max([*first.params, *second.params], default=0)
    return Type(higher.name, (precision,)) if higher.params else higher


def _common_text(first: Type, second: Type) -> Type:
    """char wins over varchar, as it does in Athena's engine."""
    if not (first.params and second.params):
        return VARCHAR if first.name == second.name else Type("char", (65536,))
    name = "char" if "char" in {first.name, second.name} else "varchar"
    return Type(name, (max(first.params[0], second.params[0]),))


def _common_nested(first: Type, second: Type) -> Type | None:
    if not first.args or len(first.args) != len(second.args):
        return None
    parts = [common(one, other) for one, other in zip(first.args, second.args, strict=True)]
    if any(part is None for part in parts):
        return None
    fields = tuple(one if one == other else None for one, other in zip(first.fields, second.fields, strict=True))
    return Type(first.name, args=tuple(part for part in parts if part is not None), fields=fields)

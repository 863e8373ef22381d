"""A condition over partition keys, taken apart: what it says of each key alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from daap_local.athena.faults import AthenaFault

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_COMPARED: dict[type[exp.Expression], str] = {exp.EQ: "=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


@dataclass(frozen=True, slots=True)
class Conjunct:
    """One condition of those joined by AND: its SQL, and the keys it names, in lower case.

    `equal` are the only values that the key can have, `compared` a comparison with one value; texts of literals.
    """

    text: str
    keys: frozenset[str]
    equal: tuple[str, ...] | None = None
    compared: tuple[str, str] | None = None


def conjuncts(predicate: str | None) -> tuple[Conjunct, ...]:
    """The conditions of a predicate in DuckDB's SQL. Raises AthenaFault where it cannot be read."""
    if predicate is None:
        return ()
    try:
        tree = sqlglot.parse_one(predicate, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise AthenaFault("GENERIC_INTERNAL_ERROR", f"the condition on partitions cannot be read: {error}") from error
    parts = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    return tuple(one for part in parts for one in _conjuncts(part))


def _conjuncts(part: exp.Expression) -> Sequence[Conjunct]:
    inner = part.unnest()
    if isinstance(inner, exp.And):
        return [one for each in inner.flatten() for one in _conjuncts(each)]
    if isinstance(inner, exp.Between):
        low, high = inner.args["low"], inner.args["high"]
        bounds = [exp.GTE(this=inner.this.copy(), expression=low.copy()), exp.LTE(this=inner.this.copy(), expression=high.copy())]
        return [_conjunct(bound) for bound in bounds]
    return [_conjunct(inner)]


def _conjunct(part: exp.Expression) -> Conjunct:
    keys = frozenset(column.name.lower() for column in part.find_all(exp.Column))
    text = part.sql(dialect="duckdb")
    if isinstance(part, exp.In) and _column(part.this) and part.expressions and not part.args.get("query"):
        values = [_literal(one) for one in part.expressions]
        return Conjunct(text, keys, tuple(map(str, values)) if None not in values else None)
    if isinstance(part, exp.Or):
        return Conjunct(text, keys, _either(part) if len(keys) == 1 else None)
    compared = _comparison(part)
    equal = (compared[1],) if compared and compared[0] == "=" else None
    return Conjunct(text, keys, equal, compared)


def _either(part: exp.Or) -> tuple[str, ...] | None:
    found: list[str] = []
    for one in part.flatten():
        equal = _conjunct(one.unnest()).equal
        if equal is None:
            return None
        found += equal
    return tuple(found)


def _comparison(part: exp.Expression) -> tuple[str, str] | None:
    operator = _COMPARED.get(type(part))
    if operator is None:
        return None
    left, right = part.left, part.right
    if not _column(left):
        left, right, operator = right, left, _FLIPPED[operator]
    value = _literal(right)
    return (operator, value) if _column(left) and value is not None else None


def _column(part: exp.Expression) -> bool:
    return isinstance(_bare(part), exp.Column)


def _literal(part: exp.Expression) -> str | None:
    """The text of a literal, through casts and signs."""
    bare = _bare(part)
    if isinstance(bare, exp.Neg):
        inner = _literal(bare.this)
        return None if inner is None else f"-{inner}"
    return bare.name if isinstance(bare, exp.Literal) else None


def _bare(part: exp.Expression) -> exp.Expression:
    while isinstance(part, exp.Paren | exp.Cast):
        part = part.this
    return part

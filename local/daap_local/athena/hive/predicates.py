"""A condition over partition keys, taken apart: what it says of each key alone.

The parts keep their text as it was translated; the tree is looked at only for the values a key is compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from daap_local.athena.faults import SyntaxFault
from daap_local.athena.hive.tokens import Kind, Token, query_tokens

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_COMPARED = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_DEPTHS = {"(": 1, "[": 1, "{": 1, "CASE": 1, ")": -1, "]": -1, "}": -1, "END": -1}


@dataclass(frozen=True, slots=True)
class Conjunct:
    """One condition of those joined by AND: its SQL, and the keys it names, in lower case.

    `equal` are the only values that the key can have, `compared` its comparisons with single values; texts of literals.
    """

    text: str
    keys: frozenset[str]
    equal: tuple[str, ...] | None = None
    compared: tuple[tuple[str, str], ...] = ()


def conjuncts(predicate: str | None) -> tuple[Conjunct, ...]:
    """The conditions of a predicate in DuckDB's SQL whose columns are all quoted."""
    return tuple(map(_conjunct, _parts(predicate.strip()))) if predicate else ()


def _parts(text: str) -> Iterator[str]:
    """The texts between the ANDs of a condition, without the brackets around them."""
    try:
        tokens = query_tokens(text)
    except SyntaxFault:
        yield text
        return
    if _bracketed(tokens):
        yield from _parts(text[tokens[0].end : tokens[-1].start].strip())
        return
    starts = [0, *(token.end for token in _ands(tokens))]
    ends = [*(token.start for token in _ands(tokens)), len(text)]
    parts = [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    if len(parts) == 1:
        yield text
        return
    for part in parts:
        yield from _parts(part)


def _ands(tokens: list[Token]) -> Iterator[Token]:
    """The ANDs that join whole conditions: not inside anything, and not those of BETWEEN."""
    depth = betweens = 0
    for token in tokens:
        word = token.text.upper() if token.kind in (Kind.WORD, Kind.MARK) else ""
        depth += _DEPTHS.get(word, 0)
        if word == "BETWEEN" and not depth:
            betweens += 1
        elif word == "OR" and not depth:
            return
        elif word == "AND" and not depth:
            if not betweens:
                yield token
            betweens = max(betweens - 1, 0)


def _bracketed(tokens: list[Token]) -> bool:
    """Whether one pair of brackets is around everything."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth:
            return at == len(tokens) - 1 and token.text == ")"
    return False


def _conjunct(text: str) -> Conjunct:
    try:
        tree = sqlglot.parse_one(text, read="duckdb").unnest()
        keys = frozenset(token.value.lower() for token in query_tokens(text) if token.kind is Kind.NAME)
    except (sqlglot.errors.SqlglotError, SyntaxFault):
        return Conjunct(text, frozenset())
    return Conjunct(text, keys, _equal(tree), tuple(_comparisons(tree)))


def _equal(tree: exp.Expr) -> tuple[str, ...] | None:
    """The literals that the condition makes its one column equal to, or None where it says something else."""
    if isinstance(tree, exp.Or):
        found = [_equal(part.unnest()) for part in tree.flatten()]
        named = {column.name for column in tree.find_all(exp.Column)}
        return None if None in found or len(named) != 1 else tuple(one for part in found for one in part or ())
    if isinstance(tree, exp.In):
        values = [_literal(one) for one in tree.expressions]
        plain = values and _is_column(tree.this) and None not in values
        return tuple(str(value) for value in values) if plain else None
    return next(((value,) for operator, value in _comparisons(tree) if operator == "="), None)


def _comparisons(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    if isinstance(tree, exp.Between) and _is_column(tree.this):
        pairs = ((">=", _literal(tree.args["low"])), ("<=", _literal(tree.args["high"])))
        yield from ((operator, value) for operator, value in pairs if value is not None)
    operator = _COMPARED.get(tree.key)
    if operator is None:
        return
    left, right = tree.args["this"], tree.args["expression"]
    if not _is_column(left):
        left, right, operator = right, left, _FLIPPED[operator]
    value = _literal(right)
    if _is_column(left) and value is not None:
        yield operator, value


def _is_column(part: exp.Expr) -> bool:
    return isinstance(_bare(part), exp.Column)


def _literal(part: exp.Expr) -> str | None:
    """The text of a literal, through casts and signs."""
    bare = _bare(part)
    if isinstance(bare, exp.Neg):
        inner = _literal(bare.this)
        return None if inner is None else f"-{inner}"
    return bare.name if isinstance(bare, exp.Literal) else None


def _bare(part: exp.Expr) -> exp.Expr:
    while isinstance(part, exp.Paren | exp.Cast):
        part = part.this
    return part

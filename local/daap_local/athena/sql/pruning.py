"""What a query's filters say about partitions: the conjuncts that hang on one table's partition keys alone.

A column keeps its origins through subqueries, views and UNION ALL as long as a filter outside may as well stand
inside; whatever aggregates, limits or fills with NULLs takes them away.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql.scopes import Env, Field, Scope, Typed
from daap_local.athena.sql.types import quoted

_OPAQUE = (exp.Subquery, exp.Select, exp.Exists, exp.SetOperation, exp.Placeholder, exp.Lambda, exp.Window)
_VOLATILE = frozenset({"random", "rand", "uuid", "shuffle"})


def note_predicates(env: Env, condition: exp.Expr) -> None:
    """Remember, for every scan, the conjuncts of a condition that are about its partition keys."""
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        inner = part.unnest()
        if isinstance(inner, exp.And):
            note_predicates(env, inner)
        elif not any(isinstance(node, _OPAQUE) or _is_volatile(node) for node in inner.walk()):
            _note(env, inner)


def _is_volatile(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() in _VOLATILE


def _note(env: Env, condition: exp.Expr) -> None:
    fields = [_field(env, column) for column in condition.find_all(exp.Column)]
    tokens = {origin[0] for item in fields if item is not None for origin in item.typed.origins}
    for token in tokens:
        keys = tuple(_as_key(env, item, token) for item in fields)
        known = tuple(key for key in keys if key is not None)
        if len(known) == len(keys):
            _compile(env, condition, token, known)


def _field(env: Env, column: exp.Column) -> Field | None:
    found = [item for item in env.scope.fields if item.matches(tuple(part.name.lower() for part in column.parts))]
    return found[0] if len(found) == 1 else None


def _as_key(env: Env, item: Field | None, token: str) -> Field | None:
    """The field as a partition key of that scan, if it is one."""
    for origin_token, name in item.typed.origins if item is not None else ():
        kind = env.session.keys.get(origin_token, {}).get(name.lower())
        if origin_token == token and kind is not None and item is not None and kind == item.typed.type:
            return replace(item, typed=Typed(quoted(name), kind), needs=frozenset())
    return None


def _compile(env: Env, condition: exp.Expr, token: str, keys: tuple[Field, ...]) -> None:
    unique = tuple({(key.name, key.qualifiers): key for key in keys}.values())
    place = replace(env, scope=Scope(unique), needs=set())
    try:
        predicate = place.typed(condition).sql
    except AthenaFault:
        return
    noted = env.session.predicates.setdefault(token, [])
    if predicate not in noted:
        noted.append(predicate)

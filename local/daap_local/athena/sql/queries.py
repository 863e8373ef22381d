"""Queries: WITH, SELECT, VALUES, set operations.

Source: https://docs.aws.amazon.com/athena/latest/ug/select.html and https://trino.io/docs/current/sql/select.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import coerce
from daap_local.athena.sql.coercion import common, common_of
from daap_local.athena.sql.columns import shown_name, star
from daap_local.athena.sql.comparing import grouping_key, truth
from daap_local.athena.sql.grouping import group_clause, has_aggregates
from daap_local.athena.sql.ordering import limits, order_clause, order_output
from daap_local.athena.sql.pruning import note_predicates
from daap_local.athena.sql.scopes import Compiled, Env, Field, Origin, Scope, Typed, fault, only
from daap_local.athena.sql.sources import Source, from_clause


def query(env: Env, node: exp.Expr) -> Compiled:
    """Any query, as a subquery of the place `env`: its names see the scope there as what is around them."""
    env = replace(env, scope=Scope(parent=env.scope), aggregates=None, needs=set(), windows={}, inside=False)
    prefix = ""
    if node.args.get("with_"):
        env, prefix = _with_clause(env, node.args["with_"])
    made = _body(env, node)
    return replace(made, sql=f"{prefix}{made.sql}") if prefix else made


def _body(env: Env, node: exp.Expr) -> Compiled:
    if isinstance(node, exp.Select):
        return _select(env, node)
    if isinstance(node, exp.SetOperation):
        return _set_operation(env, node)
    if isinstance(node, exp.Subquery):
        return _wrapped(env, node)
    if isinstance(node, exp.Values):
        return _values(env, node)
    if isinstance(node, exp.Table):
        return _select(env, exp.select("*").from_(node))
    raise fault("NOT_SUPPORTED", f"{type(node).__name__} as a query is not supported here", node)


def _with_clause(env: Env, clause: exp.With) -> tuple[Env, str]:
    """WITH: each name is seen by those after it and by the query."""
    if clause.args.get("recursive"):
        raise fault("NOT_SUPPORTED", "WITH RECURSIVE is not supported here", clause)
    only(clause, "expressions")
    parts = []
    for cte in clause.expressions:
        only(cte, "this", "alias")
        name = f"{env.session.alias()} {cte.alias.lower()}"
        made = _renamed(query(replace(env, scope=env.scope.parent or Scope()), cte.this), cte)
        parts.append(f"{t.quoted(name)} AS ({made.sql})")
        env = replace(env, ctes={**env.ctes, cte.alias.lower(): (name, made)})
    return env, f"WITH {', '.join(parts)} "


def _renamed(made: Compiled, cte: exp.CTE) -> Compiled:
    names = [part.name for part in cte.args["alias"].args.get("columns") or ()]
    if not names:
        return made
    if len(names) != len(made.fields):
        raise fault(
            "MISMATCHED_COLUMN_ALIASES",
            f"WITH column alias list has {len(names)} entries "
            f"but WITH query '{cte.alias}' has {len(made.fields)} columns",
            cte,
        )
    fields = (replace(item, name=name.lower(), written=name) for item, name in zip(made.fields, names, strict=True))
    return replace(made, fields=tuple(fields))


_SELECT_PARTS = ("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct",
                 "with_", "windows")  # fmt: skip


def _select(env: Env, node: exp.Select) -> Compiled:
    only(node, *_SELECT_PARTS)
    source = _source(env, node)
    env = replace(
        env, scope=Scope(source.fields, env.scope.parent), windows=_named_windows(node), needs=set(source.needs)
    )
    where = _where(env, node)
    outputs = [item for part in node.expressions for item in _outputs(env, part)]
    if not outputs:
        raise fault("SYNTAX_ERROR", "SELECT list is empty", node)
    group = group_clause(env, node, outputs)
    having = _having(env, node)
    fields = _aliases(outputs)
    order = order_clause(env, node, outputs, distinct=bool(node.args.get("distinct")))
    distinct = _distinct(node, outputs)
    listed = ", ".join(f"{item.typed.sql} AS {field.typed.sql}" for item, field in zip(outputs, fields, strict=True))
    tail = f" FROM {source.sql}" if source.sql else ""
    sql = f"SELECT {distinct}{listed}{tail}{where}{group}{having}{order}{limits(env, node)}"
    grouped = bool(group or distinct or has_aggregates(node))
    needs = env.needs.union(*(item.needs for item in outputs)) if grouped else env.needs
    simple = not (grouped or node.args.get("limit") or node.args.get("offset") or node.find(exp.Window))
    return Compiled(sql, fields if simple else _opaque(fields), frozenset(needs), simple)


def _opaque(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Fields that no longer tell which column of a table they are."""
    return tuple(replace(item, typed=replace(item.typed, origins=())) for item in fields)


def _source(env: Env, node: exp.Select) -> Source:
    clause = node.args.get("from_")
    if clause is None:
        return Source("", ())
    return from_clause(env, clause.this, node.args.get("joins") or [])


def _where(env: Env, node: exp.Select) -> str:
    clause = node.args.get("where")
    if clause is None:
        return ""
    place = replace(env, aggregates="WHERE clause", windows={})
    test = truth(place.typed(clause.this), "WHERE clause", clause.this)
    note_predicates(place, clause.this)
    return f" WHERE {test.sql}"


def _having(env: Env, node: exp.Select) -> str:
    clause = node.args.get("having")
    if clause is None:
        return ""
    return f" HAVING {truth(env.typed(clause.this), 'HAVING clause', clause.this).sql}"


def _named_windows(node: exp.Select) -> dict[str, exp.Window]:
    return {window.name.lower(): window for window in node.args.get("windows") or ()}


def _outputs(env: Env, node: exp.Expr) -> list[Field]:
    """The columns that one item of a SELECT list makes."""
    if isinstance(node, exp.Star) or (isinstance(node, exp.Column | exp.Dot) and _ends_in_star(node)):
        if isinstance(node, exp.Star) and not env.scope.fields:
            raise fault("SYNTAX_ERROR", "SELECT * not allowed in queries without FROM clause", node)
        return list(star(env, node))
    place = env.collecting()
    if isinstance(node, exp.Alias):
        name, typed = node.alias, place.typed(node.this)
    else:
        name, typed = shown_name(node) or "", place.typed(node)
    return [Field(name.lower() or None, typed, (), frozenset(place.needs), written=name or None)]


def _ends_in_star(node: exp.Expr) -> bool:
    return isinstance(node.expression if isinstance(node, exp.Dot) else node.this, exp.Star)


def _aliases(outputs: list[Field]) -> tuple[Field, ...]:
    """The outputs as the fields of the query, each under an alias that no other has."""
    taken: set[str] = set()
    fields = []
    for at, item in enumerate(outputs):
        name = item.name or f"_col{at}"
        while name in taken:
            name = f"{name}_{at}"
        taken.add(name)
        typed = Typed(t.quoted(name), item.typed.type, origins=item.typed.origins, zone=item.typed.zone)
        fields.append(Field(item.name, typed, (), item.needs, written=item.written))
    return tuple(fields)


def _distinct(node: exp.Select, outputs: list[Field]) -> str:
    clause = node.args.get("distinct")
    if clause is None:
        return ""
    if clause.args.get("on"):
        raise fault("SYNTAX_ERROR", "mismatched input 'ON'", node)
    for item in outputs:
        if item.typed.type.name == "map":
            raise fault(
                "TYPE_MISMATCH", f"DISTINCT can only be applied to comparable types (actual: {item.typed.type})", node
            )
        grouping_key(item.typed, node)
    return "DISTINCT "


def _wrapped(env: Env, node: exp.Subquery) -> Compiled:
    """(query) [ORDER BY ...] [LIMIT ...]."""
    only(node, "this", "order", "limit", "offset", "with_")
    made = query(replace(env, scope=env.scope.parent or Scope()), node.this)
    return _tailed(env, made, node)


def _tailed(env: Env, made: Compiled, node: exp.Expr) -> Compiled:
    """A query with ORDER BY and limits put around it."""
    if not (node.args.get("order") or node.args.get("limit") or node.args.get("offset")):
        return made
    sql = (
        f"SELECT * FROM ({made.sql}) AS {env.session.alias()}{order_output(env, node, made.fields)}{limits(env, node)}"
    )
    return Compiled(sql, _opaque(made.fields), made.needs | _all_needs(made.fields))


def _all_needs(fields: Iterable[Field]) -> frozenset[Origin]:
    return frozenset().union(*(item.needs for item in fields))


def _values(env: Env, node: exp.Values) -> Compiled:
    only(node, "expressions", "alias", "order", "limit", "offset", "with_")
    rows = [[env.typed(part) for part in _row_parts(entry)] for entry in node.expressions]
    if len({len(entry) for entry in rows}) != 1:
        raise fault("TYPE_MISMATCH", "Values rows have mismatched sizes", node)
    kinds = [common_of(entry[at].type for entry in rows) for at in range(len(rows[0]))]
    if None in kinds:
        types = " vs ".join(dict.fromkeys(f"row({', '.join(str(cell.type) for cell in entry)})" for entry in rows))
        raise fault("TYPE_MISMATCH", f"Values rows have mismatched types: {types}", node)
    lines = (
        ", ".join(coerce(cell, kind).sql for cell, kind in zip(entry, kinds, strict=True) if kind) for entry in rows
    )
    names = [f"_col{at}" for at in range(len(kinds))]
    alias = env.session.alias()
    sql = f"SELECT * FROM (VALUES {', '.join(f'({line})' for line in lines)}) AS {alias}({', '.join(names)})"
    zones = [_shared_zone([entry[at] for entry in rows]) for at in range(len(kinds))]
    fields = tuple(Field(None, Typed(t.quoted(name), kind or t.UNKNOWN, zone=zone))
                   for name, kind, zone in zip(names, kinds, zones, strict=True))  # fmt: skip
    return _tailed(env, Compiled(sql, fields, frozenset(env.needs)), node)


def _shared_zone(values: list[Typed]) -> str | None:
    zones = {value.zone for value in values}
    return zones.pop() if len(zones) == 1 else None


def _row_parts(entry: exp.Expr) -> list[exp.Expr]:
    if isinstance(entry, exp.Tuple):
        inner = entry.expressions[0] if len(entry.expressions) == 1 else None
        return _row_parts(inner) if isinstance(inner, exp.Anonymous) else list(entry.expressions)
    if isinstance(entry, exp.Anonymous) and entry.name.lower() == "row":
        return list(entry.expressions)
    return [entry.this if isinstance(entry, exp.Paren) else entry]


_SET_WORDS = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}


def _set_operation(env: Env, node: exp.SetOperation) -> Compiled:
    """UNION, EXCEPT, INTERSECT [ALL | DISTINCT] of two queries, columns coerced to their common types."""
    only(node, "this", "expression", "distinct", "order", "limit", "offset", "with_")
    outside = replace(env, scope=env.scope.parent or Scope())
    left, right = query(outside, node.this), query(outside, node.expression)
    word = _SET_WORDS[type(node)]
    if len(left.fields) != len(right.fields):
        raise fault(
            "TYPE_MISMATCH",
            f"{word} query has different number of fields: {len(left.fields)}, {len(right.fields)}",
            node,
        )
    pairs = list(zip(left.fields, right.fields, strict=True))
    kinds = [_set_type(one, other, at, word, node) for at, (one, other) in enumerate(pairs)]
    distinct = bool(node.args.get("distinct"))
    fields = tuple(_set_field(one, other, kind, union_all=word == "UNION" and not distinct)
                   for (one, other), kind in zip(pairs, kinds, strict=True))  # fmt: skip
    if distinct or word != "UNION":
        for item in fields:
            grouping_key(item.typed, node)
    sides = (_converted(env, side, kinds, fields) for side in (left, right))
    sql = f" {word}{'' if distinct else ' ALL'} ".join(f"({side})" for side in sides)
    needs = left.needs | right.needs
    if distinct or word != "UNION":
        needs |= _all_needs(fields)
    made = Compiled(sql, fields, needs, left.simple and right.simple and word == "UNION" and not distinct)
    return _tailed(env, made, node)


def _set_type(one: Field, other: Field, at: int, word: str, node: exp.Expr) -> t.Type:
    kind = common(one.typed.type, other.typed.type)
    if kind is None:
        raise fault(
            "TYPE_MISMATCH",
            f"column {at + 1} in {word} query has incompatible types: {one.typed.type}, {other.typed.type}",
            node,
        )
    return kind


def _set_field(one: Field, other: Field, kind: t.Type, *, union_all: bool) -> Field:
    origins = one.typed.origins + other.typed.origins if union_all and one.typed.origins and other.typed.origins else ()
    typed = Typed(one.typed.sql, kind, origins=origins, zone=_shared_zone([one.typed, other.typed]))
    return Field(one.name, typed, (), one.needs | other.needs, written=one.written)


def _converted(env: Env, side: Compiled, kinds: list[t.Type], fields: tuple[Field, ...]) -> str:
    """One side of a set operation with its columns as the common types, under the first side's aliases."""
    if all(item.typed.type == kind for item, kind in zip(side.fields, kinds, strict=True)):
        return side.sql
    parts = (f"{coerce(item.typed, kind).sql} AS {field.typed.sql}"
             for item, kind, field in zip(side.fields, kinds, fields, strict=True))  # fmt: skip
    return f"SELECT {', '.join(parts)} FROM ({side.sql}) AS {env.session.alias()}"

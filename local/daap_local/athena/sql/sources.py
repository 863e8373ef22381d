"""FROM: tables, views, subqueries, VALUES, UNNEST and joins of them.

Source: https://docs.aws.amazon.com/athena/latest/ug/select.html and https://trino.io/docs/current/sql/select.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import coerce_all
from daap_local.athena.sql.columns import field_at
from daap_local.athena.sql.comparing import truth
from daap_local.athena.sql.dialect import parse_query
from daap_local.athena.sql.model import Relation, Scan, View
from daap_local.athena.sql.operators import compare
from daap_local.athena.sql.scopes import Compiled, Env, Field, Origin, Scope, Typed, fault, only, opening
from daap_local.athena.sql.table_functions import SEQUENCE_COLUMN, is_table_function, sequence_rows
from daap_local.athena.tables import TableName


@dataclass(frozen=True, slots=True)
class Source:
    """What stands in FROM so far: its DuckDB SQL, the fields it offers, and what must be read for it in any case."""

    sql: str
    fields: tuple[Field, ...]
    needs: frozenset[Origin] = frozenset()
    optional: bool = False
    """An outer join may fill its rows with NULLs, so that filters on it say nothing about what is read."""


def from_clause(env: Env, first: exp.Expr, joins: list[exp.Join]) -> Source:
    """FROM first, and what is joined to it, in order."""
    source = relation(env, first)
    comma = False
    for join in joins:
        comma = comma or _is_comma(join)
        if comma and join.side in {"RIGHT", "FULL"}:
            raise fault("NOT_SUPPORTED", f"{join.side} JOIN after a comma is not supported here", join)
        source = joined(env, source, join)
    return source


def _is_comma(join: exp.Join) -> bool:
    return not (join.kind or join.side or join.args.get("on") or join.args.get("using"))


def relation(env: Env, node: exp.Expr) -> Source:
    """One item of FROM."""
    if isinstance(node, exp.Table):
        return _named(env, node)
    if isinstance(node, exp.Subquery):
        return _subquery(env, node)
    if isinstance(node, exp.Values):
        return _derived(env, env.session.query(env, node), node)
    if isinstance(node, exp.Unnest):
        return _unnested(env, Source("", ()), node, outer=False)
    if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
        only(node, "this", "alias")
        return _derived(env, env.session.query(env, node.this.this), node)
    raise fault("NOT_SUPPORTED", f"{type(node).__name__} in FROM is not supported here", node)


def _subquery(env: Env, node: exp.Subquery) -> Source:
    inner = node.this
    if isinstance(inner, exp.Table | exp.Subquery | exp.Values) and not isinstance(inner, exp.Select):
        only(node, "this", "alias", "joins")
        source = from_clause(env, _without_joins(inner), inner.args.get("joins") or [])
        source = Source(f"({source.sql})", source.fields, source.needs)
        return source if not node.alias else _aliased(source, node)
    only(node, "this", "alias", "with_", "joins", "order", "limit", "offset")
    query = node if node.args.get("order") or node.args.get("limit") or node.args.get("with_") else inner
    return _derived(env, env.session.query(env, query), node)


def _without_joins(node: exp.Expr) -> exp.Expr:
    copy = node.copy()
    copy.set("joins", None)
    return copy


def _aliased(source: Source, node: exp.Expr) -> Source:
    fields = tuple(replace(item, qualifiers=(node.alias.lower(),)) for item in source.fields)
    return Source(source.sql, _with_columns(fields, node), source.needs)


def _derived(env: Env, query: Compiled, node: exp.Expr) -> Source:
    """A subquery as a relation, by its alias."""
    alias = env.session.alias()
    qualifiers = (node.alias.lower(),) if node.alias else ()
    fields = tuple(_moved(item, alias, qualifiers) for item in query.fields)
    lateral = "LATERAL " if isinstance(node, exp.Lateral) else ""
    return Source(f"{lateral}({query.sql}) AS {alias}", _with_columns(fields, node), query.needs)


def _moved(item: Field, alias: str, qualifiers: tuple[str, ...]) -> Field:
    typed = replace(item.typed, sql=f"{alias}.{item.typed.sql}", literal=False)
    return replace(item, typed=typed, qualifiers=qualifiers)


def _with_columns(fields: tuple[Field, ...], node: exp.Expr) -> tuple[Field, ...]:
    """The fields under the column names that follow an alias, if any do."""
    alias = node.args.get("alias")
    names = [part.name for part in alias.args.get("columns") or ()] if alias is not None else []
    if not names:
        return fields
    if len(names) != len(fields):
        raise fault(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(names)} entries but '{node.alias}' has {len(fields)} columns available",
            node,
        )
    return tuple(replace(item, name=name.lower(), written=name) for item, name in zip(fields, names, strict=True))


def _named(env: Env, node: exp.Table) -> Source:
    only(node, "this", "db", "catalog", "alias")
    if is_table_function(node.this):
        return _called(env, node)
    if not isinstance(node.this, exp.Identifier):
        raise fault("NOT_SUPPORTED", f"Table function {node.this.sql(dialect='trino')} is not supported here", node)
    shared = env.ctes.get(node.name.lower()) if not node.db else None
    if shared is not None:
        return _cte(env, shared, node)
    name = TableName(
        node.name.lower(),
        (node.db or env.database or "").lower() or None,
        (node.catalog or env.catalog or "").lower() or None,
    )
    if name.database is None:
        raise fault("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set", node)
    found = env.session.resolve(name)
    if found is None:
        full = ".".join(part for part in (name.catalog or "awsdatacatalog", name.database, name.table) if part)
        raise fault("TABLE_NOT_FOUND", f"Table '{full}' does not exist", node)
    return _scan(env, found, name, node) if isinstance(found, Relation) else _view(env, found, name, node)


def _called(env: Env, node: exp.Table) -> Source:
    """A table function."""
    alias = env.session.alias()
    typed = Typed(f"{alias}.n", t.BIGINT)
    column = Field(SEQUENCE_COLUMN, typed, (node.alias.lower(),) if node.alias else (), written=SEQUENCE_COLUMN)
    return Source(f"{sequence_rows(env, node.this)} AS {alias}(n)", _with_columns((column,), node))


def _cte(env: Env, shared: tuple[str, Compiled], node: exp.Table) -> Source:
    alias = env.session.alias()
    qualifiers = ((node.alias or node.name).lower(),)
    fields = tuple(_moved(item, alias, qualifiers) for item in shared[1].fields)
    if _mentions(node) > 1:
        fields = _sided(fields, optional=True)
    return Source(f"{t.quoted(shared[0])} AS {alias}", _with_columns(fields, node), shared[1].needs)


def _mentions(node: exp.Table) -> int:
    """How often a name occurs as a table: a filter on one mention of a WITH query holds for no other."""
    same = (table for table in node.root().find_all(exp.Table) if table.name.lower() == node.name.lower())
    return sum(1 for table in same if not table.db)


def _view(env: Env, view: View, name: TableName, node: exp.Table) -> Source:
    """A view's query in its place, with names looked up where the view was made."""
    session = env.session
    if name not in session.views:
        session.views.append(name)
    with opening(session, view, name):
        inside = Env(session, database=view.database or name.database, catalog=view.catalog or name.catalog)
        query = session.query(inside, parse_query(view.sql))
    derived = _derived(env, query, node)
    if node.alias:
        return derived
    return replace(derived, fields=tuple(replace(item, qualifiers=_qualifiers(name)) for item in derived.fields))


def _qualifiers(name: TableName) -> tuple[str, ...]:
    return tuple(part.lower() for part in (name.catalog, name.database, name.table) if part)


def _scan(env: Env, found: Relation, name: TableName, node: exp.Table) -> Source:
    session = env.session
    token = f'"{session.marker} {len(session.scans)}"'
    session.scans[token] = Scan(token, name)
    alias = session.alias()
    qualifiers = (node.alias.lower(),) if node.alias else _qualifiers(name)
    fields = [_column(alias, token, column, kind, qualifiers) for column, kind in found.columns]
    hidden = [replace(_column(alias, token, column, kind, qualifiers), hidden=True) for column, kind in found.hidden]
    keys = {item.name: item.typed.type for item in fields if item.name in {key.lower() for key in found.partition_keys}}
    session.keys[token] = {name: kind for name, kind in keys.items() if name is not None}
    session.columns[token] = [(item.written or "", item.typed.sql) for item in (*fields, *hidden)]
    return Source(f"{token} AS {alias}", (*_with_columns(tuple(fields), node), *hidden))


def _column(alias: str, token: str, name: str, kind: str, qualifiers: tuple[str, ...]) -> Field:
    origin = (token, name)
    typed = Typed(f"{alias}.{t.quoted(name)}", t.parse_type(kind), origins=(origin,))
    return Field(name.lower(), typed, qualifiers, frozenset((origin,)), written=name)


def joined(env: Env, left: Source, join: exp.Join) -> Source:
    """left JOIN right."""
    only(join, "this", "on", "using", "kind", "side")
    if join.args.get("method"):
        raise fault("NOT_SUPPORTED", f"{join.args['method']} join is not supported", join)
    if join.kind not in {"", "INNER", "CROSS", "OUTER"}:
        raise fault("NOT_SUPPORTED", f"{join.kind} JOIN is not supported here", join)
    if isinstance(join.this, exp.Unnest):
        return _unnest_join(env, left, join)
    lateral = isinstance(join.this, exp.Lateral)
    if lateral and join.this.find(exp.Values):
        raise fault("NOT_SUPPORTED", "Given correlated subquery is not supported", join.this)
    right = relation(env.within(Scope(left.fields, env.scope.parent)) if lateral else env, join.this)
    needs = left.needs | right.needs
    if join.args.get("using"):
        return _joined_using(left, right, join, needs)
    fields = (
        *_sided(left.fields, join.side in {"RIGHT", "FULL"}),
        *_sided(right.fields, join.side in {"LEFT", "FULL"}),
    )
    if join.args.get("on") is None:
        if join.side:
            raise fault("SYNTAX_ERROR", f"{join.side} JOIN needs a condition", join)
        return Source(f"{left.sql} CROSS JOIN {right.sql}", fields, needs)
    on = replace(
        env, scope=Scope((*left.fields, *right.fields), env.scope.parent), aggregates="JOIN clause", needs=set()
    )
    test = truth(on.typed(join.args["on"]), "JOIN ON clause", join.args["on"])
    return Source(f"{left.sql} {join.side or 'INNER'} JOIN {right.sql} ON {test.sql}", fields, needs | on.needs)


def _sided(fields: tuple[Field, ...], optional: bool) -> tuple[Field, ...]:
    """The fields of one side; those that a join may fill with NULLs no longer tell where they come from."""
    if not optional:
        return fields
    return tuple(replace(item, typed=replace(item.typed, origins=())) for item in fields)


def _joined_using(left: Source, right: Source, join: exp.Join, needs: frozenset[Origin]) -> Source:
    names = [part.name.lower() for part in join.args["using"]]
    tests, shared = [], []
    for name, node in zip(names, join.args["using"], strict=True):
        one, other = _single(left, name, node, "left"), _single(right, name, node, "right")
        tests.append(compare(one.typed, other.typed, "=", node).sql)
        shared.append(_merged(one, other, name, join.side))
        needs |= one.needs | other.needs
    rest = (*_sided(_without(left.fields, names), join.side in {"RIGHT", "FULL"}),
            *_sided(_without(right.fields, names), join.side in {"LEFT", "FULL"}))  # fmt: skip
    sql = f"{left.sql} {join.side or 'INNER'} JOIN {right.sql} ON {' AND '.join(tests)}"
    return Source(sql, (*shared, *rest), needs)


def _without(fields: tuple[Field, ...], names: list[str]) -> tuple[Field, ...]:
    return tuple(item for item in fields if item.name not in names)


def _single(source: Source, name: str, node: exp.Expr, side: str) -> Field:
    found = [item for item in source.fields if item.name == name]
    if len(found) != 1:
        problem = "is missing from" if not found else "is ambiguous on"
        raise fault(
            "COLUMN_NOT_FOUND" if not found else "AMBIGUOUS_NAME",
            f"Column '{name}' {problem} {side} side of join",
            node,
        )
    return found[0]


def _merged(one: Field, other: Field, name: str, side: str) -> Field:
    """The one column that USING leaves of two."""
    values = coerce_all([one.typed, other.typed])
    if values is None:
        raise fault(
            "TYPE_MISMATCH",
            f"Column types of left and right side are not compatible: {one.typed.type}, {other.typed.type}",
        )
    (first, second), kind = values
    if side == "FULL":
        typed = Typed(f"coalesce({first.sql}, {second.sql})", kind)
    else:
        typed = second if side == "RIGHT" else first
    return Field(name, typed, needs=one.needs | other.needs, written=one.written)


def _unnest_join(env: Env, left: Source, join: exp.Join) -> Source:
    """CROSS JOIN UNNEST, or LEFT JOIN UNNEST ... ON TRUE."""
    on = join.args.get("on")
    if on is not None and not (isinstance(on, exp.Boolean) and on.this):
        raise fault("NOT_SUPPORTED", "JOIN involving UNNEST is only supported with condition ON TRUE", join)
    if join.side not in {"", "LEFT"}:
        raise fault("NOT_SUPPORTED", f"{join.side} JOIN involving UNNEST is not supported", join)
    return _unnested(env, left, join.this, outer=join.side == "LEFT")


def _unnested(env: Env, left: Source, node: exp.Unnest, *, outer: bool) -> Source:
    """What is on the left, once for every element: in DuckDB, a subquery that unnests side by side."""
    only(node, "expressions", "alias", "offset")
    alias = env.session.alias()
    names = [f"c{at}" for at in range(len(left.fields))]
    inside = replace(env, scope=Scope(left.fields, env.scope.parent), aggregates="UNNEST", needs=set())
    values = [inside.typed(part) for part in node.expressions]
    lists, made = _unnest_lists(values, alias, node)
    lists, made = _with_ordinality(lists, made, values, node, alias)
    kept = [f"{item.typed.sql} AS {name}" for item, name in zip(left.fields, names, strict=True)]
    unnested = [f"unnest({part}) AS u{at}" for at, part in enumerate(_padded(lists) if outer else lists)]
    tail = f" FROM {left.sql}" if left.sql else ""
    moved = tuple(replace(item, typed=replace(item.typed, sql=f"{alias}.{name}"))
                  for item, name in zip(left.fields, names, strict=True))  # fmt: skip
    right = _unnest_fields(made, node, frozenset(inside.needs))
    sql = f"(SELECT {', '.join((*kept, *unnested))}{tail}) AS {alias}"
    return Source(sql, (*moved, *right), left.needs | frozenset(inside.needs))


def _padded(lists: list[str]) -> list[str]:
    """Lists of which the first has an element at least: what LEFT JOIN UNNEST yields for empty ones."""
    longest = f"greatest({', '.join(f'coalesce(len({part}), 0)' for part in lists)})"
    return [f"CASE WHEN {longest} = 0 THEN [NULL] ELSE {lists[0]} END", *lists[1:]]


def _unnest_lists(values: list[Typed], alias: str, node: exp.Unnest) -> tuple[list[str], list[Typed]]:
    """The lists to unnest side by side, and the columns they make."""
    lists: list[str] = []
    made: list[Typed] = []
    for value in values:
        place = f"{alias}.u{len(lists)}"
        if value.type.name == "map":
            lists += [f"map_keys({value.sql})", f"map_values({value.sql})"]
            made += [Typed(place, value.type.args[0]), Typed(f"{alias}.u{len(lists) - 1}", value.type.args[1])]
        elif value.type.name == "array":
            lists.append(value.sql)
            made += _element_columns(Typed(place, value.type.args[0]))
        else:
            raise fault("TYPE_MISMATCH", f"Cannot unnest type: {value.type}", node)
    return lists, made


def _element_columns(element: Typed) -> list[Typed]:
    """An element's columns: a row's fields, or the element itself."""
    if element.type.name != "row":
        return [element]
    return [field_at(element, at) for at in range(len(element.type.args))]


def _with_ordinality(
    lists: list[str], made: list[Typed], values: list[Typed], node: exp.Unnest, alias: str
) -> tuple[list[str], list[Typed]]:
    if not node.args.get("offset"):
        return lists, made
    lengths = ", ".join(f"coalesce(len({part}), 0)" for part in lists)
    numbers = f"generate_series(CAST(1 AS BIGINT), CAST(greatest({lengths}) AS BIGINT))"
    del values
    return [*lists, numbers], [*made, Typed(f"{alias}.u{len(lists)}", t.BIGINT)]


def _unnest_fields(made: list[Typed], node: exp.Unnest, needs: frozenset[Origin]) -> tuple[Field, ...]:
    """The columns under the names of the alias; an ordinality's name stands in the tree's offset."""
    qualifiers = (node.alias.lower(),) if node.alias else ()
    alias, offset = node.args.get("alias"), node.args.get("offset")
    names = [part.name for part in (alias.args.get("columns") or ())] if alias is not None else []
    if isinstance(offset, exp.Identifier) and names:
        names.append(offset.name)
    if names and len(names) != len(made):
        raise fault(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(names)} entries but '{node.alias}' has {len(made)} columns available",
            node,
        )
    shown = names or [None] * len(made)
    return tuple(Field(name.lower() if name else None, typed, qualifiers, needs, written=name)
                 for name, typed in zip(shown, made, strict=True))  # fmt: skip

"""ORDER BY, OFFSET, LIMIT and FETCH: NULLs come last unless a query says otherwise, in either direction.

Source: https://trino.io/docs/current/sql/select.html (ORDER BY clause).
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from daap_local.athena.sql.comparing import comparable
from daap_local.athena.sql.scopes import Env, Field, Scope, Typed, fault, only


def order_clause(env: Env, node: exp.Select, outputs: list[Field], *, distinct: bool) -> str:
    """ORDER BY of a SELECT: by numbers, by names of its columns, or by expressions over them and its tables."""
    clause = node.args.get("order")
    if clause is None:
        return ""
    place = env.within(Scope(tuple(_visible(outputs)), env.scope))
    parts = [_part(place, part, outputs, distinct) for part in clause.expressions]
    return _listed(parts)


def order_output(env: Env, node: exp.Expr, fields: tuple[Field, ...]) -> str:
    """ORDER BY around a finished query: over its columns alone."""
    clause = node.args.get("order")
    if clause is None:
        return ""
    place = replace(env, scope=Scope(fields, env.scope.parent))
    return _listed([_part(place, part, list(fields), False) for part in clause.expressions])


def _listed(parts: list[str]) -> str:
    kept = [part for part in parts if part]
    return f" ORDER BY {', '.join(kept)}" if kept else ""


def _visible(outputs: list[Field]) -> list[Field]:
    """Columns that can be named in ORDER BY: one of several that are the same expression will do."""
    seen: dict[tuple[str | None, str], Field] = {}
    for item in outputs:
        seen.setdefault((item.name, item.typed.sql), replace(item, qualifiers=()))
    return list(seen.values())


def _part(env: Env, node: exp.Ordered, outputs: list[Field], distinct: bool) -> str:
    only(node, "this", "desc", "nulls_first")
    way = f"{'DESC' if node.args.get('desc') else 'ASC'} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"
    inner = node.this
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return f"{_numbered(inner, outputs)} {way}"
    value = orderable(env.typed(inner), inner)
    if value.literal:
        return ""
    for at, item in enumerate(outputs):
        if item.typed.sql == value.sql:
            return f"{at + 1} {way}"
    if distinct:
        raise fault(
            "EXPRESSION_NOT_IN_DISTINCT", "For SELECT DISTINCT, ORDER BY expressions must appear in select list", inner
        )
    return f"{value.sql} {way}"


def orderable(value: Typed, node: exp.Expr) -> Typed:
    """A value that rows can be ordered by. Raises TYPE_MISMATCH for maps and the like."""
    if not comparable(value.type, ordered=True):
        raise fault(
            "TYPE_MISMATCH", f"Type {value.type} is not orderable, and therefore cannot be used in ORDER BY", node
        )
    return value


def _numbered(node: exp.Literal, outputs: list[Field]) -> int:
    number = int(node.this) if str(node.this).isdigit() else 0
    if not 1 <= number <= len(outputs):
        raise fault("INVALID_COLUMN_REFERENCE", f"ORDER BY position {node.this} is not in select list", node)
    orderable(outputs[number - 1].typed, node)
    return number


def ordering(env: Env, parts: list[exp.Ordered]) -> str:
    """ORDER BY inside a window or an aggregate, without the words."""
    return ", ".join(_plain(env, part) for part in parts)


def _plain(env: Env, node: exp.Ordered) -> str:
    only(node, "this", "desc", "nulls_first")
    way = f"{'DESC' if node.args.get('desc') else 'ASC'} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"
    value = orderable(env.typed(node.this), node.this)
    return f"{f'CAST({value.sql} AS VARCHAR)' if value.literal else value.sql} {way}"


def limits(env: Env, node: exp.Expr) -> str:
    """OFFSET and LIMIT (or FETCH FIRST), in DuckDB's order."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    rows = _limit(env, limit) if limit is not None else ""
    skipped = f" OFFSET {_count(env, offset.expression)}" if offset is not None else ""
    return f"{rows}{skipped}"


def _limit(env: Env, node: exp.Expr) -> str:
    if isinstance(node, exp.Fetch):
        options = node.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise fault("NOT_SUPPORTED", "FETCH FIRST ... WITH TIES is not supported here", node)
        count = node.args.get("count")
        return f" LIMIT {_count(env, count) if count is not None else 1}"
    only(node, "expression")
    if isinstance(node.expression, exp.Var | exp.Column) and node.expression.name.upper() == "ALL":
        return ""
    return f" LIMIT {_count(env, node.expression)}"


def _count(env: Env, node: exp.Expr) -> int:
    value = env.typed(node)
    if not value.literal or not isinstance(value.value, int) or value.value < 0:
        raise fault("SYNTAX_ERROR", f"mismatched input '{node.sql()}'. Expecting: <integer>", node)
    return value.value

"""GROUP BY with its grouping sets.

Source: https://trino.io/docs/current/sql/select.html (GROUP BY clause).
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from daap_local.athena.sql.comparing import grouping_key
from daap_local.athena.sql.functions.aggregates import AGGREGATE_NAMES
from daap_local.athena.sql.scopes import Env, Field, fault, only


def group_clause(env: Env, node: exp.Select, outputs: list[Field]) -> str:
    """GROUP BY in DuckDB's SQL; numbers stand for columns of the SELECT list."""
    group = node.args.get("group")
    if group is None:
        return ""
    only(group, "expressions")
    place = replace(env, aggregates="GROUP BY clause", windows={})
    return f" GROUP BY {', '.join(_element(place, part, outputs) for part in group.expressions)}"


def _element(env: Env, node: exp.Expr, outputs: list[Field]) -> str:
    for kind, word in ((exp.GroupingSets, "GROUPING SETS"), (exp.Rollup, "ROLLUP"), (exp.Cube, "CUBE")):
        if isinstance(node, kind):
            _check_columns(node)
            return f"{word} ({', '.join(_element(env, part, outputs) for part in node.expressions)})"
    if isinstance(node, exp.Tuple):
        return f"({', '.join(_key(env, part, outputs) for part in node.expressions)})"
    if isinstance(node, exp.Paren):
        return f"({_element(env, node.this, outputs)})"
    return _key(env, node, outputs)


def _check_columns(node: exp.Expr) -> None:
    """Grouping sets are of columns (or numbers of columns), not of expressions."""
    for part in node.expressions:
        inner = part.unnest() if isinstance(part, exp.Paren) else part
        for each in inner.expressions if isinstance(inner, exp.Tuple) else [inner]:
            if not isinstance(each, exp.Column | exp.Literal | exp.Rollup | exp.Cube | exp.GroupingSets | exp.Dot):
                raise fault(
                    "INVALID_COLUMN_REFERENCE",
                    f"GROUP BY expression must be a column reference: {each.sql(dialect='trino')}",
                    each,
                )


def _key(env: Env, node: exp.Expr, outputs: list[Field]) -> str:
    if isinstance(node, exp.Literal) and not node.is_string:
        return _numbered(env, node, outputs)
    return grouping_key(env.typed(node), node).sql


def _numbered(env: Env, node: exp.Literal, outputs: list[Field]) -> str:
    number = int(node.this) if str(node.this).isdigit() else 0
    if not 1 <= number <= len(outputs):
        raise fault("INVALID_COLUMN_REFERENCE", f"GROUP BY position {node.this} is not in select list", node)
    item = outputs[number - 1]
    env.needs.update(item.needs)
    if item.typed.literal:
        return f"({item.typed.sql} || '')" if item.typed.type.textual else f"CAST({item.typed.sql} AS VARCHAR)"
    return grouping_key(item.typed, node).sql


def has_aggregates(node: exp.Select) -> bool:
    """Whether rows are aggregated, as far as names tell (subqueries count too: to be on the safe side)."""
    return any(call.name.lower() in AGGREGATE_NAMES for call in node.find_all(exp.Anonymous)) or bool(
        node.find(exp.GroupConcat)
    )

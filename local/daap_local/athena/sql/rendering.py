"""The text forms that Athena's results show, as DuckDB SQL, so that no value passes through Python.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying.html and what Athena's own result files hold.
"""

from __future__ import annotations

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import varchar_of
from daap_local.athena.sql.types import Type


def text_sql(sql: str, kind: Type) -> str:  # noqa: PLR0911  (one case a kind of types)
    """A value as a result shows it; NULL stays NULL."""
    if kind.textual or kind == t.JSON:
        return sql
    if kind.name in {"double", "real"}:
        return f"athena_{kind.name}_text({sql})"
    if kind == t.VARBINARY:
        return f"athena_bytes_text({sql})"
    if kind == t.UNKNOWN:
        return "CAST(NULL AS VARCHAR)"
    if kind.args:
        return _nested(sql, kind)
    if kind.params and kind.name in {"timestamp", t.ZONED}:
        return varchar_of(sql, Type(kind.name, (max(3, kind.params[0]),)))
    if kind == t.DATE:
        return f"athena_date_text({sql})"
    return varchar_of(sql, kind)


def _inner(sql: str, kind: Type) -> str:
    return f"coalesce({text_sql(sql, kind)}, 'null')"


def _nested(sql: str, kind: Type) -> str:
    if kind.name == "array":
        return f"('[' || array_to_string(list_transform({sql}, lambda r_: {_inner('r_', kind.args[0])}), ', ') || ']')"
    if kind.name == "map":
        item = f"{_inner('(r_).key', kind.args[0])} || '=' || {_inner('(r_).value', kind.args[1])}"
        return f"('{{' || array_to_string(list_transform(map_entries({sql}), lambda r_: {item}), ', ') || '}}')"
    parts = []
    for at, (name, stored, part) in enumerate(zip(kind.fields, t.field_names(kind), kind.args, strict=True)):
        shown = _inner(f"struct_extract({sql}, {t.literal(stored)})", part)
        parts.append(f"{t.literal((name or f'field{at}') + '=')} || {shown}")
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL ELSE '{{' || {' || {} || '.format(t.literal(', ')).join(parts)} || '}}' END"
    )


def display(text: str, columns: tuple[tuple[str, Type], ...]) -> str:
    """A query around `text` whose columns (given as quoted aliases with types) are all in text form."""
    shown = ", ".join(f"{text_sql(f'r.{alias}', kind)} AS {alias}" for alias, kind in columns)
    return f"SELECT {shown} FROM ({text}) AS r"


def native(text: str, columns: tuple[tuple[str, Type], ...]) -> str:
    """A query around `text` whose columns have exactly the DuckDB types that hold their Trino types."""
    shown = ", ".join(f"CAST(r.{alias} AS {t.duckdb_type(kind)}) AS {alias}" for alias, kind in columns)
    return f"SELECT {shown} FROM ({text}) AS r"

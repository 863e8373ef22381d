"""Names: columns, fields of rows, elements of arrays and maps.

Source: https://trino.io/docs/current/language/types.html (row, array, map).
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import coerce
from daap_local.athena.sql.coercion import coercible
from daap_local.athena.sql.scopes import Env, Field, Typed, fault, only


def column(env: Env, node: exp.Column) -> Typed:
    """A name of one to four parts: a lambda's argument, a column, or a field of a column."""
    parts = tuple(part.name.lower() for part in node.parts)
    found = _argument(env, parts) or _resolved(env, parts, node)
    if found is None:
        raise fault(
            "COLUMN_NOT_FOUND", f"Column '{'.'.join(part.name for part in node.parts)}' cannot be resolved", node
        )
    return found


def argument(env: Env, node: exp.Identifier) -> Typed:
    """A name in a lambda's body, which sqlglot leaves bare where it is an argument's."""
    return column(env, exp.column(node.copy()))


def _argument(env: Env, parts: tuple[str, ...]) -> Typed | None:
    """What a lambda's argument of that name is, with fields of it taken."""
    for name, value in reversed(env.scope.lambdas):
        if name == parts[0]:
            return _fields_of(value, parts[1:])
    return None


def _resolved(env: Env, parts: tuple[str, ...], node: exp.Expr) -> Typed | None:
    """The longest beginning of a name that is a column; what is left are fields of it."""
    for end in range(len(parts), 0, -1):
        found = env.scope.find(parts[:end])
        if len(found) > 1:
            raise fault("AMBIGUOUS_NAME", f"Column '{'.'.join(parts[:end])}' is ambiguous", node)
        if found:
            env.needs.update(found[0].needs)
            taken = _fields_of(found[0].typed, parts[end:])
            if taken is not None:
                return taken
    return None if len(parts) > 1 else _keyword(env, parts[0], node)


def _fields_of(value: Typed | None, names: tuple[str, ...]) -> Typed | None:
    for name in names:
        value = field_of(value, name) if value is not None else None
    return value


def field_of(value: Typed, name: str) -> Typed | None:
    """A row's field by its name, in any case; None if it has none."""
    for written, stored, kind in zip(value.type.fields, t.field_names(value.type), value.type.args, strict=False):
        if value.type.name == "row" and (written or "").lower() == name.lower():
            return Typed(f"struct_extract({value.sql}, {t.literal(stored)})", kind)
    return None


def field_at(value: Typed, index: int) -> Typed:
    """A row's field by its place, from 0."""
    stored = t.field_names(value.type)[index]
    return Typed(f"struct_extract({value.sql}, {t.literal(stored)})", value.type.args[index])


def _keyword(env: Env, name: str, node: exp.Expr) -> Typed | None:
    """Functions that are written without parentheses."""
    if not isinstance(node, exp.Column) or node.this.args.get("quoted"):
        return None
    if name in {"current_date", "current_timestamp", "localtimestamp", "current_time", "localtime", "current_user",
                "current_catalog", "current_schema"}:  # fmt: skip
        call = exp.Anonymous(this=name, expressions=[])
        return env.typed(call)
    return None


def dot(env: Env, node: exp.Dot) -> Typed:
    """row.field."""
    inner = env.typed(node.this)
    name = node.expression.name
    found = field_of(inner, name)
    if found is None:
        if inner.type.name != "row":
            raise fault("TYPE_MISMATCH", f"Expression {node.this.sql(dialect='trino')} is not of type ROW", node)
        raise fault("INVALID_COLUMN_REFERENCE", f"Column reference '{name}' is invalid", node)
    return found


def bracket(env: Env, node: exp.Bracket) -> Typed:
    """array[index], map[key] or row[place]: fails where there is none."""
    only(node, "this", "expressions", "offset")
    inner = env.typed(node.this)
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        raise fault("SYNTAX_ERROR", "mismatched input in subscript", node)
    key = env.typed(node.expressions[0])
    if inner.type.name == "array" and coercible(key.type, t.BIGINT):
        return Typed(f"athena_subscript({inner.sql}, {coerce(key, t.BIGINT).sql})", inner.type.args[0])
    if inner.type.name == "map" and coercible(key.type, inner.type.args[0]):
        return _map_value(inner, coerce(key, inner.type.args[0]))
    if inner.type.name == "row" and key.literal and isinstance(key.value, int):
        return _place(inner, key.value, node)
    raise fault("TYPE_MISMATCH", f"Cannot use {key.type} for subscript of {inner.type}", node)


def _map_value(inner: Typed, key: Typed) -> Typed:
    from daap_local.athena.sql.casts import varchar_of  # noqa: PLC0415

    shown = varchar_of(key.sql, key.type) if not key.type.args else "'?'"
    return Typed(f"athena_map_value({inner.sql}, {key.sql}, {shown})", inner.type.args[1])


def _place(inner: Typed, place: int, node: exp.Expr) -> Typed:
    if not 1 <= place <= len(inner.type.args):
        raise fault(
            "INVALID_FUNCTION_ARGUMENT", f"ROW index out of bounds: {place} is not in 1..{len(inner.type.args)}", node
        )
    return field_at(inner, place - 1)


def star(env: Env, node: exp.Expr) -> tuple[Field, ...]:
    """The fields that `*`, `table.*` or `row.*` stands for."""
    if isinstance(node, exp.Star):
        only(node)
        return tuple(item for item in env.scope.fields if not item.hidden)
    if isinstance(node, exp.Column):
        return _table_star(env, tuple(part.name.lower() for part in node.parts[:-1]), node)
    inner = env.typed(node.this)
    return _row_star(inner, node)


def _table_star(env: Env, parts: tuple[str, ...], node: exp.Column) -> tuple[Field, ...]:
    found = tuple(item for item in env.scope.fields
                  if not item.hidden and item.qualifiers and item.qualifiers[-len(parts):] == parts)  # fmt: skip
    if found:
        return found
    try:
        inner = _resolved(env, parts, node)
    except AthenaFault:
        inner = None
    if inner is None:
        raise fault("TABLE_NOT_FOUND", f"Unable to resolve reference {'.'.join(parts)}", node)
    return _row_star(inner, node)


def _row_star(inner: Typed, node: exp.Expr) -> tuple[Field, ...]:
    if inner.type.name != "row":
        raise fault("TYPE_MISMATCH", "expected an expression of type row", node)
    return tuple(Field(name.lower() if name else None, field_at(inner, at), written=name)
                 for at, name in enumerate(inner.type.fields))  # fmt: skip


def shown_name(node: exp.Expr) -> str | None:
    """The name of an output column that is not renamed: that of the column or field it is."""
    if isinstance(node, exp.Column):
        return node.name if isinstance(node.this, exp.Identifier) else None
    if isinstance(node, exp.Dot):
        return node.expression.name if shown_name(node.this) is not None else None
    return shown_name(node.this) if isinstance(node, exp.Paren) else None


def renamed(item: Field, qualifiers: tuple[str, ...]) -> Field:
    """The field under another table's name."""
    return replace(item, qualifiers=qualifiers)

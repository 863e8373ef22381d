"""JSON: casts to and from it. A JSON value is held as its text, in one form (keys in order, no spaces).

Source: https://trino.io/docs/current/functions/json.html (Cast to JSON, Cast from JSON).
"""

from __future__ import annotations

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql import types as t
from daap_local.athena.sql.types import Type

_BARE = frozenset({"boolean", "decimal", *t.INTEGERS})


def to_json(sql: str, kind: Type) -> str:
    """A value's JSON text; NULL stays NULL. Raises TYPE_MISMATCH for what has none."""
    if kind.name in _BARE:
        return f"CAST({sql} AS VARCHAR)"
    if kind.name in {"double", "real"}:
        return f"athena_json_{kind.name}({sql})"
    if kind.textual or kind.name in {"date", "timestamp"}:
        from daap_local.athena.sql.casts import varchar_of  # noqa: PLC0415  (the two call each other)

        return f"athena_json_quote({varchar_of(sql, kind)})"
    if kind == t.JSON:
        return sql
    return _nested(sql, kind)


def _nested(sql: str, kind: Type) -> str:
    if kind.name == "array":
        inner = f"coalesce({to_json('j_', kind.args[0])}, 'null')" if kind.args[0] != t.UNKNOWN else "'null'"
        return f"('[' || array_to_string(list_transform({sql}, lambda j_: {inner}), ',') || ']')"
    if kind.name == "row":
        return f"CASE WHEN {sql} IS NULL THEN NULL ELSE {_object(sql, kind)} END"
    if kind.name == "map" and (kind.args[0].textual or kind.args[0].name in _BARE or kind.args[0] == t.UNKNOWN):
        value = f"coalesce({to_json('(j_).value', kind.args[1])}, 'null')" if kind.args[1] != t.UNKNOWN else "'null'"
        item = f"athena_json_quote(CAST((j_).key AS VARCHAR)) || ':' || {value}"
        entries = f"list_sort(map_entries({sql}))"
        return f"('{{' || array_to_string(list_transform({entries}, lambda j_: {item}), ',') || '}}')"
    raise AthenaFault("TYPE_MISMATCH", f"line 1:1: Cannot cast {kind} to json")


def _object(sql: str, kind: Type) -> str:
    parts = []
    for name, stored, part in zip(kind.fields, t.field_names(kind), kind.args, strict=True):
        field = f"struct_extract({sql}, {t.literal(stored)})"
        value = f"coalesce({to_json(field, part)}, 'null')" if part != t.UNKNOWN else "'null'"
        shown = (name or "").replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f"{t.literal(chr(34) + shown + chr(34) + ':')} || {value}")
    return "('{' || " + " || ',' || ".join(parts) + " || '}')"


def from_json(sql: str, kind: Type) -> str:
    """A JSON text as a value of another type; JSON null is NULL."""
    if kind.name in {"varchar", "char"}:
        return f"athena_from_json_varchar({sql})"
    if kind.name in {"boolean", "double", "real", *t.INTEGERS}:
        return f"athena_from_json_{kind.name}({sql})"
    if kind.name == "decimal":
        held = t.duckdb_type(kind)
        return f"CAST(athena_from_json_decimal({sql}, {kind.params[0]}, {kind.params[1]}) AS {held})"
    return _from_nested(sql, kind)


def _from_nested(sql: str, kind: Type) -> str:
    if kind.name == "array":
        inner = "j_" if kind.args[0] == t.JSON else from_json("j_", kind.args[0])
        return f"list_transform(athena_json_elements({sql}), lambda j_: {inner})"
    if kind.name == "map" and kind.args[0].name in {"varchar", *t.INTEGERS}:
        key = "(j_).k" if kind.args[0].name == "varchar" else f"athena_text_{kind.args[0].name}(j_.k)"
        value = "(j_).v" if kind.args[1] == t.JSON else from_json("(j_).v", kind.args[1])
        pairs = f"list_transform(athena_json_members({sql}), lambda j_: struct_pack(k := {key}, v := {value}))"
        return f"athena_map_from_pairs({pairs})"
    if kind.name == "row":
        return _row_from(sql, kind)
    raise AthenaFault("TYPE_MISMATCH", f"line 1:1: Cannot cast json to {kind}")


def _row_from(sql: str, kind: Type) -> str:
    names = ", ".join(t.literal(name or "") for name in kind.fields)
    values = f"athena_json_fields({sql}, [{names}])"
    parts = []
    for at, (stored, part) in enumerate(zip(t.field_names(kind), kind.args, strict=True), start=1):
        value = f"struct_extract(j_, 'v')[{at}]"
        parts.append(f"{t.quoted(stored)} := {value if part == t.JSON else from_json(value, part)}")
    return f"list_transform([struct_pack(v := {values})], lambda j_: CASE WHEN (j_).v IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END)[1]"  # noqa: E501

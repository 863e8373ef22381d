"""Values as the text formats hold them, as SQL: LazySimpleSerDe's fields, OpenCSVSerde's, JSON's objects.

Source: Trino's writers (trino-hive-formats: SimpleSerializer with encodings/text, CsvSerializer, JsonSerializer).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from daap.engines.duckdb.sql import literal
from daap_local.athena.faults import unsupported
from daap_local.athena.hive.delimiters import SimpleOptions, simple_options
from daap_local.athena.hive.serde_csv import csv_options
from daap_local.athena.hive.targets import Target
from daap_local.athena.hive.types import HiveType

_Texts = Callable[[str, HiveType], str]


def line_text(target: Target, values: Sequence[str], types: Sequence[HiveType]) -> str:
    """The SQL of a row's line."""
    if target.format == "JSON":
        names = [column.name for column in target.data_columns]
        text = hive_text if target.serde_properties.get("openx") == "true" else _lossy_text
        return _json_object(names, values, types, text)
    if target.format == "CSV":
        return _csv_line(target, values, types)
    options = simple_options(target.serde_properties)
    fields = [
        f"coalesce({_simple(value, type_, options, 1)}, {literal(options.null)})"
        for value, type_ in zip(values, types, strict=True)
    ]
    return f" || {_mark(options, 0)} || ".join(fields)


def hive_text(value: str, type_: HiveType) -> str:
    """The text of a value without inner types, as Hive writes it; NULL stays NULL."""
    if type_.kind in ("float", "double"):
        return f"athena_{'real' if type_.kind == 'float' else 'double'}_text({value})"
    if type_.kind == "timestamp":
        return f"CAST({value} AS VARCHAR)"
    if type_.kind == "char":
        return f"rpad({value}, {type_.numbers[0]}, ' ')"
    if type_.kind == "binary":
        return f"to_base64({value})"
    if type_.nested:
        raise unsupported(f"a partition key of type {type_}")
    return value if type_.kind in ("string", "varchar") else f"CAST({value} AS VARCHAR)"


def _mark(options: SimpleOptions, depth: int) -> str:
    if depth >= len(options.separators):
        raise unsupported(f"text with more than {len(options.separators)} levels")
    return f"chr({options.separators[depth]})"


def _simple(value: str, type_: HiveType, options: SimpleOptions, depth: int) -> str:
    if type_.kind == "array":
        item = _filled("x", type_.parts[0], options, depth + 1)
        return f"array_to_string(list_transform({value}, lambda x: {item}), {_mark(options, depth)})"
    if type_.kind == "map":
        key, item = (
            _filled(f"x.{name}", part, options, depth + 2)
            for name, part in zip(("key", "value"), type_.parts, strict=True)
        )
        entry = f"{key} || {_mark(options, depth + 1)} || {item}"
        return f"array_to_string(list_transform(map_entries({value}), lambda x: {entry}), {_mark(options, depth)})"
    if type_.kind == "struct":
        parts = [
            _filled(f"struct_extract({value}, {literal(name)})", part, options, depth + 1)
            for name, part in zip(type_.names, type_.parts, strict=True)
        ]
        whole = f" || {_mark(options, depth)} || ".join(parts)
        return f"CASE WHEN {value} IS NOT NULL THEN {whole} END"
    return _escaped(hive_text(value, type_), type_, options)


def _filled(value: str, type_: HiveType, options: SimpleOptions, depth: int) -> str:
    return f"coalesce({_simple(value, type_, options, depth)}, {literal(options.null)})"


def _escaped(text: str, type_: HiveType, options: SimpleOptions) -> str:
    """A text with the escape character before itself and before every separator, where the table has one."""
    if options.escape is None or type_.kind not in ("string", "varchar", "char"):
        return text
    marks = [options.escape, *options.separators]
    for mark in marks:
        text = f"replace({text}, chr({mark}), chr({options.escape}) || chr({mark}))"
    return text


def _csv_line(target: Target, values: Sequence[str], types: Sequence[HiveType]) -> str:
    options = csv_options(target.serde_properties)
    escape = target.serde_properties.get("escapeChar", '"')[:1]
    quote = literal(options.quote)
    fields = []
    for value, type_ in zip(values, types, strict=True):
        if type_.kind not in ("string", "varchar"):
            raise unsupported(f"writing a column of type {type_} with OpenCSVSerde")
        text = value if escape == options.quote else f"replace({value}, {literal(escape)}, {literal(escape * 2)})"
        text = f"replace({text}, {quote}, {literal(escape + options.quote)})"
        fields.append(f"coalesce({quote} || {text} || {quote}, '')")
    return f" || {literal(options.separator)} || ".join(fields)


def _lossy_text(value: str, type_: HiveType) -> str:
    """Binary as UTF-8, where what is none is lost: Hive's JsonSerDe, and so Trino's for it, writes it as text."""
    return f"athena_from_utf8({value}, chr(65533))" if type_.kind == "binary" else hive_text(value, type_)


def _json_object(names: Sequence[str], values: Sequence[str], types: Sequence[HiveType], text: _Texts) -> str:
    fields = [
        f"to_json({literal(name)})::VARCHAR || ':' || {_json(value, type_, text)}"
        for name, value, type_ in zip(names, values, types, strict=True)
    ]
    return "'{' || " + " || ',' || ".join(fields) + " || '}'"


def _json(value: str, type_: HiveType, text: _Texts) -> str:
    return f"coalesce({_json_value(value, type_, text)}, 'null')"


def _json_value(value: str, type_: HiveType, text: _Texts) -> str:
    if type_.kind == "array":
        item = _json("x", type_.parts[0], text)
        return f"'[' || array_to_string(list_transform({value}, lambda x: {item}), ',') || ']'"
    if type_.kind == "map":
        key = f"to_json({text('x.key', type_.parts[0])})::VARCHAR"
        entry = f"{key} || ':' || {_json('x.value', type_.parts[1], text)}"
        return f"'{{' || array_to_string(list_transform(map_entries({value}), lambda x: {entry}), ',') || '}}'"
    if type_.kind == "struct":
        parts = [f"struct_extract({value}, {literal(name)})" for name in type_.names]
        return f"CASE WHEN {value} IS NOT NULL THEN {_json_object(type_.names, parts, type_.parts, text)} END"
    if type_.kind in ("tinyint", "smallint", "int", "bigint", "boolean", "decimal"):
        return f"CAST({value} AS VARCHAR)"
    if type_.kind in ("float", "double"):
        number = text(value, type_)
        return f"CASE WHEN isfinite({value}) THEN {number} ELSE '\"' || {number} || '\"' END"
    return f"to_json({text(value, type_)})::VARCHAR"

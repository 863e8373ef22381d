"""The value contract (docs/value-contract.md) as SQL of Athena: text in columns `c0`, `c1`, ... becomes typed values.

A text that does not fit fails the statement, and never becomes NULL. Athena's own casts take more than the contract
does, cut what is too long and round what has too many digits, so each type has a rule beside its cast.
Sources: https://docs.aws.amazon.com/athena/latest/ug/unload.html, https://trino.io/docs/current/functions.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from daap.engines.duckdb.sql import identifier, literal
from daap.model.formats import NumberFormat
from daap.model.table import Column, TableSchema
from daap.model.types import FLOATS, INTEGERS, ColumnType, Kind
from daap_cloud.athena.times import formatted_time

MAX_STATEMENT = 262_144
"""Bytes of one statement. Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""

_TYPES = {"int": "integer", "float": "real", "string": "varchar", "varchar": "varchar", "char": "varchar"}
_DIGITS = "[0-9]+(?:[.][0-9]*)?|[.][0-9]+"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"


@dataclass(frozen=True, slots=True)
class _Rule:
    """The typed value of a text that is not NULL, and whether the text fits."""

    value: str
    fits: str


def unload(select: str, target: str) -> str:
    """The statement that writes the rows of `select` as Parquet below `target`, an address that ends in a slash."""
    return f"UNLOAD ({select}) TO {literal(target)} WITH (format = 'PARQUET', compression = 'SNAPPY')"


def select_values(
    table: str, schema: TableSchema, positions: Mapping[str, int], columns: Sequence[Column] | None
) -> str:
    """The typed columns of a table of text; `table` is quoted, `positions` say which column stands where.

    With `columns`, as the port says: those, in their order; what the schema has not by name and type is NULL.
    """
    had = {column.name: column for column in schema.columns}
    wanted = schema.columns if columns is None else columns
    kept = [had[c.name] for c in wanted if c.name in had and had[c.name].type == c.type]
    places = {column.name: f"t{number}" for number, column in enumerate(kept)}
    texts = ", ".join(f"{_text(column, positions)} AS {places[column.name]}" for column in kept) or "1 AS t"
    values = ", ".join(
        f"{typed_value(had[c.name], places[c.name]) if c.name in places else _absent(c)} AS {identifier(c.name)}"
        for c in wanted
    )
    return f"SELECT {values} FROM (SELECT {texts} FROM {table})"  # noqa: S608 - from quoted parts


def athena_type(type_: ColumnType) -> str:
    """Athena's name of a column type in a query; texts have no length in Parquet."""
    if type_.kind == "decimal":
        return f"decimal({type_.precision},{type_.scale})"
    return "timestamp(3)" if type_.kind == "timestamp" else _TYPES.get(type_.kind, type_.kind)


def _absent(column: Column) -> str:
    return f"CAST(NULL AS {athena_type(column.type)})"


def _text(column: Column, positions: Mapping[str, int]) -> str:
    """A field, or NULL where it is empty or one of the column's null values. NUL occurs in no field."""
    field = f"c{positions[column.name]}"
    nulls = ["", *(text for text in column.null_values if "\0" not in text)]
    return f"CASE WHEN {_one_of(field, nulls)} THEN NULL ELSE {field} END"


def typed_value(column: Column, text: str) -> str:
    """The value of a field's text, NULL for NULL; the statement fails where it does not fit, or is required."""
    if column.type.kind == "string" and not column.required:
        return text
    rule, refusal = _find_rule(column, text), _refusal(column, text)
    absent = refusal if column.required else _absent(column)
    return f"CASE WHEN {text} IS NULL THEN {absent} WHEN {rule.fits} THEN {rule.value} ELSE {refusal} END"


def _refusal(column: Column, text: str) -> str:
    """An impossible cast, which depends on the text so that nobody computes it beforehand, and does not show it."""
    impossible = f"CAST(concat({literal('unfit: ' + column.name)}, substr(coalesce({text}, ''), 1, 0)) AS date)"
    return f"CAST(CAST({impossible} AS varchar) AS {athena_type(column.type)})"


def _find_rule(column: Column, text: str) -> _Rule:
    if column.time_format:
        return _Rule(*formatted_time(column, column.time_format, text))
    if number := column.number_format:
        return _formatted_number(column, number, text)
    return _PLAIN[column.type.kind](column, text)


def _one_of(expression: str, texts: Iterable[str]) -> str:
    return f"{expression} IN ({', '.join(map(literal, texts))})"


def _matches(text: str, pattern: str) -> str:
    """Whether the whole text is as the pattern says; a text has no line breaks, before which `$` would match too."""
    return f"regexp_like({text}, {literal(f'^(?:{pattern})$')})"


def _cast(text: str, column: Column) -> str:
    return f"CAST({text} AS {athena_type(column.type)})"


def _string(_column: Column, text: str) -> _Rule:
    return _Rule(text, "true")


def _varchar(column: Column, text: str) -> _Rule:
    return _Rule(text, f"length({text}) <= {column.type.length}")


def _char(column: Column, text: str) -> _Rule:
    return _Rule(text, f"length({text}) <= {column.type.length} AND substr({text}, -1) <> ' '")


def _boolean(_column: Column, text: str) -> _Rule:
    # Five characters at most: lower() maps a few letters of other alphabets to ASCII's.
    known = _one_of(f"lower({text})", ("true", "false", "t", "f", "1", "0"))
    return _Rule(_one_of(f"lower({text})", ("true", "t", "1")), f"length({text}) <= 5 AND {known}")


def _integer(column: Column, text: str) -> _Rule:
    return _Rule(_cast(text, column), _matches(text, "[+-]?[0-9]+"))


def _decimal(column: Column, text: str) -> _Rule:
    places = f"[0-9]{{0,{column.type.scale}}}0*"
    digits = f"(?:[0-9]+(?:[.]{places})?|[.]{places})" if column.type.scale else "(?:[0-9]+(?:[.]0*)?|[.]0+)"
    return _Rule(_cast(text, column), _matches(text, f"[+-]?{digits}"))


def _float(column: Column, text: str) -> _Rule:
    value = _cast(text, column)
    zero = _matches(text, "[+-]?(?:0+(?:[.]0*)?|[.]0+)(?:[eE].*)?")
    number = _matches(text, f"[+-]?(?:{_DIGITS})(?:[eE][+-]?[0-9]+)?")
    words = _one_of(text, ("NaN", "Infinity", "-Infinity"))
    return _Rule(value, f"{words} OR ({number} AND is_finite({value}) AND ({value} <> 0 OR {zero}))")


def _date(column: Column, text: str) -> _Rule:
    return _Rule(_cast(text, column), f"{_matches(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}')} AND {_has_year(text)}")


def _timestamp(column: Column, text: str) -> _Rule:
    fraction = "(?:[.][0-9]{1,9})?" if column.fraction else "(?:[.][0-9]{1,3})?"
    shape = _matches(text, f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]{_TIME}{fraction}")
    return _Rule(_cast(f"replace(substr({text}, 1, 23), 'T', ' ')", column), f"{shape} AND {_has_year(text)}")


def _has_year(text: str) -> str:
    return f"substr({text}, 1, 4) <> '0000'"


def _formatted_number(column: Column, number: NumberFormat, text: str) -> _Rule:
    """By example: the text has to follow the format, and what is left of it the plain rule of the type."""
    plain = _PLAIN[column.type.kind](column, _strip_format(number, text))
    fraction = column.type.kind not in INTEGERS and number.point in (column.format or "")
    return _Rule(plain.value, f"{_matches(text, number.pattern(fraction=fraction))} AND ({plain.fits})")


def _strip_format(number: NumberFormat, text: str) -> str:
    """The plain number in a text that follows the format."""
    stripped = text
    for mark in (number.prefix, number.suffix, number.grouping, " ", "(", ")"):
        if mark:
            stripped = f"replace({stripped}, {literal(mark)}, '')"
    if number.point != ".":
        stripped = f"replace({stripped}, {literal(number.point)}, '.')"
    if number.negative == "parentheses":
        return f"CASE WHEN substr({text}, 1, 1) = '(' THEN concat('-', {stripped}) ELSE {stripped} END"
    if number.negative == "trailing":
        behind = f"concat('-', replace({stripped}, '-', ''))"
        return f"CASE WHEN substr({text}, -1) = '-' THEN {behind} ELSE {stripped} END"
    return stripped


_PLAIN: dict[Kind, Callable[[Column, str], _Rule]] = {
    "boolean": _boolean, "string": _string, "varchar": _varchar, "char": _char, "decimal": _decimal,
    "date": _date, "timestamp": _timestamp,
    **dict.fromkeys(INTEGERS, _integer),
    **dict.fromkeys(FLOATS, _float),
}  # fmt: skip

"""The value contract (docs/value-contract.md) as DuckDB expressions.

DuckDB's own CAST takes more than the contract does ('1.7' as 2, ' 1', '0x1F', 'epoch'), so each
type has a rule beside its cast. A cast that gives the same text back is right at once, which is
cheap; only what is written otherwise is held against the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daap.engines.duckdb.sql import literal, one_of
from daap.model.formats import NumberFormat
from daap.model.table import Column
from daap.model.types import FLOATS, INTEGER_BITS, INTEGERS, TEXTS, ColumnType, Kind

_DUCKDB = {"int": "INTEGER", "float": "FLOAT", "string": "VARCHAR", "varchar": "VARCHAR", "char": "VARCHAR"}

_YEARS = "BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'"
_DIGITS = "[0-9]+(?:[.][0-9]*)?|[.][0-9]+"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"


def duckdb_type(type_: ColumnType) -> str:
    """DuckDB's name of a column type."""
    if type_.kind == "decimal":
        return f"DECIMAL({type_.precision},{type_.scale})"
    return _DUCKDB.get(type_.kind, type_.kind.upper())


@dataclass(frozen=True, slots=True)
class Rule:
    """How texts of one column become values.

    `value` is the typed expression (NULL or wrong where the text does not fit), `fits` whether the
    text fits, `quick` a cheaper condition that implies `fits`, if there is one. All are of a text
    that is not NULL.
    """

    value: str
    fits: str
    quick: str | None = None


def parse_text(column: Column, text: str) -> str:
    """The expression that reads `text`; NULL or wrong where it does not fit. It is worth computing once."""
    if column.time_format:
        return f"try_strptime({text}, {literal(column.time_format)})"
    if number := column.number_format:
        text = _strip_format(number, text)
    if column.type.kind == "boolean":
        return f"(lower({text}) IN ('true', 't', '1'))"
    if column.type.kind in TEXTS:
        return text
    if column.fraction:
        text = f"left({text}, 23)"  # digits behind the third are dropped
    return f"TRY_CAST({text} AS {duckdb_type(column.type)})"


def make_rule(column: Column, text: str, parsed: str) -> Rule:
    """The rule of a column for the SQL expression `text`, of which `parsed` is what parse_text gives."""
    if column.time_format:
        return _formatted_time(column, text, parsed)
    if number := column.number_format:
        return _formatted_number(column, number, text, parsed)
    return _PLAIN[column.type.kind](column, text, parsed)


def strict_value(column: Column, text: str, parsed: str) -> str:
    """The typed value of `text`; the statement fails if it does not fit or is missing though required."""
    rule, type_ = make_rule(column, text, parsed), duckdb_type(column.type)
    if column.type.kind == "string" and not column.required:
        return text
    absent = _refusal(text, type_) if column.required else f"CAST(NULL AS {type_})"
    quick = f"WHEN {rule.quick} THEN {rule.value} " if rule.quick else ""
    return (
        f"CASE {quick}WHEN {text} IS NULL THEN {absent} "
        f"WHEN {rule.fits} THEN {rule.value} ELSE {_refusal(text, type_)} END"
    )


def _refusal(text: str, type_: str) -> str:
    """An impossible cast. Not error(): that is volatile, and DuckDB then computes common parts twice."""
    impossible = f"CAST('unfit: ' || coalesce({text}, 'NULL') AS DATE)"
    return f"CAST(CAST({impossible} AS VARCHAR) AS {type_})"


def null_text(column: Column, text: str) -> str:
    """`text`, or NULL where it is one of the column's null values."""
    if not column.null_values:
        return text
    return f"CASE WHEN {one_of(text, column.null_values)} THEN NULL ELSE {text} END"


def unfit(column: Column, text: str) -> str:
    """Whether `text` is there and does not fit the type; never NULL."""
    return f"({text} IS NOT NULL AND NOT coalesce({make_rule(column, text, parse_text(column, text)).fits}, false))"


def missing(column: Column, text: str) -> str:
    """Whether a value is missing that is required; never NULL."""
    return f"({text} IS NULL)" if column.required else "false"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _string(_column: Column, text: str, _parsed: str) -> Rule:
    return Rule(text, "true")


def _varchar(column: Column, text: str, _parsed: str) -> Rule:
    # length() counts code points, as Trino does; strlen() counts bytes and is the cheaper upper bound.
    length = column.type.length
    return Rule(text, f"length({text}) <= {length}", f"strlen({text}) <= {length}")


def _char(column: Column, text: str, _parsed: str) -> Rule:
    return Rule(text, f"(length({text}) <= {column.type.length} AND NOT suffix({text}, ' '))")


def _boolean(_column: Column, text: str, parsed: str) -> Rule:
    # Digits and letters are ASCII's: lower() maps the Kelvin sign and the like to ASCII letters.
    known = one_of(f"lower({text})", ("true", "false", "t", "f", "1", "0"))
    return Rule(parsed, f"(strlen({text}) <= 5 AND {known})")


def _integer(_column: Column, text: str, parsed: str) -> Rule:
    fits = f"({_matches(text, '[+-]?[0-9]+')} AND {parsed} IS NOT NULL)"
    return Rule(parsed, fits, f"CAST({parsed} AS VARCHAR) = {text}")


def _decimal(column: Column, text: str, parsed: str) -> Rule:
    fits = f"({_matches(text, f'[+-]?{_decimal_digits(column.type.scale)}')} AND {parsed} IS NOT NULL)"
    # Written with all its places, or as a whole number.
    same = f"(CAST({parsed} AS VARCHAR) = {text} OR CAST(TRY_CAST({parsed} AS BIGINT) AS VARCHAR) = {text})"
    return Rule(parsed, fits, same)


def _decimal_digits(scale: int) -> str:
    """Digits with a fraction of at most `scale` places, trailing zeros apart."""
    places = f"[0-9]{{0,{scale}}}0*"
    return f"(?:[0-9]+(?:[.]{places})?|[.]{places})" if scale else "(?:[0-9]+(?:[.]0*)?|[.]0+)"


def _float(_column: Column, text: str, parsed: str) -> Rule:
    zero = _matches(text, "[+-]?(?:0+(?:[.]0*)?|[.]0+)(?:[eE].*)?")
    number = _matches(text, f"[+-]?(?:{_DIGITS})(?:[eE][+-]?[0-9]+)?")
    finite = f"({number} AND isfinite({parsed}) AND ({parsed} <> 0 OR {zero}))"
    return Rule(parsed, f"({one_of(text, ('NaN', 'Infinity', '-Infinity'))} OR {finite})")


def _date(_column: Column, text: str, parsed: str) -> Rule:
    # Ten bytes: 'infinity', years of five digits and '(BC)' give themselves back too.
    same = f"(strlen({text}) = 10 AND CAST({parsed} AS VARCHAR) = {text})"
    return Rule(parsed, same, same)


def _timestamp(column: Column, text: str, parsed: str) -> Rule:
    fraction = "(?:[.][0-9]{1,9})?" if column.fraction else "(?:[.][0-9]{1,3})?"
    shape = _matches(text, f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]{_TIME}{fraction}")
    fits = f"({shape} AND {parsed} >= TIMESTAMP '0001-01-01')"
    return Rule(parsed, fits, f"(strlen({text}) = 19 AND CAST({parsed} AS VARCHAR) = {text})")


def _formatted_time(column: Column, text: str, moment: str) -> Rule:
    """By a strftime pattern: what is parsed has to be written the same way again, letter case apart."""
    whole, value = f" AND {moment} = date_trunc('milliseconds', {moment})", moment
    if column.type.kind == "date":
        whole, value = "", f"CAST({moment} AS DATE)"
    elif column.fraction:
        whole, value = "", f"date_trunc('milliseconds', {moment})"
    again = f"lower(strftime({moment}, {literal(column.format or '')})) = lower({text})"
    return Rule(value, f"({again} AND CAST({moment} AS DATE) {_YEARS}{whole})")


def _formatted_number(column: Column, number: NumberFormat, text: str, parsed: str) -> Rule:
    """By example: the text has to follow the format, and what is left of it the plain rule of the type."""
    plain = _PLAIN[column.type.kind](column, _strip_format(number, text), parsed)
    pattern = number.pattern(fraction=_may_have_fraction(column, number))
    return Rule(plain.value, f"({_matches(text, pattern)} AND {plain.fits})")


def _strip_format(number: NumberFormat, text: str) -> str:
    """The plain number in a text that follows the format."""
    stripped = text
    for mark in (number.prefix, number.suffix, number.grouping, " ", "(", ")"):
        if mark:
            stripped = f"replace({stripped}, {literal(mark)}, '')"
    if number.point != ".":
        stripped = f"replace({stripped}, {literal(number.point)}, '.')"
    if number.negative == "parentheses":
        return f"CASE WHEN prefix({text}, '(') THEN '-' || {stripped} ELSE {stripped} END"
    if number.negative == "trailing":
        return f"CASE WHEN suffix({text}, '-') THEN '-' || rtrim({stripped}, '-') ELSE {stripped} END"
    return stripped


def _may_have_fraction(column: Column, number: NumberFormat) -> bool:
    """Whether the type takes a fraction and the example shows the mark for it."""
    return column.type.kind not in INTEGERS and number.point in (column.format or "")


_PLAIN: dict[Kind, Callable[[Column, str, str], Rule]] = {
    "boolean": _boolean,
    "string": _string,
    "varchar": _varchar,
    "char": _char,
    "decimal": _decimal,
    "date": _date,
    "timestamp": _timestamp,
    **dict.fromkeys(INTEGERS, _integer),
    **dict.fromkeys(FLOATS, _float),
}


def describe_type(column: Column) -> str:
    """What a text of the column should look like, for a person."""
    nulls = f", or {' or '.join(map(repr, column.null_values))} for none" if column.null_values else ""
    if column.format:
        return f"{column.type} written as {column.format!r}{nulls}"
    return f"{column.type}: {_words_for(column.type)}{nulls}"


def _words_for(type_: ColumnType) -> str:
    if bits := INTEGER_BITS.get(type_.kind):
        return f"a whole number from {-(2 ** (bits - 1))} to {2 ** (bits - 1) - 1}, with no spaces or decimals"
    if type_.kind == "decimal":
        whole = type_.precision - type_.scale
        return f"a number with at most {whole} digits before the point and {type_.scale} behind it, with no spaces"
    return _SAID[type_.kind].format(length=type_.length)


_SAID: dict[Kind, str] = {
    "boolean": "true, false, t, f, 1 or 0",
    "float": "a number such as 1.5 or 1e-3, NaN, Infinity or -Infinity",
    "double": "a number such as 1.5 or 1e-3, NaN, Infinity or -Infinity",
    "string": "any text",
    "varchar": "at most {length} characters",
    "char": "at most {length} characters, with no space at the end",
    "date": "a real day written YYYY-MM-DD",
    "timestamp": "a real moment written YYYY-MM-DD HH:MM:SS, with at most three fraction digits and no zone",
}

"""Texts of files into typed values, as SQL over a column of strings.

LazySimpleSerDe gives NULL for what it cannot read; OpenCSVSerde knows few types and fails on the rest.
Sources: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html, .../lazy-simple-serde.html, and the behaviour of
Trino's readers (trino-hive-formats, encodings/text). A text is first matched against the exact form, since DuckDB's
own casts take more.
"""

from __future__ import annotations

from daap.engines.duckdb.sql import literal
from daap_local.athena.faults import unsupported
from daap_local.athena.hive.types import INTEGERS, HiveType, duckdb_text

_INTEGER = "[+-]?[0-9]+"
_TRUNCATED = r"[+-]?[0-9]*\.[0-9]*"
_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DOUBLE = rf"[\x00-\x20]*({_DECIMAL}[fFdD]?|[+-]?(NaN|Infinity))[\x00-\x20]*"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LOOSE_DATE = "([+-]?[0-9]{1,9})-([+-]?[0-9]{1,9})-([+-]?[0-9]{1,9})"
_TIMESTAMP = rf"{_DATE}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,9}})?"
_LOOSE_TIME = r"[ tT]([+-]?[0-9]{1,9}):([+-]?[0-9]{1,9})(:[+-]?[0-9]{1,9}(\.[0-9]{0,9})?)?"
_BLANK_TIMESTAMP = rf"{_LOOSE_DATE} [+-]?[0-9]{{1,9}}:[+-]?[0-9]{{1,9}}:[+-]?[0-9]{{1,9}}(\.[0-9]{{0,9}})?"
_ISO_TIMESTAMP = r"[+-]?[0-9]{1,9}-[0-9]{1,9}-[0-9]{1,9}[tT][0-9]{1,9}:[0-9]{1,9}(:[0-9]{1,9}(\.[0-9]{0,9})?)?"
_HEXADECIMAL = r"[\x00-\x20]*[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?[0-9]+[fFdD]?[\x00-\x20]*"
_NO_HEXADECIMALS = "NOT_SUPPORTED: a hexadecimal number with a fraction in a text file is not supported here"
_BASE64 = r"[A-Za-z0-9+/=_\-\s]*"
_SHORTEST_TIMESTAMP = 8
_CSV_TYPES = frozenset({"string", "char", "varchar", "boolean", "float", "double", "date", "timestamp"}) | INTEGERS


def lazy_value(column: str, type_: HiveType) -> str:
    """The value of a column of LazySimpleSerDe: NULL where the text is none of the type."""
    if type_.kind in INTEGERS:
        return _lazy_integer(column, duckdb_text(type_))
    if type_.kind == "decimal":
        return f"CASE WHEN {_matches(column, _DECIMAL)} THEN TRY_CAST({column} AS {duckdb_text(type_)}) END"
    if type_.kind in ("float", "double", "boolean"):
        return _plain_value(column, type_)
    if type_.kind in ("date", "timestamp"):
        return (_lazy_date if type_.kind == "date" else _lazy_timestamp)(column)
    return text_value(column, type_)


def text_value(column: str, type_: HiveType) -> str:
    """The value of a string, a varchar(n), a char(n) or a binary column."""
    if type_.kind == "varchar":
        return f"left({column}, {type_.numbers[0]})"
    if type_.kind == "char":
        return f"rtrim(left({column}, {type_.numbers[0]}), ' ')"
    if type_.kind == "binary":
        return _binary(column)
    return column


def csv_value(column: str, type_: HiveType, place: int, null_for_invalid: bool) -> str:
    """The value of a column of OpenCSVSerde, which fails where the text is none of the type. Raises AthenaFault.

    Timestamps are milliseconds and dates are days, both since 1970.
    """
    if type_.kind not in _CSV_TYPES:
        raise unsupported(f"OpenCSVSerde with a column of type {type_}")
    if type_.kind in ("string", "char", "varchar"):
        return text_value(column, type_)
    parsed = _csv_parsed(column, type_)
    if null_for_invalid:
        return parsed
    problem = (
        f"'HIVE_BAD_DATA: Error parsing field value ''' || {column} || ''' for field {place}: "
        f"For input string: \"' || {column} || '\"'"
    )
    return f"CASE WHEN {column} IS NULL THEN NULL ELSE coalesce({parsed}, error({problem})) END"


def whole_milliseconds(timestamp: str) -> str:
    """A timestamp rounded half up to Athena's milliseconds."""
    return f"date_trunc('millisecond', {timestamp} + INTERVAL 500 MICROSECOND)"


def _csv_parsed(column: str, type_: HiveType) -> str:
    if type_.kind in ("float", "double", "boolean"):
        return _plain_value(column, type_)
    whole = {"date": "INTEGER", "timestamp": "BIGINT"}.get(type_.kind) or duckdb_text(type_)
    number = f"CASE WHEN {_matches(column, _INTEGER)} THEN TRY_CAST({column} AS {whole}) END"
    if type_.kind == "date":
        return f"(DATE '1970-01-01' + {number})"
    return f"epoch_ms({number})" if type_.kind == "timestamp" else number


def _plain_value(column: str, type_: HiveType) -> str:
    """A boolean or a double, which both serdes read alike; NULL where the text is none."""
    if type_.kind == "boolean":
        return f"CASE lower({column}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    hexadecimal = f"WHEN {_matches(column, _HEXADECIMAL)} THEN error({literal(_NO_HEXADECIMALS)})"
    return f"CASE WHEN {_matches(column, _DOUBLE)} THEN {_double(column, duckdb_text(type_))} {hexadecimal} END"


def _lazy_integer(column: str, duckdb: str) -> str:
    """The digits after a point must be digits, and are dropped."""
    whole = f"regexp_replace(split_part({column}, '.', 1), '^([+-]?)$', '\\1' || '0')"
    return (
        f"CASE WHEN {_matches(column, _INTEGER)} THEN TRY_CAST({column} AS {duckdb}) "
        f"WHEN {_matches(column, _TRUNCATED)} THEN TRY_CAST({whole} AS {duckdb}) END"
    )


def _double(column: str, duckdb: str) -> str:
    """A number without what Java allows around it; most have nothing, and trimming is dear."""
    bare = f"CASE WHEN {_matches(column, _DECIMAL)} THEN {column} ELSE rtrim(trim({column}, {_CONTROLS}), 'fFdD') END"
    return f"TRY_CAST({bare} AS {duckdb})"


_CONTROLS = "(" + " || ".join(f"chr({code})" for code in range(33)) + ")"


def _matches(column: str, pattern: str) -> str:
    return f"regexp_full_match({column}, {literal(pattern)})"


def _lazy_date(column: str) -> str:
    """A date with whatever follows a blank dropped; months and days beyond their range count on into the next."""
    text = f"split_part(trim({column}, {_CONTROLS}), ' ', 1)"
    year, month, day = (f"regexp_extract({text}, {literal(_LOOSE_DATE)}, {at})::BIGINT" for at in (1, 2, 3))
    loose = f"CAST({_counted(year, month, day)} AS DATE)"
    plain = f"TRY_CAST({column} AS DATE)"
    return (
        f"CASE WHEN {_matches(column, _DATE)} AND {plain} IS NOT NULL THEN {plain} "
        f"WHEN {_matches(text, _LOOSE_DATE)} THEN TRY({loose}) END"
    )


def _counted(year: str, month: str, day: str) -> str:
    return (
        f"(make_timestamp({year}, 1, 1, 0, 0, 0) + to_months(({month} - 1)::INTEGER) + to_days(({day} - 1)::INTEGER))"
    )


def _lazy_timestamp(column: str) -> str:
    """A date and a time; after a T the seconds may be missing."""
    text = f"trim({column}, {_CONTROLS})"
    exact = f"TRY_CAST(CASE WHEN {_matches(column, _TIMESTAMP)} THEN {column} END AS TIMESTAMP)"
    pattern = literal(_LOOSE_DATE + _LOOSE_TIME)
    year, month, day, hours, minutes, seconds, fraction = (
        f"regexp_extract({text}, {pattern}, {group})" for group in range(1, 8)
    )
    numbers = [f"{part}::BIGINT" for part in (year, month, day)]
    whole = f"coalesce(TRY_CAST(split_part(ltrim({seconds}, ':'), '.', 1) AS BIGINT), 0)"
    micros = f"coalesce(TRY_CAST(rpad(substr({fraction}, 2, 6), 6, '0') AS BIGINT), 0)"
    clock = (
        f"to_hours({hours}::BIGINT) + to_minutes({minutes}::BIGINT) + to_seconds({whole}) + to_microseconds({micros})"
    )
    fits = f"{_matches(text, _BLANK_TIMESTAMP)} OR {_matches(text, _ISO_TIMESTAMP)}"
    loose = f"CASE WHEN {fits} THEN TRY({_counted(*numbers)} + {clock}) END"
    value = f"coalesce({exact}, {loose})"
    return f"CASE WHEN strlen({column}) >= {_SHORTEST_TIMESTAMP} THEN {whole_milliseconds(value)} END"


def _binary(column: str) -> str:
    """Base64 as Java's decoder of long standing takes it, without what it passes over; else the bytes themselves."""
    kept = f"regexp_replace(translate({column}, '-_', '+/'), '[^A-Za-z0-9+/]', '', 'g')"
    cut = f"left({kept}, length({kept}) - (length({kept}) % 4 = 1)::INTEGER)"
    filled = f"rpad({cut}, ((length({cut}) + 3) // 4 * 4)::INTEGER, '=')"
    return f"CASE WHEN {_matches(column, _BASE64)} THEN from_base64({filled}) ELSE encode({column}) END"

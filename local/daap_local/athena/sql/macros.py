"""Trino's functions as DuckDB macros (macros.sql, and those that are alike for many types) and scalar functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType

import duckdb

from daap_local.athena.sql.udfs import FUNCTIONS, install_functions

_SPACES = "".join(chr(code) for code in range(1, 33))
_TRIMMED = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
)
"""What trim() takes away: white space that Java counts as such, no-break spaces apart."""

_CODE = r"CASE WHEN regexp_matches(x, '[^\x00-\x7F]|0[xX]') THEN 'NOT_SUPPORTED' ELSE 'INVALID_CAST_ARGUMENT' END"
"""Java reads digits of any script, and hexadecimal doubles: here those are refused by name."""
_NAME = re.compile(r"\bathena_[a-z0-9_]+")
_INTEGERS = {
    "tinyint": ("TINYINT", "TINYINT", -(2**7)), "smallint": ("SMALLINT", "SMALLINT", -(2**15)),
    "integer": ("INTEGER", "INT", -(2**31)), "bigint": ("BIGINT", "BIGINT", -(2**63)),
}  # fmt: skip


def install(connection: duckdb.DuckDBPyConnection, sql: str | None = None) -> None:
    """Put the functions that translated queries call into a connection, and the settings they rely on.

    With `sql`, only those that this text names, and what they call in turn: for a connection that runs one query.
    """
    connection.execute("SET TimeZone = 'UTC'")
    names = _needed(sql) if sql is not None else (*FUNCTIONS, *MACROS)
    install_functions(connection, names)
    wanted = frozenset(names)
    connection.execute(";\n".join(text for name, text in MACROS.items() if name in wanted))


def _needed(sql: str) -> tuple[str, ...]:
    """The functions that a text names, and those that they name."""
    found: set[str] = set()
    texts = [sql]
    while texts:
        for name in _NAME.findall(texts.pop()):
            if name not in found:
                found.add(name)
                texts.append(MACROS.get(name, ""))
    return tuple(found)


def _macros() -> Iterator[str]:
    written = files("daap_local.athena.sql").joinpath("macros.sql").read_text(encoding="utf-8")
    for text in written.split(";\n"):
        yield text[text.index("CREATE OR REPLACE MACRO") :]
    yield _macro("athena_trimmed(x)", f"trim(x, {_quoted(_SPACES)})")
    for name in ("trim", "ltrim", "rtrim"):
        yield _macro(f"athena_{name}(x)", f"{name}(x, {_quoted(_TRIMMED)})")
    for name, (held, shown, least) in _INTEGERS.items():
        yield from _integer_macros(name, held, shown, least)
    yield from _floating_macros()


def _macro(head: str, body: str) -> str:
    return f"CREATE OR REPLACE MACRO {head} AS {body}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _integer_macros(name: str, held: str, shown: str, least: int) -> Iterator[str]:
    """Casts to an integer type: of text, of other integers, of decimals (half up), of doubles (half up)."""
    exact = (
        f"CASE WHEN regexp_full_match(athena_trimmed(x), '[+-]?[0-9]+') THEN TRY_CAST(athena_trimmed(x) AS {held}) END"
    )
    yield _macro(
        f"athena_text_{name}(x)",
        f"CASE WHEN CAST(TRY_CAST(x AS {held}) AS VARCHAR) = x THEN TRY_CAST(x AS {held}) ELSE "
        f"athena_checked(x, {exact}, {_CODE}, 'Cannot cast ''' || x || ''' to {shown}') END",
    )
    range_message = f"'Out of range for {name}: ' || x"
    yield _macro(
        f"athena_int_{name}(x)",
        f"athena_checked(x, TRY_CAST(x AS {held}), 'NUMERIC_VALUE_OUT_OF_RANGE', {range_message})",
    )
    yield _macro(
        f"athena_decimal_{name}(x)",
        f"athena_checked(x, TRY_CAST(x AS {held}), 'INVALID_CAST_ARGUMENT', "
        f"'Cannot cast ''' || x || ''' to {name.upper()}')",
    )
    low, high = float(least), -float(least)
    rounded = "athena_round(CAST(x AS DOUBLE))"
    fits = f"CASE WHEN {rounded} >= {low!r}::DOUBLE AND {rounded} < {high!r}::DOUBLE THEN CAST({rounded} AS {held}) END"
    if name == "bigint":
        code, message = "'INVALID_CAST_ARGUMENT'", "'Unable to cast ' || athena_double_text(x) || ' to bigint'"
    else:
        code = "CASE WHEN isnan(x) THEN 'INVALID_CAST_ARGUMENT' ELSE 'NUMERIC_VALUE_OUT_OF_RANGE' END"
        message = (f"CASE WHEN isnan(x) THEN 'Cannot cast double NaN to {name}' "
                   f"ELSE 'Out of range for {name}: ' || athena_double_text(x) END")  # fmt: skip
    yield _macro(f"athena_double_{name}(x)", f"athena_checked(x, {fits}, {code}, {message})")


def _floating_macros() -> Iterator[str]:
    """Casts of text to double and real: Java's number forms alone."""
    number = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[dDfF]?"
    for name, held in (("double", "DOUBLE"), ("real", "FLOAT")):
        cleaned = "regexp_replace(athena_trimmed(x), '[dDfF]$', '')"
        words = " ".join(f"WHEN '{sign}{word}' THEN CAST('{value}' AS {held})"
                         for word, value in (("NaN", "NaN"), ("Infinity", "Infinity"))
                         for sign in ("", "+"))  # fmt: skip
        words += f" WHEN '-Infinity' THEN CAST('-Infinity' AS {held}) WHEN '-NaN' THEN CAST('NaN' AS {held})"
        exact = (f"CASE WHEN regexp_full_match(athena_trimmed(x), '{number}') THEN athena_parsed_{name}({cleaned}) "
                 f"ELSE CASE athena_trimmed(x) {words} END END")  # fmt: skip
        overflow = f"CAST(CASE WHEN y[1] = '-' THEN '-Infinity' ELSE 'Infinity' END AS {held})"
        yield _macro(f"athena_parsed_{name}(y)", f"coalesce(TRY_CAST(y AS {held}), {overflow})")
        yield _macro(
            f"athena_text_{name}(x)",
            f"athena_checked(x, {exact}, {_CODE}, 'Cannot cast ''' || x || ''' to {name.upper()}')",
        )
    yield _macro(
        "athena_text_decimal(x, made, shown)",
        "athena_checked(x, CASE WHEN regexp_full_match(x, "
        "'[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') THEN made END, "
        "'INVALID_CAST_ARGUMENT', 'Cannot cast VARCHAR ''' || x || ''' to ' || shown || '. Value is not a number.')",
    )


MACROS: Mapping[str, str] = MappingProxyType({_NAME.findall(text)[0]: text for text in _macros()})
"""The statement that makes each macro, in an order in which each finds those that it calls."""

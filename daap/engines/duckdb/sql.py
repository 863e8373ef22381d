"""Quoting for SQL. Everything that goes into a statement as text goes through here."""

from __future__ import annotations

from collections.abc import Iterable


def identifier(name: str) -> str:
    """`name` as a quoted identifier; inner quotes are doubled (SQL standard, as DuckDB reads it)."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a string literal; inner quotes are doubled. DuckDB knows no backslash escapes in it."""
    if "\0" in text:
        raise ValueError("a string literal cannot hold NUL")
    return "'" + text.replace("'", "''") + "'"


def one_of(expression: str, texts: Iterable[str]) -> str:
    """Whether `expression` is one of `texts`."""
    return f"{expression} IN ({', '.join(map(literal, texts))})"

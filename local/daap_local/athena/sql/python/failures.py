"""How a Python function fails a query."""

from __future__ import annotations


class Failed(Exception):
    """The query ends with Trino's `code` and `message`; runtime.py reads them out of DuckDB's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"athena!{code}: {message}")


def invalid(message: str) -> Failed:
    """An argument that a function does not take."""
    return Failed("INVALID_FUNCTION_ARGUMENT", message)


def uncast(message: str) -> Failed:
    """A value that cannot be cast."""
    return Failed("INVALID_CAST_ARGUMENT", message)

"""Trino's functions as DuckDB macros and scalar functions."""

from __future__ import annotations

import duckdb


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the functions that translated queries call into a connection, and the settings they rely on."""
    connection.execute("SET TimeZone = 'UTC'")

"""Finding the values that do not fit: counts of all, and the first thousand in full, with their lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from daap.engines.duckdb.contract import describe_type, missing, unfit
from daap.engines.duckdb.reading import LINE, TextFile, select_texts
from daap.engines.duckdb.session import translated
from daap.model.table import Column, TableSchema
from daap.model.types import TEXTS
from daap.model.verdict import MASK, MAX_KEPT, Code, DataError, ErrorLog, cut_value


@dataclass(frozen=True, slots=True)
class _Test:
    """One way in which one column's value can be wrong."""

    column: Column
    code: Code
    text: str
    condition: str
    expected: str


def log_faults(connection: duckdb.DuckDBPyConnection, file: TextFile, schema: TableSchema, log: ErrorLog) -> int:
    """Adds every unfit or missing value of a numbered file to `log`; returns the rows seen."""
    tests = _list_tests(file, schema)
    texts = select_texts(file, schema)
    rows, *counts = _count_faults(connection, texts, tests)
    found = [(test, count) for test, count in zip(tests, counts, strict=True) if count]
    if found:
        log.merge(_first_faults(connection, texts, [test for test, _ in found]))
        for test, count in found:
            log.counts[test.code] += count
    return rows


def _list_tests(file: TextFile, schema: TableSchema) -> list[_Test]:
    tests = []
    for place, column in enumerate(schema.columns):
        if column.name not in file.layout.positions:
            continue
        text = f"t{place}"
        if column.type.kind != "string":
            code = Code.TOO_LONG if column.type.kind in TEXTS else Code.TYPE_ERROR
            tests.append(_Test(column, code, text, unfit(column, text), describe_type(column)))
        if column.required:
            expected = "a value; this column is required"
            tests.append(_Test(column, Code.MISSING_VALUE, text, missing(column, text), expected))
    return tests


def _count_faults(connection: duckdb.DuckDBPyConnection, texts: str, tests: list[_Test]) -> list[int]:
    counts = "".join(f", count(*) FILTER (WHERE {test.condition})" for test in tests)
    with translated("checking the values"):
        row = connection.execute(f"SELECT count(*){counts} FROM ({texts})").fetchone()
    return [int(n) for n in row or (0,)]


def _first_faults(connection: duckdb.DuckDBPyConnection, texts: str, tests: list[_Test]) -> list[DataError]:
    flags = ", ".join(f"{test.condition}, {test.text}" for test in tests)
    any_fault = " OR ".join(test.condition for test in tests)
    statement = f"SELECT {LINE}, {flags} FROM ({texts}) WHERE {any_fault} ORDER BY {LINE} LIMIT {MAX_KEPT}"
    with translated("finding the values that do not fit"):
        rows = connection.execute(statement).fetchall()
    return [error for row in rows for error in _row_faults(row, tests)]


def _row_faults(row: tuple[Any, ...], tests: list[_Test]) -> list[DataError]:
    return [
        DataError(test.code, test.expected, row[0], test.column.name, _shown(test.column, row[2 + 2 * place]))
        for place, test in enumerate(tests)
        if row[1 + 2 * place]
    ]


def _shown(column: Column, value: str | None) -> str | None:
    if value is None:
        return None
    return MASK if column.personal else cut_value(value)

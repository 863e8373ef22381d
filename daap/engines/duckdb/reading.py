"""Reading a CSV file as text with DuckDB: nothing is sniffed, nothing is guessed, nothing is cast."""

from __future__ import annotations

from dataclasses import dataclass

from daap.csvtext.header import Layout
from daap.engines.duckdb.contract import null_text
from daap.engines.duckdb.sql import literal
from daap.model.table import Dialect, TableSchema

LINE = "line"
_DEFAULT_LINE = 2_000_000


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file as DuckDB is to read it.

    `skip` physical lines come before the data; `numbered` files begin each record with its line
    (as the sifter writes them); `longest` is the most bytes of a record.
    """

    path: str
    dialect: Dialect
    layout: Layout
    skip: int = 0
    line_end: str = "\n"
    numbered: bool = False
    longest: int = _DEFAULT_LINE


def select_texts(file: TextFile, schema: TableSchema) -> str:
    """A SELECT of the schema's columns as text, `t0`, `t1`, ..., with null values as NULL, and `line` if numbered."""
    columns = [
        f"{null_text(column, f'c{file.layout.positions[column.name]}')} AS t{place}"
        for place, column in enumerate(schema.columns)
        if column.name in file.layout.positions
    ]
    if file.numbered:
        columns.append(f"CAST({LINE} AS BIGINT) AS {LINE}")
    return f"SELECT {', '.join(columns) or '1'} FROM {_read_csv(file)}"


def _read_csv(file: TextFile) -> str:
    names = ([LINE] if file.numbered else []) + [f"c{place}" for place in range(file.layout.width)]
    # The sifter has doubled the quotes of dialects with their own escape.
    quote = literal(file.dialect.quote)
    options = {
        "auto_detect": "false",
        "header": "false",
        "skip": str(file.skip),
        "delim": literal(file.dialect.delimiter),
        "quote": quote,
        "escape": quote,
        "comment": "''",
        "new_line": literal(file.line_end.replace("\r", "\\r").replace("\n", "\\n")),
        "nullstr": "''",
        "allow_quoted_nulls": "true",
        "null_padding": "false",
        "strict_mode": "true",
        "max_line_size": str(max(file.longest, _DEFAULT_LINE)),
        "compression": "'none'",
        "columns": "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names) + "}",
    }
    listed = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"read_csv({literal(file.path)}, {listed})"

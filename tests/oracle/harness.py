"""Small helpers of the engine suites: schemas in a line, files as sources, Parquet as rows."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from daap.model.table import TableSchema
from daap.model.verdict import Code, Verdict, Written
from daap.ports.engine import CanStage, Engine, Source
from tests.oracle.contract import Found, Row


def make_schema(*columns: str | dict, **dialect: object) -> TableSchema:
    """A schema of columns, each `"name type"` or a whole spec, and of the dialect's fields as in a spec."""
    specs = [
        dict(zip(("name", "type"), column.split(" ", 1), strict=True)) if isinstance(column, str) else column
        for column in columns
    ]
    return TableSchema.model_validate({"tableDescription": "a test", "columns": specs, "dialect": dialect})


def file_source(path: Path) -> Source:
    """The source that a file on disk is."""
    return Source(str(path), path.stat().st_size, lambda: path.open("rb"))


def write_source(folder: Path, data: bytes) -> Source:
    """A new file of these bytes, as a source."""
    path = folder / "file.csv"
    path.write_bytes(data)
    return file_source(path)


def stage_file(engine: Engine, source: Source, schema: TableSchema, target: Path) -> tuple[Verdict, Written | None]:
    """Check and conversion by the engine's own way: in one pass where it can."""
    if isinstance(engine, CanStage):
        return engine.stage(source, schema, str(target))
    verdict = engine.check(source, schema)
    return verdict, engine.curate(source, schema, str(target)) if verdict.accepted else None


def read_rows(target: Path) -> list[Row]:
    """All rows of the Parquet below a folder."""
    return [row for path in sorted(target.rglob("*.parquet")) for row in open_parquet(path).read().to_pylist()]


def open_parquet(path: Path | pa.NativeFile) -> pq.ParquetFile:
    """A Parquet file; Athena's timestamps, which are INT96, as those of every other writer."""
    return pq.ParquetFile(path, coerce_int96_timestamp_unit="us")


def sort_rows(rows: Iterable[Row]) -> list[list[str]]:
    """Rows in a form in which two sets of rows are equal only if they are the same to the last bit."""
    return sorted([f"{name}={_show_value(value)}" for name, value in row.items()] for row in rows)


def _show_value(value: object) -> str:
    if isinstance(value, float) and value == value:  # noqa: PLR0124 - all NaN are one
        return f"{value!r} {struct.pack('>d', value).hex()}"
    if isinstance(value, Decimal):
        return f"decimal {Fraction(value)}"  # zeros behind the point, and the sign of zero, say nothing
    return f"{type(value).__name__} {value}"


def list_errors(verdict: Verdict) -> list[Found]:
    """The errors of a verdict as (code, line, column), in order of the file.

    Where a header is missed is a matter of taste, so that line is left out.
    """
    return sort_errors(
        (error.code, None if error.code == Code.MISSING_HEADER else error.line, error.column)
        for error in verdict.errors
    )


def sort_errors(errors: Iterable[Found]) -> list[Found]:
    """Errors in order of line, column and code; the order within a record is no part of the contract."""
    return sorted(errors, key=lambda found: (found[1] or 0, found[2] or "", found[0]))

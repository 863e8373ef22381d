"""`daap-local sql`."""

from __future__ import annotations

import json
import math
import sys
from decimal import Decimal
from pathlib import Path
from typing import IO

import click
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from daap.errors import InvalidQuery
from daap_local.cli.common import format_option, print_table, with_place
from daap_local.files import new_file, translated
from daap_local.places import Place

_EPILOG = """\b
Tables are {product}_v1.{table}, with every snapshot told apart by load_timestamp, and
{product}_v1.{table}_latest, the newest one. daap_logs.events is the audit log.

\b
Examples:
  daap-local sql "SELECT * FROM spend_v1.march_latest LIMIT 5"
  daap-local sql "SELECT count(*) FROM spend_v1.march" --format json
  daap-local sql "FROM spend_v1.march_latest" --format parquet -o march.parquet
  daap-local sql "SELECT time, stage, message FROM daap_logs.events ORDER BY time"
"""
_SHOWN_ROWS = 1_000


@click.command("sql", epilog=_EPILOG)
@click.argument("statement")
@format_option("table", "csv", "json", "parquet")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, whole or not at all."
)
@with_place
def command(place: Place, statement: str, form: str, output: Path | None) -> None:
    """Run one SELECT over the curated tables, and print or write its rows."""
    if form == "parquet" and output is None:
        raise click.UsageError("parquet goes to a file; name it with -o FILE")
    if form == "table" and output is not None:
        raise click.UsageError("a table is for the terminal; choose --format csv, json or parquet for a file")
    reader = pa.RecordBatchReader.from_stream(place.query.query(statement))
    _check_names(reader.schema.names)
    if output is None:
        _print_rows(reader, form)
        return
    with translated(f"write {output}"), new_file(output.absolute().parent) as (stream, path):
        _WRITERS[form](reader, stream)
        path.replace(output)
    click.echo(f"Wrote {output}", err=True)


def _check_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InvalidQuery(f"two columns are called {name}; give each a name of its own with AS")


def _print_rows(reader: pa.RecordBatchReader, form: str) -> None:
    if form == "table":
        _print_table(reader)
    else:
        sys.stdout.flush()
        _WRITERS[form](reader, sys.stdout.buffer)


def _print_table(reader: pa.RecordBatchReader) -> None:
    rows: list[tuple[object, ...]] = []
    more = False
    for batch in reader:
        rows += zip(*(_cells(column) for column in batch.columns), strict=True)
        if more := len(rows) > _SHOWN_ROWS:
            break
    print_table(reader.schema.names, rows[:_SHOWN_ROWS], empty="No rows.", right=_numbers(reader.schema))
    if more:
        click.echo(f"(the first {_SHOWN_ROWS} rows; write all of them with -o FILE)", err=True)


def _cells(column: pa.Array) -> list[object]:
    return ["NULL" if value is None else value for value in column.to_pylist()]


def _numbers(schema: pa.Schema) -> list[str]:
    kinds = pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal
    return [field.name for field in schema if any(is_kind(field.type) for is_kind in kinds)]


def _write_csv(reader: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    with pacsv.CSVWriter(stream, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


def _write_json(reader: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    """An array of objects; decimals as text, so that no reader rounds them."""
    stream.write(b"[")
    first = True
    for batch in reader:
        for row in batch.to_pylist():
            stream.write(
                (b"\n  " if first else b",\n  ")
                + json.dumps(_plain(row), ensure_ascii=False, default=_say, allow_nan=False).encode()
            )
            first = False
    stream.write(b"\n]\n")
    stream.flush()


def _plain(row: dict[str, object]) -> dict[str, object]:
    """A row with NaN and the infinities as text: JSON has no numbers for them."""
    return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _say(value: object) -> object:
    """What JSON has no form for, as text; a whole number wider than 64 bits (a sum of integers) as a number."""
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return int(value)
    return str(value)


def _write_parquet(reader: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    with pq.ParquetWriter(stream, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


_WRITERS = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}

"""Writing a statement's result to its place in the objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from daap_local.athena.execution.context import Job
from daap_local.athena.execution.csvfile import line_of, write_row
from daap_local.athena.execution.metafile import ColumnInfo, encode
from daap_local.athena.execution.record import Outcome, result_location
from daap_local.athena.objects.port import Objects
from daap_local.athena.sql import ResultColumn, metadata

_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Text:
    """The result of a utility statement: its columns, and its lines, whose parts stand between tabs."""

    columns: Sequence[ColumnInfo] = ()
    lines: Sequence[str] = ()


def column_infos(columns: Iterable[ResultColumn]) -> list[ColumnInfo]:
    """Columns as GetQueryResults tells of them."""
    found = []
    for column in columns:
        told = metadata(column.type)
        found.append(ColumnInfo(column.name, told.type, told.precision, told.scale, told.case_sensitive))
    return found


def write_selected(job: Job, sql: str, columns: Sequence[ColumnInfo]) -> Outcome:
    """Runs a SELECT whose columns are all text, and writes its rows as they come."""
    names = [f"c{place}" for place in range(len(columns))]
    lines = f"SELECT {line_of(names)} AS line FROM ({sql}) AS result({', '.join(names)})"  # noqa: S608 - own names
    reader = job.session.run(lines).to_arrow_reader(_BATCH)
    location = result_location(job.request)
    rows = size = 0
    with job.objects.create(location) as stream:
        size += stream.write(write_row(column.name for column in columns))
        for batch in batches(reader):
            job.session.check()
            rows += batch.num_rows
            size += stream.write("".join(f"{line}\n" for line in batch.column(0).to_pylist()).encode())
        job.session.check()
    write_metadata(job, columns, f"{location}.metadata")
    return Outcome(location, rows, size)


def batches(reader: pa.RecordBatchReader) -> Iterable[pa.RecordBatch]:
    """The batches of a result; DuckDB's errors come as its own again, not as Arrow's."""
    while True:
        try:
            yield reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, OSError, RuntimeError) as error:
            raise duckdb.Error(str(error)) from error


def write_text(job: Job, text: Text) -> Outcome:
    """Writes the lines of a utility statement, or the empty file of a DDL statement."""
    location = result_location(job.request)
    data = "\n".join(text.lines).encode()
    job.objects.put(location, data)
    write_metadata(job, text.columns, f"{location}.metadata")
    return Outcome(location, len(text.lines), len(data))


def write_metadata(job: Job, columns: Sequence[ColumnInfo], uri: str) -> None:
    """Writes the `.metadata` file."""
    job.objects.put(uri, encode(f"{job.started:%Y%m%d_%H%M%S}_00000_{job.request.id[:5]}", columns))


def write_manifest(objects: Objects, uri: str, files: Iterable[str]) -> None:
    """Writes the list of the files that a statement wrote: a URI a line."""
    objects.put(uri, "".join(f"{file}\n" for file in files).encode())

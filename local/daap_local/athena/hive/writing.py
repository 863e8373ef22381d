"""Writing a query's rows as files, as CTAS, INSERT INTO and UNLOAD do.

One file for each partition and bucket, at most 100 of them open at once, as in Athena.
Source: https://docs.aws.amazon.com/athena/latest/ug/ctas-partitioning-and-bucketing.html and .../ctas-insert-into.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import duckdb
import pyarrow as pa

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.buckets import bucket_numbers
from daap_local.athena.hive.paths import partition_name
from daap_local.athena.hive.scalars import arrow_type
from daap_local.athena.hive.targets import Target, target_of_ctas, target_of_table, target_of_unload
from daap_local.athena.hive.types import duckdb_text, parse_type
from daap_local.athena.hive.writers import FileWriter, file_suffix, new_writer
from daap_local.athena.hive.written_texts import hive_text, line_text
from daap_local.athena.sql import install

__all__ = ["Target", "WrittenFile", "target_of_ctas", "target_of_table", "target_of_unload", "write_rows"]

MOST_WRITERS = 100
_BATCH_ROWS = 65_536
_LINES = frozenset({"TEXTFILE", "JSON", "CSV"})
_Place = tuple[tuple[str | None, ...], int]
Creator = Callable[[str], BinaryIO]
"""Makes the file of a key below the target's location; it is there when the stream is closed."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was written: its key below the target's location, and its partition's values as text."""

    key: str
    rows: int
    values: tuple[str | None, ...] = ()


def write_rows(
    connection: duckdb.DuckDBPyConnection, select: str, target: Target, create: Creator
) -> list[WrittenFile]:
    """Writes the rows of `select`, whose columns are `target.columns` in their order.

    Raises AthenaFault; what was written until then stays.
    """
    writing = _Writing(target, create)
    try:
        text = _prepared(select, target)
        install(connection, text)
        reader = connection.execute(text).to_arrow_reader(_BATCH_ROWS)
        for batch in reader:
            writing.add(batch)
    except BaseException:
        writing.abandon()
        raise
    return writing.finish()


def _prepared(select: str, target: Target) -> str:
    """The query with what a file holds first, then the texts of the partition keys and what buckets are made of."""
    names = [f"c{at}" for at in range(len(target.columns))]
    types = [parse_type(column.type) for column in target.columns]
    count = len(target.data_columns)
    cast = [f"CAST({name} AS {duckdb_text(type_)})" for name, type_ in zip(names, types, strict=True)]
    lines = target.format in _LINES
    content = [line_text(target, cast[:count], types[:count])] if lines else cast[:count]
    keys = [hive_text(value, type_) for value, type_ in zip(cast[count:], types[count:], strict=True)]
    buckets = [cast[[column.name for column in target.columns].index(name)] for name in target.bucketed_by]
    shown = ", ".join([*content, *keys, *buckets])
    return f"SELECT {shown} FROM ({select}) AS t({', '.join(names)})"  # noqa: S608 (from quoted and translated parts)


class _Writing:
    """The open files of a target."""

    def __init__(self, target: Target, create: Creator) -> None:
        self._target, self._create = target, create
        self._writers: dict[_Place, tuple[str, FileWriter]] = {}
        lines = target.format in _LINES
        self._width = 1 if lines else len(target.data_columns)
        fields = [pa.field(one.name, arrow_type(parse_type(one.type))) for one in target.data_columns]
        self._schema = pa.schema([pa.field("line", pa.string())] if lines else fields)

    def add(self, batch: pa.RecordBatch) -> None:
        """Writes a batch, each row where it belongs."""
        content = pa.Table.from_arrays(batch.columns[: self._width], schema=_named(self._schema, batch))
        content = content.cast(self._schema)
        for place, rows in self._places(batch):
            self._writer(place).write(content if rows is None else content.take(rows))

    def finish(self) -> list[WrittenFile]:
        """Closes all files."""
        return [
            WrittenFile(key, writer.close(), values) for (values, _), (key, writer) in self._writers.items()
        ]  # fmt: skip

    def abandon(self) -> None:
        """Closes what can be closed, whatever comes of it."""
        for _, writer in self._writers.values():
            writer.abandon()

    def _places(self, batch: pa.RecordBatch) -> Iterator[tuple[_Place, pa.Array | None]]:
        keys = batch.columns[self._width : self._width + len(self._target.partition_keys)]
        of_buckets = batch.columns[self._width + len(keys) :]
        if not keys and not of_buckets:
            yield ((), 0), None
            return
        columns = [*keys, pa.array(_buckets(self._target, of_buckets, batch.num_rows))]
        names = [f"k{at}" for at in range(len(columns))]
        grouped = (
            pa.table([*columns, pa.array(range(batch.num_rows))], [*names, "row"])
            .group_by(names)
            .aggregate([("row", "list")])
        )
        for group in grouped.to_batches():
            values = zip(*(group.column(name).to_pylist() for name in names), strict=True)
            for (*texts, bucket), rows in zip(values, group.column("row_list"), strict=True):
                yield (tuple(text or None for text in texts), int(bucket)), rows.values

    def _writer(self, place: _Place) -> FileWriter:
        if place not in self._writers:
            if len(self._writers) >= MOST_WRITERS:
                problem = f"Exceeded limit of {MOST_WRITERS} open writers for partitions/buckets"
                raise AthenaFault("HIVE_TOO_MANY_OPEN_PARTITIONS", problem)
            key = self._key(*place)
            self._writers[place] = (key, new_writer(self._target, self._schema, self._create(key)))
        return self._writers[place][1]

    def _key(self, values: Sequence[str | None], bucket: int) -> str:
        stem = self._target.file_stem
        name = f"{bucket:06d}_0_{stem}" if self._target.bucketed_by else stem
        folder = f"{partition_name(self._target.partition_keys, values)}/" if values else ""
        return folder + name + file_suffix(self._target)


def _buckets(target: Target, columns: Sequence[pa.Array], rows: int) -> Sequence[int]:
    if not columns:
        return [0] * rows
    types = {column.name: parse_type(column.type) for column in target.columns}
    numbers: Sequence[int] = bucket_numbers(
        columns, [types[name] for name in target.bucketed_by], target.bucket_count
    ).tolist()
    return numbers


def _named(schema: pa.Schema, batch: pa.RecordBatch) -> pa.Schema:
    """The batch's own types under the schema's names."""
    return pa.schema([pa.field(one.name, found.type) for one, found in zip(schema, batch.schema, strict=False)])

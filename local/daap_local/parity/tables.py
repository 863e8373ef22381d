"""A table as those see it who query it: catalogue, snapshots, all rows, the newest ones, the preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from daap.engines.duckdb.sql import identifier
from daap.errors import Cancelled, DaapError, StoreUnavailable
from daap.model.loads import Receipt, TableRef
from daap.model.names import LOAD_TIMESTAMP
from daap.model.table import TableSchema
from daap.ports.query import ArrowStream
from daap_local.parity.differences import Difference, Kind
from daap_local.parity.rows import RowBench
from daap_local.parity.sides import Side
from daap_local.parity.snapshots import arrow_columns, differ_columns, parquet_files
from daap_local.parity.telling import Table, tell_rows

PREVIEWED = 100
"""Rows of a preview."""

Pair = tuple[Side, Side]


def compare_catalogues(pair: Pair, ref: TableRef) -> Iterator[Difference]:
    """The columns that the catalogues tell, and the snapshots that they show."""
    ((_, expected),) = pair[0].columns(ref).items()
    for who, columns in pair[1].columns(ref).items():
        words = f"the columns by {who} are others"
        if difference := differ_columns(pair, (expected, columns), Kind.CATALOGUE, ref.table, words):
            yield difference
    shown = [", ".join(side.lake.catalogue.snapshots(ref)) or "none" for side in pair]
    if shown[0] != shown[1]:
        said = {side.name: stamps for side, stamps in zip(pair, shown, strict=True)}
        yield Difference(Kind.SNAPSHOTS, ref.table, "the snapshots that can be seen differ", said)


def compare_queries(pair: Pair, ref: TableRef, schema: TableSchema, bench: RowBench) -> Iterator[Difference]:
    """All rows of a table, and of its view of the newest snapshot, as both engines answer them."""
    for name in (ref.table.lower(), f"{ref.table.lower()}_latest"):
        sql = f"SELECT * FROM {identifier(ref.database)}.{identifier(name)}"  # noqa: S608 - quoted
        yield from _compare_answers(pair, sql, ref, schema, bench)


def _compare_answers(pair: Pair, sql: str, ref: TableRef, schema: TableSchema, bench: RowBench) -> Iterator[Difference]:
    answers = [_ask(lambda side=side: side.query.query(sql)) for side in pair]  # type: ignore[misc]
    yield from _refusals(pair, answers, Kind.QUERY, ref, f"{sql} fails")
    readers = [answer for answer in answers if not isinstance(answer, DaapError)]
    if len(readers) != len(pair):
        return
    told = [arrow_columns(reader.schema) for reader in readers]
    if difference := differ_columns(pair, told, Kind.QUERY, ref.table, f"the columns of {sql} differ"):
        yield difference
    shared = {name for name, _ in told[1]}
    columns = [name for name, _ in told[0] if name in shared]
    found = bench.compare_streams(readers[0], readers[1], columns, padded_columns(schema))
    if found.odd:
        names = (pair[0].name, pair[1].name)
        yield tell_rows(names, found, Table(ref.table, schema, columns), Kind.QUERY, f"{sql}: ")


def _ask(asked: Callable[[], ArrowStream]) -> pa.RecordBatchReader | DaapError:
    """The answer, or why there is none; raises StoreUnavailable, and Cancelled."""
    try:
        return pa.RecordBatchReader.from_stream(asked())
    except (StoreUnavailable, Cancelled):
        raise
    except DaapError as error:
        return error


def _refusals(
    sides: Sequence[Side], answers: Sequence[object], kind: Kind, ref: TableRef, words: str
) -> Iterator[Difference]:
    for side, answer in zip(sides, answers, strict=True):
        if isinstance(answer, DaapError):
            yield Difference(kind, ref.table, words, {side.name: str(answer)})


def padded_columns(schema: TableSchema) -> set[str]:
    """The columns that Athena pads with spaces when it reads them: those of type char, whose values end in none."""
    return {column.name for column in schema.columns if column.type.kind == "char"}


def compare_previews(
    pair: Pair, ref: TableRef, schema: TableSchema, newest: tuple[Receipt, Receipt], bench: RowBench, scratch: Path
) -> Iterator[Difference]:
    """The preview of each side: as many rows as there are, up to a hundred, each of them one of the newest snapshot."""
    for side, receipt in zip(pair, newest, strict=True):
        preview = _ask(lambda side=side: side.query.preview(ref, PREVIEWED))  # type: ignore[misc]
        yield from _refusals((side,), (preview,), Kind.PREVIEW, ref, "the preview fails")
        if isinstance(preview, DaapError):
            continue
        yield from _compare_names(side, ref, schema, preview.schema.names)
        columns = [column.name for column in schema.columns if column.name in preview.schema.names]
        with parquet_files(side, (receipt,), scratch) as files:
            found = bench.compare_part(preview, files, columns, padded_columns(schema))
        wanted = min(PREVIEWED, receipt.rows_written or 0)
        if found.left or found.counts[0] != wanted:
            said = {side.name: f"{found.counts[0]} rows, {sum(odd.times for odd in found.left)} of them strange"}
            yield Difference(Kind.PREVIEW, ref.table, f"the preview is not {wanted} rows of the newest snapshot", said)


def _compare_names(side: Side, ref: TableRef, schema: TableSchema, found: Sequence[str]) -> Iterator[Difference]:
    wanted = [*(column.name for column in schema.columns), LOAD_TIMESTAMP]
    if list(found) != wanted:
        said = {side.name: ", ".join(found), "the spec": ", ".join(wanted)}
        yield Difference(Kind.PREVIEW, ref.table, "the preview has other columns than the spec", said)

"""The Parquet of one load on either side: columns with their types, and rows."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from daap.model.loads import Receipt
from daap.model.table import TableSchema
from daap_local.parity.differences import SHOWN, Difference, Example, Kind
from daap_local.parity.plan import Upload
from daap_local.parity.rows import RowBench
from daap_local.parity.sides import Columns, Side
from daap_local.parity.telling import Table, tell_rows

_ARROW = {
    "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "float": "float",
    "double": "double", "string": "string", "large_string": "string", "date32[day]": "date",
}  # fmt: skip


def type_name(type_: pa.DataType) -> str:
    """An Arrow type by the name that specs give it; the unit of a timestamp and the width of a decimal are left out."""
    if pa.types.is_timestamp(type_):
        return "timestamp" if type_.tz is None else str(type_)
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    return _ARROW.get(str(type_), str(type_))


def arrow_columns(schema: pa.Schema) -> Columns:
    """Names and types of an Arrow schema."""
    return [(field.name, type_name(field.type)) for field in schema]


@contextmanager
def parquet_files(side: Side, receipts: Sequence[Receipt], scratch: Path) -> Iterator[list[Path]]:
    """The files of snapshots as paths of this machine; those of a bucket are fetched for as long as the block lasts."""
    folder = scratch / uuid.uuid4().hex
    try:
        keys = [file.key for receipt in receipts for file in receipt.output_files]
        yield [_fetch(side, key, folder / f"{place}.parquet") for place, key in enumerate(keys)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(side: Side, key: str, target: Path) -> Path:
    location = side.lake.locate(key)
    if location.startswith("/"):
        return Path(location)
    target.parent.mkdir(parents=True, exist_ok=True)
    with side.lake.store.open(key) as stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)
    return target


def compare_snapshots(
    pair: tuple[Side, Side], upload: Upload, receipts: tuple[Receipt, Receipt], schema: TableSchema, bench: RowBench,
    scratch: Path,
) -> Iterator[Difference]:  # fmt: skip
    """The Parquet that came of one file: columns and types in every file, and all rows."""
    with (
        parquet_files(pair[0], receipts[:1], scratch) as left,
        parquet_files(pair[1], receipts[1:], scratch) as right,
    ):
        told = [_columns_of(files) for files in (left, right)]
        if difference := differ_columns(
            pair, told, Kind.SCHEMA, upload.table, "the columns of the Parquet files differ"
        ):
            yield replace(difference, file=upload.path.name)
        shared = {name for name, _ in told[1]}
        columns = [name for name, _ in told[0] if name in shared]
        found = bench.compare_files(left, right, columns)
        if found.odd or found.counts[0] != found.counts[1]:
            names = (pair[0].name, pair[1].name)
            yield tell_rows(names, found, Table(upload.table, schema, columns, upload), Kind.ROWS)


def _columns_of(files: Sequence[Path]) -> Columns:
    """The columns of all files; one that differs from the first is told by its number."""
    listed = [arrow_columns(pq.read_schema(file)) for file in files]
    strange = next((place for place, columns in enumerate(listed) if columns != listed[0]), 0)
    return listed[0] if not strange else [*listed[0], (f"file {strange + 1}", str(listed[strange]))] if listed else []


def differ_columns(
    pair: tuple[Side, Side], told: Sequence[Columns], kind: Kind, table: str, words: str
) -> Difference | None:
    """The difference between two lists of columns, which have to be alike in names, types and order."""
    one, other = (dict(columns) for columns in told)
    if list(told[0]) == list(told[1]):
        return None
    names = [pair[0].name, pair[1].name]
    examples = [
        Example(f"column {name}", dict(zip(names, (one.get(name, "none"), other.get(name, "none")), strict=True)))
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    ] or [Example("order", dict(zip(names, (", ".join(one), ", ".join(other)), strict=True)))]
    said = dict(zip(names, (f"{len(columns)} columns" for columns in told), strict=True))
    return Difference(kind, table, words, said, None, len(examples), tuple(examples[:SHOWN]))

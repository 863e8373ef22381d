"""The files of a bucketed table that can hold the rows a query wants, where it says what its bucket columns equal.

Source: Trino's HiveBucketing.getHiveBucketFilter, and the file names of BackgroundHiveSplitLoader (trino-hive).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from daap_local.athena.execution.context import Job
from daap_local.athena.execution.pruning import rows_source
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.buckets import bucket_numbers
from daap_local.athena.hive.predicates import conjuncts
from daap_local.athena.hive.reading import DataFile
from daap_local.athena.hive.types import parse_type
from daap_local.athena.tables import ColumnDef, GlueTable

_NUMBER = re.compile(r"bucket-(\d+)(?:[-_.][^/]*)?$|/(0\d+)_\d+[^/]*$")
_MOST = 1000
"""More combinations of values than this are not tried: all files are read then."""


def bucket_keys(table: GlueTable) -> tuple[ColumnDef, ...]:
    """The columns that a table is bucketed by; none where it has partitions, which are pruned instead."""
    if table.partition_keys or table.storage.buckets <= 0:
        return ()
    named = {column.name: column for column in table.columns}
    found = [named.get(name.lower()) for name in table.storage.bucket_columns]
    return () if None in found else tuple(column for column in found if column)


def prune_buckets(job: Job, table: GlueTable, files: Sequence[DataFile], predicate: str | None) -> Sequence[DataFile]:
    """The files in which wanted rows can be: all of them, unless every one says its bucket and the values are known."""
    keys = bucket_keys(table)
    places = [_NUMBER.search(file.url) for file in files]
    if not keys or not predicate or None in places:
        return files
    wanted = _wanted(job, table, keys, predicate)
    if wanted is None:
        return files
    return [file for file, place in zip(files, places, strict=True) if place and int(place[1] or place[2]) in wanted]


def _wanted(job: Job, table: GlueTable, keys: Sequence[ColumnDef], predicate: str) -> set[int] | None:
    """The numbers of the buckets, or None where the predicate leaves them open."""
    found = [_values(key, predicate) for key in keys]
    known = [values for values in found if values]
    if len(known) != len(keys) or len(rows := list(itertools.islice(itertools.product(*known), _MOST + 1))) > _MOST:
        return None
    try:
        return _numbers(job.session.prepare(predicate), table, keys, rows, predicate)
    except (duckdb.Error, AthenaFault):
        return None


def _values(key: ColumnDef, predicate: str) -> tuple[str, ...]:
    """The texts of all values that a column can have."""
    if key.type == "boolean":
        return ("true", "false")
    told = [part.equal for part in conjuncts(predicate) if part.keys == {key.name}]
    return next((values for values in told if values), ())


def _numbers(
    connection: duckdb.DuckDBPyConnection, table: GlueTable, keys: Sequence[ColumnDef],
    rows: Sequence[tuple[str, ...]], predicate: str,
) -> set[int]:  # fmt: skip
    source = rows_source(connection, keys, rows)
    # S608: the translation's own predicate, over a source made here
    found: pa.Table = connection.execute(f"SELECT * FROM ({source}) WHERE {predicate}").to_arrow_table()  # noqa: S608
    if not found.num_rows:
        return set()
    columns = [column.combine_chunks() for column in found.columns]
    numbers = bucket_numbers(columns, [parse_type(key.type) for key in keys], table.storage.buckets)
    return set(numbers.tolist())

"""The partitions that a query has to read, and rows of text as a source of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from daap.engines.duckdb.sql import identifier
from daap_local.athena.execution.context import Job
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.projection import is_projected, projected_partitions
from daap_local.athena.sql import duckdb_type, parse_type
from daap_local.athena.tables import ColumnDef, GlueTable, Partition

NULL_VALUE = "__HIVE_DEFAULT_PARTITION__"
_PLACE = "daap_place"

Text = str | int | None


def prune(job: Job, table: GlueTable, predicate: str | None) -> list[Partition]:
    """The partitions in which rows can be that the query wants."""
    connection = job.session.prepare(predicate or "")
    if is_projected(table):
        return list(projected_partitions(table, predicate, connection, datetime.now(UTC)))
    found = job.partitions(table)
    return _matching(connection, table, found, predicate) if predicate and found else found


def _matching(
    connection: duckdb.DuckDBPyConnection, table: GlueTable, partitions: list[Partition], predicate: str
) -> list[Partition]:
    """Those for which the predicate is true: DuckDB itself judges the values, typed as the keys are."""
    keys = [*table.partition_keys, ColumnDef(_PLACE, "bigint")]
    rows = [(*nulled(one.values), place) for place, one in enumerate(partitions)]
    source = rows_source(connection, keys, rows)
    # S608: the translation's own predicate, over a source of this module's
    statement = f"SELECT {_PLACE} FROM ({source}) WHERE {predicate} ORDER BY 1"  # noqa: S608
    try:
        wanted = connection.execute(statement).fetchall()
    except duckdb.ConversionException as error:
        raise AthenaFault("HIVE_INVALID_PARTITION_VALUE", f"Invalid partition value: {error}") from error
    return [partitions[place] for (place,) in wanted]


def nulled(values: Iterable[str]) -> list[str | None]:
    """Partition values with None for the default partition."""
    return [None if value == NULL_VALUE else value for value in values]


def partitions_source(job: Job, table: GlueTable) -> str:
    """`"t$partitions"`: the values of the keys, one row a partition."""
    rows = [tuple(nulled(one.values)) for one in prune(job, table, None)]
    return rows_source(job.session.connect(), table.partition_keys, rows)


def rows_source(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[ColumnDef], rows: Sequence[Sequence[Text]]
) -> str:
    """Rows of text as a SELECT, each column cast to its type; they are registered in the connection."""
    names = [f"v{place}" for place in range(len(columns))]
    texts = [[None if row[at] is None else str(row[at]) for row in rows] for at in range(len(columns))]
    name = f"rows_{id(texts):x}_{len(rows)}"
    connection.register(name, pa.table([pa.array(column, pa.string()) for column in texts], names=names))
    casts = ", ".join(
        f"CAST({source} AS {duckdb_type(parse_type(column.type))}) AS {identifier(column.name)}"
        for source, column in zip(names, columns, strict=True)
    )
    return f"SELECT {casts} FROM {name}"  # noqa: S608 - quoted names, and types made here

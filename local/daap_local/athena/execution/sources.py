"""What a query's tables are made of: partitions pruned first, then the files listed, then read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import duckdb

from daap.engines.duckdb.sql import identifier, literal
from daap_local.athena.execution.context import Job
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.paths import is_hidden
from daap_local.athena.hive.projection import is_projected, projected_partitions
from daap_local.athena.hive.reading import DataFile, select_files
from daap_local.athena.objects.port import CanLocate, ObjectInfo, split_uri
from daap_local.athena.sql import Scan, duckdb_type, parse_type
from daap_local.athena.tables import ColumnDef, GlueTable, Partition

HIDDEN = (("$path", "varchar"), ("$file_size", "bigint"), ("$file_modified_time", "timestamp(3) with time zone"),
          ("$partition", "varchar"))  # fmt: skip
NULL_VALUE = "__HIVE_DEFAULT_PARTITION__"
_WHOLE_LISTING = 10


def source_of(job: Job, scan: Scan, table: GlueTable) -> str:
    """A SELECT of what one reading of a table yields; counts what it touches."""
    partitions = prune(job, table, scan.predicate) if table.partition_keys else None
    files = list_files(job, table, partitions)
    usage = job.execution.usage
    usage.files += len(files)
    usage.partitions += len(partitions or ())
    usage.bytes += sum(file.size for file in files)
    return select_files(table, files, job.session.connect(), job.open, only=scan.columns, footers=job.world.footers)


def prune(job: Job, table: GlueTable, predicate: str | None) -> list[Partition]:
    """The partitions in which rows can be that the query wants."""
    connection = job.session.connect()
    if is_projected(table):
        return list(projected_partitions(table, predicate, connection, datetime.now(UTC)))
    found = job.partitions(table)
    return _matching(connection, table, found, predicate) if predicate and found else found


def _matching(
    connection: duckdb.DuckDBPyConnection, table: GlueTable, partitions: list[Partition], predicate: str
) -> list[Partition]:
    """Those for which the predicate is true: DuckDB itself judges the values, typed as the keys are."""
    rows = [(place, *_nulled(one.values)) for place, one in enumerate(partitions)]
    names = [f"v{place}" for place in range(len(table.partition_keys))]
    keys = ", ".join(
        f"CAST({name} AS {duckdb_type(parse_type(key.type))}) AS {identifier(key.name)}"
        for name, key in zip(names, table.partition_keys, strict=True)
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE pruning (place INTEGER, {', '.join(f'{n} VARCHAR' for n in names)})"
    )
    connection.executemany(f"INSERT INTO pruning VALUES (?{', ?' * len(names)})", rows)
    try:
        wanted = connection.execute(
            f"SELECT place FROM (SELECT place, {keys} FROM pruning) WHERE {predicate} ORDER BY place"
        ).fetchall()
    except duckdb.ConversionException as error:
        raise AthenaFault("HIVE_INVALID_PARTITION_VALUE", f"Invalid partition value: {error}") from error
    finally:
        connection.execute("DROP TABLE pruning")
    return [partitions[place] for (place,) in wanted]


def _nulled(values: Iterable[str]) -> list[str | None]:
    return [None if value == NULL_VALUE else value for value in values]


def list_files(job: Job, table: GlueTable, partitions: Sequence[Partition] | None) -> list[DataFile]:
    """The data files of a table, or of some of its partitions."""
    job.session.check()
    if partitions is None:
        return [_data_file(job, info, (), None) for info in _below(job, table.storage.location)]
    listed: dict[str, list[ObjectInfo]] = {}
    found = []
    for partition in partitions:
        job.session.check()
        folder = as_folder(partition.storage.location)
        infos = listed[folder] if folder in listed else listed.setdefault(folder, _below(job, folder))
        values = tuple(_nulled(partition.values))
        found += [_data_file(job, info, values, partition) for info in infos]
    return found


def _below(job: Job, location: str) -> list[ObjectInfo]:
    """The objects that hold data: empty ones, and those that begin with a point or an underscore, do not."""
    found = job.objects.list(as_folder(location)) if location else ()
    return [info for info in found if info.size and not is_hidden(info.uri)]


def as_folder(location: str) -> str:
    """A location with a slash at its end."""
    return location if location.endswith("/") else f"{location}/"


def _data_file(job: Job, info: ObjectInfo, values: tuple[str | None, ...], partition: Partition | None) -> DataFile:
    path = job.objects.locate(info.uri) if isinstance(job.objects, CanLocate) else None
    return DataFile(info.uri, info.size, info.modified, values, path, partition.storage if partition else None)


def partitions_source(job: Job, table: GlueTable) -> str:
    """`"t$partitions"`: the values of the keys, one row a partition."""
    found = prune(job, table, None)
    rows = [tuple(_nulled(one.values)) for one in found]
    return values_source(table.partition_keys, rows)


def values_source(columns: Sequence[ColumnDef], rows: Sequence[Sequence[str | int | None]]) -> str:
    """Rows of text as a SELECT, each column cast to its type."""
    names = [f"v{place}" for place in range(len(columns))]
    casts = ", ".join(
        f"CAST({name} AS {duckdb_type(parse_type(column.type))}) AS {identifier(column.name)}"
        for name, column in zip(names, columns, strict=True)
    )
    if not rows:
        nothing = ", ".join(f"NULL::VARCHAR AS {name}" for name in names)
        return f"SELECT {casts} FROM (SELECT {nothing}) WHERE false"
    listed = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"SELECT {casts} FROM (VALUES {listed}) AS given({', '.join(names)})"


def _literal(value: str | int | None) -> str:
    return "NULL" if value is None else literal(str(value))


def bucket_of(location: str) -> str:
    """The bucket of a location."""
    return split_uri(location)[0]

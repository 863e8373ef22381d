"""CTAS, INSERT INTO and UNLOAD: rows written as files, then made known.

Source: https://docs.aws.amazon.com/athena/latest/ug/ctas.html, .../insert-into.html and .../unload.html
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from daap_local.athena import statements as s
from daap_local.athena.catalog.convert import VIEW, table_input
from daap_local.athena.catalog.faults import EntityExists, EntityMissing
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.metafile import ColumnInfo
from daap_local.athena.execution.partitions import partition_input
from daap_local.athena.execution.pruning import NULL_VALUE
from daap_local.athena.execution.record import Outcome, result_location
from daap_local.athena.execution.resolving import Planned, plan, refuse_foreign
from daap_local.athena.execution.results import write_manifest, write_metadata
from daap_local.athena.execution.sources import as_folder
from daap_local.athena.execution.views import check_columns
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.paths import partition_values
from daap_local.athena.hive.projection import is_projected, projected_location
from daap_local.athena.hive.tables import as_select_table
from daap_local.athena.hive.writing import (
    Target,
    WrittenFile,
    target_of_ctas,
    target_of_table,
    target_of_unload,
    write_rows,
)  # fmt: skip
from daap_local.athena.sql import ResultColumn, hive_type
from daap_local.athena.tables import ColumnDef, GlueTable, TableName

_ROWS = [ColumnInfo("rows", "bigint", 19)]


@dataclass(slots=True)
class _Files:
    """The files that a statement writes: they go again if it fails."""

    job: Job
    place: Callable[[str], str]
    """Where a key that the writer names is to lie."""
    uris: list[str] = field(default_factory=list)

    def create(self, key: str) -> BinaryIO:
        """Opens one of them."""
        uri = self.place(key)
        self.uris.append(uri)
        return self.job.objects.create(uri)

    def remove(self) -> None:
        """Takes back what was written."""
        for uri in self.uris:
            self.job.objects.delete(uri)


def _stem(job: Job) -> str:
    return f"{job.started:%Y%m%d_%H%M%S}_00000_{job.request.id[:5]}_{uuid.uuid4()}"


def _write(job: Job, sql: str, target: Target, files: _Files) -> list[WrittenFile]:
    job.check_cutoff()
    job.session.check()
    return write_rows(job.session.connect(), sql, target, files.create)


def _column_defs(columns: Sequence[ResultColumn]) -> list[ColumnDef]:
    return [ColumnDef(column.name.lower(), hive_type(column.type)) for column in columns]


def create_table_as(job: Job, statement: s.CreateTableAs) -> Outcome:
    """CREATE TABLE AS: the files first, then the table, then its partitions."""
    database, name = job.full_name(statement.name)
    if not _is_free(job, statement):
        return _finish(job, 0, [])
    location = _ctas_location(job, statement)
    planned = plan(job, statement.query, job.request.parameters)
    check_columns(planned.translated.columns)
    target = target_of_ctas(statement.properties, _column_defs(planned.translated.columns), _stem(job))
    files = _Files(job, lambda key: f"{location}{key}")
    try:
        written = _write(job, planned.translated.sql(planned.sources), target, files) if statement.with_data else []
        job.session.check()
        _make_table(job, target, database, name, location)
        _make_partitions(job, database, name, target, written)
    except BaseException:
        files.remove()
        raise
    return _finish(job, sum(file.rows for file in written), files.uris)


def _is_free(job: Job, statement: s.CreateTableAs) -> bool:
    database, name = job.full_name(statement.name)
    try:
        job.catalog.database(database)
    except EntityMissing:
        raise AthenaFault("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist") from None
    if job.find(statement.name) is None:
        return True
    if statement.if_not_exists:
        return False
    where = f"awsdatacatalog.{database}.{name}"
    raise AthenaFault("TABLE_ALREADY_EXISTS", f"line 1:1: Destination table '{where}' already exists")


def _ctas_location(job: Job, statement: s.CreateTableAs) -> str:
    """The folder that the statement names, which has to be empty, or one of its own below the results."""
    given = statement.properties.get("external_location")
    if given is None:
        return f"{result_location(job.request)}/"
    if not isinstance(given, str):
        raise AthenaFault("INVALID_TABLE_PROPERTY", "external_location has to be a text")
    if job.request.enforced:
        raise AthenaFault(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to "
            "an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
            "'external_location' property and resubmit the query.",
        )
    location = as_folder(given)
    _check_empty(job, location)
    return location


def _check_empty(job: Job, location: str) -> None:
    if next(iter(job.objects.list(location)), None) is not None:
        raise AthenaFault("HIVE_PATH_ALREADY_EXISTS", f"Target directory for table already exists: {location}")


def _make_table(job: Job, target: Target, database: str, name: str, location: str) -> None:
    table = as_select_table(
        database, name, target.columns, target.partition_keys, target.format, location,
        dict(target.serde_properties), (target.bucketed_by, target.bucket_count or -1), int(time.time()),
    )  # fmt: skip
    try:
        job.catalog.create_table(database, {**table_input(table), "Owner": "hadoop"})
    except EntityExists:
        where = f"awsdatacatalog.{database}.{name}"
        raise AthenaFault("TABLE_ALREADY_EXISTS", f"line 1:1: Destination table '{where}' already exists") from None


def _make_partitions(job: Job, database: str, name: str, target: Target, written: Sequence[WrittenFile]) -> None:
    if target.partition_keys:
        table = job.table(TableName(name, database))
        given = [partition_input(table, values) for values in _values_written(written)]
        job.catalog.create_partitions(database, name, given)


def _values_written(written: Sequence[WrittenFile]) -> list[tuple[str, ...]]:
    """The values of the partitions in which files were written, as the catalogue has them."""
    found = {tuple(NULL_VALUE if value is None else value for value in file.values) for file in written}
    return sorted(found)


def insert_into(job: Job, statement: s.InsertInto) -> Outcome:
    """INSERT INTO: files beside those of the table, and the partitions that are new."""
    table = _insertable(job, statement.name)
    wanted = _insert_columns(table, statement.columns)
    planned = plan(job, statement.query, job.request.parameters)
    planned = _coerced(planned, wanted)
    target = target_of_table(table, _stem(job))
    sql = _reordered(planned.translated.sql(planned.sources), wanted, target.columns)
    known = {tuple(one.values): one.storage.location for one in job.partitions(table)} if table.partition_keys else {}
    files = _Files(job, lambda key: _insert_place(table, known, key))
    try:
        written = _write(job, sql, target, files)
        job.session.check()
        fresh = [values for values in _values_written(written) if values not in known] if table.partition_keys else []
        given = [partition_input(table, one, _projected_place(table, one)) for one in fresh]
        job.catalog.create_partitions(table.database, table.name, given)
    except BaseException:
        files.remove()
        raise
    return _finish(job, sum(file.rows for file in written), files.uris)


def _insertable(job: Job, name: TableName) -> GlueTable:
    table = job.find(name)
    database, found = job.full_name(name)
    if table is None:
        raise AthenaFault("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{found}' does not exist")
    if table.table_type == VIEW:
        raise AthenaFault("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
    refuse_foreign(table)
    return table


def _insert_columns(table: GlueTable, named: Sequence[str]) -> list[ColumnDef]:
    """The columns that the query's are for, in its order."""
    known = {column.name: column for column in (*table.columns, *table.partition_keys)}
    if not named:
        return list(known.values())
    wanted = [name.lower() for name in named]
    for name in wanted:
        if name not in known:
            raise AthenaFault(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {name}"
            )
        if wanted.count(name) > 1:
            raise AthenaFault(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Insert column name is specified more than once: {name}"
            )
    return [known[name] for name in wanted]


def _coerced(planned: Planned, wanted: Sequence[ColumnDef]) -> Planned:
    from daap_local.athena.sql.translation import inserted  # noqa: PLC0415 - until the package names it itself

    pairs = [(column.name, column.type) for column in wanted]
    return Planned(inserted(planned.translated, pairs), planned.sources)


def _reordered(sql: str, given: Sequence[ColumnDef], columns: Sequence[ColumnDef]) -> str:
    """The query's columns in the table's order; those that it does not give are NULL."""
    places = {column.name: f"c{place}" for place, column in enumerate(given)}
    listed = ", ".join(places.get(column.name, "NULL") for column in columns)
    return f"SELECT {listed} FROM ({sql}) AS given({', '.join(places.values())})"  # noqa: S608 - own names


def _insert_place(table: GlueTable, known: dict[tuple[str, ...], str], key: str) -> str:
    """Where a file belongs: in its partition's own folder, if that lies elsewhere."""
    folder, _, name = key.rpartition("/")
    values = partition_values(folder, [one.name for one in table.partition_keys]) if folder else None
    if values is not None:
        texts = tuple(NULL_VALUE if value is None else value for value in values)
        place = _projected_place(table, texts) or known.get(texts)
        if place:
            return f"{as_folder(place)}{name}"
    return f"{as_folder(table.storage.location)}{key}"


def _projected_place(table: GlueTable, values: Sequence[str]) -> str | None:
    """The folder in which a query looks for a partition that is projected."""
    return projected_location(table, values) if is_projected(table) else None


def unload(job: Job, statement: s.Unload) -> Outcome:
    """UNLOAD: files in an empty folder, and no table."""
    location = as_folder(statement.to)
    _check_empty(job, location)
    planned = plan(job, statement.query, job.request.parameters)
    target = target_of_unload(statement.properties, _column_defs(planned.translated.columns), _stem(job))
    files = _Files(job, lambda key: f"{location}{key}")
    try:
        written = _write(job, planned.translated.sql(planned.sources), target, files)
    except BaseException:
        files.remove()
        raise
    return _finish(job, sum(file.rows for file in written), files.uris)


def _finish(job: Job, rows: int, uris: Sequence[str]) -> Outcome:
    """The manifest, the metadata, and the count."""
    location = result_location(job.request)
    manifest = f"{location}-manifest.csv"
    write_manifest(job.objects, manifest, uris)
    write_metadata(job, _ROWS, f"{location}.metadata")
    size = sum(job.objects.stat(uri).size for uri in uris)
    return Outcome(location, rows, size, rows, manifest)

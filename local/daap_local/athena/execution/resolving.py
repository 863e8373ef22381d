"""What the names in a query stand for: tables, views, a table's partitions, and information_schema."""

from __future__ import annotations

import re
from dataclasses import dataclass

from daap_local.athena.catalog.convert import VIEW
from daap_local.athena.catalog.faults import EntityMissing
from daap_local.athena.execution import information
from daap_local.athena.execution.bucketing import bucket_keys
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.pruning import partitions_source
from daap_local.athena.execution.sources import HIDDEN, source_of
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.views import decode_view
from daap_local.athena.sql import Relation, Translated, View, translate
from daap_local.athena.tables import GlueTable, TableName

PARTITIONS = "$partitions"
_NO_TABLE = re.compile(
    r"TABLE_NOT_FOUND: (?P<place>line \d+:\d+): Table '[^.']*\.(?P<schema>[^.']*)\.[^']*' does not exist"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A translated query, and a source for each of its scans."""

    translated: Translated
    sources: dict[str, str]


def plan(job: Job, sql: str, parameters: tuple[str, ...] = ()) -> Planned:
    """Translates a query, finds its tables, and opens what it has to read."""
    try:
        translated = translate(
            sql,
            lambda name: resolve(job, name),
            database=job.request.database,
            catalog=job.request.catalog,
            parameters=parameters,
            started=job.started,
        )
    except AthenaFault as fault:
        raise _schema_fault(job, fault) or fault from None
    job.session.check()
    sources = bind(job, translated)
    job.execution.mark("planned")
    return Planned(translated, sources)


def _schema_fault(job: Job, fault: AthenaFault) -> AthenaFault | None:
    """Where a table is not found because its whole database is not there, Trino speaks of that."""
    found = _NO_TABLE.match(str(fault))
    if found is None:
        return None
    try:
        job.catalog.database(found["schema"])
    except EntityMissing:
        return AthenaFault("SCHEMA_NOT_FOUND", f"{found['place']}: Schema '{found['schema']}' does not exist")
    return None


def bind(job: Job, translated: Translated) -> dict[str, str]:
    """A source for each scan."""
    found = {}
    for scan in translated.scans:
        if information.is_information(scan.name):
            found[scan.token] = information.source(job, scan)
        elif scan.name.table.lower().endswith(PARTITIONS):
            found[scan.token] = partitions_source(job, _partitioned(job, scan.name))
        else:
            found[scan.token] = source_of(job, scan, job.table(scan.name))
    return found


def _base(name: TableName) -> TableName:
    return TableName(name.table[: -len(PARTITIONS)], name.database, name.catalog)


def _partitioned(job: Job, name: TableName) -> GlueTable:
    return job.table(_base(name))


def resolve(job: Job, name: TableName) -> Relation | View | None:
    """Answers the translation's question for a name."""
    if information.is_information(name):
        return information.relation(name)
    if name.table.lower().endswith(PARTITIONS):
        table = job.find(_base(name))
        if table is None or not table.partition_keys:
            return None
        return Relation(tuple((key.name, key.type) for key in table.partition_keys))
    table = job.find(name)
    return relation_of(table) if table else None


def relation_of(table: GlueTable) -> Relation | View:
    """A table's columns, or a view's own SQL."""
    if table.table_type == VIEW:
        return view_of(table)
    refuse_foreign(table)
    columns = tuple((column.name, column.type) for column in (*table.columns, *table.partition_keys))
    keys = table.partition_keys or bucket_keys(table)
    return Relation(columns, tuple(key.name for key in keys), HIDDEN)


def refuse_foreign(table: GlueTable) -> None:
    """Raises for tables of kinds that are not read here."""
    kind = table.parameters.get("table_type", "").lower()
    if kind in ("iceberg", "hudi", "delta") or "delta.lastUpdateVersion" in table.parameters:
        raise AthenaFault("NOT_SUPPORTED", f"{kind or 'delta'} tables are not supported here: {table.name}")


def view_of(table: GlueTable) -> View:
    """A view's SQL, and the database in which its bare names are looked up."""
    sql, schema, _ = decode_view(table.view_sql or "")
    return View(sql, schema or table.database)

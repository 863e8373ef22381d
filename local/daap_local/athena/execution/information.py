"""information_schema: schemata, tables, columns and views, from the catalogue.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html
"""

from __future__ import annotations

from collections.abc import Iterator

from daap_local.athena.catalog.convert import VIEW, table_of
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.pruning import Text, rows_source
from daap_local.athena.hive.views import decode_view
from daap_local.athena.sql import Relation, Scan, parse_type
from daap_local.athena.tables import ColumnDef, GlueTable, TableName

_SCHEMA = "information_schema"
_CATALOG = "awsdatacatalog"
_KEYS = ("table_catalog", "table_schema", "table_name")
_TABLES: dict[str, tuple[str, ...]] = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": (*_KEYS, "table_type"),
    "columns": (*_KEYS, "column_name", "ordinal_position", "column_default", "is_nullable", "data_type", "comment",
                "extra_info"),
    "views": (*_KEYS, "view_definition"),
}  # fmt: skip
_NUMBERS = frozenset({"ordinal_position"})

Values = tuple[Text, ...]


def is_information(name: TableName) -> bool:
    """Whether a name is one of information_schema's."""
    return (name.database or "").lower() == _SCHEMA


def relation(name: TableName) -> Relation | None:
    """The columns of one of its tables."""
    columns = _TABLES.get(name.table.lower())
    return Relation(tuple((column, _type(column)) for column in columns)) if columns else None


def _type(column: str) -> str:
    return "bigint" if column in _NUMBERS else "varchar"


def source(job: Job, scan: Scan) -> str:
    """The rows of one of its tables."""
    table = scan.name.table.lower()
    columns = [ColumnDef(name, _type(name)) for name in _TABLES[table]]
    rows = {"schemata": _schemata, "tables": _table_rows, "columns": _column_rows, "views": _view_rows}[table](job)
    return rows_source(job.session.connect(), columns, list(rows))


def _schemata(job: Job) -> Iterator[Values]:
    for database in _databases(job):
        yield _CATALOG, database


def _databases(job: Job) -> list[str]:
    return [*(str(one["Name"]) for one in job.catalog.databases()), _SCHEMA]


def _all_tables(job: Job) -> Iterator[GlueTable]:
    for database in job.catalog.databases():
        for table in job.catalog.tables(database["Name"]):
            job.session.check()
            yield table_of(table)


def _table_rows(job: Job) -> Iterator[Values]:
    for table in _all_tables(job):
        yield _CATALOG, table.database, table.name, "VIEW" if table.table_type == VIEW else "BASE TABLE"
    for name in _TABLES:
        yield _CATALOG, _SCHEMA, name, "BASE TABLE"


def _column_rows(job: Job) -> Iterator[Values]:
    for table in _all_tables(job):
        keys = {key.name for key in table.partition_keys}
        for place, column in enumerate((*table.columns, *table.partition_keys), 1):
            extra = "partition key" if column.name in keys else None
            key = (_CATALOG, table.database, table.name)
            yield *key, column.name, place, None, "YES", _presto(column), column.comment, extra


def _presto(column: ColumnDef) -> str:
    return str(parse_type(column.type))


def _view_rows(job: Job) -> Iterator[Values]:
    for table in _all_tables(job):
        if table.table_type == VIEW and table.view_sql:
            yield _CATALOG, table.database, table.name, decode_view(table.view_sql)[0]

"""CREATE VIEW, SHOW CREATE VIEW, DESCRIBE VIEW."""

from __future__ import annotations

from collections.abc import Sequence

from daap_local.athena import statements as s
from daap_local.athena.catalog.convert import VIEW
from daap_local.athena.catalog.faults import EntityMissing
from daap_local.athena.catalog.port import Json
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.metafile import ColumnInfo
from daap_local.athena.execution.resolving import resolve
from daap_local.athena.execution.results import Text
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.showing import describe_rows, show_create_view
from daap_local.athena.hive.views import EXPANDED_TEXT, VIEW_PARAMETERS, encode_view
from daap_local.athena.sql import ResultColumn, hive_type, translate
from daap_local.athena.tables import GlueTable, TableName


def create_view(job: Job, statement: s.CreateView) -> None:
    """CREATE [OR REPLACE] VIEW: the query is checked, and kept with the columns it has now."""
    database, name = job.full_name(statement.name)
    before = job.find(statement.name)
    if before and (before.table_type != VIEW or not statement.or_replace):
        what = "View" if before.table_type == VIEW else "Table"
        raise AthenaFault("TABLE_ALREADY_EXISTS", f"line 1:1: {what} already exists: awsdatacatalog.{database}.{name}")
    found = translate(
        statement.query, lambda other: resolve(job, other), database=job.request.database or database,
        catalog=job.request.catalog, started=job.started,
    )  # fmt: skip
    check_columns(found.columns)
    presto = [(column.name, str(column.type)) for column in found.columns]
    given: Json = {
        "Name": name, "TableType": VIEW, "Parameters": dict(VIEW_PARAMETERS), "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": column.name, "Type": hive_type(column.type)} for column in found.columns],
            "Location": "", "SerdeInfo": {},
        },
        "ViewOriginalText": encode_view(statement.query, job.request.database or database, presto),
        "ViewExpandedText": EXPANDED_TEXT,
    }  # fmt: skip
    if statement.comment:
        given["Description"] = statement.comment
    _save(job, database, given, replace=before is not None)


def _save(job: Job, database: str, given: Json, *, replace: bool) -> None:
    try:
        if replace:
            job.catalog.update_table(database, given)
        else:
            job.catalog.create_table(database, given)
    except EntityMissing:
        raise AthenaFault("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist") from None


def check_columns(columns: Sequence[ResultColumn]) -> None:
    """Raises AthenaFault where a query's columns cannot be a view's or a table's: without names or types, or twice."""
    names = [column.name for column in columns]
    for place, column in enumerate(columns, 1):
        if not column.name or column.name == f"_col{place - 1}":
            raise AthenaFault("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {place}")
        if names.count(column.name) > 1:
            raise AthenaFault(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{column.name}' specified more than once"
            )
        if str(column.type) == "unknown":
            raise AthenaFault("COLUMN_TYPE_UNKNOWN", f"line 1:1: Column type is unknown: {column.name}")


def _view(job: Job, name: TableName) -> GlueTable:
    found = job.find(name)
    database, table = job.full_name(name)
    if found is None:
        raise AthenaFault("TABLE_NOT_FOUND", f"line 1:1: View 'awsdatacatalog.{database}.{table}' does not exist")
    if found.table_type != VIEW:
        raise AthenaFault(
            "NOT_SUPPORTED", f"line 1:1: Relation 'awsdatacatalog.{database}.{table}' is a table, not a view"
        )
    return found


def show_view(job: Job, statement: s.ShowCreateView) -> Text:
    """SHOW CREATE VIEW."""
    view = _view(job, statement.name)
    return Text([ColumnInfo("Create View", "string")], show_create_view(view, view.view_sql or ""))


def describe_view(job: Job, statement: s.DescribeView) -> Text:
    """DESCRIBE VIEW."""
    columns = [ColumnInfo(name, "string") for name in ("Column", "Type", "Extra", "Comment")]
    return Text(columns, describe_rows(_view(job, statement.name)))

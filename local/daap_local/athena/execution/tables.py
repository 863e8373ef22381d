"""CREATE EXTERNAL TABLE, DROP, and the ALTER TABLEs that touch no partition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from daap_local.athena import statements as s
from daap_local.athena.catalog.convert import VIEW, as_input, columns_input, table_input
from daap_local.athena.catalog.faults import EntityExists, EntityMissing
from daap_local.athena.catalog.port import Json
from daap_local.athena.execution.context import Job
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.tables import glue_table
from daap_local.athena.tables import ColumnDef, TableName

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


def create_table(job: Job, statement: s.CreateTable) -> None:
    """CREATE EXTERNAL TABLE."""
    database, name = job.full_name(statement.name)
    table = glue_table(statement, database, int(time.time()))
    try:
        job.catalog.create_table(database, {**table_input(table), "Name": name, "Owner": "hadoop"})
    except EntityExists:
        if not statement.if_not_exists:
            inner = f"AlreadyExistsException(message:Table {name} already exists)"
            raise AthenaFault("FAILED", f"{_TASK}{inner}") from None
    except EntityMissing:
        raise AthenaFault("FAILED", f"SemanticException [Error 10072]: Database does not exist: {database}") from None


def drop_table(job: Job, statement: s.DropTable) -> None:
    """DROP TABLE: the files stay, as an external table's do. A view goes too, as in Athena."""
    found = _existing(job, statement.name)
    if found is None:
        if statement.if_exists:
            return
        raise AthenaFault("FAILED", f"SemanticException [Error 10001]: Table not found {statement.name.table}")
    job.catalog.delete_table(*job.full_name(statement.name))


def drop_view(job: Job, statement: s.DropView) -> None:
    """DROP VIEW."""
    found = _existing(job, statement.name)
    database, name = job.full_name(statement.name)
    if found is None:
        if statement.if_exists:
            return
        raise AthenaFault("TABLE_NOT_FOUND", f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist")
    if found.get("TableType") != VIEW:
        raise AthenaFault("NOT_SUPPORTED", f"line 1:1: 'awsdatacatalog.{database}.{name}' is a table, not a view")
    job.catalog.delete_table(database, name)


def _existing(job: Job, name: TableName) -> Json | None:
    try:
        return job.json(name)
    except EntityMissing:
        return None


def add_columns(job: Job, statement: s.AddColumns) -> None:
    """ALTER TABLE ADD COLUMNS."""

    def change(columns: list[Json]) -> list[Json]:
        known = {column["Name"] for column in columns}
        for column in statement.columns:
            if column.name in known:
                raise AthenaFault("FAILED", f"{_TASK}Duplicate column name: {column.name}")
        return [*columns, *columns_input(statement.columns)]

    _change_columns(job, statement.name, change)


def replace_columns(job: Job, statement: s.ReplaceColumns) -> None:
    """ALTER TABLE REPLACE COLUMNS."""
    _change_columns(job, statement.name, lambda _columns: columns_input(statement.columns))


def change_column(job: Job, statement: s.ChangeColumn) -> None:
    """ALTER TABLE CHANGE COLUMN."""

    def change(columns: list[Json]) -> list[Json]:
        if statement.old not in [column["Name"] for column in columns]:
            raise AthenaFault("FAILED", f"{_TASK}Invalid column reference {statement.old}")
        return [_changed(column, statement.old, statement.column) for column in columns]

    _change_columns(job, statement.name, change)


def _changed(column: Json, old: str, new: ColumnDef) -> Json:
    if column["Name"] != old:
        return column
    comment = {"Comment": column["Comment"]} if column.get("Comment") else {}
    return {**comment, **columns_input([new])[0]}


def _change_columns(job: Job, name: TableName, change: Callable[[list[Json]], list[Json]]) -> None:
    def edit(table: Json) -> None:
        storage = dict(table.get("StorageDescriptor") or {})
        storage["Columns"] = change(list(storage.get("Columns") or []))
        table["StorageDescriptor"] = storage

    edit_table(job, name, edit)


def set_properties(job: Job, statement: s.SetTableProperties) -> None:
    """ALTER TABLE SET TBLPROPERTIES."""

    def edit(table: Json) -> None:
        table["Parameters"] = {**(table.get("Parameters") or {}), **statement.properties}

    edit_table(job, statement.name, edit)


def set_table_location(job: Job, statement: s.SetLocation) -> None:
    """ALTER TABLE SET LOCATION of the table itself."""

    def edit(table: Json) -> None:
        table["StorageDescriptor"] = {**(table.get("StorageDescriptor") or {}), "Location": statement.location}

    edit_table(job, statement.name, edit)


def edit_table(job: Job, name: TableName, edit: Callable[[dict[str, Any]], None]) -> None:
    """Reads a table's definition, changes it, and writes it back."""
    job.table(name)
    given = as_input(job.json(name))
    edit(given)
    job.catalog.update_table(job.full_name(name)[0], given)

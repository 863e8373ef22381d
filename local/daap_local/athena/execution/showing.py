"""SHOW and DESCRIBE."""

from __future__ import annotations

import re

from daap_local.athena import statements as s
from daap_local.athena.catalog.convert import VIEW
from daap_local.athena.catalog.faults import EntityMissing
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.metafile import ColumnInfo
from daap_local.athena.execution.results import Text
from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.showing import describe_column, describe_rows, show_create_table

_WIDTH = 20


def _text(columns: str | tuple[str, ...], lines: list[str]) -> Text:
    names = (columns,) if isinstance(columns, str) else columns
    return Text([ColumnInfo(name, "string") for name in names], lines)


def show_databases(job: Job, statement: s.ShowDatabases) -> Text:
    """SHOW DATABASES."""
    names = [str(one["Name"]) for one in job.catalog.databases()]
    return _text("database_name", _matching(names, statement.pattern))


def show_tables(job: Job, statement: s.ShowTables) -> Text:
    """SHOW TABLES: views too."""
    return _text("tab_name", _matching(_names(job, statement.database), statement.pattern))


def show_views(job: Job, statement: s.ShowViews) -> Text:
    """SHOW VIEWS."""
    return _text("views", _matching(_names(job, statement.database, VIEW), statement.pattern))


def _names(job: Job, database: str | None, kind: str | None = None) -> list[str]:
    name = (database or job.request.database or "default").lower()
    try:
        found = job.catalog.tables(name)
    except EntityMissing:
        raise AthenaFault("FAILED", f"SemanticException [Error 10072]: Database does not exist: {name}") from None
    return [str(table["Name"]) for table in found if kind in (None, table.get("TableType"))]


def _matching(names: list[str], pattern: str | None) -> list[str]:
    """Hive's patterns are regular expressions in which `*` stands for any text, and `|` for a choice."""
    if pattern is None:
        return sorted(names)
    try:
        wanted = re.compile(pattern.replace(".*", "*").replace("*", ".*"), re.IGNORECASE)
    except re.error:
        raise AthenaFault("FAILED", f"SemanticException {pattern!r} is no regular expression") from None
    return sorted(name for name in names if wanted.fullmatch(name))


def show_columns(job: Job, statement: s.ShowColumns) -> Text:
    """SHOW COLUMNS: each name filled up with blanks, as Hive prints them."""
    table = job.table(statement.name)
    return _text("field", [f"{c.name:<{_WIDTH}}" for c in (*table.columns, *table.partition_keys)])


def show_create(job: Job, statement: s.ShowCreateTable) -> Text:
    """SHOW CREATE TABLE."""
    table = job.table(statement.name)
    if table.table_type == VIEW:
        raise AthenaFault("FAILED", f"SemanticException {table.name} is a view; use SHOW CREATE VIEW")
    return _text("createtab_stmt", show_create_table(table, statement.name.database is not None))


def show_properties(job: Job, statement: s.ShowTableProperties) -> Text:
    """SHOW TBLPROPERTIES."""
    found = job.table(statement.name).parameters
    columns = ("prpt_name", "prpt_value")
    if statement.key is None:
        return _text(columns, [f"{key}\t{value}" for key, value in sorted(found.items())])
    missing = f"Table {statement.name.table} does not have property: {statement.key}"
    return _text(columns, [f"{statement.key}\t{found[statement.key]}" if statement.key in found else missing])


def describe(job: Job, statement: s.Describe) -> Text:
    """DESCRIBE."""
    columns = ("col_name", "data_type", "comment")
    table = job.table(statement.name)
    if statement.partition:
        raise unsupported("DESCRIBE of a partition")
    if statement.column:
        found = describe_column(table, statement.column)
        if not found:
            raise AthenaFault("FAILED", f"SemanticException [Error 10002]: Invalid column reference {statement.column}")
        return _text(columns, found)
    return _text(columns, describe_rows(table, statement.form))

"""SHOW and DESCRIBE.

Source: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from collections.abc import Callable

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.alter_table import partition_spec
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.statements import (
    Describe,
    DescribeView,
    ShowColumns,
    ShowCreateTable,
    ShowCreateView,
    ShowDatabases,
    ShowPartitions,
    ShowTableProperties,
    ShowTables,
    ShowViews,
    Statement,
)
from daap_local.athena.tables import TableName


def show(cursor: Cursor) -> Statement:
    """Reads what follows SHOW. Raises SyntaxFault, AthenaFault."""
    for words, read in _SHOWS:
        if cursor.accept(*words):
            statement = read(cursor)
            cursor.finish()
            return statement
    raise unsupported(f"SHOW {cursor.current.text.upper()}".strip())


def show_create_view(cursor: Cursor) -> ShowCreateView:
    """Reads what follows SHOW CREATE VIEW. Raises SyntaxFault."""
    name = cursor.table()
    cursor.finish()
    return ShowCreateView(name)


def describe_view(cursor: Cursor) -> DescribeView:
    """Reads what follows DESCRIBE VIEW. Raises SyntaxFault."""
    name = cursor.table()
    cursor.finish()
    return DescribeView(name)


def describe(cursor: Cursor) -> Statement:
    """Reads what follows DESCRIBE. Raises SyntaxFault."""
    form = cursor.accept_any("EXTENDED", "FORMATTED")
    name = cursor.table()
    partition = partition_spec(cursor) if cursor.ahead("PARTITION") else None
    column = None if cursor.done else _column_path(cursor)
    cursor.finish()
    return Describe(name, form.lower() if form else None, partition, column)


def _column_path(cursor: Cursor) -> str:
    path = cursor.name()
    while cursor.accept("."):
        path += "." + cursor.name()
    return path


def _database(cursor: Cursor) -> str | None:
    return cursor.name() if cursor.accept_any("IN", "FROM") else None


def _pattern(cursor: Cursor) -> str | None:
    like = cursor.accept("LIKE")
    return cursor.text() if like or not cursor.done else None


def _databases(cursor: Cursor) -> Statement:
    return ShowDatabases(_pattern(cursor))


def _tables(cursor: Cursor) -> Statement:
    return ShowTables(_database(cursor), _pattern(cursor))


def _views(cursor: Cursor) -> Statement:
    return ShowViews(_database(cursor), _pattern(cursor))


def _columns(cursor: Cursor) -> Statement:
    if not cursor.accept_any("FROM", "IN"):
        raise cursor.wrong("FROM", "IN")
    name = cursor.table()
    database = _database(cursor)
    return ShowColumns(TableName(name.table, database, name.catalog) if database else name)


def _partitions(cursor: Cursor) -> Statement:
    name = cursor.table()
    if cursor.ahead("PARTITION"):
        raise unsupported("SHOW PARTITIONS with a PARTITION clause")
    return ShowPartitions(name)


def _create_table(cursor: Cursor) -> Statement:
    return ShowCreateTable(cursor.table())


def _properties(cursor: Cursor) -> Statement:
    name = cursor.table()
    return ShowTableProperties(name, cursor.listed(cursor.text)[0] if cursor.ahead("(") else None)


_SHOWS: tuple[tuple[tuple[str, ...], Callable[[Cursor], Statement]], ...] = (
    (("DATABASES",), _databases),
    (("SCHEMAS",), _databases),
    (("TABLES",), _tables),
    (("VIEWS",), _views),
    (("COLUMNS",), _columns),
    (("PARTITIONS",), _partitions),
    (("CREATE", "TABLE"), _create_table),
    (("TBLPROPERTIES",), _properties),
)

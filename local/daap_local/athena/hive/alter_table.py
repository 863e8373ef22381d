"""The ALTER TABLE family.

Source: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from collections.abc import Callable

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.create_table import column, refuse_iceberg
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.statements import (
    AddColumns,
    AddPartitions,
    ChangeColumn,
    DropPartitions,
    PartitionSpec,
    RenamePartition,
    ReplaceColumns,
    SetLocation,
    SetTableProperties,
    Statement,
)
from daap_local.athena.tables import TableName

_OPERATORS = ("=", "<>", "!=", "<=", ">=", "<", ">")
_Condition = tuple[str, str, str]


def alter_table(cursor: Cursor) -> Statement:
    """Reads what follows ALTER TABLE. Raises SyntaxFault, AthenaFault."""
    name = cursor.table()
    for words, read in _FORMS:
        if cursor.accept(*words):
            statement = read(cursor, name)
            cursor.finish()
            return statement
    raise unsupported(f"ALTER TABLE {cursor.current.text.upper()}".strip())


def partition_spec(cursor: Cursor) -> PartitionSpec:
    """Reads `PARTITION (key = value, ...)`. Raises SyntaxFault."""
    cursor.expect("PARTITION")
    return dict(cursor.listed(lambda: _equality(cursor)))


def _equality(cursor: Cursor) -> tuple[str, str]:
    key = cursor.name()
    cursor.expect("=")
    return key, _value(cursor)


def _value(cursor: Cursor) -> str:
    if cursor.ahead("DATE") or cursor.ahead("TIMESTAMP"):
        cursor.take()
    return cursor.literal()


def _add(cursor: Cursor, name: TableName) -> Statement:
    if cursor.accept("COLUMNS"):
        return AddColumns(name, tuple(cursor.listed(lambda: column(cursor))))
    if_not_exists = cursor.if_not_exists()
    partitions = [_located(cursor)]
    while not cursor.done:
        cursor.accept(",")
        partitions.append(_located(cursor))
    return AddPartitions(name, tuple(partitions), if_not_exists)


def _located(cursor: Cursor) -> tuple[PartitionSpec, str | None]:
    return partition_spec(cursor), cursor.text() if cursor.accept("LOCATION") else None


def _drop(cursor: Cursor, name: TableName) -> Statement:
    if cursor.ahead("COLUMN"):
        raise unsupported("ALTER TABLE DROP COLUMN")
    if_exists = cursor.if_exists()
    partitions = [_conditions(cursor)]
    while cursor.accept(","):
        partitions.append(_conditions(cursor))
    cursor.accept("PURGE")
    return DropPartitions(name, tuple(partitions), if_exists)


def _conditions(cursor: Cursor) -> tuple[_Condition, ...]:
    cursor.expect("PARTITION")
    return tuple(cursor.listed(lambda: _condition(cursor)))


def _condition(cursor: Cursor) -> _Condition:
    key = cursor.name()
    operator = cursor.accept_any(*_OPERATORS)
    if operator is None:
        raise cursor.wrong(*_OPERATORS)
    return key, "<>" if operator == "!=" else operator, _value(cursor)


def _of_partition(cursor: Cursor, name: TableName) -> Statement:
    spec = dict(cursor.listed(lambda: _equality(cursor)))
    if cursor.accept("RENAME", "TO"):
        return RenamePartition(name, spec, partition_spec(cursor))
    if cursor.accept("SET", "LOCATION"):
        return SetLocation(name, cursor.text(), spec)
    raise unsupported(f"ALTER TABLE PARTITION {cursor.current.text.upper()}".strip())


def _replace(cursor: Cursor, name: TableName) -> Statement:
    return ReplaceColumns(name, tuple(cursor.listed(lambda: column(cursor))))


def _change(cursor: Cursor, name: TableName) -> Statement:
    cursor.accept("COLUMN")
    old = cursor.name()
    new = column(cursor)
    if cursor.ahead("FIRST") or cursor.ahead("AFTER"):
        raise unsupported("ALTER TABLE CHANGE COLUMN with a new place")
    return ChangeColumn(name, old, new)


def _set_location(cursor: Cursor, name: TableName) -> Statement:
    return SetLocation(name, cursor.text())


def _set_properties(cursor: Cursor, name: TableName) -> Statement:
    properties = cursor.properties()
    refuse_iceberg(properties)
    return SetTableProperties(name, properties)


_FORMS: tuple[tuple[tuple[str, ...], Callable[[Cursor, TableName], Statement]], ...] = (
    (("ADD",), _add),
    (("DROP",), _drop),
    (("PARTITION",), _of_partition),
    (("REPLACE", "COLUMNS"), _replace),
    (("CHANGE",), _change),
    (("SET", "LOCATION"), _set_location),
    (("SET", "TBLPROPERTIES"), _set_properties),
)

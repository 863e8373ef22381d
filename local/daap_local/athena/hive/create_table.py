"""CREATE EXTERNAL TABLE and the column lists of Hive's DDL.

Source: https://docs.aws.amazon.com/athena/latest/ug/create-table.html
"""

from __future__ import annotations

from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.cursor import Cursor
from daap_local.athena.hive.tokens import Kind, fault_at
from daap_local.athena.hive.types import HiveType, simple_type
from daap_local.athena.statements import CreateTable
from daap_local.athena.tables import ColumnDef

_DELIMITERS = (
    (("FIELDS", "TERMINATED", "BY"), "field.delim"),
    (("ESCAPED", "BY"), "escape.delim"),
    (("COLLECTION", "ITEMS", "TERMINATED", "BY"), "collection.delim"),
    (("MAP", "KEYS", "TERMINATED", "BY"), "mapkey.delim"),
    (("LINES", "TERMINATED", "BY"), "line.delim"),
    (("NULL", "DEFINED", "AS"), "serialization.null.format"),
)
ICEBERG = "table_type"


def create_external_table(cursor: Cursor) -> CreateTable:
    """Reads what follows CREATE EXTERNAL TABLE; the clauses stand in Hive's order. Raises SyntaxFault, AthenaFault."""
    if_not_exists = cursor.if_not_exists()
    name = cursor.table()
    columns = tuple(cursor.listed(lambda: column(cursor))) if cursor.ahead("(") else ()
    comment = _one_line(cursor.text()) if cursor.accept("COMMENT") else None
    partitioned = tuple(cursor.listed(lambda: column(cursor))) if cursor.accept("PARTITIONED", "BY") else ()
    clustered, buckets = _clustered(cursor)
    row_format, serde, serde_properties = _row_format(cursor)
    stored_as, input_format, output_format = _stored(cursor)
    location = cursor.text() if cursor.accept("LOCATION") else None
    properties = cursor.properties() if cursor.accept("TBLPROPERTIES") else {}
    cursor.finish()
    refuse_iceberg(properties)
    _check_names(columns + partitioned)
    return CreateTable(
        name, columns, partitioned, clustered, buckets, comment, row_format, serde, serde_properties, stored_as,
        input_format, output_format, location, properties, if_not_exists,
    )  # fmt: skip


def _one_line(comment: str) -> str:
    """A table's comment as Athena keeps it, in one line.

    Source: PyAthena's own tests against AWS (tests/pyathena/sqlalchemy/test_base.py, comments of several lines).
    """
    return " ".join(comment.split())


def refuse_iceberg(properties: dict[str, str]) -> None:
    """Raises AthenaFault for the properties of an Iceberg table."""
    if properties.get(ICEBERG, "").upper() == "ICEBERG":
        raise unsupported("an Iceberg table (table_type = 'ICEBERG')")


def column(cursor: Cursor) -> ColumnDef:
    """Reads `name type [COMMENT '...']`. Raises SyntaxFault, AthenaFault."""
    name = cursor.name()
    type_ = str(hive_type(cursor))
    return ColumnDef(name, type_, cursor.text() if cursor.accept("COMMENT") else None)


def hive_type(cursor: Cursor) -> HiveType:
    """Reads a type of Hive's. Raises SyntaxFault."""
    at = cursor.current.start
    kind = cursor.take_kind(Kind.WORD, "type").lower()
    if kind in ("array", "map"):
        return _collection(cursor, kind)
    if kind == "struct":
        return _struct(cursor)
    numbers = tuple(cursor.listed(cursor.number)) if cursor.ahead("(") else ()
    try:
        return simple_type(kind, numbers)
    except AthenaFault as fault:
        raise fault_at(cursor.sql, at, f"mismatched input '{kind}'. Expecting: a data type") from fault


def _collection(cursor: Cursor, kind: str) -> HiveType:
    cursor.expect("<")
    parts = [hive_type(cursor)]
    if kind == "map":
        cursor.expect(",")
        parts.append(hive_type(cursor))
    cursor.expect(">")
    return HiveType(kind, parts=tuple(parts))


def _struct(cursor: Cursor) -> HiveType:
    cursor.expect("<")
    fields = [_field(cursor)]
    while cursor.accept(","):
        fields.append(_field(cursor))
    cursor.expect(">")
    return HiveType("struct", names=tuple(name for name, _ in fields), parts=tuple(part for _, part in fields))


def _field(cursor: Cursor) -> tuple[str, HiveType]:
    name = cursor.name()
    cursor.expect(":")
    part = hive_type(cursor)
    if cursor.accept("COMMENT"):
        cursor.text()
    return name, part


def _clustered(cursor: Cursor) -> tuple[tuple[str, ...], int | None]:
    if not cursor.accept("CLUSTERED", "BY"):
        return (), None
    names = tuple(cursor.listed(cursor.name))
    if cursor.ahead("SORTED"):
        raise unsupported("SORTED BY")
    cursor.expect("INTO")
    buckets = cursor.number()
    cursor.expect("BUCKETS")
    return names, buckets


def _row_format(cursor: Cursor) -> tuple[dict[str, str], str | None, dict[str, str]]:
    if not cursor.accept("ROW", "FORMAT"):
        return {}, None, {}
    if cursor.accept("SERDE"):
        serde = cursor.text()
        properties = cursor.properties() if cursor.accept("WITH", "SERDEPROPERTIES") else {}
        return {}, serde, properties
    cursor.expect("DELIMITED")
    return _delimiters(cursor), None, {}


def _delimiters(cursor: Cursor) -> dict[str, str]:
    found = {}
    for words, key in _DELIMITERS:
        if cursor.accept(*words):
            found[key] = cursor.text()
    if "field.delim" in found:
        found["serialization.format"] = found["field.delim"]
    return found


def _stored(cursor: Cursor) -> tuple[str | None, str | None, str | None]:
    if cursor.ahead("STORED", "BY"):
        raise unsupported("STORED BY")
    if not cursor.accept("STORED", "AS"):
        return None, None, None
    if cursor.accept("INPUTFORMAT"):
        input_format = cursor.text()
        cursor.expect("OUTPUTFORMAT")
        return None, input_format, cursor.text()
    return cursor.name().upper(), None, None


def _check_names(columns: tuple[ColumnDef, ...]) -> None:
    seen: set[str] = set()
    for one in columns:
        if one.name in seen:
            raise AthenaFault("DUPLICATE_COLUMN_NAME", f"column '{one.name}' is there twice")
        seen.add(one.name)

"""Types: their texts in Presto and Hive, DuckDB's types for them, and what a result tells of them."""

from __future__ import annotations

import pytest

from daap_local.athena import sql
from daap_local.athena.faults import AthenaFault

HIVE = {
    "int": ("integer", "INTEGER"),
    "string": ("varchar", "VARCHAR"),
    "float": ("real", "FLOAT"),
    "binary": ("varbinary", "BLOB"),
    "decimal(10,2)": ("decimal(10,2)", "DECIMAL(10,2)"),
    "varchar(5)": ("varchar(5)", "VARCHAR"),
    "timestamp": ("timestamp(3)", "TIMESTAMP"),
    "array<int>": ("array(integer)", "INTEGER[]"),
    "map<string,array<double>>": ("map(varchar, array(double))", "MAP(VARCHAR, DOUBLE[])"),
    "struct<a:int,date:date>": ("row(a integer, date date)", 'STRUCT("a" INTEGER, "date" DATE)'),
}


@pytest.mark.parametrize(("hive", "expected"), HIVE.items(), ids=list(HIVE))
def test_hive_types_are_read_and_written(hive, expected):
    kind = sql.parse_type(hive)
    assert (str(kind), sql.duckdb_type(kind)) == expected
    assert sql.hive_type(kind) == hive


def test_presto_types_are_read():
    text = 'row(a bigint, array(integer), "X y" timestamp(3) with time zone, time(0) with time zone, ipaddress)'
    assert str(sql.parse_type(text)) == text


@pytest.mark.parametrize(
    "text", ["json", "timestamp(3) with time zone", "time", "time(3) with time zone", "ipaddress", "row(integer)"]
)
def test_types_that_no_hive_table_holds_are_refused(text):
    with pytest.raises(AthenaFault):
        sql.hive_type(sql.parse_type(text))


@pytest.mark.parametrize("text", ["widget", "decimal(40,2)", "timestamp(9)", "int int"])
def test_types_that_are_not_known_are_refused(text):
    with pytest.raises(AthenaFault):
        sql.parse_type(text)


METADATA = {
    "integer": ("integer", 10, 0, False),
    "bigint": ("bigint", 19, 0, False),
    "double": ("double", 17, 0, False),
    "real": ("float", 17, 0, False),
    "varchar": ("varchar", 2147483647, 0, True),
    "varchar(3)": ("varchar", 3, 0, True),
    "decimal(10,2)": ("decimal", 10, 2, False),
    "boolean": ("boolean", 0, 0, False),
    "date": ("date", 0, 0, False),
    "timestamp": ("timestamp", 3, 0, False),
    "time(6) with time zone": ("time with time zone", 3, 0, False),
    "ipaddress": ("ipaddress", 0, 0, False),
    "array(integer)": ("array", 0, 0, False),
}


@pytest.mark.parametrize(("text", "expected"), METADATA.items(), ids=list(METADATA))
def test_a_result_tells_athenas_name_precision_and_scale_of_a_column(text, expected):
    found = sql.metadata(sql.parse_type(text))
    assert (found.type, found.precision, found.scale, found.case_sensitive) == expected

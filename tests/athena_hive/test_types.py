"""Hive's types as trees, and as the other engines name them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daap_local.athena import sql
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.types import HiveType, duckdb_text, parse_type, presto_text

LEAVES = some.sampled_from(
    ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "date", "timestamp",
     "decimal(10,2)", "decimal(38,0)", "varchar(5)", "char(3)"]
).map(parse_type)  # fmt: skip
NAMES = some.lists(some.from_regex("[a-z][a-z0-9_]{0,5}", fullmatch=True), min_size=1, max_size=3, unique=True)


def _nested(inner):
    struct = NAMES.flatmap(
        lambda names: some.lists(inner, min_size=len(names), max_size=len(names)).map(
            lambda parts: HiveType("struct", names=tuple(names), parts=tuple(parts))
        )
    )
    array = inner.map(lambda part: HiveType("array", parts=(part,)))
    return array | some.tuples(LEAVES, inner).map(lambda parts: HiveType("map", parts=parts)) | struct


TYPES = some.recursive(LEAVES, _nested, max_leaves=6)


@given(TYPES)
def test_a_types_text_is_read_back(type_):
    assert parse_type(str(type_)) == type_


@given(TYPES)
def test_the_translation_of_queries_holds_the_same_values(type_):
    assert duckdb_text(type_) == sql.duckdb_type(sql.parse_type(str(type_)))


@pytest.mark.parametrize(
    ("text", "hive", "presto"),
    [
        ("INTEGER", "int", "integer"), ("decimal", "decimal(10,0)", "decimal(10,0)"), ("String", "string", "varchar"),
        ("float", "float", "real"), ("timestamp", "timestamp", "timestamp(3)"), ("binary", "binary", "varbinary"),
        (" array < int > ", "array<int>", "array(integer)"), ("decimal( 5 , 1 )", "decimal(5,1)", "decimal(5,1)"),
        ("struct<A:int,b:map<string,double>>", "struct<a:int,b:map<string,double>>",
         "row(a integer, b map(varchar, double))"),
    ],
)  # fmt: skip
def test_types_are_normalised(text, hive, presto):
    parsed = parse_type(text)
    assert (str(parsed), presto_text(parsed)) == (hive, presto)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "array", "array<>", "array<int", "map<int>", "struct<a>", "decimal(39,0)", "decimal(5,6)",
     "int(5)",
     "varchar", "varchar(0)", "char(x)", "int int", "array<int>>", "uniontype<int,string>", "struct<>"],
)  # fmt: skip
def test_what_is_no_type_is_refused(text):
    with pytest.raises(AthenaFault, match="INVALID_COLUMN_TYPE"):
        parse_type(text)

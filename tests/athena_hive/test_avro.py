"""Avro files of another writer, what a table makes of them, and what it writes."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal

import fastavro
import pytest

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.avro_schema import check_columns
from daap_local.athena.hive.targets import Target, target_of_table
from daap_local.athena.tables import ColumnDef
from tests.athena_hive.support import rows_of, table_of
from tests.athena_hive.test_writing import written

FIELDS = """{"name": "id", "type": "long"},
{"name": "kind", "type": {"type": "enum", "name": "kind", "symbols": ["A", "B"]}},
{"name": "tag", "type": {"type": "fixed", "name": "four", "size": 4}},
{"name": "parts", "type": {"type": "array", "items": {"type": "record", "name": "part", "fields": [
  {"name": "n", "type": "int"}, {"name": "next", "type": ["null", "kind"]}]}}}"""
SCHEMA = '{"type": "record", "name": "event", "namespace": "a.b", "fields": [%s ' + FIELDS + "]}"
FOUND = (
    SCHEMA
    % """{"name": "maybe", "type": ["string", "null"]}, {"name": "small", "type": "int"},
{"name": "named", "type": {"type": "map", "values": "double"}}, {"name": "day", "type": {"type": "int",
"logicalType": "date"}}, {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "price",
"type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},"""
)
EVENTS = [
    {"maybe": "x", "small": 7, "named": {"k": 1.5}, "day": datetime.date(2024, 2, 29), "at": 1704164645678,
     "price": Decimal("-12.34"), "id": 1, "kind": "B", "tag": b"abcd",
     "parts": [{"n": 1, "next": "A"}, {"n": 2, "next": None}]},
    {"maybe": None, "small": -1, "named": {}, "day": -1, "at": -1000, "price": Decimal(0), "id": -2, "kind": "A",
     "tag": b"\0\1\2\3", "parts": []},
]  # fmt: skip
LITERAL = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe' WITH SERDEPROPERTIES ('avro.schema.%s'='%s')"
CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2"]
_moment = datetime.datetime.fromisoformat


def avro(schema: str, rows: list, codec: str = "deflate", **metadata: str) -> bytes:
    stream = io.BytesIO()
    fastavro.writer(stream, json.loads(schema), rows, codec, metadata=metadata)
    return stream.getvalue()


def column(type_: str, value: object) -> bytes:
    """A file of the field a in one row; `type_` is JSON."""
    return avro('{"type": "record", "name": "r", "fields": [{"name": "a", "type": ' + type_ + "}]}", [{"a": value}])


def literal(more: str = "") -> str:
    return LITERAL % ("literal", SCHEMA % more) + " STORED AS AVRO"


def plainly(columns: str, content: bytes, clauses: str = "STORED AS AVRO") -> list:
    return rows_of(table_of(columns, clauses), {"f": content})


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_is_read_by_the_names_of_columns(codec):
    table = table_of(
        "gone int, small double, price decimal(10,2), at timestamp, day date, named map<string,double>, maybe string, "
        "parts array<struct<n:bigint>>, id bigint",
        "STORED AS AVRO", keys="dt string",
    )  # fmt: skip
    files = {"f": avro(FOUND, EVENTS, codec)}
    assert rows_of(table, files, values={"f": ("x",)}) == [
        (None, 7.0, Decimal("-12.34"), _moment("2024-01-02 03:04:05.678"), datetime.date(2024, 2, 29),
         {"k": 1.5}, "x", [{"n": 1}, {"n": 2}], 1, "x"),
        (None, -1.0, Decimal("0.00"), _moment("1969-12-31 23:59:59"), datetime.date(1969, 12, 31), {},
         None, [], -2, "x"),
    ]  # fmt: skip
    assert rows_of(table, files, "SELECT count(*) FROM t", {"f": ("x",)}, only=()) == [(2,)]


def test_a_schema_of_the_tables_own_is_the_one_to_be_read():
    columns = "id bigint, kind string, tag binary, parts array<struct<n:int,next:string>>, note string, m string"
    more = """{"name": "note", "type": "string", "default": "none"},
              {"name": "m", "type": ["null", "string"], "default": null, "aliases": ["maybe"]},"""
    assert plainly(columns, avro(FOUND, EVENTS), literal(more)) == [
        (1, "B", b"abcd", [{"n": 1, "next": "A"}, {"n": 2, "next": None}], "none", "x"),
        (-2, "A", b"\0\1\2\3", [], "none", None),
    ]


def test_records_may_have_other_names_and_come_again_by_name():
    part = '{"type": "record", "name": "part", "fields": [{"name": "n", "type": "int"}]}'
    schema = '{"type": "record", "name": "r", "fields": [{"name": "a", "type": %s}, {"name": "b", "type": "part"}]}'
    content = avro(schema % part, [{"a": {"n": 1}, "b": {"n": 2}}])
    assert plainly("a struct<n:int>, b struct<m:int,n:bigint>", content) == [({"n": 1}, {"m": None, "n": 2})]


@pytest.mark.parametrize(
    ("columns", "type_", "value", "found"),
    [
        ("a string", '{"type": "string", "logicalType": "uuid"}', "0", "0"),
        ("a bigint", '{"type": "long", "logicalType": "timestamp-micros"}', 1, 1),
        ("a int", '{"type": "int", "logicalType": "time-millis"}', 1, 1),
        ("a timestamp", '"long"', 1, _moment("1970-01-01 00:00:00.001")),
        ("a array<timestamp>", '{"type": "array", "items": ["null", "long"]}', [1, None],
         [_moment("1970-01-01 00:00:00.001"), None]),
        ("a timestamp", '{"type": "long", "logicalType": "local-timestamp-millis"}', 1,
         _moment("1970-01-01 00:00:00.001")),
        ("a varchar(2)", '"string"', "xyz", "xy"), ("a char(3)", '"string"', "x  ", "x"),
        ("a array<varchar(2)>", '{"type": "array", "items": "string"}', ["xyz"], ["xy"]),
        ("a tinyint", '"int"', 5, 5), ("a binary", '"string"', "é", "é".encode()), ("a string", '"bytes"', b"x", "x"),
        ("a bigint", '["null", "int", "long"]', 2**40, 2**40), ("a string", '"null"', None, None),
        ("a double", '"float"', 0.5, 0.5), ("a boolean", '"boolean"', True, True),
    ],
)  # fmt: skip
def test_the_tables_types_decide_what_a_value_is(columns, type_, value, found):
    assert plainly(columns, column(type_, value)) == [(found,)]


def test_a_record_in_itself_is_read_as_far_as_the_table_goes():
    schema = """{"type": "record", "name": "node", "fields": [{"name": "v", "type": "int"},
        {"name": "next", "type": ["null", "node"]}]}"""
    content = avro(schema, [{"v": 1, "next": {"v": 2, "next": {"v": 3, "next": None}}}])
    assert plainly("v int", content) == [(1,)]
    assert plainly("next struct<v:int>", content) == [({"v": 2},)]


def test_years_beyond_pythons_are_read():
    table = table_of("a date", "STORED AS AVRO")
    content = column('{"type": "int", "logicalType": "date"}', 3_000_000)
    assert rows_of(table, {"f": content}, "SELECT year(a) FROM t") == [(10183,)]


@pytest.mark.parametrize(
    ("columns", "clauses", "problem"),
    [
        ("id string", "", "HIVE_CANNOT_OPEN_SPLIT: .* found long, expecting string"),
        ("kind string", "", "HIVE_CANNOT_OPEN_SPLIT: .* found enum, expecting string"),
        ("price decimal(9,2)", "", r"HIVE_CANNOT_OPEN_SPLIT: .* found decimal\(10,2\), expecting decimal\(9,2\)"),
        ("price decimal(10,3)", "", "HIVE_CANNOT_OPEN_SPLIT: .* found decimal"),
        ("price binary", "", r"HIVE_CANNOT_OPEN_SPLIT: .* found decimal\(10,2\), expecting bytes"),
        ("maybe int", "", "HIVE_BAD_DATA: .*schema mismatch: .*string"),
        ("small tinyint, id tinyint", "", "HIVE_CANNOT_OPEN_SPLIT: .* found long, expecting int"),
        ("day timestamp", "", "NOT_SUPPORTED: reading Avro's date as timestamp-millis"),
        ("note string", literal('{"name": "note", "type": "string"},'), "the required field note"),
        ("note binary", literal('{"name": "note", "type": "bytes", "default": "x"},'), "NOT_SUPPORTED: the Avro def"),
        ("note boolean", literal('{"name": "note", "type": ["null", "boolean"], "default": true},'), "Avro default"),
        ("id bigint", LITERAL % ("url", "s3://lake/schema.avsc"), "NOT_SUPPORTED: avro.schema.url"),
        ("id bigint", LITERAL % ("literal", "{"), "HIVE_CANNOT_OPEN_SPLIT: Unable to load or parse schema"),
        ("id bigint", LITERAL % ("literal", '"long"'), "HIVE_CANNOT_OPEN_SPLIT: .* found long, expecting record"),
        ("note int", literal('{"name": "note", "type": ["int", "string"], "default": 1},'), "Avro union of 2 types"),
        ("id string", literal(), "HIVE_CANNOT_OPEN_SPLIT: .* found long, expecting string"),
        ("at timestamp", literal('{"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},'),
         "NOT_SUPPORTED: reading Avro's timestamp-micros as timestamp-millis"),
        ("at timestamp", literal('{"name": "at", "type": "long"},'), "NOT_SUPPORTED: reading Avro's long as timestamp"),
        ("maybe string", literal('{"name": "Maybe", "type": "string"},'), "NOT_SUPPORTED: the column maybe"),
        ("m string", literal('{"name": "m", "type": "string", "aliases": ["maybe", "gone"]},'), "HIVE_BAD_DATA"),
        ("m int", literal('{"name": "m", "type": "int", "aliases": ["small", "id"]},'), "found several fields"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_an_error(columns, clauses, problem):
    with pytest.raises(AthenaFault, match=problem):
        plainly(columns, avro(FOUND, EVENTS), clauses or "STORED AS AVRO")


@pytest.mark.parametrize(
    ("columns", "type_", "value", "problem"),
    [
        ("a timestamp", '{"type": "long", "logicalType": "timestamp-micros"}', 1, "Avro's timestamp-micros as"),
        ("a decimal(4,1)", '{"type": "fixed", "name": "f", "size": 4, "logicalType": "decimal", "precision": 4}',
         Decimal(1), "found fixed, expecting bytes"),
        ("a decimal(4,1)", '"bytes"', b"1", r"found bytes, expecting decimal\(4,1\)"),
        ("a struct<n:int>", '{"type": "record", "name": "s", "fields": [{"name": "N", "type": "int"}]}', {"N": 1},
         "NOT_SUPPORTED: the column n for an Avro field with capitals"),
        ("a tinyint", '"int"', 300, "HIVE_BAD_DATA: .*300"), ("a string", '"bytes"', b"\xff", "HIVE_BAD_DATA: .*utf-8"),
        ("a map<int,int>", '{"type": "map", "values": "int"}', {"k": 1}, "HIVE_BAD_DATA: .*'k'"),
    ],
)  # fmt: skip
def test_a_value_that_would_be_another_is_an_error(columns, type_, value, problem):
    with pytest.raises(AthenaFault, match=problem):
        plainly(columns, column(type_, value))


def broken(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place:][1:]


ENOUGH = avro(FOUND, EVENTS * 100)
BLOCK = ENOUGH.index(ENOUGH[-16:]) + 16


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"x", "begin as a container"), (b"Obj\x02" + ENOUGH[4:], "begin as a container"), (b"Obj\x01", "read header"),
        (ENOUGH[:-1], "sync marker not found"), (ENOUGH[:-1] + b"?", "sync marker not found"),
        (ENOUGH[: BLOCK + 1], "HIVE_BAD_DATA"), (ENOUGH[:-20], "HIVE_BAD_DATA"),
        (broken(avro(FOUND, EVENTS, "snappy"), -17), "checksum differs"),
        (broken(avro(FOUND, EVENTS, "bzip2"), -60), "HIVE_BAD_DATA"),
        (ENOUGH.replace(b"deflate", b"lzma-77"), "NOT_SUPPORTED: Avro's codec lzma-77"),
        (avro(FOUND, EVENTS, "xz"), "NOT_SUPPORTED: Avro's codec xz"),
        (avro(FOUND, EVENTS, **{"writer.time.zone": "Asia/Tokyo"}), "an Avro file of the time zone Asia/Tokyo"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_an_error(content, problem):
    with pytest.raises(AthenaFault, match=problem):
        plainly("id bigint", content)


@pytest.mark.parametrize("compression", ["NONE", "DEFLATE", "SNAPPY", "ZSTD", "BZIP2"])
def test_what_is_written_others_read(compression):
    columns = (
        "a int, b bigint, c float, d double, e boolean, f string, g varchar(3), h char(3), i binary, j decimal(38,2), "
        "k date, l timestamp, m array<timestamp>, n map<string,date>, o struct<x:timestamp,y:array<struct<z:int>>>"
    )
    table = table_of(columns, "STORED AS AVRO")
    target = Target(table.columns, (), "AVRO", compression)
    moment = "TIMESTAMP '1969-12-31 23:59:59.999'"
    contents, _, _ = written(
        f"SELECT 1, -9223372036854775808, 0.5, 'NaN', true, 'é', 'abc', 'ab', '\\xFF'::BLOB, -0.01, DATE '0001-01-01', "
        f"{moment}, [{moment}, NULL], MAP {{'k': DATE '2024-02-29'}}, {{'x': {moment}, 'y': [{{'z': 1}}]}} UNION ALL "
        f"SELECT {', '.join(['NULL'] * 15)}",
        target,
    )
    before = datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, datetime.UTC)
    first, second = fastavro.reader(io.BytesIO(contents["part"]))
    assert str(first.pop("d")) == "nan"
    assert list(first.values()) == [
        1, -(2**63), 0.5, True, "é", "abc", "ab", b"\xff", Decimal("-0.01"), datetime.date(1, 1, 1), before,
        [before, None], {"k": datetime.date(2024, 2, 29)}, {"x": before, "y": [{"z": 1}]},
    ]  # fmt: skip
    assert set(second.values()) == {None}
    plain = before.replace(tzinfo=None)
    assert rows_of(table, contents, "SELECT j, l, m, n, o FROM t WHERE a = 1") == [
        (Decimal("-0.01"), plain, [plain, None], {"k": datetime.date(2024, 2, 29)}, {"x": plain, "y": [{"z": 1}]})
    ]


@pytest.mark.parametrize("value", ["DATE '10000-01-01'", "TIMESTAMP '10000-01-01 00:00:00'"])
def test_what_python_cannot_hold_is_not_written(value):
    target = Target((ColumnDef("a", value.split()[0].lower()),), (), "AVRO", "NONE")
    with pytest.raises(AthenaFault, match="NOT_SUPPORTED: writing as Avro"):
        written(f"SELECT {value}", target)


@pytest.mark.parametrize(
    ("name", "type_", "problem"),
    [
        ("a", "tinyint", "Column 'a' is tinyint"), ("a", "array<smallint>", "Column 'a' is smallint"),
        ("a", "map<int,int>", "non-varchar map key"), ("a-b", "int", "illegal character in: a-b"),
        ("a", "struct<`b-c`:int>", "illegal character in: b-c"),
    ],
)  # fmt: skip
def test_what_avro_cannot_hold_is_not_written(name, type_, problem):
    with pytest.raises(AthenaFault, match=problem):
        check_columns([ColumnDef(name, type_)])


def test_rows_are_not_added_by_a_schema_of_the_tables_own():
    with pytest.raises(AthenaFault, match="writing Avro by avro"):
        target_of_table(table_of("id bigint", literal()), "stem")

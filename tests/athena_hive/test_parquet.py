"""Parquet and ORC: columns by name, the types that pass for each other, and what needs no file at all."""

from __future__ import annotations

import io
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.footers import Footers
from daap_local.athena.hive.reading import DataFile, select_files
from tests.athena_hive.support import plainly_connected, rows_of, table_of

STORED = "STORED AS PARQUET"
LATER = [datetime.fromisoformat(f"1970-01-01 00:00:01.50{millis}") for millis in range(2)]


def parquet(**columns: pa.Array) -> bytes:
    """A Parquet file."""
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, store_schema=False)
    return stream.getvalue()


@pytest.fixture(params=["local", "opened"])
def read(request, tmp_path):
    """Reads files by DuckDB itself, and through the opener."""

    def rows(table, contents, *args, **more):
        paths = {}
        if request.param == "local":
            for at, (name, content) in enumerate(contents.items()):
                paths[name] = str(tmp_path / f"{at}.parquet")
                Path(paths[name]).write_bytes(content)
        return rows_of(table, contents, *args, paths=paths, **more)

    return rows


def test_columns_are_found_by_name_in_any_case_and_missing_ones_are_null(read):
    contents = {"f": parquet(B=pa.array(["x"]), other=pa.array([1]), A=pa.array([5], pa.int32()))}
    assert read(table_of("a int, b string, c double", STORED), contents) == [(5, "x", None)]


def test_rows_of_files_that_have_none_of_the_columns_are_counted_all_the_same(read):
    contents = {"f": parquet(other=pa.array([1, 2, 3]))}
    assert read(table_of("c double", STORED), contents) == [(None,)] * 3


def test_columns_are_found_by_place_where_the_table_says_so(read):
    serde = "'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'"
    clauses = f"ROW FORMAT SERDE {serde} WITH SERDEPROPERTIES ('parquet.column.index.access'='true') {STORED}"
    contents = {"f": parquet(x=pa.array([5], pa.int32()), y=pa.array(["x"]))}
    assert read(table_of("a int, b string, c double", clauses), contents) == [(5, "x", None)]


@pytest.mark.parametrize(
    ("array", "type_", "value"),
    [
        (pa.array([5], pa.int32()), "bigint", 5), (pa.array([5], pa.int16()), "int", 5),
        (pa.array([5], pa.int32()), "smallint", 5), (pa.array([1.5], pa.float32()), "double", 1.5),
        (pa.array([b"ab"]), "string", "ab"), (pa.array(["abcd"]), "varchar(3)", "abc"),
        (pa.array(["a  "]), "char(2)", "a"), (pa.array([b"\xe9"]), "binary", b"\xe9"),
        (pa.array([Decimal("1.25")]), "decimal(5,1)", Decimal("1.3")),
        (pa.array([5], pa.int32()), "decimal(9,1)", Decimal(5)),
        (pa.array([-128], pa.int64()), "tinyint", -128), (pa.array([32767], pa.int64()), "smallint", 32767),
        (pa.array([-(2**31)], pa.int64()), "int", -(2**31)), (pa.array([None], pa.int64()), "int", None),
        (pa.array([Decimal(7)], pa.decimal128(18, 0)), "int", 7),
        (pa.array([[2**31 - 1, None]], pa.list_(pa.int64())), "array<int>", [2**31 - 1, None]),
        (pa.array([1_500_500], pa.timestamp("us")), "timestamp", LATER[1]),
        (pa.array([1_500_499], pa.timestamp("us", "UTC")), "timestamp", LATER[0]),
        (pa.array([1500], pa.timestamp("ms")), "timestamp", LATER[0]),
        (pa.array([19_000], pa.date32()), "date", date(2022, 1, 8)), (pa.array(["é"]), "binary", "é".encode()),
        (pa.array([[1, None]], pa.list_(pa.int32())), "array<bigint>", [1, None]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), "map<string,bigint>", {"k": 1}),
        (pa.array([{"X": 1, "y": "b"}]), "struct<y:string,x:bigint,z:int>", {"y": "b", "x": 1, "z": None}),
        (pa.array([[{"x": 1}]]), "array<struct<z:int>>", [{"z": None}]),
    ],
)  # fmt: skip
def test_a_files_type_passes_for_a_tables(read, array, type_, value):
    assert read(table_of(f"a {type_}", STORED), {"f": parquet(a=array)}) == [(value,)]


@pytest.mark.parametrize(
    ("array", "type_", "named"),
    [
        (pa.array([5]), "double", "INT64"), (pa.array([5]), "string", "INT64"), (pa.array(["5"]), "int", "BINARY"),
        (pa.array([1.5]), "float", "DOUBLE"), (pa.array([5], pa.int32()), "double", "INT32"),
        (pa.array([3_000_000_000], pa.uint32()), "bigint", "INT32"), (pa.array([True]), "string", "BOOLEAN"),
        (pa.array(["2024-01-02"]), "date", "BINARY"), (pa.array([[1]]), "int", "list"),
        (pa.array([5]), "array<bigint>", "INT64"), (pa.array([5]), "decimal(20,2)", "INT64"),
        (pa.array([5]), "decimal(9,2)", "INT64"), (pa.array([Decimal("1.5")]), "int", "FIXED_LEN_BYTE_ARRAY"),
    ],
)  # fmt: skip
def test_other_types_are_bad_data(read, array, type_, named):
    with pytest.raises(AthenaFault, match=f"HIVE_BAD_DATA: Field a's type {named}.* is incompatible with type"):
        read(table_of(f"a {type_}", STORED), {"f": parquet(a=array)})


@pytest.mark.parametrize(
    ("array", "type_"),
    [
        (pa.array([1, 128]), "tinyint"), (pa.array([-32769], pa.int32()), "smallint"), (pa.array([2**31]), "int"),
        (pa.array([Decimal(2**31)], pa.decimal128(18, 0)), "int"), (pa.array([[1, 2**31]]), "array<int>"),
    ],
)  # fmt: skip
def test_a_value_beyond_the_tables_integers_fails_the_query(read, array, type_):
    with pytest.raises(AthenaFault, match=r"HIVE_CURSOR_ERROR: .* a value is out of the range of"):
        read(table_of(f"a {type_}", STORED), {"f": parquet(a=array)})


def test_files_of_several_schemas_are_one_table(read):
    contents = {
        "dt=1/f": parquet(a=pa.array([1], pa.int32())),
        "dt=2/f": parquet(a=pa.array([2], pa.int64()), b=pa.array(["x"])),
    }
    values: dict[str, tuple[str | None, ...]] = {"dt=1/f": ("1",), "dt=2/f": ("2",)}
    table = table_of("a bigint, b string", STORED, keys="dt string")
    assert read(table, contents, "SELECT * FROM t ORDER BY a", values) == [(1, None, "1"), (2, "x", "2")]


def test_a_null_inside_a_value_that_is_made_anew_stays_null(read):
    array = pa.array([{"x": 1}, None, {"x": None}])
    found = read(table_of("a struct<x:bigint,y:int>", STORED), {"f": parquet(a=array)})
    assert found == [({"x": 1, "y": None},), (None,), ({"x": None, "y": None},)]


def test_a_file_that_is_no_parquet_is_bad_data(read):
    with pytest.raises(AthenaFault, match="Malformed Parquet file"):
        read(table_of("a int", STORED), {"f": b"nonsense"})


def test_rows_are_counted_from_footers_that_are_read_once():
    content = parquet(a=pa.array([1, 2, 3]))
    opened: list[str] = []

    def opener(url: str) -> io.BytesIO:
        opened.append(url)
        return io.BytesIO(content)

    table, footers = table_of("a bigint", STORED, keys="dt string"), Footers()
    files = [DataFile(f"s3://lake/{at}", len(content), None, (str(at),)) for at in range(2)]
    for _ in range(2):
        with plainly_connected() as connection:
            select = select_files(table, files, connection, opener, only=[], footers=footers)
            assert connection.sql(select).aggregate("count(*)").fetchall() == [(6,)]
            select = select_files(table, files, connection, opener, only=["dt"], footers=footers)
            counted = connection.sql(select).aggregate("dt, count(*)", "dt").order("dt")
            assert counted.fetchall() == [("0", 3), ("1", 3)]
    assert opened == ["s3://lake/0", "s3://lake/1"]


def test_old_footers_are_forgotten_first():
    footers = Footers(limit=1)
    content = parquet(a=pa.array([1]))
    read: list[str] = []
    for name in ("x", "y", "x"):
        footers.footer(DataFile(name, len(content)), lambda url: (read.append(url), io.BytesIO(content))[1])
    assert read == ["x", "y", "x"]


def test_orc_is_read_with_the_same_rules():
    stream = io.BytesIO()
    orc.write_table(pa.table({"A": pa.array([1, 2], pa.int32()), "b": pa.array(["x", None])}), stream)
    table = table_of("a bigint, b string, c int", "STORED AS ORC", keys="dt string")
    found = rows_of(table, {"f": stream.getvalue()}, values={"f": ("1",)})
    assert found == [(1, "x", None, "1"), (2, None, None, "1")]


@pytest.mark.parametrize("clauses", ["STORED AS RCFILE", "ROW FORMAT SERDE 'com.amazon.ion'"])
def test_other_serdes_are_refused_by_name(clauses):
    with pytest.raises(AthenaFault, match="NOT_SUPPORTED: reading files with"):
        rows_of(table_of("a int", clauses), {"f": b"x"})


def test_an_iceberg_table_of_the_catalogue_is_refused():
    table = table_of("a int", STORED)
    table.parameters["table_type"] = "ICEBERG"
    with pytest.raises(AthenaFault, match="NOT_SUPPORTED: an Iceberg table"):
        rows_of(table, {})


class Watched(io.BytesIO):
    """A file that takes its time, and knows how many like it are read at once."""

    now, most = 0, 0

    def read(self, size: int | None = -1, /) -> bytes:
        Watched.now += 1
        Watched.most = max(Watched.most, Watched.now)
        time.sleep(0.01)
        Watched.now -= 1
        return super().read(size)


def test_no_thread_of_arrows_reads_files_behind_the_opener():
    """With such threads a scan now and then never ended; see daap_local.athena.hive.streams."""
    content = parquet(a=pa.array(range(1000)))
    files = [DataFile(f"s3://lake/t/{n}", len(content)) for n in range(3)]
    with plainly_connected() as connection:
        source = select_files(table_of("a bigint", STORED), files, connection, lambda _url: Watched(content))
        assert connection.execute(f"WITH t AS ({source}) SELECT count(*), sum(a) FROM t").fetchall() == [
            (3000, 3 * 499_500)
        ]
    assert Watched.most == 1

"""What CTAS, INSERT and UNLOAD write is what Athena writes, and comes back through the readers."""

from __future__ import annotations

import gzip
import io

import pyarrow.parquet as pq
import pytest

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.tables import as_select_table
from daap_local.athena.hive.types import duckdb_text, parse_type
from daap_local.athena.hive.writing import (
    Target,
    target_of_ctas,
    target_of_table,
    target_of_unload,
    write_rows,
)
from daap_local.athena.tables import ColumnDef
from tests.athena_hive.support import COMMAS, CSV, connected, rows_of, table_of

COLUMNS = tuple(
    ColumnDef(name, type_)
    for name, type_ in (
        ("a", "int"), ("b", "string"), ("c", "timestamp"), ("d", "decimal(10,2)"), ("e", "double"), ("f", "boolean"),
        ("g", "date"), ("h", "array<int>"), ("i", "map<string,bigint>"), ("j", "struct<x:int,y:string>"),
        ("k", "varchar(5)"), ("l", "float"), ("m", "bigint"), ("dt", "string"), ("n", "date"),
    )
)  # fmt: skip
ROWS = """
SELECT 1, 'x"y,\\z', TIMESTAMP '2024-01-02 03:04:05.678', 1.5, 1e10, true, DATE '2024-01-02', [1, NULL], MAP {'k': 5},
  {'x': 1, 'y': 'b'}, 'abc', 0.1, 9223372036854775807, 'a/b=c', DATE '2024-01-01'
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL
"""


class _Kept(io.BytesIO):
    """A stream whose content outlives it."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


def written(select: str, target: Target) -> tuple[dict[str, bytes], dict[str, tuple[str | None, ...]], int]:
    """The files of a query, their partitions' values, and all rows."""
    streams: dict[str, _Kept] = {}

    def create(key: str) -> _Kept:
        streams[key] = _Kept()
        return streams[key]

    with connected() as connection:
        files = write_rows(connection, select, target, create)
    assert {file.key for file in files} == set(streams)
    contents = {key: stream.content for key, stream in streams.items()}
    return contents, {file.key: file.values for file in files}, sum(file.rows for file in files)


@pytest.mark.parametrize(
    ("form", "compression"),
    [(form, compression) for form, compressions in (
        ("PARQUET", ("GZIP", "SNAPPY", "ZSTD", "LZ4", "NONE")), ("ORC", ("ZLIB", "SNAPPY", "ZSTD", "LZ4", "NONE")),
        ("TEXTFILE", ("GZIP", "BZIP2", "ZSTD", "DEFLATE", "NONE")), ("JSON", ("GZIP", "ZSTD", "NONE")),
        ("AVRO", ("DEFLATE", "SNAPPY", "ZSTD", "BZIP2", "NONE")),
    ) for compression in compressions],
)  # fmt: skip
def test_rows_come_back_from_every_format(form, compression):
    properties = {"format": form, "write_compression": compression, "partitioned_by": ("dt", "n")}
    target = target_of_ctas(properties, COLUMNS, "stem")
    contents, values, rows = written(ROWS, target)
    assert rows == 2
    for key, found in values.items():
        assert found == (("a/b=c", "2024-01-01") if key.startswith("dt=a%2Fb%3Dc/n=2024-01-01/stem") else (None, None))
    table = as_select_table(
        "db", "t", target.columns, target.partition_keys, form, "s3://lake/t/", dict(target.serde_properties),
        ((), -1), 1,
    )  # fmt: skip
    found = rows_of(table, contents, "SELECT * FROM t ORDER BY a", values)
    with connected() as connection:
        made = (f"{column.name} {duckdb_text(parse_type(column.type))}" for column in COLUMNS)
        connection.execute(f"CREATE TABLE r ({', '.join(made)})")
        connection.execute(f"INSERT INTO r {ROWS}")
        expected = connection.execute("SELECT * REPLACE (nullif(dt, '') AS dt) FROM r ORDER BY a").fetchall()
    assert found == expected


def test_parquet_has_the_timestamps_that_athena_writes():
    contents, _, _ = written("SELECT TIMESTAMP '2024-01-02 03:04:05'", Target((ColumnDef("a", "timestamp"),)))
    assert pq.ParquetFile(io.BytesIO(contents["part"])).schema.column(0).physical_type == "INT96"


def test_text_is_compressed_and_delimited_as_asked():
    target = target_of_unload({"format": "TEXTFILE", "field_delimiter": ";"}, COLUMNS[:2], "stem")
    contents, _, _ = written("SELECT 1, 'x' UNION ALL SELECT NULL, ''", target)
    assert {key: gzip.decompress(content) for key, content in contents.items()} == {"stem.gz": b"1;x\n\\N;\n"}


def test_a_query_without_rows_writes_no_file():
    assert written("SELECT 1 WHERE false", Target(COLUMNS[:1])) == ({}, {}, 0)


def test_insert_writes_what_the_table_is_read_by():
    quoted = table_of("a string, b string, c string", CSV)
    contents, _, _ = written("SELECT 'say \"hi\"', NULL, 'x,y'", target_of_table(quoted, "stem"))
    assert gzip.decompress(contents["stem.gz"]) == b'"say ""hi""",,"x,y"\n'
    assert rows_of(quoted, contents) == [('say "hi"', "", "x,y")]
    commas = table_of("a string, b int", COMMAS + " ESCAPED BY '\\\\' NULL DEFINED AS 'null'")
    contents, _, _ = written("SELECT 'x,\\y', NULL", target_of_table(commas, "stem"))
    assert gzip.decompress(contents["stem.gz"]) == b"x\\,\\\\y,null\n"
    assert rows_of(commas, contents) == [("x,\\y", None)]


def test_buckets_are_hives():
    columns = (ColumnDef("a", "bigint"), ColumnDef("b", "string"))
    target = target_of_ctas({"bucketed_by": ("b",), "bucket_count": "4"}, columns, "q")
    contents, _, rows = written("SELECT i, 'k' || i FROM range(40) AS r(i)", target)
    assert rows == 40
    assert sorted(contents) == [f"00000{bucket}_0_q" for bucket in range(4)]
    for key, content in contents.items():
        for text in pq.read_table(io.BytesIO(content)).column("b").to_pylist():
            number = 0
            for byte in text.encode():
                number = (number * 31 + byte) % 2**32
            assert (number & 0x7FFFFFFF) % 4 == int(key[:6])


@pytest.mark.parametrize(
    ("type_", "value", "bucket"),
    [
        ("int", "5", 5), ("int", "-1", 2**31 - 1), ("bigint", "4294967297", 0), ("boolean", "true", 1),
        ("string", "''", 0), ("string", "'ab'", 97 * 31 + 98), ("date", "DATE '1970-01-08'", 7),
        ("double", "1.0", 1072693248), ("int", "NULL", 0), ("string", "NULL", 0), ("smallint", "300", 300),
    ],
)  # fmt: skip
def test_a_values_bucket_is_its_hash_in_hive(type_, value, bucket):
    target = Target((ColumnDef("a", type_),), bucketed_by=("a",), bucket_count=999_983)
    contents, _, _ = written(f"SELECT {value}", target)
    assert list(contents) == [f"{bucket % 999_983:06d}_0_part"]


def test_more_than_a_hundred_open_files_are_refused():
    columns = (ColumnDef("a", "int"), ColumnDef("k", "int"))
    target = target_of_ctas({"partitioned_by": ("k",)}, columns, "q")
    assert len(written("SELECT i, i FROM range(100) AS r(i)", target)[0]) == 100
    with pytest.raises(AthenaFault, match="HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers"):
        written("SELECT i, i FROM range(101) AS r(i)", target)


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"format": "RCFILE"}, "NOT_SUPPORTED"), ({"format": "NONSENSE"}, "INVALID_TABLE_PROPERTY"),
        ({"nonsense": "x"}, "INVALID_TABLE_PROPERTY"), ({"partitioned_by": ("x",)}, "INVALID_TABLE_PROPERTY"),
        ({"partitioned_by": ("a",)}, "HIVE_COLUMN_ORDER_MISMATCH"), ({"partitioned_by": "b"}, "INVALID_TABLE_PROPERTY"),
        ({"partitioned_by": ("a", "b")}, "INVALID_TABLE_PROPERTY"), ({"bucketed_by": ("a",)}, "INVALID_TABLE_PROPERTY"),
        ({"bucketed_by": ("x",), "bucket_count": "2"}, "INVALID_TABLE_PROPERTY"),
        ({"write_compression": "LZO"}, "INVALID_TABLE_PROPERTY"), ({"format": ("x",)}, "INVALID_TABLE_PROPERTY"),
    ],
)  # fmt: skip
def test_properties_that_athena_would_not_take_are_refused(properties, code):
    with pytest.raises(AthenaFault) as caught:
        target_of_ctas(properties, COLUMNS[:2], "q")
    assert caught.value.code == code


def test_unload_needs_a_format():
    with pytest.raises(AthenaFault, match="format"):
        target_of_unload({}, COLUMNS[:2], "q")


def test_columns_of_one_name_are_refused():
    with pytest.raises(AthenaFault, match="DUPLICATE_COLUMN_NAME"):
        target_of_ctas({}, (COLUMNS[0], COLUMNS[0]), "q")

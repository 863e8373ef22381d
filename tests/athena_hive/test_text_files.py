"""Text files: compression, lines, headers, bytes that are no UTF-8, and what of a file is passed over."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive import lines
from daap_local.athena.hive.lines import decompressed, text_blocks
from tests.athena_hive.support import COMMAS, OPENX, rows_of, table_of, text_rows

PLAIN = b"a,1\nb,2\n"


def _framed(codec: str) -> bytes:
    body = pa.Codec(codec).compress(PLAIN, asbytes=True)
    return struct.pack(">II", len(PLAIN), len(body)) + body


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.txt", PLAIN), ("f", PLAIN), ("f.csv", PLAIN), ("f.gz", gzip.compress(PLAIN, mtime=0)),
        ("two.gz", gzip.compress(PLAIN[:4], mtime=0) + gzip.compress(PLAIN[4:], mtime=0)),
        ("f.csv.bz2", bz2.compress(PLAIN)),
        ("f.zst", pa.Codec("zstd").compress(PLAIN, asbytes=True)), ("f.deflate", zlib.compress(PLAIN)),
        ("f.snappy", _framed("snappy")), ("f.lz4", _framed("lz4_raw")),
    ],
)  # fmt: skip
def test_compression_is_told_from_the_name(name, content):
    assert rows_of(table_of("a string, b int", COMMAS), {name: content}) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(PLAIN, mtime=0)[:-9]])
def test_a_damaged_file_is_an_error(content):
    with pytest.raises(AthenaFault, match="HIVE_CURSOR_ERROR"):
        rows_of(table_of("a string", COMMAS), {"f.gz": content})


def test_lzo_is_refused_by_name():
    with pytest.raises(AthenaFault, match="NOT_SUPPORTED: LZO"):
        rows_of(table_of("a string", COMMAS), {"f.lzo": b"x"})


def test_hidden_and_empty_files_are_passed_over():
    contents = {"_SUCCESS": b"x\n", ".crc": b"x\n", "empty": b"", "f": b"a\n"}
    assert rows_of(table_of("a string", COMMAS), contents) == [("a",)]


def test_a_table_without_files_has_no_rows():
    assert rows_of(table_of("a string, b array<int>", COMMAS, keys="dt date"), {}) == []


def test_values_of_keys_and_hidden_columns_belong_to_the_file():
    table = table_of("a string", COMMAS, keys="dt date, n int")
    contents = {"x/f": b"a\n", "y/f": b"b\n"}
    values: dict[str, tuple[str | None, ...]] = {"x/f": ("2024-01-02", "05"), "y/f": (None, None)}
    query = 'SELECT a, CAST(dt AS VARCHAR), n, "$path", "$file_size", "$partition" FROM t ORDER BY a'
    assert rows_of(table, contents, query, values, hidden=["$path", "$file_size", "$partition"]) == [
        ("a", "2024-01-02", 5, "s3://lake/t/x/f", 2, "dt=2024-01-02/n=05"),
        ("b", None, None, "s3://lake/t/y/f", 2, "dt=__HIVE_DEFAULT_PARTITION__/n=__HIVE_DEFAULT_PARTITION__"),
    ]


def test_a_partition_value_of_the_wrong_type_is_an_error():
    with pytest.raises(AthenaFault, match="Invalid partition value 'x' for INTEGER partition key: n"):
        rows_of(table_of("a string", COMMAS, keys="n int"), {"f": b"a\n"}, values={"f": ("x",)})


def test_a_table_can_be_read_twice_in_one_query():
    query = "SELECT count(*) FROM t AS one JOIN t AS two ON one.a = two.a"
    assert rows_of(table_of("a string", COMMAS), {"f": b"a\nb\n"}, query) == [(2,)]


def test_rows_are_counted_without_columns():
    assert rows_of(table_of("a string", COMMAS), {"f": b"a\n\nb"}, "SELECT count(*) FROM t", only=[]) == [(3,)]


def test_columns_whose_values_do_not_matter_are_there_unread():
    table = table_of("a int, b string", COMMAS, keys="dt string")
    query = "SELECT count(*), count(a), max(b), max(dt) FROM t"
    rows = rows_of(table, {"f": b"1,x\n2,y\n"}, query, {"f": ("z",)}, only=["a", "b", "dt"], valued=["b"])
    assert rows == [(2, 0, "y", None)]
    rows = rows_of(table, {"f": b"1,x\n2,y\n"}, query, {"f": ("z",)}, only=["a", "b", "dt"], valued=[])
    assert rows == [(2, 0, None, None)]


def test_bytes_that_are_no_utf8_become_replacement_characters():
    assert text_rows("a string, b string", COMMAS, b"\xff\xe9,ok\n") == [("\ufffd\ufffd", "ok")]


def test_malformed_json_is_an_error_unless_it_is_ignored():
    with pytest.raises(AthenaFault, match="Row is not a valid JSON Object"):
        text_rows("a int", OPENX, '{"a":1}\n{"a"\n')
    forgiving = OPENX + " WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')"
    assert text_rows("a int", forgiving, '{"a":1}\n{"a"\n') == [(1,), (None,)]


@pytest.mark.parametrize(
    ("properties", "row"),
    [
        ("'case.insensitive' = 'false'", (None, 2)), ("'mapping.a' = 'Other'", (9, 2)),
        ("'dots.in.keys' = 'true'", (1, 2)),
    ],
)  # fmt: skip
def test_names_in_json_are_found_as_the_properties_say(properties, row):
    clauses = f"{OPENX} WITH SERDEPROPERTIES ({properties})"
    assert text_rows("a int, b int", clauses, '{"A": 1, "b": 2, "other": 9}') == [row]


def test_dots_in_names_stand_for_underscores():
    clauses = OPENX + " WITH SERDEPROPERTIES ('dots.in.keys' = 'true')"
    assert text_rows("a_b int", clauses, '{"a.B": 1}') == [(1,)]


@pytest.mark.parametrize("clauses", [OPENX, COMMAS])
def test_timestamp_formats_are_refused_by_name(clauses):
    table = table_of("a timestamp", clauses)
    table.storage.serde_properties["timestamp.formats"] = "yyyy"
    with pytest.raises(AthenaFault, match=r"timestamp\.formats"):
        rows_of(table, {"f": b"x\n"})


def _lines_of(text: bytes) -> list[bytes]:
    """Lines as Hadoop cuts them: LF, CR or CRLF; no line after the last end."""
    parts = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return parts if parts[-1] else parts[:-1]


@given(some.text("a\r\né", max_size=30), some.integers(0, 3), some.integers(0, 3), some.integers(2, 7))
def test_lines_are_the_same_in_blocks_of_any_size(text, header, footer, size):
    content = text.encode()
    whole = lines.BLOCK
    lines.BLOCK = size
    try:
        found = b"".join(text_blocks(decompressed(io.BytesIO(content), "f"), header, footer)).split(b"\n")[:-1]
    finally:
        lines.BLOCK = whole
    expected = _lines_of(content)[header:]
    assert found == (expected[:-footer] if footer else expected)

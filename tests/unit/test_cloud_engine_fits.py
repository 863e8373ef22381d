"""Which files go to Athena: those that its reader of CSV, as daap's own Athena has it, reads as the contract does."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daap.csvtext.records import RecordReader
from daap.model.table import Dialect, TableSchema
from daap.ports.engine import Source
from daap_cloud.athena import fits
from daap_cloud.athena.fits import RawFile, Unsuited, examine, why_not
from daap_local.athena.hive.lines import text_blocks
from daap_local.athena.hive.serde_csv import CsvOptions, csv_fields
from tests.oracle.harness import make_schema

TWO = make_schema("a string", "b string")


def source_of(data: bytes) -> Source:
    return Source("s3://bucket/raw/file.csv", len(data), lambda: io.BytesIO(data))


def athena_reads(data: bytes, raw: RawFile) -> list[list[str]]:
    """The rows that Athena's reader makes of a file."""
    options = CsvOptions(raw.delimiter, raw.quote, raw.escape)
    text = b"".join(text_blocks(io.BytesIO(data), raw.skip)).decode()
    return [csv_fields(line, options, raw.layout.width) for line in text.split("\n")[:-1]]


def contract_reads(data: bytes, schema: TableSchema, raw: RawFile) -> list[list[str]]:
    """The records behind the header, as the contract's own reader finds them."""
    reader = RecordReader(io.BytesIO(data), schema.dialect)
    reader.skip_lines(raw.skip)
    return [reader.split(record) for record in reader]


READ: dict[str, tuple[bytes, dict[str, object]]] = {
    "plain": (b"a,b\n1,2\n", {}),
    "without a last line end": (b"a,b\n1,2", {}),
    "CRLF": (b"a,b\r\n1,2\r\n", {}),
    "both line ends": (b"a,b\r\n1,2\n3,4\r\n", {}),
    "a byte order mark before the header": (b"\xef\xbb\xbfa,b\n1,2\n", {}),
    "quotes": (b'a,b\n"1","x ""y"", z"\n"",""""\n"""","""a"""\n', {}),
    "spaces are kept": (b"a,b\n 1 ,  \n", {}),
    "backslashes are kept": (b'a,b\n"C:\\new\\",\\N\n', {}),
    "the first candidates for the escape occur": (b"a,b\n\x01,\x02\x03\n", {}),
    "another delimiter": (b"a;b\n1,5;2\n", {"delimiter": ";"}),
    "another quote": (b"a,b\n'1,5',\"\n", {"quote": "'"}),
    "no quotes": (b'a,b\n1","2\n', {"quote": ""}),
    "a preamble": (b'Report,"\n\na,b\n1,2\n', {"skipLines": 1}),
    "no header": (b"1,2\n3,4\n", {"header": False}),
    "a header with a line break": (b'a,"\nb"\n1,2\n', {}),
    "columns in another order": (b"b,a\n1,2\n", {}),
    "other letters": ("a,b\né,👍\n".encode(), {}),
}


@pytest.mark.parametrize("case", READ)
def test_a_file_that_athena_reads_as_the_contract_does_is_taken(case):
    data, dialect = READ[case]
    schema = make_schema("a string", "b string", **dialect)
    raw = examine(source_of(data), schema)
    found = athena_reads(data, raw)
    assert found == contract_reads(data, schema, raw)
    assert raw.rows == len(found)


LEFT: dict[str, tuple[bytes, dict[str, object], str]] = {
    "a line break in quotes": (b'a,b\n"1\n2",3\n', {}, "line break inside quotes"),
    "a CRLF in quotes": (b'a,b\n"1\r\n2",3\n', {}, "line break inside quotes"),
    "a CR in quotes": (b'a,b\n"1\r2",3\n', {}, "carriage return"),
    "lines that end in CR": (b"a,b\r1,2\r", {}, "carriage return"),
    "a last line that ends in CR": (b"a,b\n1,2\r", {}, "carriage return"),
    "a blank line": (b"a,b\n1,2\n\n3,4\n", {}, "blank line"),
    "a blank line behind the header": (b"a,b\n\n1,2\n", {}, "blank line"),
    "a blank CRLF line": (b"a,b\r\n1,2\r\n\r\n3,4\r\n", {}, "blank line"),
    "blank lines at the end": (b"a,b\n1,2\n\n", {}, "blank line"),
    "another encoding": ("a,b\n1,2\n".encode("utf-16"), {"encoding": "utf-16"}, "utf-16"),
    "no UTF-8": (b"a,b\n\xff,2\n", {}, "UTF-8"),
    "NUL": (b"a,b\n\0,2\n", {}, "NUL"),
    "an escape character": (b"a,b\n1,2\n", {"escape": "\\"}, "escape character of its own"),
    "a byte order mark before the data": (b"\xef\xbb\xbf1,2\n", {"header": False}, "byte order mark"),
    "no rows": (b"a,b\n", {}, "no rows"),
    "a short line": (b"a,b\n1\n", {}, "more or fewer fields"),
    "a long line": (b"a,b\n1,2,3\n", {}, "more or fewer fields"),
    "a short line beside a long one": (b"a,b\n1,2,3\n4\n", {}, "more or fewer fields"),
    "a quote inside a field": (b'a,b\n1,2"3"\n', {}, "quote inside a field"),
    "text behind a quote": (b'a,b\n1,"2" \n', {}, "quote inside a field"),
    "an open quote": (b'a,b\n1,"2\n', {}, "line break inside quotes"),
    "another header": (b"a,c\n1,2\n", {}, "header"),
    "no header at all": (b"", {}, "header"),
    "every candidate for the escape": (b"a,b\n\x01\x02\x03,\x04\x05\x06\n", {}, "could serve"),
    "all but one, and no quotes": (b"a,b\n\x01\x02\x03,\x04\x05\n", {"quote": ""}, "could serve"),
}


@pytest.mark.parametrize("case", LEFT)
def test_a_file_that_athena_would_misread_is_left_with_the_reason(case):
    data, dialect, reason = LEFT[case]
    told = why_not(source_of(data), make_schema("a string", "b string", **dialect))
    assert told is not None
    assert reason in told


@pytest.mark.parametrize("size", range(8, 40))
def test_what_athena_would_misread_is_found_wherever_a_piece_ends(size, monkeypatch):
    monkeypatch.setattr(fits, "_CHUNK", size)
    for case, (data, dialect, _) in LEFT.items():
        assert why_not(source_of(data), make_schema("a string", "b string", **dialect)), case
    for case, (data, dialect) in READ.items():
        assert why_not(source_of(data), make_schema("a string", "b string", **dialect)) is None, case


def test_a_line_that_is_too_long_for_athena_is_found_without_reading_on(monkeypatch):
    monkeypatch.setattr(fits, "_CHUNK", 64)
    monkeypatch.setattr(fits, "LONGEST_LINE", 1000)
    assert why_not(source_of(b"a,b\n" + b"x" * 900 + b",1\n"), TWO) is None
    assert "longer than" in str(why_not(source_of(b"a,b\n" + b"x" * 2000 + b",1\n"), TWO))


FIELDS = st.text("ab\", \\'é\t;\x01", max_size=6)


def written(field: str, *, quoted: bool) -> str:
    if quoted or not field or set(field) & set('",'):
        return '"' + field.replace('"', '""') + '"'
    return field


@given(rows=st.lists(st.lists(st.tuples(FIELDS, st.booleans()), min_size=2, max_size=2), min_size=1, max_size=6))
def test_whatever_stands_in_the_fields_of_a_line_is_read_alike(rows):
    lines = (",".join(written(field, quoted=quoted) for field, quoted in row) for row in rows)
    data = ("a,b\n" + "".join(f"{line}\n" for line in lines)).encode()
    raw = examine(source_of(data), TWO)
    assert athena_reads(data, raw) == [[field for field, _ in row] for row in rows]


@given(soup=st.text('a", \n\\', max_size=30))
@example(soup='"a" ,a')
def test_no_soup_of_quotes_and_delimiters_is_misread(soup: str):
    data = f"a,b\n{soup}".encode()
    try:
        raw = examine(source_of(data), TWO)
    except Unsuited:
        return
    records = list(RecordReader(io.BytesIO(data), TWO.dialect))
    assert all(record.fault is None for record in records)
    assert athena_reads(data, raw) == contract_reads(data, TWO, raw)


def test_the_escape_and_the_quote_occur_nowhere_in_the_file():
    raw = examine(source_of(b"a,b\n\x01,\x03\n"), TWO.model_copy(update={"dialect": Dialect(quote="")}))
    assert (raw.escape, raw.quote) == ("\x02", "\x04")

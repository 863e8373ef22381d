"""OpenCSVSerde, with the faults that Athena keeps."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.serde_csv import CsvDecoder, CsvOptions, csv_fields
from tests.athena_hive.support import CSV, rows_of, table_of, text_rows

THREE = "a string, b string, c string"
NEVER = CSV + " WITH SERDEPROPERTIES ('escapeChar' = '\\u0001')"


@pytest.mark.parametrize(
    ("line", "default", "without_escape"),
    [
        ('"say ""hi"""', 'say "hi"', 'say "hi"'),
        (r'"C:\temp\x"', "C:tempx", r"C:\temp\x"),
        (r"\N", "N", r"\N"),
        ("", None, None),
        (",x", "", ""),
        ('""', "", ""),
        ('"a" ,b', "a ", "a "),
        ('ab"c"d', 'abc"d', 'abc"d'),
        ('"open', None, None),
    ],
)
def test_a_value_is_what_the_serde_makes_of_it(line, default, without_escape):
    assert text_rows(THREE, CSV, line + "\n")[0][0] == default
    assert text_rows(THREE, NEVER, line + "\n")[0][0] == without_escape


def test_an_escape_before_the_closing_quote_loses_the_row():
    assert text_rows(THREE, CSV, r'"dir\",b,c') == [(None, None, None)]
    assert text_rows(THREE, NEVER, r'"dir\",b,c') == [("dir\\", "b", "c")]


def test_a_line_break_in_quotes_makes_two_lost_rows():
    assert text_rows("a string", CSV, '"one\ntwo"\nx\n') == [(None,), (None,), ("x",)]


def test_an_unterminated_quote_leaves_the_next_line_unharmed():
    assert text_rows(THREE, CSV, 'a,"open\nb,c,d\n') == [("a", None, None), ("b", "c", "d")]


def test_short_rows_are_filled_and_long_ones_cut():
    assert text_rows(THREE, CSV, "a\nb,c,d,e\n") == [("a", None, None), ("b", "c", "d")]


def test_a_blank_line_is_a_row_of_nulls():
    assert text_rows("a string", CSV, "a\n\nb\n") == [("a",), (None,), ("b",)]


def test_a_byte_order_mark_is_passed_over_with_the_line_reader():
    assert text_rows("a string", CSV, "\ufeffa\n") == [("a",)]


def test_an_escape_given_as_a_quote_is_read_as_a_backslash():
    clauses = CSV + " WITH SERDEPROPERTIES ('escapeChar' = '\"')"
    assert text_rows("a string", clauses, r'"a\b"') == [("ab",)]


@pytest.mark.parametrize("properties", ["'escapeChar' = ''", "'quoteChar' = ','", "'separatorChar' = '\\\\'"])
def test_properties_that_the_serde_throws_on_are_refused(properties):
    with pytest.raises(AthenaFault):
        text_rows("a string", f"{CSV} WITH SERDEPROPERTIES ({properties})", "a\n")


def test_typed_columns_hold_days_and_milliseconds():
    columns = "a int, b bigint, c double, d boolean, e date, f timestamp"
    (row,) = text_rows(columns, CSV, "-1,9223372036854775807,1.5e3,TRUE,18276,1579059880123\n")
    assert row == (-1, 2**63 - 1, 1500.0, True, date(2020, 1, 15), datetime.fromisoformat("2020-01-15 03:44:40.123"))


@pytest.mark.parametrize("type_", ["int", "bigint", "double", "boolean", "date", "timestamp"])
@pytest.mark.parametrize("text", ["", "abc", "2024-01-02", "1 2"])
def test_a_text_that_is_none_of_its_type_is_bad_data(type_, text):
    with pytest.raises(AthenaFault, match="HIVE_BAD_DATA: Error parsing field value"):
        text_rows(f"x string, a {type_}", CSV, f"1,{text}\n")


def test_a_field_that_is_missing_is_null_in_any_type():
    assert text_rows("a string, b int", CSV, "x\n") == [("x", None)]


def test_a_table_property_makes_bad_data_null():
    assert text_rows("a int", CSV, "abc\n5\n", "'use.null.for.invalid.data' = 'TRUE'") == [(None,), (5,)]


def test_types_that_the_serde_does_not_know_are_refused_by_name():
    with pytest.raises(AthenaFault, match=r"NOT_SUPPORTED: OpenCSVSerde with a column of type decimal\(5,2\)"):
        text_rows("a decimal(5,2)", CSV, "1\n")


def test_a_column_that_is_not_read_cannot_be_bad():
    content = b"abc,x\n"
    table = table_of("a int, b string", CSV)
    assert rows_of(table, {"f": content}, "SELECT b FROM t", only=["b"]) == [("x",)]


LETTERS = some.sampled_from([',"\\ a', ',"ab', ',"""é', ",a", '",'])
LINES = LETTERS.flatmap(lambda letters: some.lists(some.text(letters, max_size=12), min_size=1, max_size=8))
OPTIONS = some.sampled_from([CsvOptions(), CsvOptions(escape="\0"), CsvOptions(escape="a"), CsvOptions(",", "é", "\\")])


@given(LINES, OPTIONS, some.integers(1, 4))
def test_whole_blocks_are_cut_as_single_lines_are(lines, options, width):
    rows, columns = CsvDecoder(options, range(width), width)("".join(line + "\n" for line in lines).encode())
    expected = [(csv_fields(line, options, width) + [None] * width)[:width] for line in lines]
    assert rows == len(lines)
    assert [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)] == expected


VALUES = some.text(some.characters(exclude_characters='\n\r\0"\\', exclude_categories=["Cs"]))


@given(some.lists(some.lists(VALUES, min_size=2, max_size=2)))
def test_what_is_quoted_properly_comes_back(rows):
    content = "".join(",".join(f'"{value}"' for value in row) + "\n" for row in rows)
    made = text_rows("a string, b string", CSV, content)
    assert [list(row) for row in made] == rows

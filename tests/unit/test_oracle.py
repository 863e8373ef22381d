"""The reference of the value contract, on examples that a reader can judge by eye."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from daap.model.verdict import Code
from tests.oracle.contract import Misfit, judge, read_field
from tests.oracle.harness import make_schema, sort_rows
from tests.oracle.patterns import write_moment, written_by
from tests.oracle.strategies import CsvFile, any_files, broken_files, byte_soups

SCHEMA = make_schema("a int", "b string", "c decimal(5,2)")


def test_a_good_file_gives_its_rows():
    data = b'\xef\xbb\xbfC, a,"B"\r\n1.5,7,"x\r\n""y"""\r\n\r\n,-7,""\r\n'
    assert judge(data, SCHEMA).rows == [
        {"a": 7, "b": 'x\r\n"y"', "c": Decimal("1.5")},
        {"a": -7, "b": None, "c": None},
    ]


def test_a_bad_file_gives_its_errors():
    data = b'a,b,c\n1,"x\n",z\n1,2\n1,2,3,4\n1,x"y,3\n1,"\xff",3\n"'
    assert judge(data, SCHEMA).errors == [
        (Code.TYPE_ERROR, 2, "c"),
        (Code.TOO_FEW_FIELDS, 4, None),
        (Code.TOO_MANY_FIELDS, 5, None),
        (Code.BROKEN_QUOTE, 6, None),
        (Code.ENCODING_ERROR, 7, None),
        (Code.UNCLOSED_QUOTE, 8, None),
    ]


def test_a_bad_header_gives_its_errors():
    assert judge("a,A,,(£)\n1,2,3,4\nx,2,3,4\n".encode(), make_schema("a int", "b int")).errors == [
        (Code.DUPLICATE_COLUMN, 1, "a"),
        (Code.EXTRA_COLUMN, 1, "column_3"),
        (Code.UNREADABLE_HEADER, 1, None),
        (Code.MISSING_COLUMN, 1, "b"),
        (Code.TYPE_ERROR, 3, "a"),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "T", True), ("tinyint", "-0128", -128), ("decimal(3,2)", "-.5", Decimal("-0.5")),
        ("float", "0.1", 0.10000000149011612),
        ("float", "1.00000005960464477539062500001", 1.0000001192092896), ("double", "5e-324", 5e-324),
        ("varchar(1)", "👍", "👍"),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp", "2024-01-02T03:04:05.1", datetime.fromisoformat("2024-01-02T03:04:05.100")),
    ],
)  # fmt: skip
def test_a_text_that_fits_is_its_value(kind, text, value):
    assert read_field(text, make_schema(f"v {kind}").columns[0]) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("boolean", "yes"), ("tinyint", "128"), ("int", "1.0"), ("decimal(3,2)", "10"), ("float", "1e39"),
        ("float", "7e-46"),
        ("double", "nan"), ("varchar(1)", "ab"), ("char(2)", "a "), ("date", "2023-02-29"),
        ("timestamp", "2024-01-02 24:00:00"),
    ],
)  # fmt: skip
def test_a_text_that_does_not_fit_is_none(kind, text):
    with pytest.raises(Misfit):
        read_field(text, make_schema(f"v {kind}").columns[0])


def test_a_pattern_may_leave_open_what_a_text_says():
    assert len(written_by("%-d%-m%Y", "1112024")) == 2


@pytest.mark.parametrize("pattern", ["%d-%b-%y", "%A %-d %B %Y %-I:%M:%S.%f %p", "%Y.%j %H:%M:%S.%f"])
def test_a_moment_written_and_read_is_the_same(pattern):
    moment = datetime.fromisoformat("2024-02-29T00:00:00")
    assert written_by(pattern, write_moment(moment, pattern).upper()) == {moment}


@given(any_files())
def test_every_good_file_that_is_drawn_is_good(file: CsvFile):
    judgement = judge(file.data, file.schema)
    assert judgement.errors == []
    assert sort_rows(judgement.rows) == sort_rows(file.rows)


@given(broken_files() | byte_soups())
def test_every_file_gets_rows_or_errors(file: CsvFile):
    judgement = judge(file.data, file.schema)
    assert (judgement.rows is None) == bool(judgement.errors)

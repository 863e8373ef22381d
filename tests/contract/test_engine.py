"""What every engine does with a file, rule by rule of docs/value-contract.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daap.errors import EngineFailed, ObjectMissing
from daap.model.table import TableSchema
from daap.model.verdict import MASK, Code, DataError, Verdict, Written
from daap.ports.engine import Engine
from tests.oracle.contract import Row, escape_of, judge
from tests.oracle.harness import (
    file_source,
    list_errors,
    make_schema,
    open_parquet,
    read_rows,
    sort_errors,
    sort_rows,
    stage_file,
    write_source,
)
from tests.oracle.near_misses import NEAR_MISSES

NAN, INFINITE = float("nan"), float("inf")


@dataclass
class Desk:
    """An engine with a folder to work in."""

    engine: Engine
    folder: Path

    @property
    def target(self) -> Path:
        return self.folder / "snapshot"

    def stage(self, data: bytes, schema: TableSchema) -> tuple[Verdict, Written | None]:
        return stage_file(self.engine, write_source(self.folder, data), schema, self.target)

    def rows(self, data: bytes, schema: TableSchema) -> list[Row]:
        """The rows of a file that has to be accepted."""
        verdict, written = self.stage(data, schema)
        assert [str(error) for error in verdict.errors] == []
        assert verdict.accepted
        rows = read_rows(self.target)
        assert verdict.rows == written.rows == len(rows)
        return rows

    def errors(self, data: bytes, schema: TableSchema) -> list[DataError]:
        """The errors of a file that has to be refused, in order of their lines."""
        verdict, written = self.stage(data, schema)
        assert not verdict.accepted
        assert written is None
        assert verdict.counts == Counter(error.code for error in verdict.errors)
        return sorted(verdict.errors, key=lambda error: (error.line or 0, error.column or ""))

    def found(self, data: bytes, schema: TableSchema) -> list[tuple[Code, int | None, str | None]]:
        """The errors as (code, line, column)."""
        return [(error.code, error.line, error.column) for error in self.errors(data, schema)]

    def values(self, data: bytes, schema: TableSchema) -> list[tuple[object, ...]]:
        """The rows as tuples, in order."""
        return sorted((tuple(row.values()) for row in self.rows(data, schema)), key=str)


@pytest.fixture
def desk(engine, tmp_path) -> Desk:
    return Desk(engine, tmp_path)


@pytest.fixture
def near_desk(near_engine, tmp_path) -> Desk:
    return Desk(near_engine, tmp_path)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def column_spec(key: str) -> dict[str, object]:
    """`"date as %d/%m/%Y"` is a date with a format, `"timestamp dropping"` one that drops digits."""
    kind, _, form = key.partition(" as ")
    kind, _, dropping = kind.partition(" ")
    spec: dict[str, object] = {"name": "v", "type": kind}
    return spec | ({"format": form} if form else {}) | ({"fraction": "drop"} if dropping else {})


def value_schema(key: str) -> TableSchema:
    return make_schema("id int", column_spec(key))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    return date.fromisoformat(text)


# From texts to values: what each type takes, and what it refuses

TAKEN: dict[str, dict[str, object]] = {
    "boolean": {
        "true": True, "TRUE": True, "tRuE": True, "t": True, "T": True, "1": True,
        "false": False, "FALSE": False, "False": False, "f": False, "F": False, "0": False,
    },
    "tinyint": {"127": 127, "-128": -128, "0": 0, "-0": 0, "+0": 0, "+1": 1, "01": 1, "-007": -7, "0" * 60 + "9": 9},
    "smallint": {"32767": 32767, "-32768": -32768},
    "int": {"2147483647": 2147483647, "-2147483648": -2147483648, "+1": 1, "-0": 0},
    "bigint": {"9223372036854775807": 9223372036854775807, "-9223372036854775808": -9223372036854775808},
    "decimal(5,2)": {
        "1": Decimal("1.00"), "1.": Decimal("1.00"), ".5": Decimal("0.50"), "-.5": Decimal("-0.50"),
        "+1.5": Decimal("1.50"), "999.99": Decimal("999.99"), "-999.99": Decimal("-999.99"),
        "123.4500": Decimal("123.45"), "00123.45": Decimal("123.45"), "-0": Decimal(0), "0.000": Decimal(0),
    },
    "decimal(2,2)": {"0.25": Decimal("0.25"), ".25": Decimal("0.25"), "00.25": Decimal("0.25"), "0": Decimal(0)},
    "decimal(38,0)": {"9" * 38: Decimal("9" * 38), "-" + "9" * 38: Decimal("-" + "9" * 38), "1.0": Decimal(1)},
    "decimal(38,38)": {"." + "9" * 38: Decimal("0." + "9" * 38), "-0." + "0" * 37 + "1": Decimal("-1e-38")},
    "decimal(18,9)": {"123456789.987654321": Decimal("123456789.987654321")},
    "float": {
        "1": 1.0, "1.": 1.0, ".5": 0.5, "1e2": 100.0, "1E+2": 100.0, "-1.5e-1": -0.15000000596046448,
        "0.1": 0.10000000149011612, "16777217": 16777216.0, "3.4028235e38": 3.4028234663852886e38,
        "1e-45": 1.401298464324817e-45, "NaN": NAN, "Infinity": INFINITE, "-Infinity": -INFINITE,
        "-0": -0.0, "0e999": 0.0, "1.00000005960464477539062500001": 1.0000001192092896,
    },
    "double": {
        "1": 1.0, "1.": 1.0, ".5": 0.5, "+1.5": 1.5, "1e2": 100.0, "1E-2": 0.01, "0.1": 0.1,
        "9007199254740993": 9007199254740992.0, "1.7976931348623157e308": 1.7976931348623157e308,
        "5e-324": 5e-324, "4.9e-324": 5e-324, "NaN": NAN, "Infinity": INFINITE, "-Infinity": -INFINITE,
        "-0.0": -0.0, "0e0": 0.0, "-0e-999": -0.0, "123456789012345678901234567890": 1.2345678901234568e29,
    },
    "string": {
        text: text
        for text in (
            " ", "  x ", "NULL", "\\N", "C:\\new\\x", 'say "hi"', "a,b", "a\nb", "a\r\nb", "a\rb", "\t", "'", "é",
            "e\u0301",
            "👍", "null", "\u2028", "\ufeff", "\x0b", "\x85", "\u00a0", "\x1a", "x" * 20_000, "--", "=1+1", "%s", "{}",
            "\x7f",
        )
    },
    "varchar(3)": {"abc": "abc", "ab ": "ab ", "   ": "   ", "👍👍👍": "👍👍👍", "e\u0301e": "e\u0301e"},
    "char(3)": {"abc": "abc", "a": "a", " ab": " ab", "a b": "a b"},
    "date": {
        "2024-01-02": day("2024-01-02"), "2024-02-29": day("2024-02-29"), "2000-02-29": day("2000-02-29"),
        "0001-01-01": date.min, "9999-12-31": date.max, "1582-10-10": day("1582-10-10"),
    },
    "timestamp": {
        "2024-01-02 03:04:05": moment("2024-01-02 03:04:05"), "2024-01-02T03:04:05": moment("2024-01-02 03:04:05"),
        "2024-01-02 03:04:05.1": moment("2024-01-02 03:04:05.100"),
        "2024-01-02 03:04:05.12": moment("2024-01-02 03:04:05.120"),
        "2024-01-02T03:04:05.123": moment("2024-01-02 03:04:05.123"),
        "2024-01-02 03:04:05.000": moment("2024-01-02 03:04:05"),
        "0001-01-01 00:00:00": moment("0001-01-01 00:00:00"),
        "9999-12-31 23:59:59.999": moment("9999-12-31 23:59:59.999"),
        "1969-12-31 23:59:59.999": moment("1969-12-31 23:59:59.999"),
    },
    "timestamp dropping": {
        "2024-01-02 03:04:05": moment("2024-01-02 03:04:05"),
        "2024-01-02 03:04:05.1234": moment("2024-01-02 03:04:05.123"),
        "2024-01-02 03:04:05.1239": moment("2024-01-02 03:04:05.123"),
        "2024-01-02 03:04:05.9999996": moment("2024-01-02 03:04:05.999"),
        "1969-12-31 23:59:59.9999": moment("1969-12-31 23:59:59.999"),
        "2024-01-02T03:04:05.999999999": moment("2024-01-02 03:04:05.999"),
    },
    "date as %d-%b-%y": {
        "09-Mar-11": day("2011-03-09"), "09-MAR-11": day("2011-03-09"), "09-mar-11": day("2011-03-09"),
        "31-Dec-68": day("2068-12-31"), "01-Jan-69": day("1969-01-01"),
    },
    "date as %-d/%-m/%Y": {"9/3/2011": day("2011-03-09"), "31/12/0001": day("0001-12-31")},
    "date as %A, %d %B %Y": {"Tuesday, 02 January 2024": day("2024-01-02"),
    "TUESDAY, 31 december 2024": day("2024-12-31")},
    "date as %Y.%j": {"2024.366": day("2024-12-31"), "2023.001": day("2023-01-01")},
    "date as %Y%m%d": {"20240229": day("2024-02-29")},
    "timestamp as %d/%m/%Y %H:%M": {"02/01/2024 23:59": moment("2024-01-02 23:59:00")},
    "timestamp as %d/%m/%Y %I:%M %p": {
        "02/01/2024 12:00 AM": moment("2024-01-02 00:00:00"), "02/01/2024 12:00 pm": moment("2024-01-02 12:00:00"),
        "02/01/2024 11:59 PM": moment("2024-01-02 23:59:00"),
    },
    "timestamp as %Y%m%dT%H%M%S": {"20240102T030405": moment("2024-01-02 03:04:05")},
    "timestamp as %Y-%m-%d": {"2024-01-02": moment("2024-01-02 00:00:00")},
    "timestamp as %Y-%m-%d %H:%M:%S.%g": {"2024-01-02 03:04:05.678": moment("2024-01-02 03:04:05.678")},
    "timestamp as %Y-%m-%d %H:%M:%S.%f": {"2024-01-02 03:04:05.678000": moment("2024-01-02 03:04:05.678")},
    "timestamp dropping as %Y-%m-%d %H:%M:%S.%f": {"2024-01-02 03:04:05.999999": moment("2024-01-02 03:04:05.999")},
    "decimal(9,2) as £1,234.50": {
        "£1,234.50": Decimal("1234.50"), "£1234.5": Decimal("1234.50"), "£ 1,234,567": Decimal(1234567),
        "-£1.00": Decimal(-1), "£-1.00": Decimal(-1), "+£1": Decimal(1), "£68,486.66": Decimal("68486.66"),
        "£0.000": Decimal(0),
    },
    "decimal(9,2) as £1,234": {"£1,234": Decimal(1234), "-£5": Decimal(-5)},
    "decimal(9,2) as 1.234,50": {"1.234,50": Decimal("1234.50"), "-1234,5": Decimal("-1234.50"), "1": Decimal(1)},
    "decimal(9,2) as 1 234,5 €": {"1 234,50 €": Decimal("1234.50"), "1234€": Decimal(1234), "-5 €": Decimal(-5)},
    "decimal(9,2) as (1,234.5)": {
        "(1,234.5)": Decimal("-1234.50"), "1,234.5": Decimal("1234.50"), "-1": Decimal(-1), "+1": Decimal(1),
    },
    "decimal(9,2) as 1,234.5-": {"1,234.5-": Decimal("-1234.50"), "1,234.5": Decimal("1234.50"), "-1": Decimal(-1)},
    "int as 1,234": {"1,234": 1234, "1234": 1234, "-1,234,567": -1234567, "2,147,483,647": 2147483647},
    "double as 12.5%": {"12.5%": 12.5, "0.1 %": 0.1, "-3%": -3.0},
    "float as 1234,5": {"0,1": 0.10000000149011612},
}  # fmt: skip

_TIMES = [
    "", "T", "t", " 03:04:05", "T03:04:05", "Z", "+00:00", "abc", " BC", " (BC)", " 03", " Europe/London", " PM"
]  # fmt: skip

REFUSED: dict[str, list[str]] = {
    "boolean": ["yes", "no", "y", "n", "on", "off", "2", "-1", "01", "1.0", "tru", " true", "true ", "falſe", "１"],
    "tinyint": ["128", "-129", "1" * 50, "+", "-", "--1", "1-", "+-1"],
    "smallint": ["32768", "-32769"],
    "int": [
        "2147483648", "-2147483649", "1.0", "1.4", "1.", "1.5", "2.5", ".5", "1e2", "1_000", "0x1F", "0b11", " 1", "1 ",
        "\t1", "1\n", "\u00a01", "1,000", "٣", "１", "−1", "inf", "NaN", "true", "abc", " ", "- 1", "1L", "²",
    ],
    "bigint": ["9223372036854775808", "-9223372036854775809", "1e2", "1.0", " 1", "1_0"],
    "decimal(5,2)": [
        "1000", "999.995", "0.001", "123.456", " 1.5", "1.5 ", "1_0", "1e2", "1.2.3", ".", "-", "-.", "1,5", "NaN",
        "Infinity", "٣", "0x1", "£1", "(1)",
    ],
    "decimal(2,2)": ["1", "0.255", "-1.00"],
    "decimal(38,0)": ["1" + "0" * 38, "0.1", "9" * 39],
    "decimal(38,38)": ["1", "." + "0" * 38 + "1"],
    "float": ["1e39", "-3.5e38", "3.4028236e38", "7e-46", "1e-400", "inf", "nan", "1.5f", "0x1p3", "1_0", " 1",
    "+Infinity"],
    "double": [
        "inf", "Inf", "infinity", "INFINITY", "nan", "NAN", "-NaN", "+NaN", "+Infinity", "1.5f", "1.5d", "0x1p3", "1_0",
        "1E400", "-1e309", "1e-400", "2e-324", "1e", "e1", ".e1", "1e1.5", "1e+", ".", "-", "1.2.3", " 1", "1 ", "NaN ",
        "1,5", "٣",
    ],
    "date": [
        *("2024-01-02" + tail for tail in _TIMES if tail), "2024-1-2", "2024-01-2", "24-01-02", "2024/01/02",
        "20240102",
        "epoch", "infinity", "-infinity", "today", "2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "2024-00-01",
        "2024-01-00", "0000-01-01", "10000-01-01", "-0001-01-01", "+2024-01-02", " 2024-01-02", "2024-01-02 ",
        "02-01-2024", "2024-001", "2024-01", "2024-01-0２", "٢٠٢٤-٠١-٠٢",
    ],
    "timestamp": [
        "2024-01-02", "2024-01-02 ", "2024-01-02 03", "2024-01-02 03:04", "2024-01-02 03:04:05Z",
        "2024-01-02 03:04:05+00",
        "2024-01-02 03:04:05 UTC", "2024-01-02 03:04:05 Europe/London", "2024-01-02 03:04:05 PM", "2024/01/02 03:04:05",
        "epoch", "infinity", "2024-01-02 24:00:00", "2024-01-02 23:59:60", "2024-01-02 23:60:00", "2024-01-02 3:04:05",
        "2024-01-02 03:04:05.", "2024-01-02 03:04:05.1234", "2024-01-02 03:04:05.1230", "2024-01-02 03:04:05,123",
        "2024-01-02t03:04:05", "2024-01-02  03:04:05", "2024-01-02\n03:04:05", "2023-02-29 00:00:00", "03:04:05",
        "0000-01-01 00:00:00", "10000-01-01 00:00:00", " 2024-01-02 03:04:05", "2024-01-02 03:04:05 ", "1704164645",
    ],
    "timestamp dropping": [
        "2024-01-02 03:04:05.", "2024-01-02 03:04:05.1234567890", "2024-01-02 03:04:05.1234 ",
        "2024-01-02 03:04:05.12Z",
    ],
    "date as %d-%b-%y": [
        "9-Mar-11", "09-March-11", "09-Mar-2011", "09 Mar 11", "30-Feb-11", "09-Mär-11", "2011-03-09", "09-Mar-11 ",
        "00-Mar-11",
    ],
    "date as %-d/%-m/%Y": ["09/03/2011", "9/3/11", "9/13/2011", "31/2/2024"],
    "date as %A, %d %B %Y": ["Monday, 02 January 2024", "Tue, 02 January 2024", "Tuesday, 2 January 2024"],
    "date as %Y.%j": ["2023.366", "2023.000", "2023.1"],
    "timestamp as %d/%m/%Y %I:%M %p": ["02/01/2024 00:00 AM", "02/01/2024 13:00 PM", "02/01/2024 12:00"],
    "timestamp as %Y-%m-%d %H:%M:%S.%g": ["2024-01-02 03:04:05.67", "2024-01-02 03:04:05.6789"],
    "timestamp as %Y%m%dT%H%M%S": ["20240102t030405", "20240102 030405", "20240102T0304056"],
    "timestamp as %Y-%m-%d %H:%M:%S.%f": ["2024-01-02 03:04:05.678001", "2024-01-02 03:04:05.678"],
    "decimal(9,2) as £1,234.50": [
        "1,234.50", "$1", "1£", "£", "£12,34", "£1,2345", "£,123", "£1,234.567", "£1.5.", "(£1)", "£1-", "--£1", "-£-1",
        "£  1", " £1", "£1 ", "£1e2", "££1", "£٣",
    ],
    "decimal(9,2) as £1,234": ["£1.50", "£1.0", "£1.", "£.5"],
    "decimal(9,2) as 1.234,50": ["1,234.50", "1.23", "1.234.50", "12.34,5"],
    "decimal(9,2) as 1 234,5 €": ["1 234", "€1", "1  234 €", "1\u00a0234 €"],
    "decimal(9,2) as (1,234.5)": ["(-1)", "(1", "1)", "()", "-(1)", "((1))", "1-"],
    "decimal(9,2) as 1,234.5-": ["-1-", "1+", "1--", "(1)", "1 -"],
    "int as 1,234": ["1,23", "1234,567", "1,234.0", "1.5", "2,147,483,648", ",1", "1,"],
    "double as 12.5%": ["12.5", "%", "1,000%", "NaN", "1e2%"],
}  # fmt: skip

TOO_LONG = {
    "varchar(3)": ["abcd", "abc ", "👍👍👍👍", "é\u0301aé"],
    "char(3)": ["abcd", "ab ", "   "],
}


def flatten(table: dict) -> list[tuple[str, str]]:
    return [(key, text) for key, texts in table.items() for text in texts]


def name_of(part: str) -> str:
    return part.encode("unicode_escape").decode()[:40]


@pytest.mark.parametrize(("key", "text"), flatten(TAKEN), ids=name_of)
def test_a_text_that_fits_is_taken_as_its_value(near_desk, key, text):
    rows = near_desk.rows(f"id,v\n1,{quoted(text)}\n".encode(), value_schema(key))
    assert sort_rows(rows) == sort_rows([{"id": 1, "v": TAKEN[key][text]}])


@pytest.mark.parametrize("key", TAKEN)
def test_texts_that_fit_are_taken_together(desk, key):
    texts = TAKEN[key]
    data = "id,v\n" + "".join(f"{number},{quoted(text)}\n" for number, text in enumerate(texts))
    expected = [{"id": number, "v": value} for number, value in enumerate(texts.values())]
    assert sort_rows(desk.rows(data.encode(), value_schema(key))) == sort_rows(expected)


@pytest.mark.parametrize("key", REFUSED | TOO_LONG)
def test_every_text_that_does_not_fit_is_refused_where_it_stands(desk, key):
    code = Code.TOO_LONG if key in TOO_LONG else Code.TYPE_ERROR
    lines, expected, line = ["id,v"], [], 2
    for text in (REFUSED | TOO_LONG)[key]:
        lines.append(f"1,{quoted(text)}")
        expected.append((code, line, "v", text))
        line += 1 + text.count("\n")
    errors = desk.errors("\n".join(lines).encode(), value_schema(key))
    assert [(error.code, error.line, error.column, error.value) for error in errors] == expected


@pytest.mark.parametrize("key", REFUSED | TOO_LONG)
def test_one_text_that_does_not_fit_is_enough_to_refuse_a_file(near_desk, key):
    """The first of each kind alone, among values that fit."""
    text = (REFUSED | TOO_LONG)[key][0]
    good = quoted(next(iter(TAKEN[key])))
    data = f"id,v\n1,{good}\n2,{quoted(text)}\n3,{good}\n".encode()
    assert [line for _, line, _ in near_desk.found(data, value_schema(key))] == [3]


DIALECTS: dict[str, dict[str, object]] = {
    "plain": {},
    "escaped": {"delimiter": ";", "escape": "\\"},
    "utf-16": {"encoding": "utf-16"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("key", TAKEN)
def test_every_near_miss_is_judged_as_the_contract_says(near_desk, key, dialect):
    schema = make_schema("id int", column_spec(key), **DIALECTS[dialect])
    marks = schema.dialect
    escape = {marks.quote: escape_of(marks) + marks.quote, escape_of(marks): escape_of(marks) * 2}
    fields = ['"' + "".join(escape.get(char, char) for char in text) + '"' for text in NEAR_MISSES]
    text = "".join(f"{number}{marks.delimiter}{field}\n" for number, field in enumerate(fields))
    data = f"id{marks.delimiter}v\n{text}".encode(marks.encoding)
    verdict, _ = near_desk.stage(data, schema)
    judgement = judge(data, schema)
    assert list_errors(verdict) == sort_errors(judgement.errors)
    if judgement.rows is not None:
        assert sort_rows(read_rows(near_desk.target)) == sort_rows(judgement.rows)


# NULL


@pytest.mark.parametrize("key", TAKEN)
def test_an_empty_field_is_null_for_every_type(desk, key):
    assert desk.values(b'id,v\n1,\n2,""\n', value_schema(key)) == [(1, None), (2, None)]


def test_a_text_listed_as_null_is_null_and_nothing_else_is(desk):
    spec = {"name": "v", "type": "string", "nullValues": ["NULL", "n/a", " ", "a\nb"]}
    data = b'id,v\n1,NULL\n2,"n/a"\n3, \n4,null\n5,NULL \n6,"a\nb"\n'
    assert desk.values(data, make_schema("id int", spec)) == [
        (1, None), (2, None), (3, None), (4, "null"), (5, "NULL "), (6, None),
    ]  # fmt: skip


def test_a_null_text_comes_before_the_type(desk):
    columns = [
        {"name": "a", "type": "int", "nullValues": ["0", "-"]},
        {"name": "b", "type": "date", "nullValues": ["0"]},
    ]
    assert desk.values(b"a,b\n0,0\n-,\n00,2024-01-02\n", make_schema(*columns)) == [
        (0, day("2024-01-02")), (None, None), (None, None),
    ]  # fmt: skip


def test_null_in_a_required_column_is_a_missing_value(desk):
    spec = {"name": "v", "type": "string", "required": True, "nullValues": ["NULL"]}
    data = b'id,v\n1,x\n2,\n3,""\n4,NULL\n'
    assert desk.found(data, make_schema("id int", spec)) == [
        (Code.MISSING_VALUE, 3, "v"), (Code.MISSING_VALUE, 4, "v"), (Code.MISSING_VALUE, 5, "v"),
    ]  # fmt: skip


# Encodings


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8", "a\n£€é👍\n".encode()),
        ("utf-8", b"\xef\xbb\xbf" + "a\n£€é👍\n".encode()),
        ("utf-8-sig", b"\xef\xbb\xbf" + "a\n£€é👍\n".encode()),
        ("utf-8-sig", "a\n£€é👍\n".encode()),
        ("utf-16", "a\n£€é👍\n".encode("utf-16")),
        ("utf-16", b"\xfe\xff" + "a\n£€é👍\n".encode("utf-16-be")),
        ("utf-16", "a\n£€é👍\n".encode("utf-16-le")),
        ("cp1252", "a\n£€é“”\n".encode("cp1252")),
        ("latin-1", "a\n£é\x80\x81\n".encode("latin-1")),
    ],
)  # fmt: skip
def test_a_file_is_read_in_the_encoding_that_is_declared(desk, encoding, data):
    expected = data.decode("utf-8-sig" if encoding == "utf-8" else encoding).lstrip("\ufeff")[2:-1]
    assert desk.values(data, make_schema("a string", encoding=encoding)) == [(expected,)]


def test_a_byte_order_mark_may_stand_before_a_quoted_header(desk):
    assert desk.values(b'\xef\xbb\xbf"a","b"\n1,2\n', make_schema("a int", "b int")) == [(1, 2)]


def test_a_byte_order_mark_elsewhere_is_a_character(desk):
    assert desk.values("a,b\n\ufeffx,\ufeff\n".encode(), make_schema("a string", "b string")) == [("\ufeffx", "\ufeff")]


@pytest.mark.parametrize(
    ("encoding", "bad"),
    [
        ("utf-8", b"\xff"),
        ("utf-8", b"\xe9t\xe9"),
        ("utf-8", b"\xc0\x80"),
        ("utf-8", b"\xed\xa0\x80"),
        ("utf-8", b"\xf4\x90\x80\x80"),
        ("utf-8", b"\xe2\x82"),
        ("utf-8-sig", b"\xff"),
        ("cp1252", b"\x81"),
        ("utf-16", b"\x00\xd8x\x00"),
        ("utf-16", b"x\x00\x00\xdc"),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_bytes_that_are_not_in_the_encoding_are_an_error_on_their_line(desk, encoding, bad, quote):
    codec = "utf-16-le" if encoding == "utf-16" else encoding
    data = f'a,b\r\n1,"x\ny"\n2,{quote}'.encode(codec) + bad + f"{quote}\n3,z\n".encode(codec)
    errors = desk.errors(data, make_schema("a int", "b string", encoding=encoding))
    assert [(error.code, error.line) for error in errors] == [(Code.ENCODING_ERROR, 4)]


def test_half_a_character_at_the_end_of_a_utf_16_file_is_an_encoding_error(desk):
    data = "a\nx\n".encode("utf-16") + b"y"
    assert [error.code for error in desk.errors(data, make_schema("a string", encoding="utf-16"))] == [
        Code.ENCODING_ERROR
    ]


@pytest.mark.parametrize("data", [b"\xef", b"\xef\xbb", b"\xef\xbb\n", b"\xff"])
def test_half_a_byte_order_mark_is_an_encoding_error(desk, data):
    assert [error.code for error in desk.errors(data, make_schema("a string"))][:1] == [Code.ENCODING_ERROR]


def test_a_utf_16_file_that_is_declared_as_utf_8_is_refused(desk):
    assert not desk.stage("a,b\n1,x\n".encode("utf-16"), make_schema("a int", "b string"))[0].accepted


@pytest.mark.parametrize("field", [b"\0", b"x\0y", b'"x\0"'])
def test_the_character_nul_is_an_error_on_its_line(desk, field):
    data = b"a,b\n1,x\n2," + field + b"\n3,y\n"
    assert [(error.code, error.line) for error in desk.errors(data, make_schema("a int", "b string"))] == [
        (Code.NUL_CHARACTER, 3)
    ]


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_characters_and_line_ends_survive_wherever_a_buffer_ends(desk, encoding, shift):
    """Three-byte characters and CRLF at every offset over a few megabytes, and an error at the very end."""
    lines = ["a" * shift + ",b", *["€" * 11 + ",1"] * 40_000]
    schema = make_schema("a" * shift + "x string", "b int", encoding=encoding)
    good = "\r\n".join(["x".rjust(shift + 1, "a") + ",b", *lines[1:]]) + "\r\n"
    source = write_source(desk.folder, good.encode(encoding))
    assert desk.engine.check(source, schema).accepted
    bad = (good + "€,x\r\n").encode(encoding)
    assert desk.found(bad, schema) == [(Code.TYPE_ERROR, 40_002, "b")]


# Lines and records

SCHEMA = make_schema("a int", "b string", "c decimal(5,2)")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_an_editor_sees_them(desk, end):
    data = end.join(["a,b,c", "1,x,1.5", "2,y,z", ""])
    assert desk.found(data.encode(), SCHEMA) == [(Code.TYPE_ERROR, 3, "c")]


def test_a_file_may_mix_line_ends(desk):
    data = b"a,b,c\r1,x,1\n2,x,2\r\n3,x,3\rx,x,x\n"
    assert desk.found(data, SCHEMA) == [(Code.TYPE_ERROR, 5, "a"), (Code.TYPE_ERROR, 5, "c")]
    assert desk.values(data[: data.index(b"x,x,x")], SCHEMA) == [
        (1, "x", Decimal(1)), (2, "x", Decimal(2)), (3, "x", Decimal(3)),
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_breaks_in_quotes_are_kept_and_counted(desk, end):
    good = end.join(["a,b,c", f'1,"x{end}{end}y",1', "2,z,2", ""])
    assert desk.values(good.encode(), SCHEMA) == [(1, f"x{end}{end}y", Decimal(1)), (2, "z", Decimal(2))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_on_after_line_breaks_in_quotes(desk, end):
    bad = end.join(["a,b,c", f'1,"x{end}{end}y",1', "z,z,2", ""])
    assert desk.found(bad.encode(), SCHEMA) == [(Code.TYPE_ERROR, 5, "a")]


def test_an_error_in_a_record_of_several_lines_stands_where_the_record_begins(desk):
    assert desk.found(b'a,b,c\n1,"x\ny",z\n', SCHEMA) == [(Code.TYPE_ERROR, 2, "c")]


@pytest.mark.parametrize("top", [b"a,b\n", b"a,b\n\n", b"\na,b\r", b'"a",b\r\n\r\n', b'"a\r",b\n'])
@pytest.mark.parametrize("record", [b'"\r","\r"', b'"\r","\n"', b'"\r\n","\r"', b'"\n\r","\r\r"', b'"""\r","\r"""'])
@pytest.mark.parametrize("tail", [b"", b"\n", b'\n"\r","\r"'])
def test_fields_may_be_line_breaks_and_nothing_else(near_desk, top, record, tail):
    fields = tuple(field.replace('""', '"') for field in record.decode()[1:-1].split('","'))
    expected = [fields] + [("\r", "\r")] * (len(tail) > 1)
    assert near_desk.values(top + record + tail, make_schema("a string", "b string")) == sorted(expected, key=str)


def test_only_lf_and_cr_end_lines(desk):
    text = "x\x0b\x0c\x1c\x85\u2028\u2029y"
    assert desk.values(f"a,b,c\n1,{text},1\n".encode(), SCHEMA) == [(1, text, Decimal(1))]


def test_the_last_line_needs_no_end(desk):
    assert desk.values(b"a,b,c\n1,x,1\n2,y,2", SCHEMA) == [(1, "x", Decimal(1)), (2, "y", Decimal(2))]


def test_the_last_field_of_a_file_may_be_empty(desk):
    assert desk.values(b"a,b,c\n1,x,", SCHEMA) == [(1, "x", None)]


def test_quoted_fields_hold_delimiters_line_breaks_and_doubled_quotes(desk):
    data = b'a,b,c\n"1","x,""y""\r\n\rz","1.5"\n'
    assert desk.values(data, SCHEMA) == [(1, 'x,"y"\r\n\rz', Decimal("1.5"))]


@pytest.mark.parametrize(
    "record", [b'1,x"y,1', b'1,x"y",1', b'1,"x"y,1', b'1,"x" ,1', b'1, "x",1', b'1,"x""y"z,1', b'1,x,1"']
)
def test_a_quote_out_of_place_is_an_error_of_its_record_alone(desk, record):
    data = b"a,b,c\n1,x,1\n" + record + b"\n2,y,z\n"
    assert desk.found(data, SCHEMA) == [(Code.BROKEN_QUOTE, 3, None), (Code.TYPE_ERROR, 4, "c")]


def test_a_broken_quote_is_reported_where_its_record_begins(desk):
    assert desk.found(b'a,b,c\n1,"x\n\n"y,1\n2,y,1\nz,z,1\n', SCHEMA) == [
        (Code.BROKEN_QUOTE, 2, None), (Code.TYPE_ERROR, 6, "a"),
    ]  # fmt: skip


@pytest.mark.parametrize("tail", [b"", b"\n", b"\n3,z,1\n", b'""', b"\r\n3,z,1\r\n"])
def test_a_quote_that_never_closes_is_reported_where_its_record_begins(desk, tail):
    data = b'a,b,c\nx,x,1\n2,"y' + tail
    assert desk.found(data, SCHEMA) == [(Code.TYPE_ERROR, 2, "a"), (Code.UNCLOSED_QUOTE, 3, None)]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"1,x", Code.TOO_FEW_FIELDS), (b"1", Code.TOO_FEW_FIELDS), (b" ", Code.TOO_FEW_FIELDS),
        (b'""', Code.TOO_FEW_FIELDS),
        (b"1,x,1,", Code.TOO_MANY_FIELDS), (b"1,x,1,1,1", Code.TOO_MANY_FIELDS), (b",,,", Code.TOO_MANY_FIELDS),
    ],
)  # fmt: skip
def test_a_record_has_as_many_fields_as_the_header(desk, record, code):
    data = b"a,b,c\n1,x,1\n" + record + b"\n2,x,z\n"
    assert desk.found(data, SCHEMA) == [(code, 3, None), (Code.TYPE_ERROR, 4, "c")]


GOOD = [b"1,x,1", b'2,"y",2.5', b"3,,"]
DEFECTS = {
    b"1,x": Code.TOO_FEW_FIELDS, b"1": Code.TOO_FEW_FIELDS, b'"1,x,1"': Code.TOO_FEW_FIELDS, b" ": Code.TOO_FEW_FIELDS,
    b"1,x,1,": Code.TOO_MANY_FIELDS, b'1,x,1,""': Code.TOO_MANY_FIELDS, b"1,x,1,1": Code.TOO_MANY_FIELDS,
    b"1,x,,": Code.TOO_MANY_FIELDS, b",,,": Code.TOO_MANY_FIELDS, b"1,x,1, ": Code.TOO_MANY_FIELDS,
    b'1,x"y,1': Code.BROKEN_QUOTE, b'1,"x"y,1': Code.BROKEN_QUOTE, b'1,"x" ,1': Code.BROKEN_QUOTE,
    b'1, "x",1': Code.BROKEN_QUOTE, b'1,""x"",1': Code.BROKEN_QUOTE, b'1,"x"y"z",1': Code.BROKEN_QUOTE,
    b'1,x,1"': Code.BROKEN_QUOTE,
    b"1,\xff,1": Code.ENCODING_ERROR, b"1,x\0y,1": Code.NUL_CHARACTER, b"1,\0,1": Code.NUL_CHARACTER,
    b"1,x,1\0": Code.NUL_CHARACTER, b"\x001,x,1": Code.NUL_CHARACTER, b"x,x,1": Code.TYPE_ERROR,
    b"1,x,0.005": Code.TYPE_ERROR,
    b"1 ,x,1": Code.TYPE_ERROR, b"1,x,1 ": Code.TYPE_ERROR, b" 1,x,1": Code.TYPE_ERROR,
    b'1,"x\ny\n",z': Code.TYPE_ERROR,
}  # fmt: skip


@pytest.mark.parametrize(("place", "tail"), [(0, b"\n"), (2, b""), (3, b""), (3, b"\n\n")])
@pytest.mark.parametrize("record", DEFECTS, ids=ascii)
def test_one_bad_record_alone_refuses_a_file_wherever_it_stands(near_desk, record, place, tail):
    records = [b"a,b,c", *GOOD[:place], record, *GOOD[place:]]
    errors = near_desk.errors(b"\n".join(records) + tail, SCHEMA)
    assert [(error.code, error.line) for error in errors] == [(DEFECTS[record], place + 2)]


@pytest.mark.parametrize("tail", [b"", b"\n"])
@pytest.mark.parametrize("columns", [1, 2])
def test_a_delimiter_at_the_end_of_every_record_is_a_field_too_many(desk, columns, tail):
    names = ["a", "b"][:columns]
    record = ",".join("1" * columns).encode() + b","
    data = b"\n".join([",".join(names).encode(), record, record]) + tail
    assert desk.found(data, make_schema(*(f"{name} int" for name in names))) == [
        (Code.TOO_MANY_FIELDS, 2, None), (Code.TOO_MANY_FIELDS, 3, None),
    ]  # fmt: skip


def test_blank_lines_are_no_records(desk):
    data = b"\n\r\na,b,c\n\n1,x,1\n\r\n\r2,y,2\n\n\n"
    assert desk.values(data, SCHEMA) == [(1, "x", Decimal(1)), (2, "y", Decimal(2))]


def test_blank_lines_are_counted(desk):
    assert desk.found(b"\n\r\na,b,c\n\n1,x,1\n\nx,x,1\n", SCHEMA) == [(Code.TYPE_ERROR, 7, "a")]


def test_a_blank_line_in_a_table_of_one_column_is_an_error(desk):
    schema = make_schema("a string")
    assert [(code, line) for code, line, _ in desk.found(b"a\n\nx\n\r\n\ny\n\n\n", schema)] == [
        (Code.BLANK_LINE, 2), (Code.BLANK_LINE, 4), (Code.BLANK_LINE, 5),
    ]  # fmt: skip


def test_blank_lines_around_a_table_of_one_column_are_fine(desk):
    assert desk.values(b'\n\na\nx\n""\n\n\r\n', make_schema("a string")) == [("x",), (None,)]


def test_a_record_of_more_than_16_mib_ends_the_check(desk):
    data = b'a,b,c\nx,x,1\n1,"' + b"y" * (17 * 1024 * 1024) + b'",1\nx,x,1\n'
    assert desk.found(data, SCHEMA) == [(Code.TYPE_ERROR, 2, "a"), (Code.RECORD_TOO_LONG, 3, None)]


def test_a_quote_that_never_closes_in_a_long_file_is_a_record_too_long(desk):
    data = b'a,b,c\n1,"x\n' + (b"1," + b"x" * 1_024 + b",1\n") * (17 * 1024)
    assert desk.found(data, SCHEMA) == [(Code.RECORD_TOO_LONG, 2, None)]


def test_a_record_of_almost_16_mib_is_read(desk):
    text = ("y" * 1_023 + "\n") * (15 * 1024)
    assert desk.values(f'a,b,c\n1,"{text}",1\n'.encode(), SCHEMA) == [(1, text, Decimal(1))]


# Dialects


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ":", " ", ".", "x", "0", "'", "\\", "-"])
def test_the_delimiter_is_the_one_that_is_declared(desk, delimiter):
    data = f'a{delimiter}b\n1{delimiter}","\n"2"{delimiter}"{delimiter}"\n'
    assert desk.values(data.encode(), make_schema("a int", "b string", delimiter=delimiter)) == [
        (1, ","),
        (2, delimiter),
    ]


@pytest.mark.parametrize("quote", ["'", "`", "~", "|"])
def test_the_quote_is_the_one_that_is_declared(desk, quote):
    data = f'a,b\n1,{quote}x,{quote}{quote}y{quote}\n2,"z"\n'.encode()
    assert desk.values(data, make_schema("a int", "b string", quote=quote)) == [(1, f"x,{quote}y"), (2, '"z"')]


def test_without_a_quote_every_character_is_plain(desk):
    data = b'a,b\n1,"x"\n2,y"\n"3",z\n'
    schema = make_schema("a string", "b string", quote="")
    assert desk.values(data, schema) == [('"3"', "z"), ("1", '"x"'), ("2", 'y"')]


def test_without_a_quote_a_line_break_always_ends_a_record(desk):
    data = b'a,b\n1,"x\ny"\n'
    assert desk.found(data, make_schema("a string", "b string", quote="")) == [(Code.TOO_FEW_FIELDS, 3, None)]


ESCAPED = make_schema("a int", "b string", escape="\\")


def test_an_escape_makes_a_quote_and_itself_plain(desk):
    data = rb"""a,b
1,"x\"y"
2,"C:\\new\\"
3,C:\new\
4,"\\\""
"""
    assert desk.values(data, ESCAPED) == [(1, 'x"y'), (2, "C:\\new\\"), (3, "C:\\new\\"), (4, '\\"')]


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (rb'"C:\new"', Code.BROKEN_ESCAPE), (rb'"x\,y"', Code.BROKEN_ESCAPE),
        (b'"x""y"', Code.BROKEN_QUOTE), (rb'x\"y', Code.BROKEN_QUOTE),
    ],
)  # fmt: skip
def test_an_escape_before_anything_else_is_an_error(desk, field, code):
    assert desk.found(b"a,b\n1," + field + b"\n", ESCAPED) == [(code, 2, None)]


def test_an_escaped_quote_does_not_close_a_field(desk):
    assert desk.found(b'a,b\n1,"x\\"\n2,y\n', ESCAPED) == [(Code.UNCLOSED_QUOTE, 2, None)]


def test_without_an_escape_a_backslash_is_plain(desk):
    assert desk.values(b'a,b\n1,"dir\\"\n2,C:\\new\n', make_schema("a int", "b string")) == [
        (1, "dir\\"),
        (2, "C:\\new"),
    ]


@pytest.mark.parametrize("record", [b'1,x"y', b'1,"x"y', b'1, ""'])
def test_a_broken_quote_is_one_where_the_quote_is_declared_as_escape_too(desk, record):
    schema = make_schema("a int", "b string", escape='"')
    assert desk.found(b"a,b\n" + record + b"\n", schema) == [(Code.BROKEN_QUOTE, 2, None)]


def test_the_quote_declared_as_escape_is_the_default(desk):
    assert desk.values(b'a,b\n1,"x""y"\n', make_schema("a int", "b string", escape='"')) == [(1, 'x"y')]


def test_skipped_lines_are_counted_but_not_read(desk):
    data = b'Report "of\n\r\n,,,\na,b\n1,x\nx,x\n'
    schema = make_schema("a int", "b string", skipLines=3)
    assert desk.found(data, schema) == [(Code.TYPE_ERROR, 6, "a")]


@pytest.mark.parametrize("junk", [b"\xff\xfe\x81", b"\0", b'"', b"x" * 70_000, b"\xef\xbb\xbf", b"\xe2\x82", b"\\"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_nothing_in_a_skipped_line_is_an_error(desk, encoding, junk):
    schema = make_schema("a int", "b string", skipLines=2, encoding=encoding)
    assert desk.values(b"one\n" + junk + b"\na,b\n1,x\n", schema) == [(1, "x")]


def test_skipped_lines_may_end_in_any_way(desk):
    assert desk.values(b"one\rtwo\r\na,b\n1,x\n", make_schema("a int", "b string", skipLines=2)) == [(1, "x")]


def test_a_byte_order_mark_stands_before_the_skipped_lines(desk):
    data = b'\xef\xbb\xbfone\n"a",b\n1,x\n'
    assert desk.values(data, make_schema("a int", "b string", skipLines=1)) == [(1, "x")]


# Files without a table


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n\r\r", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\n"])
def test_a_file_with_nothing_in_it_is_empty(desk, data):
    assert desk.found(data, SCHEMA) == [(Code.EMPTY_FILE, None, None)]


@pytest.mark.parametrize("data", [b"one", b"one\n", b"one\ntwo", b"one\n\ntwo"])
def test_a_file_that_ends_in_its_preamble_has_no_header(desk, data):
    schema = make_schema("a int", skipLines=3)
    assert [error.code for error in desk.errors(data, schema)] == [Code.MISSING_HEADER]


@pytest.mark.parametrize("data", [b"a,b,c", b"a,b,c\n", b"\n a, b, c\r\n\r\n"])
def test_a_header_without_records_is_a_snapshot_of_no_rows(desk, data):
    assert desk.rows(data, SCHEMA) == []


# Headers


def test_columns_are_matched_by_name_and_never_by_position(desk):
    assert desk.rows(b"c,a,b\n3,1,2\n", make_schema("a string", "b string", "c string")) == [
        {"a": "1", "b": "2", "c": "3"}
    ]


@pytest.mark.parametrize(
    "header",
    ["Net Amount", " Net Amount (£) ", "NET-AMOUNT", "net__amount", "_net.amount_", '"net\namount"', "Nét Amoünt",
    "ｎｅｔ amount"],
)  # fmt: skip
def test_headers_are_compared_in_their_standard_form(desk, header):
    data = f"{header},id\n1,2\n".encode()
    assert desk.values(data, make_schema("net_amount int", "id int")) == [(1, 2)]


def test_names_of_the_schema_are_compared_in_their_standard_form_too(desk):
    assert desk.rows(b"a b,c\n1,2\n", make_schema("a__b int", "_c_ int")) == [{"a__b": 1, "_c_": 2}]


def test_lines_are_counted_on_after_a_header_of_two_lines(desk):
    assert desk.found(b'"net\namount",id\nx,2\n', make_schema("net_amount int", "id int")) == [
        (Code.TYPE_ERROR, 3, "net_amount")
    ]


def test_columns_that_match_are_checked_even_if_others_do_not(desk):
    assert desk.found(b"c,zz,a\n1,2,3\nx,,y\n", SCHEMA) == [
        (Code.MISSING_COLUMN, 1, "b"), (Code.EXTRA_COLUMN, 1, "zz"), (Code.TYPE_ERROR, 3, "a"),
        (Code.TYPE_ERROR, 3, "c"),
    ]  # fmt: skip


def test_two_headers_that_standardise_alike_are_an_error(desk):
    assert desk.found(b"\na,A ,b\n1,2,3\n", make_schema("a int", "b int")) == [(Code.DUPLICATE_COLUMN, 2, "a")]


def test_a_header_without_text_is_called_by_its_position(desk):
    assert desk.values(b'a,,""\n1,2,3\n', make_schema("a int", "column_2 int", "column_3 int")) == [(1, 2, 3)]


def test_a_header_without_text_that_is_not_declared_is_an_extra_column(desk):
    assert desk.found(b"a, \n1,2\n", make_schema("a int")) == [(Code.EXTRA_COLUMN, 1, "column_2")]


def test_a_header_without_a_letter_or_digit_is_unreadable(desk):
    errors = desk.errors("a,(£)\n1,2\n".encode(), make_schema("a int"))
    assert [(error.code, error.line, error.value) for error in errors] == [(Code.UNREADABLE_HEADER, 1, "(£)")]


def test_a_broken_header_is_refused(desk):
    assert desk.found(b'\na,"b"c\n1,2\n', make_schema("a int", "bc int"))[0] == (Code.BROKEN_QUOTE, 2, None)


@pytest.mark.parametrize("header", [b"a,b\0", b'"a\0",b', b"\0a,b", b"a,\0,b", b"\0"])
def test_a_header_with_the_character_nul_is_refused_for_it(desk, header):
    errors = desk.errors(b"\n" + header + b"\n1,2\n", make_schema("a int", "b int"))
    assert [(error.code, error.line) for error in errors][:1] == [(Code.NUL_CHARACTER, 2)]


@pytest.mark.parametrize("header", [b"a,b\xff", b'"a\xff",b', b"a,\xff,b"])
def test_a_header_that_is_not_in_the_encoding_is_refused_for_it(desk, header):
    errors = desk.errors(b"\n" + header + b"\n1,2\n", make_schema("a int", "b int"))
    assert [(error.code, error.line) for error in errors][:1] == [(Code.ENCODING_ERROR, 2)]


def test_without_a_header_the_first_record_is_data_in_the_order_of_the_schema(desk):
    schema = make_schema("a int", "b string", header=False)
    assert desk.values(b"1,a\n2,b\n", schema) == [(1, "a"), (2, "b")]


def test_without_a_header_a_wrong_width_is_seen_at_once(desk):
    schema = make_schema("a int", "b string", header=False)
    assert desk.found(b"1\n2,b\nx,b,c\n", schema) == [(Code.TOO_FEW_FIELDS, 1, None), (Code.TOO_MANY_FIELDS, 3, None)]


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("columns", [1, 2])
def test_without_a_header_an_empty_file_is_still_empty(desk, columns, data):
    schema = make_schema(*["a int", "b int"][:columns], header=False)
    assert desk.found(data, schema) == [(Code.EMPTY_FILE, None, None)]


# Errors


def test_an_error_says_code_line_column_value_and_what_was_expected(desk):
    errors = desk.errors(b"a,b,c\n1,x,2.555\n", SCHEMA)
    assert [error.dump() | {"expected": ""} for error in errors] == [
        {"code": "type_error", "line": 2, "column": "c", "value": "2.555", "expected": ""}
    ]
    assert "decimal(5,2)" in errors[0].expected


def test_a_long_value_is_cut_to_100_characters(desk):
    value = desk.errors(b"a,b,c\n" + b"9" * 300 + b",x,1\n", SCHEMA)[0].value
    assert value == "9" * 99 + "…"


PERSONAL = make_schema(
    "id int", {"name": "secret", "type": "varchar(9)", "personal": True, "required": True},
    {"name": "born", "type": "date", "personal": True}
)  # fmt: skip


def test_values_of_personal_columns_are_masked(desk):
    errors = desk.errors(b"id,secret,born\nx,0123456789,1.1.1970\n", PERSONAL)
    assert [(error.code, error.column, error.value) for error in errors] == [
        (Code.TYPE_ERROR, "born", MASK), (Code.TYPE_ERROR, "id", "x"), (Code.TOO_LONG, "secret", MASK),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [b"1,hidden", b"1,hidden,,2", b'1,hidden"x,', b'1,"hidden"x,', b"1,hidden\xff,", b"1,hidden\0,", b'1,"hidden'],
)  # fmt: skip
def test_a_broken_record_does_not_show_personal_values(desk, record):
    errors = desk.errors(b"id,secret,born\n" + record + b"\n", PERSONAL)
    assert "hidden" not in " ".join(f"{error} {error.dump()}" for error in errors)


def test_all_errors_are_counted_and_the_first_thousand_kept(desk):
    data = b"a,b,c\n" + b"x,ok,1000\n" * 1_500 + b"1,2\n"
    verdict, written = desk.stage(data, SCHEMA)
    assert written is None
    assert verdict.counts == {Code.TYPE_ERROR: 3_000, Code.TOO_FEW_FIELDS: 1}
    assert verdict.total == 3_001
    expected = [(Code.TYPE_ERROR, line, column) for line in range(2, 502) for column in ("a", "c")]
    assert list_errors(verdict) == expected


@pytest.mark.parametrize("count", [999, 1_000, 1_001])
def test_the_thousandth_error_is_kept_and_the_next_counted(desk, count):
    verdict, _ = desk.stage(b"a,b,c\n" + b"x,ok,1\n" * count, SCHEMA)
    assert (verdict.total, len(verdict.errors)) == (count, min(count, 1_000))


def test_errors_deep_in_a_large_file_have_their_lines(desk):
    """Far behind the first buffer, with line breaks in quotes before."""
    good = b'1,"x\r\ny",1.5\n' * 50_000
    data = b"a,b,c\n" + good + b"1,x,z\n" + good + b"1,x\n" + good + b"x,x,1"
    assert desk.found(data, SCHEMA) == [
        (Code.TYPE_ERROR, 100_002, "c"), (Code.TOO_FEW_FIELDS, 200_003, None), (Code.TYPE_ERROR, 300_004, "a"),
    ]  # fmt: skip


# Engines as a whole

AGREE = {
    "good": b"a,b,c\n1,x,1.5\n2,,\n",
    "empty table": b"a,b,c\n",
    "wrong values": b"a,b,c\nx,x,x\n1,x,1\n",
    "wrong header": b"a,b,d\n1,x,1\n",
    "wrong width": b"a,b,c\n1,x\n",
    "broken quote": b'a,b,c\n1,"x"y,1\n',
    "unclosed quote": b'a,b,c\n1,"x\n',
    "no text": b"a,b,c\n1,\xff,1\n",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("case", AGREE)
def test_check_and_stage_agree(desk, case):
    checked = desk.engine.check(write_source(desk.folder, AGREE[case]), SCHEMA)
    staged, _ = desk.stage(AGREE[case], SCHEMA)
    assert list_errors(checked) == list_errors(staged)
    for field in ("accepted", "counts", "rows", "size", "content_hash"):
        assert getattr(checked, field) == getattr(staged, field), field
    assert checked.size == len(AGREE[case])


def test_curate_writes_the_rows_of_an_accepted_file(desk):
    written = desk.engine.curate(write_source(desk.folder, AGREE["good"]), SCHEMA, str(desk.target))
    assert written.rows == 2
    assert read_rows(desk.target) == [{"a": 1, "b": "x", "c": Decimal("1.50")}, {"a": 2, "b": None, "c": None}]


@pytest.mark.parametrize("case", sorted(AGREE.keys() - {"good", "empty table"}))
def test_curate_of_a_refused_file_fails_and_writes_nothing(desk, case):
    with pytest.raises(EngineFailed):
        desk.engine.curate(write_source(desk.folder, AGREE[case]), SCHEMA, str(desk.target))
    assert [path for path in desk.target.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("case", sorted(AGREE.keys() - {"good", "empty table"}))
def test_stage_of_a_refused_file_writes_nothing(desk, case):
    desk.stage(AGREE[case], SCHEMA)
    assert [path for path in desk.target.rglob("*") if path.is_file()] == []


def test_a_file_that_is_not_there_is_no_verdict(desk):
    source = write_source(desk.folder, b"a\n")
    (desk.folder / "file.csv").unlink()
    with pytest.raises((EngineFailed, ObjectMissing)):
        desk.engine.check(source, SCHEMA)


def test_the_content_hash_tells_files_apart(desk):
    one, other = (desk.engine.check(write_source(desk.folder, data), SCHEMA) for data in (b"a,b,c\n", b"a,b,c\r"))
    assert one.content_hash != other.content_hash


def test_what_was_written_is_what_lies_there(desk):
    _, written = desk.stage(AGREE["good"], SCHEMA)
    assert written.target == str(desk.target)
    found = {str(path.relative_to(desk.target)): path for path in desk.target.rglob("*") if path.is_file()}
    assert {file.name for file in written.files} == found.keys()
    for file in written.files:
        assert (file.rows, file.size) == (pq.read_metadata(found[file.name]).num_rows, found[file.name].stat().st_size)


ARROW = {
    "boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "decimal(5,2)": pa.decimal128(5, 2),
    "decimal(38,9)": pa.decimal128(38, 9),
    "string": pa.string(), "varchar(9)": pa.string(), "char(9)": pa.string(), "date": pa.date32(),
}  # fmt: skip


@pytest.mark.parametrize("rows", [b"", b"," * len(ARROW) + b"\n"])
def test_columns_have_the_types_and_the_order_of_the_schema(desk, rows):
    names = [f"c{number}" for number in range(len(ARROW))]
    schema = make_schema(*(f"{name} {kind}" for name, kind in zip(names, ARROW, strict=True)), "moment timestamp")
    desk.rows(",".join([*reversed(names), "moment"]).encode() + b"\n" + rows, schema)
    for path in desk.target.rglob("*.parquet"):
        found = pq.read_schema(path)
        assert found.names == [*names, "moment"]
        assert found.types[:-1] == list(ARROW.values())
        assert pa.types.is_timestamp(found.types[-1])
        assert found.types[-1].tz is None


@pytest.mark.parametrize(
    "name",
    ["o'clock.csv", "a b.csv", "x*.csv", "[1].csv", "%20?.csv", "é.csv", "plain", "x.csv.gz", 'q".csv', "#;&.csv"],
)
def test_paths_may_hold_any_character(desk, name):
    path = desk.folder / name
    path.write_bytes(AGREE["good"])
    target = desk.folder / f"out {name}"
    verdict, written = stage_file(desk.engine, file_source(path), SCHEMA, target)
    assert verdict.accepted
    assert [error.code for error in verdict.errors] == []
    assert (written.rows, len(read_rows(target))) == (2, 2)


def test_a_path_with_a_wildcard_names_one_file(desk):
    (desk.folder / "x1.csv").write_bytes(b"a,b,c\n7,other,7\n")
    path = desk.folder / "x*.csv"
    path.write_bytes(b"a,b,c\n1,x,1\n")
    stage_file(desk.engine, file_source(path), SCHEMA, desk.target)
    assert read_rows(desk.target) == [{"a": 1, "b": "x", "c": Decimal(1)}]


def test_a_table_may_have_300_columns(desk):
    schema = make_schema(*(f"c{number} {'int' if number % 2 else 'string'}" for number in range(300)))
    header = ",".join(f"C{number}" for number in reversed(range(300)))
    record = ",".join(str(number) for number in reversed(range(300)))
    rows = desk.rows(f"{header}\n{record}\n{record}\n".encode(), schema)
    assert rows == [{f"c{number}": number if number % 2 else str(number) for number in range(300)}] * 2


def test_an_error_in_a_table_of_300_columns_is_found(desk):
    schema = make_schema(*(f"c{number} int" for number in range(300)))
    header = ",".join(f"c{number}" for number in range(300))
    data = f"{header}\n{'1,' * 299}1\n{'1,' * 299}x\n{'1,' * 298}1\n".encode()
    assert desk.found(data, schema) == [(Code.TYPE_ERROR, 3, "c299"), (Code.TOO_FEW_FIELDS, 4, None)]


def test_column_names_may_be_words_of_sql(desk):
    names = ["select", "table", "order", "group", "_1", "2024", "rowid", "filename", "null", "true", "a_b"]
    data = (",".join(names) + "\n" + ",".join("1" * len(names)) + "\n").encode()
    assert desk.rows(data, make_schema(*(f"{name} int" for name in names))) == [dict.fromkeys(names, 1)]


def test_rows_that_are_alike_are_all_kept(desk):
    assert len(desk.rows(b"a,b,c\n" + b"1,x,1\n" * 300_000, SCHEMA)) == 300_000


def test_progress_is_told_in_shares(engine, tmp_path):
    shares = []
    source = write_source(tmp_path, AGREE["good"])
    engine.check(source, SCHEMA, progress=lambda _step, share: shares.append(share))
    assert all(0 <= share <= 1 for share in shares)


# Carrying: other columns than the schema's are written

CARRY_SCHEMA = make_schema("a int", "b string", "c decimal(5,2)")
CARRY = {
    "direct": b"a,b,c\n1,x,1.50\n2,,\n",
    "careful": b"a,b,c\r\n1,x,1.50\n2,,\n",
    "without rows": b"a,b,c\n",
}
FILLS = [
    "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(18,2)", "string", "varchar(5)",
    "char(2)", "date", "timestamp",
]  # fmt: skip


def carry(desk: Desk, data: bytes, *columns: str | dict, schema: TableSchema = CARRY_SCHEMA) -> pa.Table:
    """What is written of a file with other columns."""
    source, wanted = write_source(desk.folder, data), make_schema(*columns).columns
    written = desk.engine.curate(source, schema, str(desk.target), columns=wanted)
    table = pa.concat_tables(open_parquet(desk.target / file.name).read() for file in written.files)
    assert table.num_rows == written.rows
    return table


@pytest.mark.parametrize("case", CARRY)
def test_just_the_columns_asked_for_are_written_in_their_order(desk, case):
    table = carry(desk, CARRY[case], "c decimal(5,2)", "a int")
    assert table.column_names == ["c", "a"]
    rows = [] if case == "without rows" else [{"c": Decimal("1.50"), "a": 1}, {"c": None, "a": 2}]
    assert table.to_pylist() == rows


@pytest.mark.parametrize("case", CARRY)
@pytest.mark.parametrize("kind", FILLS)
def test_a_column_that_the_schema_does_not_have_is_null_of_its_type(desk, case, kind):
    carried = carry(desk, CARRY[case], "a int", f"new {kind}")
    desk.target.rename(desk.folder / "carried")
    values = {"new": pa.nulls(carried.num_rows).to_pylist()}
    assert carried.select(["new"]).to_pydict() == values
    other = make_schema("a int", f"new {kind}")
    desk.stage(b"a,new\n1,\n", other)
    assert carried.schema.types == open_parquet(next(desk.target.rglob("*.parquet"))).schema_arrow.types


def test_no_column_of_the_schema_need_be_kept(desk):
    assert carry(desk, CARRY["direct"], "x int").to_pylist() == [{"x": None}, {"x": None}]


def test_the_whole_schema_again_is_as_without_columns(desk):
    carried = carry(desk, CARRY["direct"], "a int", "b string", "c decimal(5,2)")
    desk.target.rename(desk.folder / "carried")
    rows = desk.rows(CARRY["direct"], CARRY_SCHEMA)
    assert carried.to_pylist() == rows


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_what_is_not_written_is_passed_over(desk, line_end):
    data = b"a,b,c\n1,x,1.505\n2,y,no\n".replace(b"\n", line_end)
    assert carry(desk, data, "a int").to_pylist() == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("line_end", [b"\n", b"\r"])
def test_what_is_written_is_judged(desk, line_end):
    data = b"a,b,c\n1,x,1.505\n".replace(b"\n", line_end)
    with pytest.raises(EngineFailed, match="line 2, column c"):
        carry(desk, data, "c decimal(5,2)")
    assert not desk.target.exists()


def test_carried_columns_may_be_called_anything_a_column_may(desk):
    schema = make_schema("select int", "from string")
    table = carry(desk, b"select,from\n1,x\n", "order int", "select int", schema=schema)
    assert table.to_pylist() == [{"order": None, "select": 1}]


@pytest.mark.parametrize("kind", ["int", "string", "varchar(9)"])
@pytest.mark.parametrize("case", ["direct", "careful"])
def test_a_column_asked_for_with_another_type_is_another_column(desk, case, kind):
    schema = make_schema("a int", "b int" if kind == "string" else "b string", "c decimal(5,2)")
    table = carry(desk, CARRY[case], "a int", f"b {kind}", schema=schema)
    assert table.to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": None}]


def test_without_a_header_columns_are_carried_by_their_place(desk):
    schema = make_schema("a int", "b string", header=False)
    assert carry(desk, b"1,x\n2,y\n", "b string", "n date", schema=schema).to_pylist() == [
        {"b": "x", "n": None}, {"b": "y", "n": None},
    ]  # fmt: skip

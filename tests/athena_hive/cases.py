"""Text files for the serdes, to be read by Trino once and by the readers under test always."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
OPENX = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('strict.parsing' = 'false')"
HIVE_JSON = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'"
COMMAS = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
THREE = "a string, b string, c string"


@dataclass(frozen=True)
class Case:
    """A file, the table over it in Athena's DDL, and in Trino's format and properties."""

    columns: str
    clauses: str
    content: str
    trino_format: str
    trino: dict[str, str] = field(default_factory=dict)
    more: str = ""


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _csv()
    yield from _simple()
    yield from _nested()
    yield from _json()


_CSV_ROWS = [
    '"say ""hi""",x,y', r'"C:\temp\x",1,2', r'"dir\",b,c', r"\N,\N,", '"a', 'b",c', ',"",', '"a" ,b', 'ab"c"d,e', "a",
    "a,b,c,d,e", "", '"open', "next,1,2", r'"a\"b",c', 'a""b,"",""', 'é,"ü",😀', ' "x" , y,z', "   ",
    '\t"q"t,1', '""abc,d',
    'a,"b"x,"c"', r"\\,\a,a\\b", '"\\\\",x', r"a\,b", '"""",x', '"a""",b', "\\", '\\"a",b', '"",""', '"a","b",',
]  # fmt: skip


def _csv() -> Iterator[Case]:
    chance = random.Random(7)  # noqa: S311 (the same rows every time)
    for clauses, trino in (
        (CSV, {}),
        (CSV + " WITH SERDEPROPERTIES ('escapeChar' = '\\u0001')", {"csv_escape": "U&'\\0001'"}),
        (CSV + " WITH SERDEPROPERTIES ('separatorChar' = '|', 'quoteChar' = '\\'')",
         {"csv_separator": "'|'", "csv_quote": "''''"}),
    ):  # fmt: skip
        mark, quote = ("|", "'") if trino.keys() >= {"csv_quote"} else (",", '"')
        rows = [row.replace(",", mark).replace('"', quote) for row in _CSV_ROWS]
        yield Case(THREE, clauses, "\n".join(rows) + "\n", "CSV", trino)
        for letters in (f"{mark}{quote}ab", f"{mark}{quote}\\ a", f"{mark}{quote * 3}aé "):
            lines = ("".join(chance.choices(letters, k=chance.randint(0, 14))) for _ in range(120))
            yield Case(THREE, clauses, "\n".join(lines), "CSV", trino)
    yield Case(THREE, CSV, "\ufeffa,b,c\r\nd,e,f\rg,h,i\n\n", "CSV")
    skipped = {"skip_header_line_count": "2"}
    yield Case(THREE, CSV, "1\n2\na,b,c\n", "CSV", skipped, "'skip.header.line.count' = '2'")
    skipped = {"skip_footer_line_count": "1"}
    yield Case(THREE, CSV, "a,b,c\nd,e,f\n", "CSV", skipped, "'skip.footer.line.count' = '1'")


_SIMPLE = {
    "int": "1 -1 +1 abc 1.5 1. .5 - + 1e2 2147483647 2147483648 -2147483648 00012 1.x \\N . -.5 1_0 0x1F "
    "99999999999999999999",
    "bigint": "9223372036854775807 9223372036854775808 -9223372036854775808 5.99999999999999999999999",
    "smallint": "32767 32768 -32768 1.9", "tinyint": "127 128 -128",
    "double": "1 1.5 NaN Infinity -Infinity +Infinity inf nan 1e400 1e-400 1.5f 1.5d abc .5 5. 1e5 1E+5 -0 -0.0 "
    "+.5e-3 1_0 infinity 4.9e-324 0x 1e 1.5fd NaNf +NaN -NaN 00001.5 1e0005",
    "float": "1.5 16777217 1e39 NaN 3.4028236e38", "boolean": "true TRUE True false t f 1 0 yes",
    "date": "2024-01-02 2024-1-2 2024-13-01 2024-02-30 9999-12-31 24-1-1 2024/01/02 abc 2024-01 2024-01-02T00:00:00 "
    "2024-001-002 2024-00-00 +2024-01-02 2024--1-02 2024-+1-1 2024-01-0000000002",
    "timestamp": "2024-01-02 2024-01-02T03:04:05 2024-01-02t03:04:05.5 2024-01-02T03:04 2024-1-2T3:4:5 1705000000000 "
    "abc "
    "2024-01-02T03:04:05.1234 2024-01-02T03:04:05.1235 2024-01-02T03:04:05.123499999 2024-01-02T03:04:05. "
    "2024-14-45T25:61:61 2024-01-02T24:00:00 2024-01-02T03:04:05Z 1960-01-01T00:00:00.1235 2024-01-02T-3:04:05",
    "decimal(5,2)": "1 1.5 1.005 -1.005 999.99 999.995 1000 abc 1e2 1E-3 .5 5. +1 --1 0x1 NaN 99.999",
    "decimal(38,3)": "12345678901234567890123456789012345.1235 1e34 1e35", "varchar(3)": "abcdef ab 😀😀😀😀",
}  # fmt: skip
_BLANKS = {
    "int": [" 1", "1 ", ""], "double": [" 1 ", "\t1", ""], "boolean": [" true", ""], "decimal(5,2)": [" 1", ""],
    "date": [" 2024-01-02 ", "2024-01-02 10:00:00", "", "2024-01-02\t5"], "string": ["", " ", "\\N", "a b"],
    "timestamp": ["2024-01-02 03:04:05", "2024-01-02 3:4:5.1235", " 2024-01-02 03:04:05 ", "2024-01-02 03:04", "",
                  "2024-01-02 25:00:00", "2024-01-02  03:04:05", "2024-01-02 03:04:05.1234567891", "1-1-1 1:1"],
}  # fmt: skip


def _simple() -> Iterator[Case]:
    for type_, texts in _SIMPLE.items():
        lines = texts.split(" ") + _BLANKS.get(type_, [])
        yield Case(f"a {type_}, b string", COMMAS, "".join(f"{line},x\n" for line in lines), "TEXTFILE", _BY_COMMA)
    rows = ["a,b,c", "a", "a,b,c,d", "", ",,", "\\N,\\N", '"a,b",c', "é,😀,\t"]
    yield Case(THREE, COMMAS, "\n".join(rows), "TEXTFILE", _BY_COMMA)
    yield Case(THREE, "", "a\x01b\x01c\n\x01\x01\n", "TEXTFILE")
    rows = ["a\\,b,c,d", "\\N,\\\\,x\\", "a\\\\,b,c", "\\n,\\\\\\,x,y", ",\\,"]
    escaped = {**_BY_COMMA, "textfile_field_separator_escape": "'\\'"}
    yield Case(THREE, COMMAS + " ESCAPED BY '\\\\'", "\n".join(rows), "TEXTFILE", escaped)
    nulls = {**_BY_COMMA, "null_format": "''"}
    yield Case(THREE, COMMAS + " NULL DEFINED AS ''", "a,,c\n\n,\\N,\n", "TEXTFILE", nulls)


_BY_COMMA = {"textfile_field_separator": "','"}
_NESTED = (
    "a array<int>, b map<string,double>, c struct<x:int,y:string>, d array<struct<p:int,q:array<string>>>, "
    "e map<int,array<string>>, f array<timestamp>, g array<date>, h array<decimal(5,2)>, i array<boolean>, "
    "j array<binary>"
)


_TIMES = "2024-01-02 03:04:05.1235\x022024-01-02T03:04\x02abc\x022024-01-02"


def _nested() -> Iterator[Case]:
    rows = [
        "1\x022\x02x\x02\\N|a\x031.5\x02b\x03zz\x02a\x039|5\x02hey|1\x03a\x04b\x02\x03|1\x03x\x04y\x022\x03\x02q\x03w",
        "||||", "\\N|\\N|\\N|\\N|\\N", "1|k|\\N\x02|5\x03a\x04b\x026\x03c|\\N\x037", "\x02|\\N\x031|a\x02b\x02c|\\N|",
        f"|||||{_TIMES}|2024-02-30\x02x|1.005\x021000|true\x02T|YWJj\x02abc\x02a\x02!",
    ]  # fmt: skip
    yield Case(_NESTED, "", "\n".join(rows).replace("|", "\x01"), "TEXTFILE")


_JSON = {
    "string": ['"x"', "1", "1.50", "true", "null", '{"q":1,"r":[1,2.0,"s"]}', '[1,"a"]', "1e2", "01", '"\\u00e9"',
               "-0.0", "1E400", '"</"', '"\\ud83d\\ude00"', '"\\ud83d"', '"a\\/b"'],
    "int": ["1", '"2"', "1.7", '"1.7"', "null", "true", "2147483648", '"x"', "{}", "[1]", '"0x1F"', "010", '""',
            "1e2", "-1"],
    "bigint": ["9223372036854775807", "9223372036854775808", '"1e3"'],
    "double": ["1", '"1.5"', "1e3", '"NaN"', "null", '"x"', "true", "1e400"],
    "boolean": ["true", "false", '"true"', '"TRUE"', "1", "0", '"x"', "null", "[true]", "{}"],
    "date": ['"2024-01-02"', '"2024-1-2"', "19000", '"19000"', "null", '"x"', '"2024-01-02 10:00:00"'],
    "timestamp": ['"2024-01-02 03:04:05"', '"2024-01-02T03:04:05Z"', '"2024-01-02T03:04:05.123+0100"', "1705000000",
                  '"2024-01-02T03:04:05+01:00"', "1705000000000", '"1705000000.5"', "null", '"x"', '"2024-01-02"',
                  '"2024-01-02 03:04:05Z"', "1.5e3", '"2024-01-02T03:04:05"'],
    "decimal(5,2)": ["1", '"1.005"', "1.5", "999.999", "null", "1e1"], "varchar(3)": ['"abcdef"', "12345"],
    "array<int>": ["[1,2]", "[]", "[1,null]", '["3"]', "5", '""', "null", '{"a":1}', "[[1]]"],
    "map<string,int>": ['{"a":1}', "{}", '{"A":"2","b":null}', "null", '""', '"x"', "[1]"],
    "map<int,string>": ['{"1":"a","2":"b"}'],
    "struct<x:int,y:string>": ['{"x":1,"y":"b"}', '{"X":"2"}', "{}", '[1,"z"]', "null", '""', '"q"', '{"y":{"z":1}}',
                               '{"x":1,"y":"b","w":0}'],
    "array<struct<p:string>>": ['[{"p":"a"},{"P":1}]', '{"p":"a"}', "[null]"],
}  # fmt: skip
_JSON_LINES = [
    "", "  ", "{}", "[1,2]", "null", "5", '{"a":1', '{"a":1} trailing', "{a:1}", "{'a':'x'}", '{"a":1,}',
    '{"a":"x"}{"a":"y"}', '{"a" = 1; "b" => 2}', '{"a":/*c*/1}', '{"a":1 // x', '{"a":"tab\there"}',
    '{"_col0":5}', '{"a":+1}', '{"a":.5}', '{"a":tRue}', '{"a":x y}', '["x",2]', '{"b":{"a":1},"a":"q"}',
    '{"a":"\\x"}', '{"a":1,"b":2}}', '{"a":"z", "a.b":1}', '{"a": }', "{:1}", '{"a":null}',
    '{"c":{"d":[1,{"e":2}]},"b":3}', '\ufeff{"a":1}',
]  # fmt: skip


def _json() -> Iterator[Case]:
    for clauses, form in ((OPENX, "OPENX_JSON"), (HIVE_JSON, "JSON")):
        for type_, texts in _JSON.items():
            for text in texts:
                yield Case(f"a {type_}", clauses, f'{{"A": {text}}}\n', form)
        for line in _JSON_LINES:
            yield Case("a string, b int", clauses, line + "\n", form)

"""CREATE EXTERNAL TABLE: its clauses, what Glue keeps of them, and what SHOW CREATE TABLE and DESCRIBE print."""

from __future__ import annotations

import pytest

from daap_local.athena.faults import AthenaFault, SyntaxFault
from daap_local.athena.hive import parse_statement
from daap_local.athena.hive.showing import describe_column, describe_rows, show_create_table, show_create_view
from daap_local.athena.hive.tables import as_select_table, glue_table
from daap_local.athena.hive.views import decode_view, encode_view
from daap_local.athena.statements import CreateTable
from daap_local.athena.tables import ColumnDef, GlueTable, Storage
from tests.athena_hive.support import CSV, OPENX, table_of

FULL = """CREATE EXTERNAL TABLE IF NOT EXISTS `db`.`t` (
  a int COMMENT 'it\\'s', -- the first
  `b c` struct<x:int,Y:array<map<string,decimal(10,2)>>> COMMENT "two",
  c varchar(10)
) COMMENT 'all of it'
PARTITIONED BY (dt string COMMENT 'day', h tinyint)
CLUSTERED BY (a, c) INTO 4 BUCKETS
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY '|'
  MAP KEYS TERMINATED BY ':' LINES TERMINATED BY '\\n' NULL DEFINED AS ''
STORED AS TEXTFILE
LOCATION 's3://lake/t/'
TBLPROPERTIES ("skip.header.line.count"="1", 'n' = 5)"""


def test_every_clause_is_read():
    statement = parse_statement(FULL)
    assert isinstance(statement, CreateTable)
    assert statement.if_not_exists
    assert statement.columns == (
        ColumnDef("a", "int", "it's"),
        ColumnDef("b c", "struct<x:int,y:array<map<string,decimal(10,2)>>>", "two"),
        ColumnDef("c", "varchar(10)"),
    )
    assert statement.partitioned_by == (ColumnDef("dt", "string", "day"), ColumnDef("h", "tinyint"))
    assert (statement.clustered_by, statement.buckets, statement.comment) == (("a", "c"), 4, "all of it")
    assert statement.row_format == {
        "field.delim": "\t", "escape.delim": "\\", "collection.delim": "|", "mapkey.delim": ":", "line.delim": "\n",
        "serialization.null.format": "", "serialization.format": "\t",
    }  # fmt: skip
    assert statement.properties == {"skip.header.line.count": "1", "n": "5"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [("'\\001'", "\x01"), ("'\\u0002'", "\x02"), ("'\\t'", "\t"), ("'\\\\'", "\\"), ("';'", ";"), ("'a' 'b'", "ab")],
)
def test_strings_are_read_with_hives_escapes(written, kept):
    table = table_of("a int", f"ROW FORMAT DELIMITED FIELDS TERMINATED BY {written}")
    assert table.storage.serde_properties["field.delim"] == kept


@pytest.mark.parametrize(
    ("clauses", "serde", "input_format"),
    [
        ("", "serde2.lazy.LazySimpleSerDe", "mapred.TextInputFormat"),
        ("STORED AS PARQUET", "parquet.serde.ParquetHiveSerDe", "MapredParquetInputFormat"),
        ("STORED AS ORC", "orc.OrcSerde", "OrcInputFormat"),
        ("STORED AS AVRO", "avro.AvroSerDe", "AvroContainerInputFormat"),
        (CSV, "OpenCSVSerde", "mapred.TextInputFormat"),
        (OPENX + " STORED AS TEXTFILE", "jsonserde.JsonSerDe", "mapred.TextInputFormat"),
        ("ROW FORMAT SERDE 'x.Y' STORED AS INPUTFORMAT 'a.In' OUTPUTFORMAT 'b.Out'", "x.Y", "a.In"),
    ],
)
def test_the_storage_format_gives_glues_classes(clauses, serde, input_format):
    storage = table_of("a int", clauses).storage
    assert storage.serde.endswith(serde)
    assert storage.input_format.endswith(input_format)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE EXTERNAL TABLE t (a int)",
        "CREATE EXTERNAL TABLE t LOCATION 's3://b'",
        "CREATE EXTERNAL TABLE t (a int, a string) LOCATION 's3://b'",
        "CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (a string) LOCATION 's3://b'",
        "CREATE EXTERNAL TABLE t (a int) STORED AS NONSENSE LOCATION 's3://b'",
    ],
)
def test_a_table_without_sense_is_refused(text):
    with pytest.raises(AthenaFault):
        glue_table(parse_statement(text), "db", 1)


@pytest.mark.parametrize(
    "clauses",
    ["LOCATION 's3://b' STORED AS ORC", "TBLPROPERTIES ('a'='b') LOCATION 's3://b'", "STORED AS", "ROW FORMAT"],
)
def test_clauses_out_of_order_are_syntax_errors(clauses):
    with pytest.raises(SyntaxFault):
        parse_statement(f"CREATE EXTERNAL TABLE t (a int) {clauses}")


def test_show_create_table_has_hives_layout():
    assert show_create_table(glue_table(parse_statement(FULL), "db", 7), qualified=True) == [
        "CREATE EXTERNAL TABLE `db.t`(",
        "  `a` int COMMENT 'it\\'s', ",
        "  `b c` struct<x:int,y:array<map<string,decimal(10,2)>>> COMMENT 'two', ",
        "  `c` varchar(10))",
        "COMMENT 'all of it'",
        "PARTITIONED BY ( ",
        "  `dt` string COMMENT 'day', ",
        "  `h` tinyint)",
        "CLUSTERED BY ( ",
        "  a, ",
        "  c) ",
        "INTO 4 BUCKETS",
        "ROW FORMAT DELIMITED ",
        "  FIELDS TERMINATED BY '\\t' ",
        "  ESCAPED BY '\\\\' ",
        "  COLLECTION ITEMS TERMINATED BY '|' ",
        "  MAP KEYS TERMINATED BY ':' ",
        "  LINES TERMINATED BY '\\n' ",
        "  NULL DEFINED AS '' ",
        "STORED AS INPUTFORMAT ",
        "  'org.apache.hadoop.mapred.TextInputFormat' ",
        "OUTPUTFORMAT ",
        "  'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
        "LOCATION",
        "  's3://lake/t'",
        "TBLPROPERTIES (",
        "  'n'='5', ",
        "  'skip.header.line.count'='1', ",
        "  'transient_lastDdlTime'='7')",
    ]


@pytest.mark.parametrize(
    "clauses",
    [
        "", "STORED AS PARQUET", CSV + " WITH SERDEPROPERTIES ('separatorChar'='|', 'escapeChar'='\\\\')", OPENX,
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001' COLLECTION ITEMS TERMINATED BY '\\002'",
    ],
)  # fmt: skip
def test_what_show_create_table_prints_makes_the_table_again(clauses):
    table = table_of("a int COMMENT 'x', `b-c` array<struct<d:string>>", clauses, "'k'='v'", "dt date, `e f` int")
    again = parse_statement("\n".join(show_create_table(table)))
    remade = glue_table(again, "db", 1_700_000_000)
    assert remade.storage == table.storage
    assert remade.partition_keys == table.partition_keys
    assert [(c.name, c.type) for c in remade.columns] == [(c.name, c.type) for c in table.columns]


def test_describe_prints_padded_cells_and_the_partition_keys():
    lines = describe_rows(table_of("a int COMMENT 'x', b string", keys="dt date"))
    assert lines == [
        "a                   \tint                 \tx                   ",
        "b                   \tstring              \t                    ",
        "dt                  \tdate                \t                    ",
        "\t \t ",
        "# Partition Information\t \t ",
        "# col_name          \tdata_type           \tcomment             ",
        "\t \t ",
        "dt                  \tdate                \t                    ",
    ]


def test_columns_of_text_serdes_are_commented_from_deserializer():
    assert describe_rows(table_of("a string", CSV)) == [
        "a                   \tstring              \tfrom deserializer   "
    ]


def test_describe_formatted_and_extended_tell_where_the_table_lies():
    table = table_of("a int", "STORED AS PARQUET")
    assert any("s3://lake/t" in line for line in describe_rows(table, "formatted"))
    assert any("s3://lake/t" in line for line in describe_rows(table, "extended"))


def test_describe_knows_a_single_column():
    table = table_of("a int", keys="dt date")
    assert describe_column(table, "DT") == ["dt                  \tdate                \t                    "]
    assert describe_column(table, "x") == []


def test_a_view_keeps_its_text_database_and_columns():
    text = encode_view("SELECT 'ü' AS a", "db", [("a", "varchar(1)")])
    assert text.startswith("/* Presto View: ")
    assert decode_view(text) == ("SELECT 'ü' AS a", "db", (("a", "varchar(1)"),))


def test_show_create_view_prints_the_view_in_its_lines():
    view = GlueTable("db", "v", view_sql="SELECT 1\nFROM t")
    assert show_create_view(view, encode_view("SELECT 1\nFROM t", "db", [])) == [
        "CREATE VIEW db.v AS",
        "SELECT 1",
        "FROM t",
    ]


@pytest.mark.parametrize("text", ["", "SELECT 1", "/* Presto View: !!! */", "/* Presto View: bnVsbA== */"])
def test_a_view_that_athena_did_not_make_is_refused(text):
    with pytest.raises(AthenaFault, match="INVALID_VIEW"):
        decode_view(text)


def test_ctas_makes_a_table_with_its_keys_apart():
    columns = (ColumnDef("a", "int"), ColumnDef("b", "string"), ColumnDef("dt", "date"))
    table = as_select_table("db", "t", columns, ("dt",), "PARQUET", "s3://lake/t/", {}, (("a",), 3), 7)
    assert (table.columns, table.partition_keys) == (columns[:2], columns[2:])
    assert (table.storage.bucket_columns, table.storage.buckets) == (("a",), 3)
    assert isinstance(table.storage, Storage)


def test_a_location_is_kept_without_its_last_slash():
    places = {"s3://lake/t/": "s3://lake/t", "s3://lake/t": "s3://lake/t", "s3://lake/": "s3://lake/"}
    for given, kept in places.items():
        table = glue_table(parse_statement(f"CREATE EXTERNAL TABLE t (a int) LOCATION '{given}'"), "db", 7)
        assert table.storage.location == kept

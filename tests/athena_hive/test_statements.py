"""Every statement of Athena's becomes its dataclass; what is not Athena's is refused, by name where it has one."""

from __future__ import annotations

import pytest

from daap_local.athena import statements as st
from daap_local.athena.faults import AthenaFault, SyntaxFault
from daap_local.athena.hive import parse_statement
from daap_local.athena.tables import ColumnDef, TableName

T = TableName("t")
STATEMENTS = {
    "SELECT 1": st.Query("SELECT 1"),
    " \n-- a remark\n/* and another; */ select 1 ; -- the end": st.Query("select 1"),
    "WITH x AS (SELECT 1 AS a) SELECT a FROM x": st.Query("WITH x AS (SELECT 1 AS a) SELECT a FROM x"),
    "VALUES (1, 'a'), (2, 'b')": st.Query("VALUES (1, 'a'), (2, 'b')"),
    "TABLE t": st.Query("TABLE t"),
    "(SELECT 1) UNION ALL (SELECT 2)": st.Query("(SELECT 1) UNION ALL (SELECT 2)"),
    "SELECT ';' AS a": st.Query("SELECT ';' AS a"),
    "EXPLAIN SELECT 1": st.Explain("SELECT 1"),
    "EXPLAIN ANALYZE VERBOSE SELECT 1": st.Explain("SELECT 1", analyze=True),
    "EXPLAIN (TYPE IO, FORMAT JSON) SELECT 1": st.Explain("SELECT 1", options={"TYPE": "IO", "FORMAT": "JSON"}),
    'CREATE TABLE "db"."t" AS SELECT 1 AS a': st.CreateTableAs(TableName("t", "db"), "SELECT 1 AS a"),
    "CREATE TABLE IF NOT EXISTS t COMMENT 'c' WITH (format = 'ORC', bucket_count = 4, partitioned_by = ARRAY['a', "
    "'b']) AS SELECT 1 AS a WITH NO DATA": st.CreateTableAs(
        T, "SELECT 1 AS a", {"format": "ORC", "bucket_count": "4", "partitioned_by": ("a", "b")},
        with_data=False, if_not_exists=True, comment="c",
    ),
    "create table t as select 1 as a with data": st.CreateTableAs(T, "select 1 as a"),
    "INSERT INTO db.t SELECT 1": st.InsertInto(TableName("t", "db"), "SELECT 1"),
    "INSERT INTO t (a, b) VALUES (1, 2)": st.InsertInto(T, "VALUES (1, 2)", ("a", "b")),
    "INSERT INTO t (SELECT 1)": st.InsertInto(T, "(SELECT 1)"),
    "UNLOAD (SELECT ')' FROM (SELECT 1)) TO 's3://b/x/' WITH (format = 'JSON')": st.Unload(
        "SELECT ')' FROM (SELECT 1)", "s3://b/x/", {"format": "JSON"}
    ),
    'CREATE OR REPLACE VIEW "v" AS SELECT 1': st.CreateView(TableName("v"), "SELECT 1", or_replace=True),
    "CREATE VIEW awsdatacatalog.db.v AS SELECT 1": st.CreateView(TableName("v", "db", "awsdatacatalog"), "SELECT 1"),
    "DROP VIEW IF EXISTS v": st.DropView(TableName("v"), if_exists=True),
    "DROP TABLE IF EXISTS `db`.`t-1`": st.DropTable(TableName("t-1", "db"), if_exists=True),
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (d = '1', h = 2) LOCATION 's3://b/1' PARTITION (d='2', h=3)":
        st.AddPartitions(T, (({"d": "1", "h": "2"}, "s3://b/1"), ({"d": "2", "h": "3"}, None)), if_not_exists=True),
    "ALTER TABLE t DROP PARTITION (d = '1'), PARTITION (d != '2', h >= 5)": st.DropPartitions(
        T, ((("d", "=", "1"),), (("d", "<>", "2"), ("h", ">=", "5")))
    ),
    "ALTER TABLE t PARTITION (d='1') RENAME TO PARTITION (d='2')": st.RenamePartition(T, {"d": "1"}, {"d": "2"}),
    "ALTER TABLE t PARTITION (d='1') SET LOCATION 's3://b/y'": st.SetLocation(T, "s3://b/y", {"d": "1"}),
    "ALTER TABLE t SET LOCATION 's3://b/y'": st.SetLocation(T, "s3://b/y"),
    "ALTER TABLE t ADD COLUMNS (a int, b string COMMENT 'x')": st.AddColumns(
        T, (ColumnDef("a", "int"), ColumnDef("b", "string", "x"))
    ),
    "ALTER TABLE t REPLACE COLUMNS (a integer)": st.ReplaceColumns(T, (ColumnDef("a", "int"),)),
    "ALTER TABLE t CHANGE COLUMN a b bigint COMMENT 'x'": st.ChangeColumn(T, "a", ColumnDef("b", "bigint", "x")),
    "ALTER TABLE t SET TBLPROPERTIES ('a' = 'b', \"c\" = \"d\")": st.SetTableProperties(T, {"a": "b", "c": "d"}),
    "MSCK REPAIR TABLE `db`.`t`;": st.RepairTable(TableName("t", "db")),
    "CREATE DATABASE IF NOT EXISTS d COMMENT 'c' LOCATION 's3://b/d' WITH DBPROPERTIES ('a'='b')": st.CreateDatabase(
        "d", if_not_exists=True, comment="c", location="s3://b/d", properties={"a": "b"}
    ),
    "DROP SCHEMA IF EXISTS d CASCADE": st.DropDatabase("d", if_exists=True, cascade=True),
    "ALTER DATABASE d SET DBPROPERTIES ('a'='b')": st.SetDatabaseProperties("d", {"a": "b"}),
    "SHOW DATABASES": st.ShowDatabases(),
    "SHOW SCHEMAS LIKE 'a.*'": st.ShowDatabases("a.*"),
    "SHOW TABLES": st.ShowTables(),
    "SHOW TABLES IN `d` '*x*'": st.ShowTables("d", "*x*"),
    "SHOW VIEWS IN d LIKE 'v*'": st.ShowViews("d", "v*"),
    "SHOW COLUMNS FROM d.t": st.ShowColumns(TableName("t", "d")),
    "SHOW COLUMNS IN t IN d": st.ShowColumns(TableName("t", "d")),
    "SHOW PARTITIONS t": st.ShowPartitions(T),
    "SHOW CREATE TABLE t": st.ShowCreateTable(T),
    'SHOW CREATE VIEW "v"': st.ShowCreateView(TableName("v")),
    "SHOW TBLPROPERTIES t ('k')": st.ShowTableProperties(T, "k"),
    "DESCRIBE FORMATTED `d`.`t`": st.Describe(TableName("t", "d"), "formatted"),
    "DESC t PARTITION (d='1') a.b": st.Describe(T, None, {"d": "1"}, "a.b"),
    "DESCRIBE VIEW v": st.DescribeView(TableName("v")),
    "PREPARE p FROM SELECT * FROM t WHERE a = ?": st.Prepare("p", "SELECT * FROM t WHERE a = ?"),
    "EXECUTE p USING 1, 'a, b', f(1, 2), DATE '2024-01-02'": st.Execute(
        "p", ("1", "'a, b'", "f(1, 2)", "DATE '2024-01-02'")
    ),
    "EXECUTE p": st.Execute("p"),
    "DEALLOCATE PREPARE p": st.Deallocate("p"),
}  # fmt: skip


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_becomes_its_dataclass(text):
    assert parse_statement(text) == STATEMENTS[text]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM t", "UPDATE t SET a = 1", "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "OPTIMIZE t",
        "VACUUM t", "GRANT SELECT ON t TO u", "SET SESSION a = 1", "SET x = 1", "USE d", "CALL f()", "COPY t TO 'x'",
        "INSTALL httpfs", "ATTACH 'x.db'", "PRAGMA version", "INSERT OVERWRITE t SELECT 1", "SHOW FUNCTIONS",
        "ALTER TABLE t RENAME TO u", "ALTER TABLE t DROP COLUMN a", "CREATE TABLE t (a int)",
        "CREATE TABLE t (a int) LOCATION 's3://b' TBLPROPERTIES ('table_type' = 'ICEBERG')",
        "CREATE TABLE t WITH (table_type = 'ICEBERG') AS SELECT 1", "EXECUTE IMMEDIATE 'SELECT 1'",
        "CREATE EXTERNAL TABLE t (a int) STORED BY 'x' LOCATION 's3://b'", "CREATE VIEW v (a) AS SELECT 1",
        "ALTER TABLE t SET TBLPROPERTIES ('table_type' = 'iceberg')", "EXPLAIN SHOW TABLES", "CREATE FUNCTION f AS 1",
    ],
)  # fmt: skip
def test_what_is_not_done_is_refused_by_name(text):
    with pytest.raises(AthenaFault) as caught:
        parse_statement(text)
    assert caught.value.code == "NOT_SUPPORTED"


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "-- nothing", "SELEC 1", "SELECT * FORM t", "SELECT 1 FROM", "SELECT (1", "SELECT 'open", "FROM t",
        "CREATE EXTERNAL TABLE t (a int", "CREATE EXTERNAL TABLE t (a nonsense) LOCATION 's3://b'",
        """CREATE EXTERNAL TABLE "t" (a int) LOCATION 's3://b'""", 'DROP TABLE "t"', "DROP TABLE a.b.c.d",
        "SELECT `a` FROM t", "CREATE TABLE `t` AS SELECT 1", "MSCK REPAIR TABLE t SYNC PARTITIONS", "SHOW COLUMNS t",
        "ALTER TABLE t ADD PARTITION (d > '1')", "UNLOAD (SELECT 1 TO 's3://b'", "INSERT INTO t",
        "DESCRIBE t a b", "DROP VIEW v CASCADE", "EXECUTE p USING", "SHOW TABLES IN d LIKE",
    ],
)  # fmt: skip
def test_what_is_no_statement_is_a_syntax_error(text):
    with pytest.raises(SyntaxFault):
        parse_statement(text)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1::int", "SELECT [1, 2]", "SELECT {'a': 1}", "SELECT a FROM t WHERE b IN [1]", "SELECT 5 // 2",
        "SELECT 2 ** 3", "SELECT a == 1 FROM t", "SELECT * FROM 'x.csv'", "SELECT * FROM t JOIN 'x.csv' ON true",
        "SELECT * EXCLUDE (a) FROM t", "SELECT * REPLACE (1 AS a) FROM t", "SELECT DISTINCT ON (a) a FROM t",
        "SELECT a FROM t QUALIFY row_number() OVER () = 1", "SELECT * FROM t SEMI JOIN u USING (a)",
        "SELECT * FROM t ASOF JOIN u USING (a)", "SELECT * FROM t PIVOT (sum(a) FOR b IN (1))",
        "SELECT * FROM t USING SAMPLE 5",
        "SELECT a, FROM t", "SELECT a,, b FROM t", "SELECT 'a' 'b'", "SELECT a ILIKE 'x' FROM t",
        "SELECT INTERVAL 1 DAY", "SELECT * FROM t FOR UPDATE", "SELECT * FROM (FROM t)", "SELECT 1 INTO 'x'",
        "SELECT a FROM t LATERAL VIEW explode(b) c", "WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x",
        "SELECT a->>'$.b' FROM t", "SELECT a SIMILAR TO 'x' FROM t", "SELECT f(a := 1)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", ["{}", "INSERT INTO t {}", "CREATE VIEW v AS {}", "UNLOAD ({}) TO 's3://b/' "])
def test_no_grammar_of_duckdb_alone_comes_through(query, around):
    with pytest.raises(SyntaxFault):
        parse_statement(around.format(query))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT trim(both 'x' from 'axa'), extract(year from '2024-01-01'), substring('abc' from 2)",
        "SELECT ARRAY[1, 2][1], m['k'], a[1][2], transform(ARRAY[1], x -> x + 1) FROM t",
        'SELECT "a b", t.*, count(*) FROM "db"."t" CROSS JOIN UNNEST(a) WITH ORDINALITY AS u (b, n)',
        "SELECT * FROM t TABLESAMPLE BERNOULLI (10) LIMIT 5", "SELECT * FROM t OFFSET 2 LIMIT 5",
        "SELECT a FROM t WHERE b LIKE 'x!_%' ESCAPE '!' AND c BETWEEN 1 AND 2",
        "SELECT INTERVAL '1' DAY, DATE '2024-01-02', X'65683F', U&'\\0041'",
        "SELECT sum(a) FILTER (WHERE b > 1) OVER (PARTITION BY c ORDER BY d ROWS 2 PRECEDING) FROM t",
        "SELECT a, grouping(a) FROM t GROUP BY GROUPING SETS ((a), ())", "SELECT ? + ?",
        "SELECT a * b FROM t", "SELECT 3 * a FROM t", "SELECT count(*) FROM t", "SELECT t.* FROM t",
        'SELECT * FROM "t$partitions"', 'SELECT "$path" FROM t',
    ],
)  # fmt: skip
def test_queries_of_athenas_pass_as_they_are(query):
    assert parse_statement(query) == st.Query(query)


def test_one_statement_at_a_time():
    with pytest.raises(SyntaxFault, match="Only one sql statement is allowed"):
        parse_statement("SELECT 1; DROP TABLE t")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("SELECT * FORM t", 1, 10), ("SELECT 1,\n  2::int", 2, 4), ('DROP TABLE "t"', 1, 12),
        ("INSERT INTO t\nSELECT a b c FROM t", 2, 12), ("SHOW COLUMNS t", 1, 14),
    ],
)  # fmt: skip
def test_a_syntax_error_says_where(text, line, column):
    with pytest.raises(SyntaxFault) as caught:
        parse_statement(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_statement_longer_than_athenas_limit_is_refused():
    with pytest.raises(SyntaxFault, match="262144"):
        parse_statement("SELECT '" + "x" * 262_144 + "'")


def test_a_views_text_keeps_the_blanks_at_its_end():
    # Athena's own text of a view ends with line breaks; what clients send back is to be the same.
    assert parse_statement("CREATE VIEW v AS SELECT 1 AS a\n\n").query == "SELECT 1 AS a\n\n"
    assert parse_statement("CREATE VIEW v AS SELECT 1 AS a;\n").query == "SELECT 1 AS a"


def test_a_tables_comment_becomes_one_line():
    made = parse_statement(
        "CREATE EXTERNAL TABLE t (a int) COMMENT '\n  spend of\r\n\tthe month ' LOCATION 's3://b/t/'"
    )
    assert isinstance(made, st.CreateTable)
    assert made.comment == "spend of the month"

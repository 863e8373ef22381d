"""DDL, CTAS, INSERT, UNLOAD and views, end to end."""

import gzip

import pytest
from botocore.exceptions import ClientError

from tests.athena.serving import Served, values

PAIRS = "(VALUES (1, 'a'), (2, 'b'), (3, 'b')) AS t(n, part)"


@pytest.fixture
def pairs(server: Served, database, place):
    """A partitioned table with three rows."""
    server.finish(
        f"CREATE TABLE pairs WITH (format = 'PARQUET', external_location = '{place}pairs/', "
        f"partitioned_by = ARRAY['part']) AS SELECT * FROM {PAIRS}",
        database,
    )
    return database


def test_text_files_become_a_table(server: Served, database, place):
    server.put(f"{place}people/a.csv", b"1,Ann\n2,\\N\n")
    server.finish(
        "CREATE EXTERNAL TABLE people (id int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        f"LOCATION '{place}people/'",
        database,
    )
    assert server.rows("SELECT * FROM people ORDER BY id", database) == [("1", "Ann"), ("2", None)]
    assert server.rows("SHOW TABLES", database) == [("people",)]
    described = values(server.rows("DESCRIBE people", database))
    assert [line.split("\t")[0].strip() for line in described] == ["id", "name"]
    server.finish("DROP TABLE people", database)
    assert server.keys(place[5:-1]) == ["people/a.csv"]


def test_a_table_of_the_same_name_fails_as_in_hive(server: Served, database, place):
    ddl = f"CREATE EXTERNAL TABLE {{}} t (a int) LOCATION '{place}t/'"
    server.finish(ddl.format(""), database)
    server.finish(ddl.format("IF NOT EXISTS"), database)
    status = server.fail(ddl.format(""), database)
    assert "AlreadyExistsException(message:Table t already exists)" in status["StateChangeReason"]
    assert status["AthenaError"]["ErrorType"] == 1003


def test_ctas_counts_its_rows_and_lists_its_files(server: Served, database):
    execution = server.finish("CREATE TABLE made AS SELECT 1 AS a, 'x' AS b", database)
    query = execution["QueryExecutionId"]
    assert execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    assert execution["ResultConfiguration"]["OutputLocation"] == f"s3://athena-results/tables/{query}"
    manifest = execution["Statistics"]["DataManifestLocation"]
    assert manifest == f"s3://athena-results/tables/{query}-manifest.csv"
    files = server.read(manifest).decode().splitlines()
    assert len(files) == 1
    assert files[0].startswith(f"s3://athena-results/tables/{query}/")
    assert server.athena.get_query_results(QueryExecutionId=query)["UpdateCount"] == 1
    assert server.rows("SELECT * FROM made", database) == [("1", "x")]


def test_avro_is_made_added_to_and_read(server: Served, database):
    server.finish("CREATE TABLE made WITH (format = 'AVRO') AS SELECT 1 AS a, ARRAY[DATE '2024-01-02'] AS b", database)
    server.finish("INSERT INTO made VALUES (2, NULL)", database)
    assert server.rows("SELECT * FROM made ORDER BY a", database) == [("1", "[2024-01-02]"), ("2", None)]


@pytest.mark.parametrize(("serde", "kept", "read"), [
    ("org.openx.data.jsonserde.JsonSerDe", b'{"b":"AAH/"}', "00 01 ff"),
    ("org.apache.hive.hcatalog.data.JsonSerDe", '{"b":"\\u0000\\u0001\ufffd"}'.encode(), "00 01 ef bf bd"),
])  # fmt: skip
def test_binary_is_kept_in_json_as_its_serde_does(server: Served, database, place, serde, kept, read):
    """Hive's loses what is no UTF-8, and Trino with it."""
    server.finish(
        f"CREATE EXTERNAL TABLE bytes (b binary) ROW FORMAT SERDE '{serde}' LOCATION '{place}bytes/'", database
    )
    server.finish("INSERT INTO bytes SELECT from_hex('0001ff')", database)
    (key,) = server.keys(place[5:-1], "bytes/")
    assert gzip.decompress(server.read(f"{place}{key}")).strip() == kept
    assert server.rows("SELECT b FROM bytes", database) == [(read,)]


def test_ctas_needs_an_empty_folder(server: Served, database, place):
    server.put(f"{place}full/x", b"x")
    status = server.fail(f"CREATE TABLE t WITH (external_location = '{place}full/') AS SELECT 1 AS a", database)
    assert status["StateChangeReason"].startswith("HIVE_PATH_ALREADY_EXISTS")
    assert server.rows("SHOW TABLES", database) == []


def test_a_ctas_that_fails_leaves_nothing(server: Served, database, place):
    server.fail(
        f"CREATE TABLE t WITH (external_location = '{place}half/') AS "
        "SELECT 1 / (n - 20000) AS a FROM UNNEST(sequence(1, 10000)) AS t(n) "
        "UNION ALL SELECT CAST('x' AS bigint)",
        database,
    )
    assert server.keys(place[5:-1]) == []
    assert server.rows("SHOW TABLES", database) == []


def projected(key: str, type_: str, place: str, more: str = "") -> str:
    """A table of one projected key with a minute's values."""
    return (
        f"CREATE EXTERNAL TABLE p (n int) PARTITIONED BY ({key} {type_}) ROW FORMAT DELIMITED LOCATION '{place}p/' "
        f"TBLPROPERTIES ('projection.enabled' = 'true', 'projection.{key}.type' = 'date', "
        f"'projection.{key}.format' = 'yyyy-MM-dd HH:mm:ss', 'projection.{key}.interval.unit' = 'SECONDS', "
        f"'projection.{key}.range' = '2020-01-01 01:01:00,2020-01-01 01:01:30'{more})"
    )


@pytest.mark.parametrize("folder", ["at=2020-01-01 01:01:02", "at=2020-01-01 01%3A01%3A02"])
def test_projected_times_are_found_in_plain_and_in_escaped_folders(server: Served, database, place, folder):
    server.put(f"{place}p/{folder}/x", b"5\n")
    server.put(f"{place}p/at=2020-01-01 01:01:03/x", b"6\n")
    server.finish(projected("at", "timestamp", place), database)
    first, second = "2020-01-01 01:01:02.000", "2020-01-01 01:01:03.000"
    assert server.rows("SELECT n, at FROM p ORDER BY 1", database) == [("5", first), ("6", second)]
    assert server.rows(f"SELECT n FROM p WHERE at = TIMESTAMP '{first}'", database) == [("5",)]


@pytest.mark.parametrize("template", ["", "{place}q/${{at}}/"])
def test_what_is_inserted_into_a_projected_table_is_read_again(server: Served, database, place, template):
    more = f", 'storage.location.template' = '{template.format(place=place)}'" if template else ""
    server.finish(projected("at", "string", place, more), database)
    server.finish("INSERT INTO p VALUES (1, '2020-01-01 01:01:05'), (2, '2020-01-01 01:01:06')", database)
    assert server.rows("SELECT * FROM p ORDER BY 1", database) == [
        ("1", "2020-01-01 01:01:05"), ("2", "2020-01-01 01:01:06"),
    ]  # fmt: skip
    folder = "q/" if template else "p/at="
    assert server.keys(place[5:-1])[0].startswith(f"{folder}2020-01-01 01:01:05/")


def test_partitions_are_written_and_listed(server: Served, pairs):
    assert server.rows("SHOW PARTITIONS pairs", pairs) == [("part=a",), ("part=b",)]
    assert server.rows('SELECT * FROM "pairs$partitions" ORDER BY 1', pairs) == [("a",), ("b",)]
    assert server.rows("SELECT n FROM pairs WHERE part = 'b' ORDER BY 1", pairs) == [("2",), ("3",)]


def test_rows_are_inserted_into_old_and_new_partitions(server: Served, pairs):
    execution = server.finish("INSERT INTO pairs VALUES (9, 'b'), (8, 'z')", pairs)
    assert execution["StatementType"] == "DML"
    found = server.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert found["UpdateCount"] == 2
    assert found["ResultSet"]["Rows"] == []
    server.finish("INSERT INTO pairs (part) SELECT 'q'", pairs)
    assert values(server.rows("SHOW PARTITIONS pairs", pairs)) == ["part=a", "part=b", "part=q", "part=z"]
    assert values(server.rows("SELECT n FROM pairs ORDER BY n", pairs)) == ["1", "2", "3", "8", "9", None]


def test_an_insert_of_other_types_is_refused(server: Served, pairs):
    status = server.fail("INSERT INTO pairs VALUES ('x', 'b')", pairs)
    assert status["StateChangeReason"].startswith("TYPE_MISMATCH")


def test_unload_writes_files_and_a_manifest(server: Served, pairs, place):
    sql = f"UNLOAD (SELECT * FROM pairs) TO '{place}out/' WITH (format = 'JSON', compression = 'NONE')"
    execution = server.finish(sql, pairs)
    files = server.read(execution["Statistics"]["DataManifestLocation"]).decode().splitlines()
    assert sorted(line for file in files for line in server.read(file).splitlines()) == [
        b'{"n":1,"part":"a"}', b'{"n":2,"part":"b"}', b'{"n":3,"part":"b"}',
    ]  # fmt: skip
    assert server.fail(sql, pairs)["StateChangeReason"].startswith("HIVE_PATH_ALREADY_EXISTS")


def test_views_are_kept_and_inlined(server: Served, pairs):
    server.finish("CREATE VIEW some AS SELECT n, part FROM pairs WHERE n > 1", pairs)
    assert server.rows(f"SELECT sum(n) FROM {pairs}.some") == [("5",)]
    assert server.fail("CREATE VIEW some AS SELECT 1 AS a", pairs)["StateChangeReason"].startswith("TABLE_ALREADY")
    server.finish("CREATE OR REPLACE VIEW some AS SELECT max(n) AS most FROM pairs", pairs)
    assert server.rows("SELECT * FROM some", pairs) == [("3",)]
    assert server.rows("SHOW VIEWS", pairs) == [("some",)]
    assert values(server.rows("SHOW CREATE VIEW some", pairs))[0] == f"CREATE VIEW {pairs}.some AS"
    server.finish("DROP VIEW some", pairs)
    assert server.fail("DROP VIEW some", pairs)["StateChangeReason"].endswith("does not exist")


def test_a_view_needs_names_for_its_columns(server: Served, database):
    assert server.fail("CREATE VIEW v AS SELECT 1", database)["StateChangeReason"].startswith("MISSING_COLUMN_NAME")


def test_folders_become_partitions_by_repair_and_by_hand(server: Served, database, place):
    for day in ("2024-01-01", "2024-01-02", "2024-01-03"):
        server.put(f"{place}days/day={day}/x.txt", f"{day[-1]}\n".encode())
    server.finish(f"CREATE EXTERNAL TABLE days (n int) PARTITIONED BY (day string) LOCATION '{place}days/'", database)
    assert server.rows("SELECT * FROM days", database) == []
    server.finish("ALTER TABLE days ADD PARTITION (day = '2024-01-01')", database)
    assert server.rows("SELECT * FROM days", database) == [("1", "2024-01-01")]
    repaired = values(server.rows("MSCK REPAIR TABLE days", database))
    assert repaired[1:] == [f"Repair: Added partition to metastore days:day=2024-01-0{n}" for n in (2, 3)]
    server.finish("ALTER TABLE days DROP PARTITION (day = '2024-01-02')", database)
    server.finish("ALTER TABLE days PARTITION (day = '2024-01-03') RENAME TO PARTITION (day = 'last')", database)
    assert server.rows("SELECT * FROM days ORDER BY n", database) == [("1", "2024-01-01"), ("3", "last")]


def test_partitions_may_share_a_folder(server: Served, database, place):
    server.put(f"{place}same/x.txt", b"7\n")
    server.finish(f"CREATE EXTERNAL TABLE s (n int) PARTITIONED BY (b int) LOCATION '{place}same/'", database)
    for b in (1, 2):
        server.finish(f"ALTER TABLE s ADD PARTITION (b = {b}) LOCATION '{place}same/'", database)
    assert server.rows("SELECT b, n FROM s ORDER BY b", database) == [("1", "7"), ("2", "7")]


def test_columns_and_properties_change(server: Served, database, place):
    server.put(f"{place}t/x.txt", b"1\n")
    server.finish(f"CREATE EXTERNAL TABLE t (a int) LOCATION '{place}t/'", database)
    server.finish("ALTER TABLE t ADD COLUMNS (b string)", database)
    assert server.rows("SELECT * FROM t", database) == [("1", None)]
    server.finish("ALTER TABLE t SET TBLPROPERTIES ('colour' = 'blue')", database)
    assert server.rows("SHOW TBLPROPERTIES t('colour')", database) == [("colour\tblue",)]
    server.finish("ALTER TABLE t REPLACE COLUMNS (a string)", database)
    table = server.glue.get_table(DatabaseName=database, Name="t")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["a"]
    versions = server.glue.get_table_versions(DatabaseName=database, TableName="t")["TableVersions"]
    assert [version["VersionId"] for version in versions] == ["3", "2", "1", "0"]


def test_databases_come_and_go(server: Served):
    server.finish("CREATE DATABASE IF NOT EXISTS brief COMMENT 'short'")
    assert ("brief",) in server.rows("SHOW DATABASES")
    server.finish("CREATE TABLE brief.t AS SELECT 1 AS a")
    assert "is not empty" in server.fail("DROP DATABASE brief")["StateChangeReason"]
    server.finish("DROP DATABASE brief CASCADE")
    assert "does not exist" in server.fail("DROP DATABASE brief")["StateChangeReason"]


def test_information_schema_tells_of_all(server: Served, pairs):
    where = f"FROM information_schema.columns WHERE table_schema = '{pairs}' ORDER BY ordinal_position"
    assert server.rows(f"SELECT column_name, data_type, extra_info {where}") == [
        ("n", "integer", None), ("part", "varchar(1)", "partition key"),
    ]  # fmt: skip
    found = server.rows("SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'shop_v1'")
    assert {("orders", "BASE TABLE"), ("orders_latest", "VIEW")} <= set(found)


def test_the_lakes_own_tables_are_not_changed(server: Served):
    assert "PERMISSION_DENIED" in server.fail("DROP TABLE shop_v1.orders")["StateChangeReason"]
    assert "PERMISSION_DENIED" in server.fail("INSERT INTO shop_v1.orders VALUES (1, 'a', 1, 'x')")["StateChangeReason"]
    assert server.rows("SELECT count(*) FROM shop_v1.orders") == [("7",)]


@pytest.mark.parametrize("sql", [
    "DELETE FROM t", "UPDATE t SET a = 1", "VACUUM t", "OPTIMIZE t REWRITE DATA USING BIN_PACK",
    "GRANT SELECT ON t TO u",
    "CREATE TABLE t (a int) LOCATION 's3://x/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
])  # fmt: skip
def test_what_is_not_supported_is_refused_at_once(server: Served, sql):
    with pytest.raises(ClientError) as caught:
        server.start(sql, "shop_v1")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_ctas_columns_need_names_and_types(server: Served, database):
    nameless = server.fail("CREATE TABLE nameless AS SELECT 1", database)
    assert "Column name not specified at position 1" in nameless["StateChangeReason"]
    typeless = server.fail("CREATE TABLE typeless AS SELECT NULL AS nothing", database)
    assert "Column type is unknown: nothing" in typeless["StateChangeReason"]


def test_only_the_buckets_are_read_that_a_query_asks_for(server: Served, database, place):
    rows = "SELECT i AS n, CAST(i AS varchar) AS s, i % 2 = 0 AS even FROM UNNEST(sequence(1, 200)) AS t(i)"
    server.finish(
        "CREATE TABLE bucketed WITH (format = 'TEXTFILE', bucketed_by = ARRAY['n', 's', 'even'], bucket_count = 8, "
        f"external_location = '{place}bucketed/') AS {rows}",
        database,
    )
    whole = server.finish("SELECT * FROM bucketed", database)["Statistics"]["DataScannedInBytes"]
    query = "SELECT n FROM bucketed WHERE n = {0} AND s = '{0}' AND even = {1}"
    for number in (1, 2, 77, 200):
        sql = query.format(number, number % 2 == 0)
        assert server.rows(sql, database) == [(str(number),)]
        assert server.finish(sql, database)["Statistics"]["DataScannedInBytes"] < whole / 4
    some = server.finish("SELECT n FROM bucketed WHERE n > 5 AND s = '7' AND even = false", database)
    assert some["Statistics"]["DataScannedInBytes"] == whole
    assert server.rows("SELECT n FROM bucketed WHERE n = 3 AND s = '4' AND even", database) == []


def test_insert_casts_numbers_and_texts_to_their_columns(server: Served, database, place):
    columns = "i int, s smallint, r float, v varchar(4)"
    server.finish(f"CREATE EXTERNAL TABLE numbers ({columns}) STORED AS PARQUET LOCATION '{place}n/'", database)
    server.finish("INSERT INTO numbers (r, i) VALUES (1.5, DECIMAL '7'), (2.5, DECIMAL '12.5') -- two", database)
    more = "(BIGINT '20', 1, 7, CAST('abcd ' AS varchar)), (30.6, 2, 0.5, 'a')"
    server.finish(f"INSERT INTO numbers VALUES {more}", database)
    assert server.rows("SELECT * FROM numbers ORDER BY i", database) == [
        ("7", None, "1.5", None), ("13", None, "2.5", None), ("20", "1", "7.0", "abcd"), ("31", "2", "0.5", "a"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("'7', 1", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer, varchar(4)]"),
        ("5000000000, 'a'", "Out of range for integer: 5000000000"),
        ("1, 'abcdef'", "Cannot truncate non-space characters when casting from varchar(6) to varchar(4) on INSERT"),
    ],
)
def test_insert_fails_for_what_its_columns_cannot_hold(server: Served, database, place, row, problem):
    server.finish(f"CREATE EXTERNAL TABLE n (i int, v varchar(4)) STORED AS PARQUET LOCATION '{place}n/'", database)
    assert problem in server.fail(f"INSERT INTO n VALUES ({row})", database)["StateChangeReason"]
    assert server.keys(place[5:-1]) == []

"""Only the partitions that a query asks for are opened: the bytes scanned are those of their files."""

import pytest

from daap_local.athena.execution import sources
from tests.athena.serving import Served

DAYS = [f"2024-01-{day:02d}" for day in range(1, 11)]


@pytest.fixture
def days(server: Served, database, place):
    """Ten partitions; the file of the n-th has n lines of ten bytes."""
    for n, day in enumerate(DAYS, 1):
        server.put(f"{place}days/day={day}/x.txt", b"123456789\n" * n)
    server.finish(
        f"CREATE EXTERNAL TABLE days (n bigint) PARTITIONED BY (day string) LOCATION '{place}days/'", database
    )
    server.finish("MSCK REPAIR TABLE days", database)
    return database


@pytest.mark.parametrize(("condition", "scanned"), [
    ("true", 550), ("day = '2024-01-03'", 30), ("day IN ('2024-01-01', '2024-01-02')", 30),
    ("day BETWEEN '2024-01-09' AND '2024-01-31'", 190), ("day > '2024-01-09' AND n > 5", 100), ("day = 'none'", 0),
    ("day LIKE '2024-01-0%' AND day >= '2024-01-08'", 170), ("day = '2024-01-01' OR day = '2024-01-02'", 30),
    ("CAST(day AS date) = DATE '2024-01-05'", 50), ("n > 5 OR day = '2024-01-01'", 550),
])  # fmt: skip
def test_a_filter_on_the_key_opens_only_those_files(server: Served, days, condition, scanned):
    execution = server.finish(f"SELECT count(n) FROM days WHERE {condition}", days)
    assert execution["Statistics"]["DataScannedInBytes"] == scanned


def test_a_lake_is_pruned_by_its_load_timestamp(server: Served):
    stamps = [row[0] for row in server.rows("SELECT DISTINCT load_timestamp FROM shop_v1.orders ORDER BY 1")]
    whole = server.finish("SELECT sum(amount) FROM shop_v1.orders")["Statistics"]["DataScannedInBytes"]
    one = server.finish(f"SELECT sum(amount) FROM shop_v1.orders WHERE load_timestamp = '{stamps[0]}'")
    assert 0 < one["Statistics"]["DataScannedInBytes"] < whole
    latest = server.finish("SELECT sum(amount) FROM shop_v1.orders_latest")["Statistics"]["DataScannedInBytes"]
    assert 0 < latest < whole


def test_the_files_that_were_opened_are_counted(server: Served, days):
    query = server.finish("SELECT count(n) FROM days WHERE day <= '2024-01-03'", days)["QueryExecutionId"]
    found = server.athena.get_query_runtime_statistics(QueryExecutionId=query)["QueryRuntimeStatistics"]
    scan = found["OutputStage"]["QueryStagePlan"]["Children"][0]
    assert (scan["Name"], scan["Identifier"]) == ("TableScan", "files=3 partitions=3")


def test_a_join_prunes_each_of_its_tables(server: Served, days):
    sql = "SELECT count(a.n) FROM days a JOIN days b ON a.n = b.n WHERE a.day = '2024-01-01' AND b.day = '2024-01-02'"
    assert server.finish(sql, days)["Statistics"]["DataScannedInBytes"] == 30


@pytest.mark.parametrize("strays", [sources._STRAYS, 0], ids=["together", "one by one"])
def test_partitions_among_much_else_are_found(server: Served, days, place, strays, monkeypatch):
    """Folders beside one another are listed together, unless too much lies among them that belongs to nobody."""
    monkeypatch.setattr(sources, "_STRAYS", strays)
    for n in range(40):
        server.put(f"{place}days/other{n}/x.txt", b"5\n" * 9)
    server.put(f"{place}days/day=2024-01-01/_hidden", b"5\n")
    server.put(f"{place}days/day=2024-01-01/deeper/y.txt", b"5\n")
    server.put(f"{place}days/loose.txt", b"5\n")
    assert server.rows("SELECT count(n) FROM days", days) == [("56",)]
    assert server.rows("SELECT count(n) FROM days WHERE day IN ('2024-01-01', '2024-01-10')", days) == [("12",)]


def test_partitions_of_two_keys_are_listed_together(server: Served, database, place):
    for region in ("eu", "us"):
        for n, day in enumerate(DAYS, 1):
            server.put(f"{place}two/region={region}/day={day}/x.txt", b"5\n" * n)
    keys = "PARTITIONED BY (region string, day string)"
    server.finish(f"CREATE EXTERNAL TABLE two (n int) {keys} LOCATION '{place}two/'", database)
    server.finish("MSCK REPAIR TABLE two", database)
    server.finish(
        f"ALTER TABLE two ADD PARTITION (region = 'all', day = '') LOCATION '{place}two/region=eu/'", database
    )
    counts = server.rows("SELECT region, count(n) FROM two GROUP BY region ORDER BY region", database)
    assert counts == [("all", "55"), ("eu", "55"), ("us", "55")]


def test_partitions_of_other_places_are_read_there(server: Served, days, place):
    server.put(f"{place}elsewhere/x.txt", b"5\n")
    server.finish(f"ALTER TABLE days ADD PARTITION (day = '2024-03-01') LOCATION '{place}elsewhere'", days)
    assert server.rows("SELECT count(n) FROM days", days) == [("56",)]


def test_a_projected_table_opens_only_what_is_asked_for(server: Served, database, place):
    for day in DAYS:
        server.put(f"{place}p/{day}/x.txt", b"1\n")
    server.finish(
        f"CREATE EXTERNAL TABLE p (n int) PARTITIONED BY (day string) LOCATION '{place}p/' TBLPROPERTIES ("
        "'projection.enabled' = 'true', 'projection.day.type' = 'date', 'projection.day.format' = 'yyyy-MM-dd', "
        f"'projection.day.range' = '2024-01-01,2024-12-31', 'storage.location.template' = '{place}p/${{day}}/')",
        database,
    )
    execution = server.finish("SELECT count(n) FROM p WHERE day >= '2024-01-09'", database)
    assert execution["Statistics"]["DataScannedInBytes"] == 4
    assert server.rows("SELECT count(n) FROM p WHERE day >= '2024-01-09'", database) == [("2",)]


def test_of_parquet_only_the_columns_named_are_scanned(server: Served):
    def scanned(what: str) -> int:
        execution = server.finish(f"SELECT {what} FROM shop_v1.orders")
        return int(execution["Statistics"]["DataScannedInBytes"])

    assert scanned("count(*)") == 0
    assert scanned("count(load_timestamp)") == 0
    assert 0 < scanned("sum(amount)") < scanned("sum(amount), max(customer)") < scanned("*")


def test_a_count_is_right_though_no_file_is_opened(server: Served):
    assert server.rows("SELECT count(*) FROM shop_v1.orders") == [("7",)]
    by_load = server.rows("SELECT count(*) FROM shop_v1.orders GROUP BY load_timestamp ORDER BY load_timestamp")
    assert by_load == [("3",), ("4",)]

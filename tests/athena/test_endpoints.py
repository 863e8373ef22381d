"""Catalogue and objects at another endpoint: here a second server stands for AWS."""

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.athena.serving import Served, serving


@pytest.fixture(scope="module")
def remote(server: Served, tmp_path_factory):
    """A server that keeps no tables and no objects of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "any")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        root = tmp_path_factory.mktemp("remote")
        with serving(root, glue_endpoint=server.url, s3_endpoint=server.url) as served:
            yield served


def test_tables_are_made_and_read_at_the_endpoint(remote: Served, server: Served, database, place):
    output = {"ResultConfiguration": {"OutputLocation": f"{place}results/"}}
    server.put(f"{place}text/a.csv", b"1,Ann\n2,Bob\n")
    remote.finish(
        "CREATE EXTERNAL TABLE people (id int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
        f"LOCATION '{place}text/'",
        database,
        **output,
    )
    remote.finish(
        f"CREATE TABLE copied WITH (external_location = '{place}copied/', partitioned_by = ARRAY['name']) AS "
        "SELECT id, name FROM people",
        database,
        **output,
    )
    execution = remote.finish("SELECT id FROM copied WHERE name = 'Bob'", database, **output)
    assert remote.all_rows(execution["QueryExecutionId"]) == [("id",), ("2",)]
    assert 0 < execution["Statistics"]["DataScannedInBytes"] < 2_000
    assert server.rows("SELECT count(*) FROM copied", database) == [("2",)]
    assert server.read(execution["ResultConfiguration"]["OutputLocation"]) == b'"id"\n"2"\n'


def test_partitions_views_inserts_and_unloads_work_there(remote: Served, server: Served, database, place):
    output = {"ResultConfiguration": {"OutputLocation": f"{place}results/"}}
    days = ", ".join(f"({n}, '2024-01-{n:02}')" for n in range(1, 21))
    made = f"external_location = '{place}days/', partitioned_by = ARRAY['day']"
    for sql in (
        f"CREATE TABLE days WITH ({made}) AS SELECT * FROM (VALUES {days}) AS t(n, day)",
        "INSERT INTO days VALUES (99, '2024-02-01')",
        "ALTER TABLE days DROP PARTITION (day = '2024-01-20')",
        "MSCK REPAIR TABLE days",
        "CREATE VIEW january AS SELECT n FROM days WHERE day LIKE '2024-01%'",
        f"UNLOAD (SELECT n FROM january) TO '{place}out/' WITH (format = 'JSON', compression = 'NONE')",
    ):
        remote.finish(sql, database, **output)
    assert remote.rows("SELECT count(*), sum(n) FROM days", database, **output) == [("21", "309")]
    assert remote.rows("SELECT count(*), max(n) FROM january", database, **output) == [("20", "20")]
    assert remote.rows("SELECT n FROM days WHERE day = '2024-02-01'", database, **output) == [("99",)]
    assert len(server.glue.get_partitions(DatabaseName=database, TableName="days")["Partitions"]) == 21
    written = b"".join(server.read(f"{place}{key}") for key in server.keys(place[5:-1], "out/"))
    assert written.count(b"\n") == 20


def test_an_output_location_is_needed_there(remote: Served):
    with pytest.raises(ClientError, match="No output location"):
        remote.start("SELECT 1")


def test_errors_of_the_endpoint_are_told_as_athenas(remote: Served, place, database):
    output = {"ResultConfiguration": {"OutputLocation": place}}
    assert "TABLE_NOT_FOUND" in remote.fail("SELECT * FROM none", database, **output)["StateChangeReason"]
    assert "already exists" in remote.fail(f"CREATE DATABASE {database}", **output)["StateChangeReason"]


def test_glue_and_s3_are_not_served_beside_it(remote: Served):
    with pytest.raises(ClientError):
        remote.glue.get_databases()
    assert httpx.get(remote.url).status_code == 404

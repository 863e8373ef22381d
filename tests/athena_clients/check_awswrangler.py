"""awswrangler, unchanged."""

import datetime

import awswrangler as wr
import boto3
import pandas as pd
import pytest

BUCKET = "s3://wrangler/"
FRAME = pd.DataFrame({
    "id": [1, 2, 3], "text": ["a", None, 'c"x'], "day": [datetime.date(2020, 1, 1), None, datetime.date(2021, 2, 3)],
    "part": ["x", "y", "y"],
})  # fmt: skip


@pytest.fixture(scope="module")
def table(endpoint):  # noqa: ARG001 - the environment leads there
    boto3.client("s3").create_bucket(Bucket="wrangler")
    wr.catalog.create_database("wrangler")
    where = {"path": f"{BUCKET}t/", "database": "wrangler", "table": "t"}
    wr.s3.to_parquet(FRAME, dataset=True, partition_cols=["part"], mode="overwrite", **where)
    return "t"


@pytest.mark.parametrize("way", [
    {"ctas_approach": True}, {"ctas_approach": False}, {"ctas_approach": False, "unload_approach": True},
])  # fmt: skip
def test_a_query_is_read_in_each_of_the_three_ways(table, way):
    output = f"{BUCKET}out{len(way)}{way['ctas_approach']}/"
    found = wr.athena.read_sql_query(f"SELECT * FROM {table} ORDER BY id", "wrangler", s3_output=output, **way)
    assert found["id"].tolist() == [1, 2, 3]
    assert found["text"].fillna("?").tolist() == ["a", "?", 'c"x']


def test_utilities_work(table):
    assert wr.athena.describe_table(table, "wrangler")["Column Name"].tolist()[:3] == ["id", "text", "day"]
    assert "CREATE EXTERNAL TABLE" in wr.athena.show_create_table(table, "wrangler")
    assert wr.athena.repair_table(table, "wrangler")
    assert wr.catalog.get_partitions("wrangler", table, expression="part = 'x'") == {f"{BUCKET}t/part=x/": ["x"]}


def test_partitions_are_replaced(table):
    where = {"path": f"{BUCKET}t/", "database": "wrangler", "table": table}
    wr.s3.to_parquet(FRAME[:1], dataset=True, partition_cols=["part"], mode="overwrite_partitions", **where)
    found = wr.athena.read_sql_query(f"SELECT count(*) AS n FROM {table}", "wrangler", ctas_approach=False)
    assert found["n"].tolist() == [3]


def test_a_query_that_is_wrong_fails_as_such(table):
    with pytest.raises(wr.exceptions.QueryFailed):
        wr.athena.read_sql_query(f"SELECT nope FROM {table}", "wrangler", ctas_approach=False)

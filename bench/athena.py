"""How long Athena's clients wait: `python -m bench.athena [--scale 1] [--rounds 50]`.

From StartQueryExecution to the first page of results, for `SELECT 1`, a count over 1,000 partitions and TPC-H's first
query, beside bare DuckDB on the same files. The server runs in a process of its own, as a person starts it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import duckdb

from bench.tpch import COLUMNS, bare_copy, make_lineitem

PARTITIONS = 1_000
_Q1 = Path(__file__).parent.parent / "fixtures" / "tpch" / "q01.sql"
_POLL_SECONDS = 0.002
_START_SECONDS = 20.0


@contextmanager
def run_server(root: Path) -> Iterator[tuple[Any, float]]:
    """A client of a fresh server, and how long the server took to start."""
    began = time.perf_counter()
    command = [str(Path(sys.executable).with_name("daap-local")), "--root", str(root), "athena", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
    try:
        assert process.stdout is not None
        address = process.stdout.readline().partition(" at ")[2].split()[0]
        took = time.perf_counter() - began
        yield boto3.client(
            "athena", endpoint_url=address, region_name="us-east-1", aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - signatures are not checked
        ), took  # fmt: skip
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


def ask(client: Any, sql: str) -> float:  # noqa: ANN401 - botocore's clients have no static type
    """Seconds until the first page is there."""
    began = time.perf_counter()
    query = client.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": "bench"})[
        "QueryExecutionId"
    ]
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            break
        time.sleep(_POLL_SECONDS)
    assert status["State"] == "SUCCEEDED", status
    client.get_query_results(QueryExecutionId=query)
    return time.perf_counter() - began


def measure(call: Callable[[], float], rounds: int) -> str:
    """The median and the worst of a hundred, after one round that does not count."""
    call()
    times = sorted(call() for _ in range(rounds))
    p50, p99 = (times[min(rounds - 1, rounds * share // 100)] for share in (50, 99))
    return f"p50 {p50 * 1000:8.1f} ms   p99 {p99 * 1000:8.1f} ms"


def make_files(bucket: Path, scale: float) -> None:
    """lineitem as one Parquet file, and a table of a thousand small partitions."""
    (bucket / "lineitem").mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(bare_copy(make_lineitem(scale), bucket / "lineitem" / "all.parquet"))
    for number in range(PARTITIONS):
        folder = bucket / "parts" / f"part={number}"
        folder.mkdir(parents=True)
        rows = f"SELECT range AS n FROM range({number}, {number + 10})"  # noqa: S608 - numbers
        connection.execute(f"COPY ({rows}) TO '{folder / 'x.parquet'}' (FORMAT parquet)")


def make_tables(client: Any) -> None:  # noqa: ANN401 - as above
    """The tables over the files."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
    for sql in (
        "CREATE DATABASE bench",
        f"CREATE EXTERNAL TABLE lineitem ({columns}) STORED AS PARQUET LOCATION 's3://bench/lineitem/'",
        "CREATE EXTERNAL TABLE parts (n bigint) PARTITIONED BY (part int) STORED AS PARQUET LOCATION 's3://bench/parts/'",
        "MSCK REPAIR TABLE parts",
    ):
        ask(client, sql)


def ask_bare(sql: str) -> float:
    """Seconds that DuckDB takes by itself, from an empty database to the rows."""
    began = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(sql).fetchall()
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H's scale factor")
    parser.add_argument("--rounds", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bucket = root / "athena" / "buckets" / "bench"
        make_files(bucket, given.scale)
        q1 = _Q1.read_text(encoding="utf-8").strip().rstrip(";")
        count = "SELECT count(*) FROM parts WHERE part >= 0"
        bare = {
            "SELECT 1": "SELECT 1",
            count: f"SELECT count(*) FROM read_parquet('{bucket}/parts/*/*.parquet')",  # noqa: S608 - own words
            q1: f"WITH lineitem AS (FROM '{bucket}/lineitem/all.parquet') {q1}",
        }  # fmt: skip
        with run_server(root) as (client, took):
            print(f"start                    {took * 1000:12.1f} ms")
            make_tables(client)
            for name, sql in (("SELECT 1", "SELECT 1"), (f"{PARTITIONS} partitions", count), ("TPC-H q1", q1)):
                print(f"{name:20} athena {measure(lambda sql=sql: ask(client, sql), given.rounds)}")
                print(f"{'':20} bare   {measure(lambda sql=sql: ask_bare(bare[sql]), given.rounds)}")


if __name__ == "__main__":
    main()

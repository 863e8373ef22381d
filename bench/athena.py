"""How long Athena's clients wait: `python -m bench.athena [--scale 1] [--rounds 100]`.

From StartQueryExecution to the first page of results, for `SELECT 1`, a count over 1,000 partitions and TPC-H's first
query, beside bare DuckDB on the same files: from an empty database, as each of the server's queries begins, and in one
that stays open. The three take turns, so that a busy moment of the machine meets all of them. The server runs in a
process of its own, as a person starts it; printed too is how long it takes from there to the first answer.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import duckdb

from bench.tpch import COLUMNS, bare_copy, make_lineitem

PARTITIONS = 1_000
_Q1 = Path(__file__).parent.parent / "fixtures" / "tpch" / "q01.sql"
_POLL_SECONDS = 0.002
_END_SECONDS = 20.0
_WARM_ROUNDS = 2
_STARTS = 5
_URL = re.compile(r"http://127\.0\.0\.1:[0-9]+")


@dataclass(frozen=True)
class Case:
    """A query as the server and as bare DuckDB is asked, and the share of the rounds that it gets."""

    name: str
    sql: str
    bare: str
    share: float = 1.0


@contextmanager
def run_server(root: Path) -> Iterator[Any]:
    """A client of a fresh server."""
    command = [str(Path(sys.executable).with_name("daap-local")), "--root", str(root), "athena", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
    try:
        assert process.stdout is not None
        found = next((one for line in process.stdout if (one := _URL.search(line))), None)
        assert found, "the server did not start"
        yield boto3.client(
            "athena", endpoint_url=found[0], region_name="us-east-1", aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - signatures are not checked
        )  # fmt: skip
    finally:
        process.terminate()
        process.wait(_END_SECONDS)


def ask(client: Any, sql: str) -> float:  # noqa: ANN401 - botocore's clients have no static type
    """Seconds until the first page is there."""
    began = time.perf_counter()
    context = {"Database": "bench"}
    query = client.start_query_execution(QueryString=sql, QueryExecutionContext=context)["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            break
        time.sleep(_POLL_SECONDS)
    assert status["State"] == "SUCCEEDED", status
    client.get_query_results(QueryExecutionId=query)
    return time.perf_counter() - began


def ask_bare(sql: str, connection: duckdb.DuckDBPyConnection | None = None) -> float:
    """Seconds that DuckDB takes by itself to the rows, from an empty database if none is given."""
    began = time.perf_counter()
    if connection:
        connection.execute(sql).fetchall()
    else:
        with duckdb.connect() as fresh:
            fresh.execute(sql).fetchall()
    return time.perf_counter() - began


def take_turns(calls: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each call in each round, in order of size, after a few rounds that do not count."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + _WARM_ROUNDS):
        for name, call in calls.items():
            took = call()
            if number >= _WARM_ROUNDS:
                found[name].append(took)
    return {name: sorted(times) for name, times in found.items()}


def at(times: list[float], share: float) -> float:
    """The time that a share of the rounds does not exceed."""
    return times[min(len(times) - 1, int(len(times) * share))]


def report(case: Case, found: dict[str, list[float]]) -> None:
    """A line for each of those who took turns; ratios are of the server's time to theirs."""
    ours = found["athena"]
    for name, times in found.items():
        shares = [f"p{int(share * 100)} {at(times, share) * 1000:8.1f} ms" for share in (0.5, 0.99)]
        ratio = "" if times is ours else f"   ratio {at(ours, 0.5) / at(times, 0.5):6.2f}"
        print(f"{case.name:16} {name:12} {'   '.join(shares)}{ratio}   ({len(times)} rounds)")


def make_files(bucket: Path, scale: float) -> None:
    """lineitem as one Parquet file, and a table of a thousand small partitions."""
    (bucket / "lineitem").mkdir(parents=True)
    with duckdb.connect() as connection:
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


def cases(bucket: Path) -> list[Case]:
    """What is asked; `ranges` reads the files themselves, which a count answered from their footers does not."""
    q1 = _Q1.read_text(encoding="utf-8").strip().rstrip(";")
    parts = f"read_parquet('{bucket}/parts/*/*.parquet', hive_partitioning = true)"
    count, total = "SELECT count(*) FROM {} WHERE part >= 0", "SELECT sum(n) FROM {} WHERE part >= 0"
    return [
        Case("SELECT 1", "SELECT 1", "SELECT 1"),
        Case(f"count, {PARTITIONS} parts", count.format("parts"), count.format(parts)),
        Case(f"sum, {PARTITIONS} parts", total.format("parts"), total.format(parts), 0.5),
        Case("TPC-H q1", q1, f"WITH lineitem AS (FROM '{bucket}/lineitem/all.parquet') {q1}", 0.2),
    ]


def measure_starts(root: Path) -> None:
    """From the command to the first answer."""
    times = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        with run_server(root) as client:
            started = time.perf_counter() - began
            ask(client, "SELECT 1")
            times.append((started, time.perf_counter() - began))
    listens, answers = (statistics.median(one) * 1000 for one in zip(*times, strict=True))
    print(f"start            listens after {listens:.0f} ms, first answer after {answers:.0f} ms (median of {_STARTS})")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H's scale factor")
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"scale {given.scale:g}; {os.cpu_count()} processors, load before {load}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        bucket = root / "athena" / "buckets" / "bench"
        make_files(bucket, given.scale)
        measure_starts(root)
        with run_server(root) as client, duckdb.connect() as kept:
            make_tables(client)
            for case in cases(bucket):
                calls: dict[str, Callable[[], float]] = {
                    "athena": lambda case=case: ask(client, case.sql),
                    "bare": lambda case=case: ask_bare(case.bare),
                    "bare, kept": lambda case=case: ask_bare(case.bare, kept),
                }  # fmt: skip
                report(case, take_turns(calls, max(5, int(given.rounds * case.share))))


if __name__ == "__main__":
    main()

"""Many processes on one lake: each file is one load, and readers never wait and never see half of one."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.events import LoadCurated, NothingToDo
from daap.model.loads import LoadStatus
from tests.support.lakes import BAD, TABLES, Bench, make_csv, open_folders
from tests.support.processes import run_command, start_command, wait_until

ROWS = 500


@pytest.fixture
def bench(tmp_path) -> Bench:
    bench = open_folders(tmp_path / "lake", DuckDBEngine(scratch=tmp_path))
    bench.register()
    return bench


def drop_many(bench: Bench, number: int) -> dict[str, bytes]:
    """Files for all tables in turn, each with ids of its own; their contents by name."""
    came = {f"{n}.csv": make_csv(n * ROWS, ROWS) for n in range(number)}
    for n, (name, data) in enumerate(came.items()):
        bench.drop(name, data, TABLES[n % len(TABLES)])
    return came


def assert_whole(bench: Bench) -> int:
    """That each snapshot holds just one whole file; returns how many there are."""
    seen = 0
    for table in TABLES:
        told = "count(*) AS n, count(DISTINCT id) AS ids, min(id) AS first, max(id) AS last"
        rows = bench.query(f"SELECT load_timestamp, {told} FROM shop_v1.{table} GROUP BY ALL")
        assert all(row["n"] == row["ids"] == ROWS for row in rows)
        assert all(row["first"] % ROWS == 0 and row["last"] == row["first"] + ROWS - 1 for row in rows)
        seen += len(rows)
    return seen


def test_four_processes_that_drain_one_folder_make_each_file_one_snapshot(bench):
    came = drop_many(bench, 60)
    landing = bench.root / "landing"
    with ExitStack() as stack:
        loud = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        drains = [stack.enter_context(start_command(bench.root, "watch", landing, "--once", **loud)) for _ in range(4)]
        while any(process.poll() is None for process in drains):
            assert_whole(bench)
        told = [(process.returncode, process.stderr.read()) for process in drains]
    assert told == [(0, "")] * 4
    receipts = bench.receipts()
    assert Counter(receipt.source_name for receipt in receipts) == dict.fromkeys(came, 1)
    assert {receipt.status for receipt in receipts} == {LoadStatus.CURATED}
    assert [len(bench.snapshots(table)) for table in TABLES] == [20, 20, 20]
    assert assert_whole(bench) == 60
    assert sorted(bench.files("raw/")) == sorted(came.values())
    assert bench.keys("landing/") == bench.keys("fail/") == bench.claims() == []


def test_readers_work_while_a_watcher_runs(bench):
    landing = bench.root / "landing"
    landing.mkdir()
    with start_command(bench.root, "watch", landing) as watcher:
        drop_many(bench, 9)
        bench.drop("bad.csv", BAD)
        listed = run_command(bench.root, "loads", "--format", "json")
        asked = run_command(bench.root, "sql", "SELECT count(*) AS n FROM shop_v1.orders_latest", "--format", "json")
        assert (listed.returncode, asked.returncode) == (0, 0), listed.stderr + asked.stderr
        assert json.loads(asked.stdout)[0]["n"] in (0, ROWS)
        assert len(json.loads(listed.stdout)) <= 10
        seen = 0

        def is_done() -> bool:
            nonlocal seen
            now = assert_whole(bench)
            assert now >= seen, "a snapshot that was seen is seen for good"
            seen = now
            return seen == 9 and bench.keys("landing/") == bench.claims() == []

        wait_until(is_done, watcher)
    assert sorted(receipt.status for receipt in bench.receipts()) == [LoadStatus.CURATED] * 9 + [LoadStatus.FAILED]


def test_a_watcher_takes_a_file_only_once_its_writer_has_closed_it(bench):
    folder = bench.root / "landing" / "shop" / "orders"
    folder.mkdir(parents=True)
    first, second = make_csv(0, 3), make_csv(3, 3).partition(b"\n")[2]
    with start_command(bench.root, "watch", bench.root / "landing") as watcher:
        with (folder / "slow.csv").open("wb") as stream:
            stream.write(first)
            stream.flush()
            # Another file shows that the watcher is awake and has had its chance to take the open one.
            bench.drop("quick.csv", make_csv(), "sales")
            wait_until(lambda: len(bench.snapshots("sales")) == 1, watcher)
            assert bench.snapshots("orders") == []
            stream.write(second)
        wait_until(lambda: len(bench.snapshots("orders")) == 1, watcher)
    assert bench.query("SELECT count(*) AS n FROM shop_v1.orders") == [{"n": 6}]


def test_ten_deliveries_of_one_event_at_once_make_one_snapshot(bench):
    key = bench.drop("orders.csv", make_csv())
    start = threading.Barrier(10)

    def deliver(_place: int):
        start.wait()
        return bench.ingest(key)

    with ThreadPoolExecutor(10) as pool:
        outcomes = Counter(type(outcome) for outcome in pool.map(deliver, range(10)))
    assert outcomes == {LoadCurated: 1, NothingToDo: 9}
    assert len(bench.snapshots()) == len(bench.receipts()) == 1
    assert bench.files("raw/") == [make_csv()]
    assert bench.keys("landing/") == bench.claims() == []

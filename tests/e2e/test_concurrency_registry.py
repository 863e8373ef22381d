"""Many at once on the registry and in upkeep: one wins each version, and readers see whole snapshots, each once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import DaapError, InvalidChange, NotRegistered, UnderLegalHold, VersionConflict
from daap.model.events import FileRefused, LoadCurated
from daap.model.loads import LoadStatus
from daap.pipeline.evolve import change_schema
from daap.pipeline.manage import amend_product, create_table, register_product, set_hold
from daap.pipeline.reload import reload_tables, select_tables
from daap.pipeline.remove import delete_product, remove_table
from daap.pipeline.resync import resync_product
from daap.pipeline.retention import enforce_retention
from daap.registry.directory import list_records, read_record
from tests.support.lakes import (
    AMOUNT,
    CUSTOMER,
    ID,
    PRODUCT,
    TABLE,
    Bench,
    make_csv,
    make_product,
    make_table,
    open_folders,
)
from tests.support.processes import run_command, start_command

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path) -> Bench:
    bench = open_folders(tmp_path / "lake", DuckDBEngine(scratch=tmp_path))
    bench.register()
    return bench


def run_together(work: Callable[[int], object], number: int) -> list[object]:
    """What each of many came to that began at the same moment: its result, or the error it was told."""
    start = threading.Barrier(number)

    def run(place: int) -> object:
        start.wait()
        try:
            return work(place)
        except DaapError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Does something again and again in another thread while the block runs; its first error is raised at the end."""
    done = threading.Event()

    def go_on() -> None:
        while not done.is_set():
            work()

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(go_on)
        try:
            yield
        finally:
            done.set()
        going.result()


def history(bench: Bench) -> list[str]:
    keys = list_records(bench.lake.store, PRODUCT)
    return [str(read_record(bench.lake.store, key).version) for key in keys]


def assert_consistent(bench: Bench) -> None:
    """That the catalogue, the version's objects and the head tell the same, and that every raw file has one load."""
    registered = bench.lake.registry.get(PRODUCT)
    for table, schema in registered.product.tables.items():
        assert bench.lake.catalogue.table(registered.ref(table).database, table).schema == schema
        assert bench.lake.registry.schema_at(PRODUCT, str(registered.version), table) == schema
    assert history(bench)[-1] == str(registered.version)
    raw = Counter(key.split("/")[-1] for key in bench.keys("raw/"))
    assert set(raw.values()) <= {1}
    assert sorted(
        receipt.file_id for receipt in bench.receipts() if receipt.status in KEPT and not receipt.carried_from
    ) == sorted(name.partition(".")[0] for name in raw)


KEPT = (LoadStatus.ARCHIVED, LoadStatus.CURATED)


class TestWriters:
    @pytest.mark.parametrize("writers", [2, 20])
    @pytest.mark.parametrize("kind", ["minor", "major"])
    def test_one_wins_a_version_and_the_others_are_told_which(self, bench, writers, kind):
        bench.load("20260101T000000Z", make_csv())

        def change(n: int) -> object:
            columns = (ID, CUSTOMER, AMOUNT, f"extra{n} int") if kind == "minor" else (ID, f"extra{n} int")
            return change_schema(bench.lake, PRODUCT, TABLE, make_table(*columns), f"writer {n}")

        told = run_together(change, writers)
        lost = [one for one in told if isinstance(one, VersionConflict)]
        # Who came after a winner had finished made the next version: no update is lost, none is made twice.
        won = [one for one in told if not isinstance(one, DaapError)]
        assert len(won) + len(lost) == writers
        assert len({str(one.registered.version) for one in won}) == len(won)
        made = [str(one.registered.version) for one in won]
        assert sorted(made) == sorted(history(bench)[1:])
        assert {error.version for error in lost} <= set(made)
        assert all(error.version in str(error) for error in lost)
        assert_consistent(bench)

    @pytest.mark.parametrize("writers", [2, 20])
    def test_from_the_same_version_just_one_wins(self, bench, writers):
        head = bench.lake.registry.read(PRODUCT)
        product = head.registered.product

        def amend(n: int) -> object:
            change = head.registered.change
            return bench.lake.registry.amend(head, product.model_copy(update={"domain": f"d{n}"}), change)

        told = run_together(amend, writers)
        assert [one for one in told if not isinstance(one, VersionConflict)] == [bench.lake.registry.get(PRODUCT)]
        assert {one.version for one in told if isinstance(one, VersionConflict)} == {"v1.1"}
        assert history(bench) == ["v1.0", "v1.1"]

    def test_twenty_changes_of_all_kinds_are_all_made_in_the_end(self, bench):
        acts = [
            lambda n: amend_product(bench.lake, PRODUCT, {"tags": {f"t{n}": "x"}}, "ann"),
            lambda n: create_table(bench.lake, PRODUCT, f"table{n}", make_table(), "ann"),
            lambda n: change_schema(bench.lake, PRODUCT, "sales", make_table(ID, CUSTOMER, AMOUNT, f"x{n} int"), "ann"),
        ]

        def insist(n: int) -> object:
            while True:
                try:
                    return acts[n % 3](n)
                except VersionConflict:
                    continue

        told = run_together(insist, 20)
        assert [one for one in told if isinstance(one, DaapError)] == []
        assert len(bench.lake.registry.get(PRODUCT).product.tables) == 3 + 7
        # Of the changes of one table, some took away the column of another: each of these is a major version.
        assert len(history(bench)) == len(set(history(bench))) == 21
        assert_consistent(bench)

    def test_of_two_processes_each_makes_a_version_or_is_told(self, bench):
        specs = []
        for domain in ("one", "two"):
            specs.append(bench.root / f"{domain}.yaml")
            specs[-1].write_text(json.dumps(make_product().dump() | {"domain": domain}))
        with start_command(bench.root, "amend", specs[0]) as first:
            second = run_command(bench.root, "amend", specs[1])
            codes = [first.wait(), second.returncode]
        assert codes.count(0) >= 1, second.stderr
        assert len(history(bench)) == 1 + codes.count(0)
        assert_consistent(bench)

    def test_registered_and_deleted_by_many_at_once_it_is_there_or_gone(self, bench):
        def work(n: int) -> object:
            if n % 2:
                return delete_product(bench.lake, PRODUCT, "ann")
            return register_product(bench.lake, make_product(), "ann")

        for _ in range(5):
            told = run_together(work, 6)
            assert all(isinstance(one, DaapError) or one is None or one.product == make_product() for one in told)
            try:
                assert_consistent(bench)
            except NotRegistered:
                assert [key for key in bench.keys("metadata/") if "shop" in key] == []


class TestUploads:
    def test_files_that_come_during_a_major_change_go_to_one_major_and_none_is_lost(self, bench):
        bench.load("20260101T000000Z", make_csv(1, 2))
        files = {f"{n}.csv": make_csv(n * 100, 4) for n in range(1, 13)}

        def work(n: int) -> object:
            if n == 0:
                return bench.change(ID, CUSTOMER | {"type": "string"}, AMOUNT)
            return bench.take(f"{n}.csv", files[f"{n}.csv"])

        told = run_together(work, 13)
        assert [one for one in told if isinstance(one, DaapError)] == []
        assert all(isinstance(one, LoadCurated | FileRefused) for one in told[1:])
        receipts = [receipt for receipt in bench.receipts() if not receipt.carried_from]
        assert Counter(receipt.source_name for receipt in receipts if receipt.source_name in files) == dict.fromkeys(
            files, 1
        )
        assert sorted(bench.files("raw/") + bench.files("fail/")) == sorted([*files.values(), make_csv(1, 2)])
        for receipt in receipts:
            assert receipt.status is LoadStatus.CURATED or "was still v1" in receipt.errors.first
        # The second major begins with what was the newest of the first.
        newest = max(
            receipt.load_timestamp
            for receipt in receipts
            if receipt.major == 1 and receipt.status is LoadStatus.CURATED
        )
        assert told[0].carried[TABLE] == f"shop/v1/orders/{newest}"
        assert newest in bench.snapshots(major=2)
        assert_consistent(bench)
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == []

    def test_a_column_added_while_files_come_stays_in_the_catalogue(self, bench):
        def work(n: int) -> object:
            if n == 0:
                for extra in range(1, 6):
                    bench.change(ID, CUSTOMER, AMOUNT, *(f"x{m} int" for m in range(extra)))
                return None
            return bench.take(f"{n}.csv", make_csv(n))

        told = run_together(work, 8)
        assert told[0] is None
        assert_consistent(bench)
        assert len(bench.query("SELECT x0, x4 FROM shop_v1.orders")) == 3 * len(bench.snapshots())

    def test_retention_during_loads_deletes_the_old_and_nothing_else(self, bench):
        for day in range(1, 9):
            bench.load(f"202601{day:02}T000000Z", make_csv(day, 1))
        files = {f"{n}.csv": make_csv(n * 100) for n in range(6)}

        def work(n: int) -> object:
            if n < 2:
                return list(enforce_retention(bench.lake, PRODUCT, f"keeper {n}", NOW))
            return bench.take(f"{n - 2}.csv", files[f"{n - 2}.csv"])

        told = run_together(work, 8)
        assert [one for one in told if isinstance(one, DaapError)] == []
        assert len({one.load for one in told[0] + told[1]}) == len(told[0] + told[1]) == 8
        assert sorted(bench.files("raw/")) == sorted(files.values())
        assert len(bench.snapshots()) == 6
        assert_consistent(bench)

    def test_a_table_removed_while_files_come_leaves_no_snapshot(self, bench):
        def work(n: int) -> object:
            if n == 0:
                return remove_table(bench.lake, PRODUCT, TABLE, "ann")
            return bench.take(f"{n}.csv", make_csv(n))

        told = run_together(work, 8)
        assert not isinstance(told[0], DaapError)
        assert bench.snapshots() == bench.snapshots(major=2) == []
        assert bench.keys(f"raw/shop/v1/{TABLE}/") == bench.keys("curated/shop/v1/orders/") == []
        assert_consistent(bench)

    def test_a_product_deleted_while_files_come_is_gone(self, bench):
        def work(n: int) -> object:
            if n == 0:
                return delete_product(bench.lake, PRODUCT, "ann")
            return bench.take(f"{n}.csv", make_csv(n))

        assert run_together(work, 8)[0] is None
        # What came after it is a file for a product that is not registered: refused and kept, like any other.
        assert bench.keys("raw/") == bench.keys("curated/") == []
        assert {receipt.status for receipt in bench.receipts()} <= {LoadStatus.FAILED}
        with pytest.raises(NotRegistered):
            bench.lake.registry.get(PRODUCT)


class TestReaders:
    def test_a_reload_shows_no_reader_a_snapshot_that_is_missing_or_there_twice(self, bench):
        expected = {f"202601{day:02}T000000Z": 1_000 + day for day in range(1, 6)}
        for stamp, rows in expected.items():
            bench.load(stamp, make_csv(rows=rows))
        looks = []

        def look() -> None:
            rows = bench.query(
                "SELECT load_timestamp AS t, count(*) AS n, count(DISTINCT id) AS ids FROM shop_v1.orders GROUP BY 1"
            )
            looks.append({row["t"]: row["n"] for row in rows})
            assert looks[-1] == expected
            assert all(row["n"] == row["ids"] for row in rows)
            (latest,) = bench.query("SELECT count(*) AS n FROM shop_v1.orders_latest")
            assert latest["n"] == 1_005

        with beside(look), beside(look):
            for _ in range(4):
                assert len(list(reload_tables(bench.lake, select_tables(bench.lake, PRODUCT), "ann"))) == 5
        assert len(looks) > 4

    def test_a_reload_by_several_at_once_makes_each_snapshot_once(self, bench):
        for day in range(1, 5):
            bench.load(f"202601{day:02}T000000Z", make_csv(day))
        before = bench.query("SELECT * FROM shop_v1.orders ORDER BY ALL")
        told = run_together(lambda _n: list(reload_tables(bench.lake, select_tables(bench.lake, PRODUCT), "ann")), 4)
        assert [len(one) for one in told] == [4] * 4
        assert bench.query("SELECT * FROM shop_v1.orders ORDER BY ALL") == before
        assert list(bench.root.rglob(".staging/*")) == []

    def test_a_reload_and_retention_at_once_leave_nothing_that_has_expired(self, bench):
        for day in range(1, 9):
            bench.load(f"202601{day:02}T000000Z", make_csv(day))

        def work(n: int) -> object:
            if n:
                return list(enforce_retention(bench.lake, PRODUCT, "ann", NOW))
            return list(reload_tables(bench.lake, select_tables(bench.lake, PRODUCT), "bob"))

        told = run_together(work, 2)
        assert [one for one in told if isinstance(one, DaapError)] == []
        assert bench.snapshots() == bench.keys("raw/") == bench.keys("curated/") == []

    def test_readers_of_the_old_major_notice_nothing_of_a_new_one(self, bench):
        for day in range(1, 4):
            bench.load(f"202601{day:02}T000000Z", make_csv(rows=day))
        before = bench.query("SELECT * FROM shop_v1.orders ORDER BY ALL")

        def look() -> None:
            assert bench.query("SELECT * FROM shop_v1.orders ORDER BY ALL") == before

        with beside(look):
            for kind in ("bigint", "string", "double"):
                bench.change(f"id {kind}")
        look()

    def test_readers_see_a_new_column_or_not_and_every_row_either_way(self, bench):
        for day in range(1, 4):
            bench.load(f"202601{day:02}T000000Z", make_csv(rows=2))
        seen = set()

        def look() -> None:
            rows = bench.query("SELECT * FROM shop_v1.orders")
            assert len(rows) == 6
            seen.add(len(rows[0]))

        with beside(look):
            for number in range(1, 6):
                bench.change(ID, CUSTOMER, AMOUNT, *(f"x{n} int" for n in range(number)))
        look()
        assert max(seen) == 9


def test_a_hold_that_comes_during_deletion_either_keeps_all_or_is_told(bench):
    bench.load("20260101T000000Z", make_csv())

    def work(n: int) -> object:
        if n:
            return set_hold(bench.lake, PRODUCT, "a case", "ann")
        return delete_product(bench.lake, PRODUCT, "bob")

    deleted, held = run_together(work, 2)
    if isinstance(held, DaapError):
        assert isinstance(held, NotRegistered)
        assert bench.keys("raw/") == []
    else:
        assert isinstance(deleted, UnderLegalHold | VersionConflict)
        assert len(bench.files("raw/")) == 1


def test_a_change_that_is_refused_leaves_the_others_to_win(bench):
    bench.load("20260101T000000Z", make_csv())

    def work(n: int) -> object:
        if n:
            return change_schema(bench.lake, PRODUCT, TABLE, make_table("id date"), "ann")
        return amend_product(bench.lake, PRODUCT, {"domain": "new"}, "bob")

    amended, *refused = run_together(work, 4)
    assert not isinstance(amended, DaapError)
    assert all(isinstance(one, InvalidChange | VersionConflict) for one in refused)
    assert history(bench) == ["v1.0", "v1.1"]

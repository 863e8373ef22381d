"""Events come at least once, in any order and to many workers; a file is a load exactly once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from blake3 import blake3

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import Busy, DaapError, EngineFailed, StoreUnavailable
from daap.model.events import FileLanded, FileRefused, LoadCurated, NothingToDo, Outcome
from daap.model.keys import file_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Verdict, Written
from daap.pipeline.claims import announce_file, open_claims
from daap.pipeline.ingest import ingest_file, resume_claim
from daap.ports.engine import Progress, Source, silent
from daap_local.folder_store import FolderStore
from tests.support.lakes import BAD, LAKES, TABLE, TABLES, Bench, drain_lake, make_csv, make_product, open_folders

ORDERS = TableRef("shop", 1, TABLE)


class LooseStore(FolderStore):
    """A store that holds nothing for anyone: correctness must not rest on it."""

    def hold(self, name: str, *, wait: bool) -> AbstractContextManager[None]:  # noqa: ARG002 - the port's signature
        return nullcontext()


class MeddledStore(FolderStore):
    """A store in which something happens just before a move to raw."""

    meddle: Callable[[Path], None] | None = None

    def move(self, source: str, target: str) -> None:
        if target.startswith("raw/") and self.meddle:
            meddle, self.meddle = self.meddle, None
            meddle(self.path(source))
        super().move(source, target)


class MeddledEngine(DuckDBEngine):
    """An engine under whose hands the file changes, as often as there are meddlers."""

    def __init__(self, scratch: Path, *meddlers: Callable[[Path], None]) -> None:
        super().__init__(scratch=scratch)
        self.meddlers = list(meddlers)

    def stage(
        self, source: Source, schema: TableSchema, target: str, progress: Progress = silent
    ) -> tuple[Verdict, Written | None]:
        result = super().stage(source, schema, target, progress)
        if self.meddlers:
            self.meddlers.pop(0)(Path(source.location))
        return result


def append_row(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"900,Late,9.00\n")


def change_digit(path: Path) -> None:
    """Another content of the same size."""
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.50", b"7.50"))


def run_together(work: Callable[[], Outcome], number: int) -> list[Outcome | DaapError]:
    start = threading.Barrier(number)

    def run(_place: int) -> Outcome | DaapError:
        start.wait()
        try:
            return work()
        except DaapError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def assert_one_load(bench: Bench, data: bytes) -> None:
    assert len(bench.snapshots()) == 1
    (receipt,) = bench.receipts()
    assert receipt.status is LoadStatus.CURATED
    assert receipt.load_timestamp == bench.snapshots()[0]
    assert bench.files("raw/") == [data]
    assert bench.keys("landing/") == bench.keys("fail/") == bench.claims() == []


class TestTheSameEvent:
    def test_handled_ten_times_it_gives_one_snapshot(self, bench):
        key = bench.drop("orders.csv", make_csv())
        outcomes = [bench.ingest(key) for _ in range(10)]
        assert isinstance(outcomes[0], LoadCurated)
        assert all(isinstance(outcome, NothingToDo) for outcome in outcomes[1:])
        assert_one_load(bench, make_csv())

    def test_of_a_refused_file_handled_ten_times_it_gives_one_refusal(self, bench):
        key = bench.drop("bad.csv", BAD)
        outcomes = [bench.ingest(key) for _ in range(10)]
        assert isinstance(outcomes[0], FileRefused)
        assert all(isinstance(outcome, NothingToDo) for outcome in outcomes[1:])
        assert [receipt.status for receipt in bench.receipts()] == [LoadStatus.FAILED]
        assert bench.files("fail/") == [BAD]

    @pytest.mark.parametrize("name", LAKES)
    def test_handled_by_ten_workers_at_once_it_gives_one_snapshot(self, name, tmp_path, engine):
        for turn in range(3):
            bench = LAKES[name](tmp_path / f"lake{turn}", engine)
            bench.register()
            key = bench.drop("orders.csv", make_csv())
            outcomes = run_together(lambda key=key, bench=bench: bench.ingest(key), 10)
            assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
            assert sum(isinstance(outcome, LoadCurated) for outcome in outcomes) >= 1
            assert_one_load(bench, make_csv())

    def test_handled_by_ten_workers_that_nothing_holds_apart_it_gives_one_snapshot(self, tmp_path, engine):
        # A worker that loses a race may say "try again", and nothing worse.
        for turn in range(4):
            bench = open_folders(tmp_path / f"lake{turn}", engine)
            bench.lake = replace(bench.lake, store=LooseStore(bench.root))
            bench.register()
            key = bench.drop("orders.csv", make_csv())
            outcomes = run_together(lambda key=key, bench=bench: bench.ingest(key), 10)
            errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
            assert [error for error in errors if not isinstance(error, Busy | StoreUnavailable)] == []
            drain_lake(bench.lake, bench.root / "landing")
            assert_one_load(bench, make_csv())

    def test_a_claim_that_is_gone_on_with_twice_gives_one_snapshot(self, bench):
        claim = announce_file(bench.lake.store, ORDERS, "orders.csv", "ann")
        bench.lake.store.put(claim.landing, make_csv())
        assert isinstance(resume_claim(claim, bench.lake), LoadCurated)
        assert resume_claim(claim, bench.lake) == NothingToDo(claim.key, claim.load)
        assert_one_load(bench, make_csv())


class TestTheSameContent:
    def test_dropped_again_later_it_is_a_new_snapshot(self, bench):
        for _ in range(2):
            assert isinstance(bench.take("orders.csv", make_csv()), LoadCurated)
        assert len(bench.snapshots()) == 2
        assert bench.files("raw/") == [make_csv()] * 2

    def test_under_two_names_it_is_two_snapshots(self, bench):
        for name in ("a.csv", "b.csv"):
            bench.take(name, make_csv())
        assert len(bench.snapshots()) == 2

    def test_dropped_under_a_name_whose_first_file_is_still_on_its_way_it_is_another_load(self, folders):
        stuck = replace(folders.lake, engine=FailingEngine())
        with pytest.raises(EngineFailed):
            ingest_file(FileLanded(folders.drop("orders.csv", make_csv())), stuck)
        folders.drop("orders.csv", make_csv(first=10))
        drain_lake(folders.lake, folders.root / "landing")
        assert len(folders.snapshots()) == 2
        assert sorted(folders.files("raw/")) == sorted([make_csv(), make_csv(first=10)])


class FailingEngine(DuckDBEngine):
    """An engine that cannot do it now."""

    def stage(self, *_given: object) -> tuple[Verdict, Written | None]:
        raise EngineFailed("no memory")


class TestTwoFilesAtOnce:
    def test_two_in_one_second_for_one_table_get_two_timestamps_and_both_are_curated(self, bench):
        keys = [bench.drop(f"{name}.csv", make_csv(first)) for name, first in (("a", 1), ("b", 100))]
        stamps = [bench.ingest(key).receipt.load_timestamp for key in keys]
        assert stamps[0] < stamps[1]
        assert bench.snapshots() == stamps
        assert sorted(bench.files("raw/")) == sorted([make_csv(1), make_csv(100)])

    def test_two_by_two_workers_are_two_snapshots(self, bench):
        keys = [bench.drop(f"{n}.csv", make_csv(n * 10)) for n in range(4)]
        run_together(lambda: bench.ingest(keys.pop()), 4)
        assert len(bench.snapshots()) == 4
        assert bench.keys("landing/") == bench.claims() == []

    def test_latest_is_the_file_that_came_last_in_a_burst_of_fifty(self, folders):
        for n in range(50):
            folders.take(f"{n * 7 % 50}.csv", make_csv(first=n * 10))
        assert len(folders.snapshots()) == 50
        rows = folders.query("SELECT id FROM shop_v1.orders_latest ORDER BY id")
        assert [row["id"] for row in rows] == [490, 491, 492]

    def test_latest_is_the_file_that_came_last_where_many_wait_for_the_watcher(self, folders, tmp_path):
        # Their names sort against the order they came in.
        for n, name in enumerate("zmaxk"):
            before = tick_clock(tmp_path)
            folders.drop(f"{name}.csv", make_csv(first=n * 10 + 1))
            assert before < tick_clock(tmp_path)
        drain_lake(folders.lake, folders.root / "landing")
        rows = folders.query("SELECT min(id) AS id FROM shop_v1.orders_latest")
        assert rows == [{"id": 41}]

    def test_files_for_different_tables_do_not_wait_for_each_others_second(self, bench):
        stamps = [bench.take("a.csv", make_csv(), table).receipt.load_timestamp for table in TABLES]
        assert [len(bench.snapshots(table)) for table in TABLES] == [1, 1, 1]
        assert stamps == sorted(stamps)


def tick_clock(folder: Path) -> int:
    """The time that the file system writes down now, once it has moved on: it counts in steps."""
    path = folder / "clock"
    path.write_bytes(b"")
    first = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == first:
        path.write_bytes(b"")
    return path.stat().st_ctime_ns


class TestFilesThatChange:
    def test_a_file_that_changes_while_it_is_read_is_left_and_read_again(self, tmp_path, engine):
        bench = open_folders(tmp_path / "lake", engine)
        bench.lake = replace(bench.lake, engine=MeddledEngine(tmp_path, append_row))
        bench.register()
        with pytest.raises(Busy, match=r"orders\.csv changed"):
            bench.take("orders.csv", make_csv())
        assert bench.files("landing/") == [make_csv() + b"900,Late,9.00\n"]
        assert bench.keys("raw/") == bench.snapshots() == []
        assert list(bench.root.rglob(".staging/*")) == []
        drain_lake(bench.lake, bench.root / "landing")
        assert_one_load(bench, make_csv() + b"900,Late,9.00\n")
        assert bench.receipts()[0].rows_written == 4

    def test_a_file_that_changes_twice_is_read_a_third_time(self, tmp_path, engine):
        bench = open_folders(tmp_path / "lake", engine)
        bench.lake = replace(bench.lake, engine=MeddledEngine(tmp_path, append_row, change_digit))
        bench.register()
        bench.drop("orders.csv", make_csv())
        drain_lake(bench.lake, bench.root / "landing")
        data = make_csv().replace(b"1.50", b"7.50") + b"900,Late,9.00\n"
        assert_one_load(bench, data)

    @pytest.mark.parametrize("meddle", [append_row, change_digit])
    def test_a_file_that_changes_between_its_check_and_its_archiving_is_not_taken_as_checked(
        self, tmp_path, engine, meddle
    ):
        bench = open_folders(tmp_path / "lake", engine)
        bench.lake = replace(bench.lake, store=MeddledStore(bench.root))
        bench.register()
        bench.lake.store.meddle = meddle
        bench.drop("orders.csv", make_csv())
        drain_lake(bench.lake, bench.root / "landing")
        (receipt,) = bench.receipts()
        (raw,) = bench.files("raw/")
        assert receipt.status is LoadStatus.CURATED
        assert (receipt.bytes, receipt.content_hash.rpartition(":")[2]) == (len(raw), blake3(raw).hexdigest())
        (row,) = bench.query("SELECT count(*) AS rows, min(amount)::varchar AS least FROM shop_v1.orders")
        assert row["rows"] == receipt.rows_written == raw.count(b"\n") - 1
        assert row["least"] == ("2.50" if b"7.50" in raw else "1.50")


class TestCutShort:
    """States that a killed process leaves behind, made by hand; tests/e2e/test_crash.py makes them by killing."""

    def test_a_file_that_lies_in_fail_already_is_refused_though_it_would_pass_by_now(self, tmp_path, engine):
        # Killed behind the move to fail; its table was registered before the restart.
        bench = open_folders(tmp_path / "lake", engine)
        key = bench.drop("orders.csv", make_csv())
        bench.lake = replace(bench.lake, store=CutStore(bench.root, "put", "load-receipts", 2))
        with pytest.raises(CutOff):
            bench.ingest(key)
        assert bench.files("fail/") == [make_csv()]
        bench.lake = replace(bench.lake, store=FolderStore(bench.root))
        bench.register()
        drain_lake(bench.lake, bench.root / "landing")
        (receipt,) = bench.receipts()
        assert receipt.is_final
        assert bench.keys("landing/") == bench.claims() == []
        assert make_csv() in bench.files("fail/") + bench.files("raw/")

    def test_another_file_of_the_same_size_under_a_used_upload_key_is_not_thrown_away(self, folders):
        # Killed behind the move to raw; before the restart the client uploads other content under the same key.
        load = LoadId(ORDERS, "20260131T235959Z")
        key = file_key("landing", load, "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1")
        first, second = make_csv(), make_csv().replace(b"1.50", b"7.50")
        folders.lake.store.put(key, first)
        store, folders.lake = (
            folders.lake.store,
            replace(folders.lake, store=CutStore(folders.root, "put", "load-receipts", 3)),
        )
        with pytest.raises(CutOff):
            folders.ingest(key)
        folders.lake = replace(folders.lake, store=store)
        assert folders.files("raw/") == [first]
        folders.lake.store.put(key, second)
        drain_lake(folders.lake, folders.root / "landing")
        kept = [content for zone in ("landing/", "raw/", "fail/") for content in folders.files(zone)]
        assert {first, second} <= set(kept)

    def test_a_product_whose_registration_was_cut_short_can_still_be_queried(self, tmp_path, engine):
        bench = open_folders(tmp_path / "lake", engine)
        whole = bench.lake
        bench.lake = replace(whole, store=CutStore(bench.root, "put", "metadata.json", 1))
        with pytest.raises(CutOff):
            bench.register()
        bench.lake = whole
        assert isinstance(bench.take("orders.csv", make_csv()), LoadCurated)
        assert len(bench.query("SELECT * FROM shop_v1.orders")) == 3

    def test_a_load_goes_on_where_its_file_was_announced_and_not_yet_put_down(self, folders):
        # `daap-local ingest` copies a large file while a watcher looks around.
        claim = announce_file(folders.lake.store, ORDERS, "March orders.csv", "ann")
        drain_lake(folders.lake, folders.root / "landing")
        folders.lake.store.put(claim.landing, make_csv())
        drain_lake(folders.lake, folders.root / "landing")
        (receipt,) = folders.receipts()
        assert (receipt.source_name, receipt.actor) == ("March orders.csv", "ann")
        told = [event["message"] for event in folders.events() if event["level"] == "warning"]
        assert told == []

    def test_rows_that_are_lost_on_the_way_are_never_published(self, tmp_path, engine):
        class LosingEngine(DuckDBEngine):
            def stage(
                self, source: Source, schema: TableSchema, target: str, progress: Progress = silent
            ) -> tuple[Verdict, Written | None]:
                verdict, written = super().stage(source, schema, target, progress)
                return replace(verdict, rows=verdict.rows + 1), written

        bench = open_folders(tmp_path / "lake", engine)
        bench.register()
        bench.lake = replace(bench.lake, engine=LosingEngine(scratch=tmp_path))
        with pytest.raises(EngineFailed, match="4 rows were read but 3 written"):
            bench.take("orders.csv", make_csv())
        assert bench.snapshots() == []
        assert bench.files("raw/") == [make_csv()]
        assert list(open_claims(bench.lake.store)) != []


class CutOff(BaseException):
    """The process ends here; a BaseException, so that nothing on the way handles it."""


class CutStore(FolderStore):
    """A store whose process dies instead of the `count`-th call of `verb` for a key with `part` in it."""

    def __init__(self, root: Path, verb: str, part: str, count: int) -> None:
        super().__init__(root)
        self._verb, self._part, self._left = verb, part, count

    def put(self, key: str, *args: object, **options: object) -> str:
        self._meet("put", key)
        return super().put(key, *args, **options)

    def _meet(self, verb: str, key: str) -> None:
        if verb == self._verb and self._part in key:
            self._left -= 1
            if not self._left:
                raise CutOff


class TestWatching:
    """What a watcher makes of files that cannot go their way."""

    @pytest.mark.parametrize("place", ["stray.csv", "shop/stray.csv", "Shop!/orders/a.csv", "shop/orders/deep/a/b.csv"])
    def test_a_file_out_of_place_is_told_of_once_and_stays_and_the_others_go_through(self, folders, place):
        stray = folders.root / "landing" / place
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_bytes(make_csv())
        folders.drop("orders.csv", make_csv())
        watcher = drain_lake(folders.lake, folders.root / "landing")
        assert stray.read_bytes() == make_csv()
        assert len(folders.snapshots()) == 1
        assert [type(outcome).__name__ for outcome in watcher.heard] in (
            ["InvalidName", "LoadCurated"],
            ["LoadCurated", "InvalidName"],
        )
        assert watcher.tally.refused == 1

    def test_a_name_that_is_not_utf8_is_told_of_and_stays_and_the_others_go_through(self, folders):
        folders.drop("orders.csv", make_csv())
        odd = os.fsencode(folders.root / "landing" / "shop" / "orders") + b"/caf\xe9.csv"
        with open(odd, "wb") as stream:  # noqa: PTH123 - a path of bytes
            stream.write(make_csv())
        watcher = drain_lake(folders.lake, folders.root / "landing")
        assert os.path.exists(odd)  # noqa: PTH110 - a path of bytes
        assert len(folders.snapshots()) == 1
        assert len(watcher.heard) == 2
        for outcome in watcher.heard:
            str(outcome).encode()

    def test_an_engine_that_fails_leaves_the_file_for_later(self, folders):
        folders.drop("orders.csv", make_csv())
        watcher = drain_lake(replace(folders.lake, engine=FailingEngine()), folders.root / "landing")
        assert {str(outcome) for outcome in watcher.heard} == {"no memory"}
        assert watcher.tally.left != []
        assert folders.files("landing/") == [make_csv()]
        drain_lake(folders.lake, folders.root / "landing")
        assert_one_load(folders, make_csv())

    def test_a_load_that_still_cannot_be_finished_is_told_of_at_each_run(self, folders):
        class FailingCatalogue(type(folders.lake.catalogue)):
            def publish(self, load, written):
                raise StoreUnavailable(f"cannot publish {load}, {written.rows} rows")

        folders.drop("orders.csv", make_csv())
        hindered = replace(folders.lake, catalogue=FailingCatalogue(folders.lake.store))
        for _ in range(2):
            watcher = drain_lake(hindered, folders.root / "landing")
            assert watcher.tally.hindered >= 1
            assert watcher.tally.left != [], "a run that left work undone must not look like one that is done"
        drain_lake(folders.lake, folders.root / "landing")
        assert_one_load(folders, make_csv())

    def test_one_table_in_trouble_does_not_keep_the_others(self, folders):
        class PickyEngine(DuckDBEngine):
            def stage(
                self, source: Source, schema: TableSchema, target: str, progress: Progress = silent
            ) -> tuple[Verdict, Written | None]:
                if "/orders/" in source.location:
                    raise EngineFailed("not this one")
                return super().stage(source, schema, target, progress)

        for table in TABLES:
            folders.drop("a.csv", make_csv(), table)
        drain_lake(replace(folders.lake, engine=PickyEngine(scratch=folders.root)), folders.root / "landing")
        assert [len(folders.snapshots(table)) for table in TABLES] == [0, 1, 1]

    def test_links_in_landing_are_not_followed(self, folders, tmp_path):
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "a.csv").write_bytes(make_csv())
        landing = folders.root / "landing" / "shop"
        landing.mkdir(parents=True)
        (landing / "orders").symlink_to(secret)
        (landing / "sales").mkdir()
        (landing / "sales" / "link.csv").symlink_to(secret / "a.csv")
        watcher = drain_lake(folders.lake, folders.root / "landing")
        assert watcher.heard == []
        assert (secret / "a.csv").read_bytes() == make_csv()
        assert folders.keys("raw/") == folders.keys("fail/") == []

    def test_an_event_about_a_link_is_nothing_to_do(self, folders, tmp_path):
        (tmp_path / "secret.csv").write_bytes(make_csv())
        folders.drop("other.csv", make_csv())
        (folders.root / "landing/shop/orders/link.csv").symlink_to(tmp_path / "secret.csv")
        assert isinstance(folders.ingest("landing/shop/orders/link.csv"), NothingToDo)
        assert folders.keys("raw/") == []

    def test_a_file_with_a_second_name_cannot_change_raw_later(self, folders, tmp_path):
        mine = tmp_path / "mine.csv"
        mine.write_bytes(make_csv())
        landing = folders.root / "landing" / "shop" / "orders"
        landing.mkdir(parents=True)
        os.link(mine, landing / "orders.csv")
        drain_lake(folders.lake, folders.root / "landing")
        mine.write_bytes(b"something else")
        assert_one_load(folders, make_csv())
        (raw,) = (folders.root / "raw").rglob("*.csv")
        assert raw.stat().st_mode & 0o222 == 0

    def test_hidden_and_unfinished_files_wait(self, folders):
        for name in (".hidden.csv", "~$lock.csv", "a.csv.part", "b.tmp", "c.CRDOWNLOAD", "d.filepart"):
            path = folders.root / "landing" / "shop" / "orders" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(make_csv())
        assert drain_lake(folders.lake, folders.root / "landing").heard == []
        assert folders.snapshots() == []

    def test_the_watcher_takes_all_tables_of_all_products(self, folders):
        folders.register(make_product("other", ("things",), ()))
        for n in range(3):
            folders.drop(f"{n}.csv", make_csv(n * 10))
        folders.drop("a.csv", make_csv(), "things", "other")
        folders.drop("bad.csv", BAD, "sales")
        tally = drain_lake(folders.lake, folders.root / "landing").tally
        assert (tally.done, tally.refused, tally.hindered, tally.left) == (5, 1, 0, [])
        assert len(folders.snapshots()) == 3
        assert len(folders.snapshots("things", "other")) == 1

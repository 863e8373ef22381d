"""The two halves of ingest by themselves: each called for its own events, which repeat, overtake and get lost."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from daap.errors import Busy, DaapError, InvalidName, ObjectMissing
from daap.model.events import FileArchived, FileLanded, FileRefused, LoadCurated, NothingToDo, Outcome
from daap.model.keys import file_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.pipeline import halves
from daap.pipeline.claims import announce_file
from daap.pipeline.halves import curate_alone, land_alone
from daap.ports.objects import ANYTHING, CanLocate, Expect, ObjectStore
from tests.support.lakes import BAD, LAKES, PAPERS, TABLE, Bench, make_csv

ORDERS = TableRef("shop", 1, TABLE)
STAMP = "20260131T235959Z"
KEY = file_key("landing", LoadId(ORDERS, STAMP), "7c1c62a1-6c1b-4f0e-9a52-6d5c0e1e9a3b")


class Killed(BaseException):
    """The worker is no more."""


class EventfulStore(ObjectStore):
    """A store that tells of each new object in landing and raw, and whose worker may die at a step."""

    def __init__(self, store: ObjectStore) -> None:
        self._store, self.events, self.deaths = store, [], None

    def _step(self) -> None:
        if self.deaths is not None and next(self.deaths) == 0:
            self.deaths = None
            raise Killed

    def _tell(self, key: str) -> None:
        if key.startswith(("landing/", "raw/")):
            self.events.append(key)

    def stat(self, key: str):
        return self._store.stat(key)

    def open(self, key: str):
        return self._store.open(key)

    def read(self, key: str):
        return self._store.read(key)

    def list(self, prefix: str):
        return self._store.list(prefix)

    def put(self, key: str, data, expect: str | Expect = ANYTHING) -> str:
        self._step()
        version = self._store.put(key, data, expect)
        self._tell(key)
        self._step()
        return version

    def move(self, source: str, target: str) -> None:
        self._step()
        try:
            self._store.move(source, target)
        except ObjectMissing:
            self._tell(target)  # another worker has removed the source just behind our copy of it
            raise
        self._tell(target)
        self._step()

    def delete(self, key: str) -> None:
        self._step()
        self._store.delete(key)


class LocatingStore(EventfulStore):
    def locate(self, key: str) -> str:
        return self._store.locate(key)


@pytest.fixture(params=LAKES)
def bench(request, tmp_path, engine, monkeypatch) -> Bench:
    monkeypatch.setattr(halves, "PATIENCE", 0.0)
    bench = LAKES[request.param](tmp_path / "lake", engine)
    bench.register()
    kind = LocatingStore if isinstance(bench.lake.store, CanLocate) else EventfulStore
    return replace(bench, lake=replace(bench.lake, store=kind(bench.lake.store)))


def handle(bench: Bench, key: str) -> Outcome:
    if key.startswith("landing/"):
        return land_alone(FileLanded(key, "ann"), bench.lake)
    return curate_alone(key, bench.lake, "ann", patience=0.0)


def take_event(bench: Bench) -> str:
    return bench.lake.store.events.pop(0)


def deliver_all(bench: Bench) -> list[Outcome]:
    """Handles all events, those that come of it too, in order."""
    outcomes = []
    while bench.lake.store.events:
        outcomes.append(handle(bench, take_event(bench)))
    return outcomes


def assert_loaded(bench: Bench, *contents: bytes) -> None:
    """Each content is one snapshot, is kept, and nothing is left on its way."""
    assert sorted(bench.files("raw/")) == sorted(contents)
    assert [receipt.status for receipt in bench.receipts()] == [LoadStatus.CURATED] * len(contents)
    assert len(bench.snapshots()) == len(contents)
    assert (bench.files("landing/"), bench.files("fail/"), bench.claims()) == ([], [], [])


def test_the_first_half_ends_in_raw_and_the_second_publishes(bench):
    bench.lake.store.put(KEY, make_csv())
    landed = handle(bench, take_event(bench))
    assert isinstance(landed, FileArchived)
    assert bench.snapshots() == []
    assert len(bench.claims()) == 1
    curated = handle(bench, take_event(bench))
    assert isinstance(curated, LoadCurated)
    assert curated.receipt.load == LoadId(ORDERS, STAMP)
    assert_loaded(bench, make_csv())


def test_a_dropped_file_is_landed_by_the_event_of_its_own_place_alone(bench):
    bench.drop("a.csv", make_csv())
    outcomes = deliver_all(bench)
    assert [type(outcome) for outcome in outcomes] == [FileArchived, NothingToDo, LoadCurated]
    assert_loaded(bench, make_csv())


def test_nothing_is_left_of_what_an_engine_made_in_passing(bench):
    bench.lake.store.put(KEY, make_csv())
    handle(bench, take_event(bench))
    assert not list(bench.root.rglob("*.parquet"))


def test_a_refused_file_is_done_with_its_first_half(bench):
    bench.drop("bad.csv", BAD)
    assert isinstance(handle(bench, take_event(bench)), FileRefused)
    assert [type(outcome) for outcome in deliver_all(bench)] == [NothingToDo]
    assert bench.files("fail/") == [BAD]
    assert bench.claims() == []


def test_a_plain_file_is_done_in_raw(bench):
    bench.drop("a.csv", b"anything", table=PAPERS)
    deliver_all(bench)
    assert [receipt.status for receipt in bench.receipts()] == [LoadStatus.ARCHIVED]
    assert (bench.files("raw/"), bench.claims()) == ([b"anything"], [])


def test_an_announced_file_keeps_who_announced_it(bench):
    claim = announce_file(bench.lake.store, ORDERS, "march.csv", "carol")
    bench.lake.store.put(claim.landing, make_csv())
    deliver_all(bench)
    (receipt,) = bench.receipts()
    assert (receipt.actor, receipt.source_name) == ("carol", "march.csv")
    assert_loaded(bench, make_csv())


@pytest.mark.parametrize("times", [2, 10])
def test_events_that_come_again_change_nothing(bench, times):
    bench.drop("a.csv", make_csv())
    bench.lake.store.put(KEY, make_csv(10))
    done = []
    while bench.lake.store.events:
        key = take_event(bench)
        for _ in range(times):
            handle(bench, key)
        done.append(key)
    for key in done:
        handle(bench, key)
    assert_loaded(bench, make_csv(), make_csv(10))


def test_events_overtake_one_another(bench):
    contents = [make_csv(n * 10) for n in range(6)]
    for n, content in enumerate(contents):
        bench.drop(f"{n}.csv", content)
    chance = random.Random(7)  # noqa: S311 - an order, no secret
    waiting: list[str] = []
    while waiting or bench.lake.store.events:
        waiting += [event for event in bench.lake.store.events for _ in range(2)]
        bench.lake.store.events.clear()
        handle(bench, waiting.pop(chance.randrange(len(waiting))))
    assert_loaded(bench, *contents)


def test_many_workers_get_the_same_events_at_once(bench):
    contents = [make_csv(n * 10) for n in range(4)]
    for n, content in enumerate(contents):
        bench.drop(f"{n}.csv", content)

    def attempt(key: str) -> str | None:
        try:
            handle(bench, key)
        except DaapError:
            return key  # as a queue would, it is given out again
        return None

    waiting: list[str] = []
    for _ in range(20):
        waiting += [event for event in bench.lake.store.events for _ in range(3)]
        bench.lake.store.events.clear()
        with ThreadPoolExecutor(6) as pool:
            waiting = [key for key in pool.map(attempt, waiting) if key]
    assert_loaded(bench, *contents)


def test_the_second_half_waits_for_the_first(bench):
    """A file lies in raw a moment before its receipt says so."""
    _kill_after_move_to_raw(bench)
    raw = bench.lake.store.events.pop()
    with pytest.raises(Busy, match="on its way"):
        handle(bench, raw)
    assert bench.snapshots() == []


def test_the_retry_of_the_first_half_brings_the_load_to_its_end(bench):
    first = _kill_after_move_to_raw(bench)
    assert isinstance(handle(bench, first), LoadCurated)
    assert_loaded(bench, make_csv())


def test_the_second_half_goes_on_once_the_first_cannot_live_any_more(bench, monkeypatch):
    _kill_after_move_to_raw(bench)
    monkeypatch.setattr(halves, "LIFE", timedelta(0))
    assert isinstance(handle(bench, bench.lake.store.events.pop()), LoadCurated)
    assert_loaded(bench, make_csv())


def _kill_after_move_to_raw(bench: Bench) -> str:
    """Kills the first half just behind its last move; returns the event it was called for."""
    key = bench.drop("a.csv", make_csv())
    store, move = bench.lake.store, bench.lake.store.move

    def move_and_die(source: str, target: str) -> None:
        move(source, target)
        if target.startswith("raw/"):
            raise Killed

    store.move = move_and_die
    with pytest.raises(Killed):
        handle(bench, key)
    store.move = move
    return key


def test_a_raw_file_that_nobody_knows_gets_its_receipt(bench):
    key = KEY.replace("landing", "raw", 1)
    bench.lake.store.put(key, make_csv())
    handle(bench, key)
    assert_loaded(bench, make_csv())


@pytest.mark.parametrize(("half", "steps"), [("landing", 9), ("raw", 5)])
def test_whatever_step_a_worker_dies_at_its_retry_brings_the_load_to_its_end(bench, half, steps, monkeypatch):
    monkeypatch.setattr(halves, "LIFE", timedelta(0))
    died = 0
    for step in itertools.count():
        content = make_csv(step * 10)
        if _die_at(bench, half, step, content):
            died += 1
            continue
        break
    assert died >= steps
    assert_loaded(bench, *[make_csv(n * 10) for n in range(died + 1)])


def _die_at(bench: Bench, half: str, step: int, content: bytes) -> bool:
    """Takes a file in, with a worker that dies once at a step of one half; whether it came to that."""
    store, died = bench.lake.store, False
    bench.drop(f"{step}.csv", content)
    while store.events:
        key = take_event(bench)
        if key.startswith(half) and not died:
            store.deaths = itertools.count(step, -1)
        try:
            handle(bench, key)
        except Killed:
            died = True
            store.events.append(key)
        store.deaths = None
    return died


def test_a_load_that_comes_too_late_for_a_new_major_version_is_told_of(bench):
    bench.lake.store.put(KEY, make_csv())
    handle(bench, take_event(bench))
    bench.change("id bigint", "customer string", "amount string")
    deliver_all(bench)
    assert bench.snapshots(major=1) == [STAMP]
    assert bench.snapshots(major=2) == []
    (told,) = (event for event in bench.events() if event["level"] == "warning")
    assert "too late to be carried into v2.0" in told["message"]


@pytest.mark.parametrize("key", ["raw/shop/orders/a.csv", "landing/shop/orders/a.csv", "raw", "raw/a", "fail/x/y/z"])
def test_only_files_of_raw_history_are_curated(bench, key):
    with pytest.raises(InvalidName):
        curate_alone(key, bench.lake, "ann", patience=0.0)


def test_only_files_in_their_place_are_landed(bench):
    with pytest.raises(InvalidName):
        land_alone(FileLanded("landing/somewhere.csv"), bench.lake)


def test_an_event_of_a_file_that_is_gone_and_was_never_claimed_is_nothing(bench):
    assert land_alone(FileLanded("landing/shop/orders/a.csv"), bench.lake) == NothingToDo("landing/shop/orders/a.csv")
    assert bench.events() == []

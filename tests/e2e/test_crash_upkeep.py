"""Upkeep killed at any step and begun again comes to the same end: nothing lost, nothing twice, nothing half."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.events import FileLanded
from daap.model.keys import receipt_key
from daap.pipeline.audit import Trail
from daap.pipeline.claims import open_claims
from daap.pipeline.land import land_file
from tests.support.lakes import (
    AMOUNT,
    BAD,
    ID,
    PAPERS,
    Bench,
    make_csv,
    open_folders,
    quick_folder,
)
from tests.support.processes import CrashWorker, start_worker

OLD, YOUNG, YOUNGEST = "20260101T000000Z", "20260220T000000Z", "20260221T000000Z"
ROWS = {OLD: 2, YOUNG: 3, YOUNGEST: 4}
ZONES = ("landing/", "raw/", "curated/", "fail/", "metadata/")
EVERY = [pytest.param(7, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]
"""At which steps work is killed: at every seventh, or at each."""
SHARED = ("product-heads", "load-claims")
"""Folders of all products: what a killed writer left hidden there is swept with none of them."""


@pytest.fixture(scope="module")
def worker() -> Iterator[CrashWorker]:
    with start_worker() as worker:
        yield worker


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> DuckDBEngine:
    return DuckDBEngine(scratch=tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def first_lake(tmp_path_factory, engine) -> Path:
    """A lake with good, refused and plain files, old and young; each test works on copies of it."""
    bench = open_folders(tmp_path_factory.mktemp("first") / "lake", engine)
    bench.register()
    for stamp, rows in ROWS.items():
        bench.load(stamp, make_csv(int(stamp[4:8]), rows))
    bench.load(YOUNG, make_csv(1, 5), "sales")
    bench.load(OLD, BAD, "sales")
    bench.load(OLD, b"plain", PAPERS)
    return bench.root


def lose_curated(bench: Bench) -> None:
    """Curated loses one snapshot, and the file of another."""
    shutil.rmtree(bench.root / f"curated/shop/v1/orders/load_timestamp={OLD}")
    (bench.root / f"curated/shop/v1/orders/load_timestamp={YOUNG}/part-0.parquet").rename(bench.root / "elsewhere")


def hurt_lake(bench: Bench) -> None:
    """Leaves one of each thing for a resync to find."""
    for stamp in (YOUNG, YOUNGEST):
        shutil.rmtree(bench.root / f"curated/shop/v1/orders/load_timestamp={stamp}")
    store = bench.lake.store
    store.delete(receipt_key(bench.receipts()[-1].load))
    store.delete(f"metadata/load-receipts/shop/v1/{PAPERS}/{OLD}.json")
    land_file(FileLanded(bench.drop("archived.csv", make_csv(900, 1), "returns"), "ann"), bench.lake, Trail(None))
    for claim in list(open_claims(store)):
        store.delete(f"metadata/load-claims/{claim.file_id}.json")
    land_file(FileLanded(bench.drop("claimed.csv", make_csv(901, 1), "returns"), "ann"), bench.lake, Trail(None))
    shutil.rmtree(bench.root / "metadata/catalogue-tables")


def widen_lake(bench: Bench) -> None:
    """A lake that has come to a second major version."""
    bench.change(ID, AMOUNT)
    bench.load(YOUNGEST.replace("0221", "0222"), b"id,amount\n1,2.00\n", major=2)


def remove_before(bench: Bench) -> None:
    """A lake whose product has lost a table before, and has it again."""
    widen_lake(bench)
    bench.take("waiting.csv", make_csv(), "returns")
    bench.drop("waiting.csv", make_csv())


SCENES: dict[str, tuple[str, Callable[[Bench], object]]] = {
    "a major change": ("a major change", lambda _bench: None),
    "the next major change": ("a major change", widen_lake),
    "a minor change": ("a minor change", lambda _bench: None),
    "metadata": ("metadata", lambda _bench: None),
    "a new table": ("a new table", lambda _bench: None),
    "a removal": ("a removal", remove_before),
    "a deletion": ("a deletion", remove_before),
    "a reload": ("a reload", widen_lake),
    "a reload of what is lost": ("a reload", lose_curated),
    "a resync": ("a resync", hurt_lake),
    "retention": ("retention", widen_lake),
}


Rows = dict[str, dict[str, list[int]]]


def see_rows(bench: Bench) -> Rows:
    """The ids that readers see of each table, by snapshot."""
    seen: Rows = {}
    for entry in bench.lake.catalogue.tables():
        name, found = f"{entry.ref.database}.{entry.ref.table}", defaultdict(list)
        for row in bench.query(f"SELECT id, load_timestamp FROM {name} ORDER BY id"):
            found[row["load_timestamp"]].append(int(row["id"]))
        seen[name] = dict(found)
    return seen


def describe(bench: Bench) -> dict[str, str]:
    """All that counts about a lake, without what differs from run to run."""
    found = [registered.dump() for registered in bench.lake.registry.list()]
    told = {
        "heads": [{k: v for k, v in head.items() if k not in ("creationDate", "lastUpdated")} for head in found],
        "rows": see_rows(bench),
        "files": {zone: sorted(bench.files(zone)) for zone in ("landing/", "raw/", "fail/")},
        "keys": {zone: sorted(key.rpartition("/")[0] for key in bench.keys(zone)) for zone in ZONES},
        "receipts": sorted((str(r.load), r.status, r.rows_written or 0, r.kind) for r in bench.receipts()),
        "claims": sorted(bench.claims()),
        "versions": sorted(bench.keys("metadata/product-versions/") + bench.keys("metadata/shop/")),
    }
    return {what: json.dumps(value, default=str, sort_keys=True) for what, value in told.items()}


def list_leftovers(bench: Bench, act: str) -> list[str]:
    """Hidden files with data in them, which nobody will ever need; of a deleted product, any at all.

    What a resync has staged twice goes with the snapshot itself.
    """
    hidden = [*bench.root.rglob(".daap-*"), *bench.root.rglob(".staging/*")]
    kept = {"a deletion": ("logs", *SHARED), "a resync": ("logs", "metadata", ".staging")}.get(
        act, ("logs", "metadata")
    )
    return [str(path.relative_to(bench.root)) for path in hidden if not set(kept) & set(path.parts)]


def assert_whole(bench: Bench, before: Rows, act: str) -> None:
    """What has to hold at any moment: snapshots are whole, and none is gone that nobody asked to be deleted."""
    now = see_rows(bench)
    for table, snapshots in now.items():
        known = before.get(table, {})
        for stamp, ids in snapshots.items():
            assert ids == known.get(stamp, ids), f"{table} {stamp} has {ids}"
    if act not in ("a removal", "a deletion", "retention"):
        lost = {(table, stamp) for table in before for stamp in before[table] if stamp not in now.get(table, {})}
        assert lost == set()


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_step_and_begun_again_it_comes_to_the_same_end(
    scene, every, tmp_path, worker, engine, first_lake
):
    act, prepare = SCENES[scene]
    failures = []
    with quick_folder(tmp_path) as folder:
        shutil.copytree(first_lake, folder / "prepared")
        prepare(open_folders(folder / "prepared", engine))
        shutil.copytree(folder / "prepared", folder / "whole")
        whole = open_folders(folder / "whole", engine)
        before = see_rows(whole)
        told = worker.act(whole.root, act)
        assert told["code"] == 0
        end = End(act, before, describe(whole))
        assert list_leftovers(whole, act) == []
        for number, step in list(enumerate(told["steps"], 1))[::every]:
            shutil.copytree(folder / "prepared", folder / "cut")
            bench = open_folders(folder / "cut", engine)
            when = f"killed before step {number} ({step})"
            assert worker.act(bench.root, act, kill_at=number)["killed"], when
            failures += [f"{when}: {failure}" for failure in find_failures(bench, end, worker)]
            shutil.rmtree(folder / "cut")
    assert not failures, "\n".join(failures)


@dataclass(frozen=True)
class End:
    """How a piece of work has to end: what readers saw before it, and what is there after it."""

    act: str
    before: Rows
    after: dict[str, str]


def find_failures(bench: Bench, end: End, worker: CrashWorker) -> Iterator[str]:
    """What does not hold after a kill, so that one run tells of all steps that break something."""
    try:
        assert_whole(bench, end.before, end.act)
    except Exception as error:  # noqa: BLE001 - any error at all is what is looked for
        yield f"at once: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    for _ in range(2):  # the second time there must be nothing left to do
        if worker.act(bench.root, end.act)["code"] != 0:
            yield "it could not go on"
            return
    found = describe(bench)
    yield from (f"{what}: {found[what]} is not {wanted}" for what, wanted in end.after.items() if found[what] != wanted)
    if left := list_leftovers(bench, end.act):
        yield f"left over: {left}"

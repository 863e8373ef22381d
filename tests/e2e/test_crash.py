"""Whatever is killed, and when: the file is safe, readers see a whole snapshot or none, and a restart goes on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.engines.duckdb.infer import infer_product
from daap.errors import NotRegistered
from daap.model.keys import file_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from tests.support.lakes import BAD, PAPERS, TABLE, TABLES, Bench, drain_lake, make_csv, open_folders, quick_folder
from tests.support.processes import CrashWorker, run_command, start_command, start_worker, wait_until

ROWS = 5
EVERY = [pytest.param(3, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)]
"""At which steps a process is killed: at every third, or at each."""
GOOD = make_csv(rows=ROWS)
UPLOAD = file_key(
    "landing", LoadId(TableRef("shop", 1, TABLE), "20260131T235959Z"), "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1"
)


@dataclass(frozen=True)
class Scene:
    """A file on its way into a lake, and how that has to end."""

    data: bytes = GOOD
    ends: LoadStatus = LoadStatus.CURATED
    table: str = TABLE
    name: str = "file.csv"
    key: str | None = None
    infer: bool = False
    linked: bool = False
    apart: bool = False

    @property
    def place(self) -> str:
        """The key under which the file is put down."""
        return self.key or f"landing/shop/{self.table}/{self.name}"


SCENES = {
    "a good file": Scene(),
    "a bad file": Scene(BAD, LoadStatus.FAILED),
    "a file on the careful path": Scene(GOOD.removesuffix(b"\n") + b"\r\n"),
    "a file in the full layout": Scene(key=UPLOAD),
    "a file of a files component": Scene(ends=LoadStatus.ARCHIVED, table=PAPERS, name="scan.pdf"),
    "a file that is not called csv": Scene(ends=LoadStatus.FAILED, name="file.txt"),
    "a file nobody registered": Scene(infer=True),
    "a file with a second name": Scene(linked=True),
    "a file on another file system": Scene(apart=True),
}


@pytest.fixture(scope="module")
def worker() -> Iterator[CrashWorker]:
    with start_worker() as worker:
        yield worker


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> DuckDBEngine:
    return DuckDBEngine(scratch=tmp_path_factory.mktemp("scratch"))


@dataclass
class Stage:
    """A scene set up in a folder."""

    scene: Scene
    root: Path
    landing: Path
    engine: DuckDBEngine

    @property
    def bench(self) -> Bench:
        """The lake, opened anew as after a restart."""
        return open_folders(self.root, self.engine, self.landing)

    def build(self) -> None:
        """Registers the product, but where it is to be inferred, and puts the file down."""
        if not self.scene.infer:
            self.bench.register()
        path = self.landing / self.scene.place.partition("/")[2]
        path.parent.mkdir(parents=True)
        path.write_bytes(self.scene.data)
        if self.scene.linked:
            os.link(path, self.root / "second-name")

    def find_copies(self) -> list[str]:
        """Where the exact bytes of the file are."""
        bench = self.bench
        keys = [key for zone in ("landing/", "raw/", "fail/") for key in bench.keys(zone)]
        return [key for key in keys if bench.read(key) == self.scene.data]

    def count_rows(self) -> int:
        """What a reader sees now."""
        try:
            (row,) = self.bench.query(f"SELECT count(*) AS n FROM shop_v1.{self.scene.table}")
        except NotRegistered:
            return 0
        return int(row["n"])


@contextmanager
def set_stage(scene: Scene, folder: Path, other: Path, engine: DuckDBEngine) -> Iterator[Stage]:
    """The scene in a new folder; `other` is one on another file system."""
    folder.mkdir()
    apart = Path(tempfile.mkdtemp(dir=other))
    try:
        stage = Stage(scene, folder, apart if scene.apart else folder / "landing", engine)
        stage.build()
        yield stage
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(apart)


def assert_safe(stage: Stage) -> None:
    """Promises 1 and 2, at any moment."""
    assert stage.find_copies() != []
    assert stage.count_rows() in (0, ROWS)
    assert len(stage.bench.snapshots(stage.scene.table)) <= 1


def assert_finished(stage: Stage) -> None:
    """Exactly one load, wholly done, and nothing left over."""
    bench, scene = stage.bench, stage.scene
    assert [receipt.status for receipt in bench.receipts()] == [scene.ends]
    (receipt,) = bench.receipts()
    curated, refused = scene.ends is LoadStatus.CURATED, scene.ends is LoadStatus.FAILED
    assert bench.snapshots(scene.table) == ([receipt.load_timestamp] if curated else [])
    assert bench.files("fail/" if refused else "raw/") == [scene.data]
    assert bench.files("raw/" if refused else "fail/") == []
    assert bench.claims() == []
    assert bench.keys("landing/") == []
    assert list(stage.root.rglob(".staging/*")) == []
    if curated:
        assert stage.count_rows() == receipt.rows_read == receipt.rows_written == ROWS
    if not refused:
        assert all(bench.lake.store.path(key).stat().st_mode & 0o222 == 0 for key in bench.keys("raw/")), "writable"


def assert_logged(stage: Stage) -> None:
    """The audit log tells how the load ended, though the process that ended it may not have lived to say so."""
    bench, ends = stage.bench, stage.scene.ends
    assert {event.get("load") for event in bench.events() if event["stage"] == ends} == {str(bench.receipts()[0].load)}


def restart_lake(stage: Stage) -> None:
    """What a watcher does that is started again; twice, since the second must find nothing to do."""
    for _ in range(2):
        lake = replace(stage.bench.lake, infer=infer_product if stage.scene.infer else None)
        drain_lake(lake, stage.landing)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_step_nothing_is_lost_and_a_restart_goes_on(name, every, tmp_path, worker, engine):
    scene, failures = SCENES[name], []
    with quick_folder(tmp_path) as folder:
        if scene.apart and folder.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second file system")
        with set_stage(scene, folder / "whole", tmp_path, engine) as stage:
            told = worker.run(stage.root, stage.landing, scene.place, infer=scene.infer)
            assert told["code"] == 0
            assert_finished(stage)
        for number, step in list(enumerate(told["steps"], 1))[::every]:
            with set_stage(scene, folder / f"cut{number}", tmp_path, engine) as stage:
                answer = worker.run(stage.root, stage.landing, scene.place, infer=scene.infer, kill_at=number)
                assert answer["killed"]
                failures += list(find_failures(stage, f"killed before step {number} ({step})"))
    assert not failures, "\n".join(failures)


def find_failures(stage: Stage, when: str) -> Iterator[str]:
    """What does not hold after a kill, so that one run tells of all steps that break something."""
    checks: list[Callable[[Stage], None]] = [assert_safe, restart_lake, assert_finished, assert_logged]
    for check in checks:
        try:
            check(stage)
        except Exception as error:  # noqa: BLE001 - any error at all is what is looked for
            yield f"{when}: {check.__name__}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"


def test_a_watcher_killed_at_random_again_and_again_loses_and_doubles_nothing(tmp_path, engine):
    chance = random.Random(20260131)  # noqa: S311 - no secret
    bench = open_folders(tmp_path / "lake", engine)
    bench.register()
    landing = bench.root / "landing"
    came = {}
    for n in range(12):
        came[f"{n}.csv"] = BAD + b"%d,Eve,1\n" % n if n % 4 == 3 else make_csv(n * 100_000, 10_000)
        bench.drop(f"{n}.csv", came[f"{n}.csv"], TABLES[n % 3])
    for _ in range(4):
        kill_watcher(bench, landing, chance)
        kept = [bench.read(key) for zone in ("landing/", "raw/", "fail/") for key in bench.keys(zone)]
        assert set(came.values()) <= set(kept)
        assert all(row["n"] == 10_000 for row in count_snapshots(bench))
    last = run_command(bench.root, "watch", landing, "--once")
    assert last.returncode in (0, 1), last.stderr
    assert sorted(r.source_name for r in bench.receipts()) == sorted(came)
    assert all(receipt.is_final for receipt in bench.receipts())
    assert sum(len(bench.snapshots(table)) for table in TABLES) == 9
    assert sorted(bench.files("raw/") + bench.files("fail/")) == sorted(came.values())
    assert bench.claims() == bench.keys("landing/") == []
    assert [row["n"] for row in count_snapshots(bench)] == [10_000] * 9


def kill_watcher(bench: Bench, landing: Path, chance: random.Random) -> None:
    """Starts a watcher, lets it begin, and kills it after a while that chance chooses."""
    before = count_traces(bench)
    with start_command(bench.root, "watch", landing) as process:
        wait_until(lambda: count_traces(bench) > before or not bench.keys("landing/"), process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.0, 0.15))


def count_traces(bench: Bench) -> int:
    """How much there is that only a watcher at work writes."""
    return len(bench.keys("logs/")) + len(bench.claims())


def count_snapshots(bench: Bench) -> list[dict[str, object]]:
    """The rows of each snapshot of each table, as a reader sees them."""
    counts = [f"SELECT load_timestamp, count(*) AS n FROM shop_v1.{table} GROUP BY ALL" for table in TABLES]
    return [row for count in counts for row in bench.query(count)]

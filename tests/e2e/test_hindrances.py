"""A full disk, a folder that cannot be written: a clear word, an intact file, and on it goes afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import EngineFailed, StoreUnavailable
from daap_local import files, folder_store
from tests.support.lakes import BAD, Bench, drain_lake, make_csv, open_folders
from tests.support.processes import run_command

HINDERED = 3
BIG = make_csv(rows=60_000)


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> DuckDBEngine:
    return DuckDBEngine(scratch=tmp_path_factory.mktemp("scratch"))


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A small file system at `folder`; skips the test where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    done = subprocess.run(mount, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607 - as above


def fill_disk(folder: Path, leave: int = 0) -> Path:
    """A file that takes all room there is, but for `leave` bytes; remove it to make room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))
    os.truncate(ballast, max(ballast.stat().st_size - leave, 0))
    return ballast


def assert_clear(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """The exit code of a hindrance, and words for a person."""
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == HINDERED, said
    assert any(word in said.lower() for word in words), said


def assert_landed(bench: Bench, data: bytes) -> None:
    """The file is whole, wherever it is by now, and nothing of it is visible yet."""
    kept = [bench.read(key) for zone in ("landing/", "raw/", "fail/") for key in bench.keys(zone)]
    assert data in kept
    assert bench.snapshots() == []


def assert_done(bench: Bench, data: bytes) -> None:
    assert bench.files("raw/") == [data]
    assert len(bench.snapshots()) == len(bench.receipts()) == 1
    assert bench.keys("landing/") == bench.claims() == []
    assert list(bench.root.rglob(".staging/*")) == []


class TestFullDisk:
    @pytest.mark.parametrize("leave", [0, 16 << 10, 64 << 10, 600 << 10], ids="room for {}".format)
    def test_a_watcher_says_so_keeps_the_file_and_goes_on_when_there_is_room(self, tmp_path, engine, leave):
        # The more room is left, the further the file comes: not even a claim, a receipt, half of its Parquet.
        with mounted(tmp_path / "disk", "8m") as disk:
            bench = open_folders(disk / "lake", engine)
            bench.register()
            bench.drop("orders.csv", BIG)
            (bench.root / ".scratch").mkdir()
            (bench.root / ".locks").mkdir(exist_ok=True)
            ballast = fill_disk(disk, leave)
            done = run_command(bench.root, "watch", bench.root / "landing", "--once")
            assert_clear(done, "full", "no space", "make room")
            assert_landed(bench, BIG)
            ballast.unlink()
            done = run_command(bench.root, "watch", bench.root / "landing", "--once")
            assert done.returncode == 0, done.stdout + done.stderr
            assert_done(bench, BIG)

    def test_a_file_on_the_careful_path_finds_the_disk_full_too(self, tmp_path, engine):
        # Line ends of two kinds; the right records are written to a scratch file first.
        data = BIG + b"9,Ann,1.00\r\n"
        with mounted(tmp_path / "disk", "8m") as disk:
            bench = open_folders(disk / "lake", engine)
            bench.register()
            bench.drop("orders.csv", data)
            ballast = fill_disk(disk, 1 << 20)
            done = run_command(bench.root, "watch", bench.root / "landing", "--once")
            assert_clear(done, "full", "no space", "make room")
            assert_landed(bench, data)
            ballast.unlink()
            assert run_command(bench.root, "watch", bench.root / "landing", "--once").returncode == 0
            assert_done(bench, data)

    def test_a_refused_file_whose_report_finds_no_room_stays(self, tmp_path, engine):
        data = BAD + b"x,Ann,1.00\n" * 20_000
        with mounted(tmp_path / "disk", "3m") as disk:
            bench = open_folders(disk / "lake", engine)
            bench.register()
            bench.drop("bad.csv", data)
            ballast = fill_disk(disk, 400 << 10)
            done = run_command(bench.root, "watch", bench.root / "landing", "--once")
            assert_clear(done, "full", "no space", "make room")
            assert_landed(bench, data)
            ballast.unlink()
            assert run_command(bench.root, "watch", bench.root / "landing", "--once").returncode == 1
            assert bench.files("fail/") == [data]
            assert bench.claims() == bench.keys("landing/") == []

    def test_ingest_says_so_and_leaves_nothing_half_copied(self, tmp_path, engine):
        (tmp_path / "mine.csv").write_bytes(BIG)
        command = ("ingest", tmp_path / "mine.csv", "--product", "shop", "--table", "orders")
        with mounted(tmp_path / "disk", "6m") as disk:
            bench = open_folders(disk / "lake", engine)
            bench.register()
            ballast = fill_disk(disk, 300 << 10)
            assert_clear(run_command(bench.root, *command), "full", "no space", "make room")
            assert bench.keys("landing/") == bench.snapshots() == []
            ballast.unlink()
            assert run_command(bench.root, *command).returncode == 0
            assert_done(bench, BIG)
            assert (tmp_path / "mine.csv").read_bytes() == BIG

    def test_register_says_so_and_can_be_repeated(self, tmp_path, engine):
        spec = Path(__file__).parents[2] / "fixtures" / "spend" / "product.yaml"
        with mounted(tmp_path / "disk", "1m") as disk:
            bench = open_folders(disk / "lake", engine)
            bench.root.mkdir()
            ballast = fill_disk(disk)
            assert_clear(run_command(bench.root, "register", spec), "full", "make room")
            ballast.unlink()
            assert run_command(bench.root, "register", spec).returncode == 0
            assert [registered.product.name for registered in bench.lake.registry.list()] == ["spend"]

    def test_duckdb_itself_says_so_as_a_store_that_is_unavailable(self, tmp_path, engine):
        with mounted(tmp_path / "disk", "1m") as disk:
            bench = open_folders(disk / "lake", engine)
            bench.register()
            # In landing on another disk, so that only the Parquet has no room.
            bench.lake = replace(bench.lake, store=folder_store.FolderStore(bench.root, {"landing": tmp_path / "in"}))
            key = bench.drop("orders.csv", BIG)
            fill_disk(disk, 128 << 10)
            with pytest.raises((StoreUnavailable, EngineFailed)):
                bench.ingest(key)
            assert bench.files("landing/") == [BIG]
            assert bench.snapshots() == []
            assert list(bench.root.rglob("*.parquet")) == []


class FailingSystem:
    """Stands in for `os` in a module, and fails one call with an error of the system."""

    def __init__(self, call: str, number: int) -> None:
        self._call, self._number = call, number

    def __getattr__(self, name: str) -> object:
        if name != self._call:
            return getattr(os, name)

        def fail(*_given: object, **_options: object) -> object:
            raise OSError(self._number, os.strerror(self._number))

        return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("call", ["link", "fsync", "open"])
def test_whatever_the_system_refuses_is_told_and_the_file_stays(tmp_path, engine, monkeypatch, call, number):
    # The small disks above need root; this needs nothing.
    bench = open_folders(tmp_path / "lake", engine)
    bench.register()
    bench.drop("orders.csv", make_csv())
    with monkeypatch.context() as patch:
        patch.setattr(files, "os", FailingSystem(call, number))
        watcher = drain_lake(bench.lake, bench.root / "landing")
    assert {type(outcome) for outcome in watcher.heard} == {StoreUnavailable}
    assert watcher.tally.left != []
    assert_landed(bench, make_csv())
    drain_lake(bench.lake, bench.root / "landing")
    assert_done(bench, make_csv())


class TestPermissions:
    """Folders and files without the rights that are needed."""

    @pytest.fixture
    def bench(self, tmp_path, engine) -> Iterator[Bench]:
        bench = open_folders(tmp_path / "lake", engine)
        bench.register()
        bench.drop("orders.csv", make_csv())
        for zone in ("raw", "fail", "curated", "logs", ".locks", ".scratch"):
            (bench.root / zone).mkdir(exist_ok=True)
        if run_bound(bench.root, "--version").returncode:
            pytest.skip("root cannot be bound by permissions here")
        yield bench
        for path in [bench.root, *bench.root.rglob("*")]:
            path.chmod(0o755)

    @pytest.mark.parametrize("folder", ["raw", "curated", "metadata", ".scratch", ".locks"])
    def test_a_folder_that_cannot_be_written_is_told_and_the_file_stays(self, bench, folder):
        with limited(bench.root / folder, 0o555):
            for _ in range(2):  # the second run is to say so too
                assert_clear(drain_bound(bench), "permission denied", "right to write")
                assert_landed(bench, make_csv())
        done = drain_bound(bench)
        assert done.returncode == 0, done.stdout + done.stderr
        assert_done(bench, make_csv())

    def test_a_file_that_cannot_be_taken_away_from_where_it_was_put_down_is_one_load_in_the_end(self, bench):
        # It can be linked to its new place and keeps its old name, which must not become a second load.
        with limited(bench.root / "landing/shop/orders", 0o555):
            assert_clear(drain_bound(bench), "permission denied", "right to write")
        done = drain_bound(bench)
        assert done.returncode == 0, done.stdout + done.stderr
        assert_done(bench, make_csv())

    def test_an_audit_log_that_cannot_be_written_is_told_and_the_load_is_done(self, bench):
        with limited(bench.root / "logs", 0o555):
            assert_clear(drain_bound(bench), "permission denied", "right to write")
        done = drain_bound(bench)
        assert done.returncode == 0, done.stdout + done.stderr
        assert_done(bench, make_csv())

    @pytest.mark.parametrize("mode", [0o000, 0o111], ids=oct)
    @pytest.mark.parametrize("folder", ["landing/shop/orders", "landing/shop", "raw", "metadata"])
    def test_a_folder_that_cannot_be_read_is_told_and_the_file_stays(self, bench, folder, mode):
        with limited(bench.root / folder, mode):
            assert_clear(drain_bound(bench), "permission denied", "right to")
        assert_landed(bench, make_csv())
        assert drain_bound(bench).returncode == 0
        assert_done(bench, make_csv())

    def test_an_archived_file_that_cannot_be_seen_for_a_while_is_not_taken_for_lost(self, bench):
        # Hindered behind archiving; then raw cannot be looked into; then all is well again.
        table = bench.root / "curated" / "shop" / "v1" / "orders"
        (table / ".staging").mkdir(parents=True)
        with limited(table, 0o555):
            drain_bound(bench)
        assert bench.files("raw/") == [make_csv()]
        with limited(bench.root / "raw", 0o000):
            assert_clear(drain_bound(bench), "permission denied", "right to")
        assert bench.claims() == ["orders.csv"]
        assert drain_bound(bench).returncode == 0
        assert_done(bench, make_csv())

    def test_a_file_that_cannot_be_read_is_told_and_stays_and_the_others_go_through(self, bench):
        bench.drop("sales.csv", make_csv(), "sales")
        with limited(bench.root / "landing/shop/orders/orders.csv", 0o000):
            assert_clear(drain_bound(bench), "permission denied", "right to")
        assert len(bench.snapshots("sales")) == 1
        assert_landed(bench, make_csv())
        assert drain_bound(bench).returncode == 0
        assert len(bench.snapshots()) == 1

    def test_a_file_of_another_owner_is_taken(self, bench):
        # Linux lets no one hard-link a file that is neither theirs nor writable, so this one is copied.
        path = bench.root / "landing/shop/orders/orders.csv"
        if os.geteuid():
            pytest.skip("only root can give a file away")
        shutil.chown(path, "nobody")
        done = drain_bound(bench)
        assert done.returncode == 0, done.stdout + done.stderr
        assert_done(bench, make_csv())

    def test_readers_need_no_right_to_write(self, bench):
        bench.ingest("landing/shop/orders/orders.csv")
        for path in [bench.root, *bench.root.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        for words in (("loads",), ("products",), ("sql", "SELECT * FROM shop_v1.orders")):
            done = run_bound(bench.root, *words)
            assert done.returncode == 0, done.stdout + done.stderr


def run_bound(root: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a command that permissions bind, as they would not bind root with all its capabilities."""
    setpriv = shutil.which("setpriv")
    if os.geteuid():
        return run_command(root, *words)
    if not setpriv:
        pytest.skip("root needs setpriv (util-linux) to be bound by permissions")
    return run_command(root, *words, before=(setpriv, "--bounding-set", "-dac_override,-dac_read_search,-fowner"))


def drain_bound(bench: Bench) -> subprocess.CompletedProcess[str]:
    return run_bound(bench.root, "watch", bench.root / "landing", "--once")


@contextmanager
def limited(path: Path, mode: int) -> Iterator[None]:
    """The path with few rights, for the block."""
    if not path.is_file():
        path.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def test_a_temporary_folder_without_room_is_no_reason_to_lose_a_file(tmp_path, engine, monkeypatch):
    # The annotated CSV of a refused file is put together in the system's temporary folder.
    bench = open_folders(tmp_path / "lake", engine)
    bench.register()
    bench.drop("bad.csv", BAD)

    def fail(*_given: object, **_options: object) -> object:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", fail)
        watcher = drain_lake(bench.lake, bench.root / "landing")
    assert {type(outcome) for outcome in watcher.heard} == {StoreUnavailable}
    drain_lake(bench.lake, bench.root / "landing")
    assert bench.files("fail/") == [BAD]
    assert bench.claims() == bench.keys("landing/") == []

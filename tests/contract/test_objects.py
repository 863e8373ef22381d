"""What every object store does, held to the words of daap.ports.objects."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daap.errors import Busy, DaapError, InvalidName, ObjectConflict, ObjectMissing, StoreUnavailable
from daap.ports.objects import ABSENT, ANYTHING, CanHold, CanLocate, CanPrune, CanSweep, ObjectStore
from daap.testing.memory_store import MemoryStore
from daap_cloud.s3_store import S3Store
from daap_local import files
from daap_local.files import new_file
from daap_local.folder_store import FolderStore
from tests.support.emulator import cloud_clients, emulator_name, make_settings, shared_emulator


def open_s3(*, keep_versions: bool) -> ObjectStore:
    clients = cloud_clients(shared_emulator())
    return S3Store(clients.s3, make_settings(clients, keep_versions=keep_versions).zones)


STORES: dict[str, Callable[[Path], ObjectStore]] = {
    "folder": FolderStore,
    "memory": lambda _folder: MemoryStore(),
    "s3": lambda _folder: open_s3(keep_versions=False),
    "s3-versions": lambda _folder: open_s3(keep_versions=True),
}
"""A store joins the suite by one line: how to make an empty one, given a folder it may use."""

KEY, OTHER = "raw/spend/v1/march/a.csv", "raw/spend/v1/march/b.csv"
INVALID_KEYS = [
    "", "raw", "raw/", "/", "/raw/a", "raw//a", "raw/a/", "raw/..", "raw/../landing/a", "raw/a/../../b", "raw/.",
    "raw/./a", "raw/a\0b", "raw/a\nb", "raw/a\\b", "elsewhere/a", "RAW/a", "../raw/a", "raw/" + "x" * 256,
]  # fmt: skip


# S3 has it: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_RequestSyntax
NO_CONDITION = {
    "test_of_many_moves_to_one_place_one_wins_and_no_object_is_lost": "its CopyObject passes over If-None-Match",
}
LACKING = {"ministack": NO_CONDITION, "localstack": NO_CONDITION}
"""What an emulator of S3 cannot do, by test; tests/unit/test_cloud_s3.py sees that the condition is sent."""


# Deployed buckets keep versions.
CHOSEN = [pytest.param(name, marks=[pytest.mark.slow] if name == "s3" else []) for name in STORES]


@pytest.fixture(params=CHOSEN)
def store(request, tmp_path) -> ObjectStore:
    if request.param.startswith("s3") and (reason := LACKING[emulator_name()].get(request.node.originalname)):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=False))  # a race: now and then nobody meets
    return STORES[request.param](tmp_path / "lake")


def read_all(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as stream:
        return stream.read()


def list_keys(store: ObjectStore, prefix: str) -> list[str]:
    return [info.key for info in store.list(prefix)]


def has_object(store: ObjectStore, key: str) -> bool:
    try:
        store.stat(key)
    except ObjectMissing:
        return False
    return True


def run_together(work: Callable[[int], None], number: int) -> list[DaapError | None]:
    """Runs `work` in many threads that begin at the same moment; returns the error of each."""
    start = threading.Barrier(number)

    def run(place: int) -> DaapError | None:
        start.wait()
        try:
            work(place)
        except DaapError as error:
            return error
        return None

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


class TestReading:
    def test_what_was_put_is_read_and_opened(self, store):
        store.put(KEY, b"one\n")
        assert read_all(store, KEY) == b"one\n"
        assert store.read(KEY) == (b"one\n", store.stat(KEY).version)

    def test_stat_tells_key_size_and_time(self, store):
        before = datetime.now(UTC) - timedelta(seconds=2)
        store.put(KEY, b"12345")
        info = store.stat(KEY)
        assert (info.key, info.size) == (KEY, 5)
        assert before <= info.modified <= datetime.now(UTC) + timedelta(seconds=2)

    def test_an_empty_object_is_an_object(self, store):
        store.put(KEY, b"")
        assert store.stat(KEY).size == 0
        assert store.read(KEY)[0] == b""

    @pytest.mark.parametrize("verb", ["stat", "open", "read"])
    def test_what_is_not_there_is_missing(self, store, verb):
        with pytest.raises(ObjectMissing, match=r"b\.csv"):
            getattr(store, verb)(OTHER)

    @pytest.mark.parametrize("verb", ["stat", "open", "read"])
    def test_a_folder_of_objects_is_no_object(self, store, verb):
        store.put(KEY, b"x")
        with pytest.raises(ObjectMissing):
            getattr(store, verb)("raw/spend/v1")

    @pytest.mark.parametrize("verb", ["stat", "open", "read"])
    def test_nothing_lies_below_an_object(self, store, verb):
        store.put(KEY, b"x")
        with pytest.raises(ObjectMissing):
            getattr(store, verb)(f"{KEY}/below")

    def test_a_stream_that_was_opened_goes_on_with_the_old_content(self, store):
        store.put(KEY, b"old")
        with store.open(KEY) as stream:
            store.put(KEY, b"new content")
            assert stream.read() == b"old"

    def test_names_outside_ascii_are_kept(self, store):
        keys = [f"landing/spend/march/{name}.csv" for name in ("Zürich – Größe", "東京", "a b&c'd\"e;f$g", "%41+")]
        for key in keys:
            store.put(key, key.encode())
        assert {info.key: store.read(info.key)[0].decode() for info in store.list("landing/")} == {k: k for k in keys}


class TestWriting:
    def test_each_write_has_another_version(self, store):
        versions = [store.put(KEY, b"same size %03d" % n) for n in range(100)]
        assert store.stat(KEY).version == versions[-1]
        assert len(set(versions)) == 100

    def test_the_same_content_again_has_another_version_too(self, store):
        assert store.put(KEY, b"same") != store.put(KEY, b"same")

    def test_stat_and_read_tell_the_version_that_put_gave(self, store):
        version = store.put(KEY, b"x")
        assert store.stat(KEY).version == store.read(KEY)[1] == version

    def test_anything_overwrites(self, store):
        store.put(KEY, b"long content", ANYTHING)
        store.put(KEY, b"short", ANYTHING)
        assert store.read(KEY)[0] == b"short"

    def test_absent_writes_once(self, store):
        store.put(KEY, b"first", ABSENT)
        with pytest.raises(ObjectConflict, match=r"a\.csv"):
            store.put(KEY, b"second", ABSENT)
        assert store.read(KEY)[0] == b"first"

    def test_a_version_lets_its_holder_write(self, store):
        version = store.put(KEY, b"first")
        store.put(KEY, b"second", version)
        assert store.read(KEY)[0] == b"second"

    def test_an_old_version_conflicts(self, store):
        old = store.put(KEY, b"first")
        store.put(KEY, b"second", old)
        with pytest.raises(ObjectConflict):
            store.put(KEY, b"third", old)
        assert store.read(KEY)[0] == b"second"

    def test_a_version_of_what_is_gone_conflicts(self, store):
        version = store.put(KEY, b"first")
        store.delete(KEY)
        with pytest.raises(ObjectConflict):
            store.put(KEY, b"second", version)
        assert not has_object(store, KEY)

    def test_a_refused_write_leaves_nothing_behind(self, store):
        store.put(KEY, b"first")
        with pytest.raises(ObjectConflict):
            store.put(KEY, b"second", ABSENT)
        assert list_keys(store, "raw/") == [KEY]

    def test_a_stream_is_written_from_where_it_stands(self, store):
        stream = io.BytesIO(b"skipped,kept")
        stream.seek(8)
        store.put(KEY, stream)
        assert store.read(KEY)[0] == b"kept"

    def test_a_stream_much_larger_than_a_buffer_arrives_whole(self, store):
        data = os.urandom(1 << 20) * 9 + b"end"
        store.put(KEY, io.BytesIO(data))
        assert store.stat(KEY).size == len(data)
        assert read_all(store, KEY) == data

    def test_a_stream_that_breaks_off_writes_nothing(self, store):
        class Broken(io.RawIOBase):
            def read(self, _size: int = -1) -> bytes:
                raise OSError("the line went dead")

        store.put(KEY, b"whole")
        with pytest.raises((StoreUnavailable, OSError), match="line went dead"):
            store.put(KEY, Broken())
        assert store.read(KEY)[0] == b"whole"
        assert list_keys(store, "raw/") == [KEY]


class TestRacing:
    def test_of_many_that_expect_absence_one_writes(self, store):
        errors = run_together(lambda n: store.put(KEY, f"{n}".encode(), ABSENT) and None, 12)
        assert sum(error is None for error in errors) == 1
        assert all(isinstance(error, ObjectConflict) for error in errors if error)
        assert store.read(KEY)[0].decode() == str(errors.index(None))

    def test_no_update_is_lost(self, store):
        def count_up(_place: int) -> None:
            for _ in range(10):
                while True:
                    data, version = store.read(KEY)
                    try:
                        # Of one size, so that a version cannot be told by it.
                        store.put(KEY, b"%06d" % (int(data) + 1), version)
                    except ObjectConflict:
                        continue
                    break

        store.put(KEY, b"%06d" % 0)
        assert run_together(count_up, 6) == [None] * 6
        assert int(store.read(KEY)[0]) == 60

    def test_a_reader_never_sees_half_an_object(self, store):
        whole = {letter * 200_000 for letter in (b"a", b"b")}
        store.put(KEY, b"a" * 200_000)
        done = threading.Event()

        def write_on() -> None:
            for _ in range(15):
                for data in whole:
                    store.put(KEY, data)
            done.set()

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_on)
            while not done.is_set() and not writing.done():
                data, _ = store.read(KEY)
                assert data in whole
            writing.result()

    def test_of_many_moves_to_one_place_one_wins_and_no_object_is_lost(self, store):
        sources = [f"landing/spend/march/{n}.csv" for n in range(8)]
        for key in sources:
            store.put(key, key.encode())
        errors = run_together(lambda n: store.move(sources[n], KEY), 8)
        assert sum(error is None for error in errors) == 1
        winner = sources[errors.index(None)]
        assert store.read(KEY)[0].decode() == winner
        assert list_keys(store, "landing/") == sorted(set(sources) - {winner})

    def test_an_object_on_its_way_is_always_in_one_of_its_places(self, store):
        store.put(KEY, b"precious")
        moved = threading.Event()

        def move_about() -> None:
            for _ in range(40):
                store.move(KEY, OTHER)
                store.move(OTHER, KEY)
            moved.set()

        def is_somewhere() -> bool:
            # Four looks at two places: between the first and the last it can have passed each of them.
            return any(has_object(store, key) for key in (KEY, OTHER, KEY, OTHER))

        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(move_about)
            while not moved.is_set() and not moving.done():
                # Two misses in a row can be bad luck in looking; the object cannot outrun a hundred.
                assert any(is_somewhere() for _ in range(100))
            moving.result()


class TestMoving:
    def test_a_moved_object_lies_in_its_new_place_alone(self, store):
        store.put("landing/spend/march/a.csv", b"x")
        store.move("landing/spend/march/a.csv", KEY)
        assert store.read(KEY)[0] == b"x"
        assert list_keys(store, "landing/") == []

    def test_a_move_never_overwrites(self, store):
        store.put(KEY, b"mine")
        store.put(OTHER, b"theirs")
        with pytest.raises(ObjectConflict, match=r"b\.csv"):
            store.move(KEY, OTHER)
        assert (store.read(KEY)[0], store.read(OTHER)[0]) == (b"mine", b"theirs")

    def test_a_move_of_what_is_gone_is_missing(self, store):
        with pytest.raises(ObjectMissing, match=r"a\.csv"):
            store.move(KEY, OTHER)
        assert not has_object(store, OTHER)

    def test_an_object_moved_onto_itself_stays(self, store):
        store.put(KEY, b"mine")
        with pytest.raises(ObjectConflict):
            store.move(KEY, KEY)
        assert store.read(KEY)[0] == b"mine"


class TestDeleting:
    def test_a_deleted_object_is_gone(self, store):
        store.put(KEY, b"x")
        store.put(OTHER, b"y")
        store.delete(KEY)
        assert list_keys(store, "raw/") == [OTHER]

    def test_what_is_not_there_is_deleted_without_a_word(self, store):
        store.delete(KEY)
        store.put(KEY, b"x")
        store.delete(KEY)
        store.delete(KEY)

    @pytest.mark.parametrize("key", ["raw/spend/v1", f"{KEY}/below"])
    def test_a_folder_of_objects_is_not_deleted_and_no_error(self, store, key):
        store.put(KEY, b"x")
        store.delete(key)
        assert store.read(KEY)[0] == b"x"

    def test_an_object_can_come_again(self, store):
        first = store.put(KEY, b"x")
        store.delete(KEY)
        assert store.put(KEY, b"x", ABSENT) != first


class TestListing:
    def test_nothing_is_listed_of_an_empty_store(self, store):
        assert list_keys(store, "raw/") == list_keys(store, "raw/spend/v1/") == []

    def test_objects_come_in_order_of_their_keys(self, store):
        # "-" and "." sort before "/", "0" behind it: a folder has to sort as its keys do.
        names = ["a/z", "a-b/x", "a.csv", "a", "a0", "b", "B", "é", "a/b/c", "Z/a"]
        keys = [f"raw/spend/{name}.csv" for name in names]
        for key in keys:
            store.put(key, b"x")
        assert list_keys(store, "raw/") == sorted(keys)

    def test_a_listing_tells_what_stat_tells(self, store):
        for key in (KEY, OTHER):
            store.put(key, key.encode())
        told = [(info.key, info.size, info.modified) for info in store.list("raw/")]
        assert told == [(info.key, info.size, info.modified) for info in (store.stat(KEY), store.stat(OTHER))]

    def test_the_version_in_a_listing_is_another_one_once_the_content_is(self, store):
        store.put(KEY, b"first")
        (before,), (again,) = store.list("raw/"), store.list("raw/")
        store.put(KEY, b"other")
        (after,) = store.list("raw/")
        assert before.version == again.version != after.version

    @pytest.mark.parametrize(
        ("prefix", "found"),
        [
            ("raw/", ["raw/ab/c", "raw/ab/cd", "raw/abc", "raw/b"]),
            ("raw/a", ["raw/ab/c", "raw/ab/cd", "raw/abc"]),
            ("raw/ab", ["raw/ab/c", "raw/ab/cd", "raw/abc"]),
            ("raw/ab/", ["raw/ab/c", "raw/ab/cd"]),
            ("raw/ab/c", ["raw/ab/c", "raw/ab/cd"]),
            ("raw/abc", ["raw/abc"]),
            ("raw/abc/", []),
            ("raw/x/y/z", []),
            ("fail/", []),
        ],
    )
    def test_a_prefix_may_end_in_the_middle_of_a_name(self, store, prefix, found):
        for key in ("raw/ab/c", "raw/ab/cd", "raw/abc", "raw/b", "landing/ab/c"):
            store.put(key, b"x")
        assert list_keys(store, prefix) == found

    def test_more_than_a_thousand_objects_are_all_listed(self, store):
        # A service that lists by pages of 1,000 must be asked for all of them.
        keys = [f"metadata/spend/v1.{n}/metadata.json" for n in range(1_050)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.put(key, b"x"), keys))
        assert list_keys(store, "metadata/spend/") == sorted(keys)
        if isinstance(store, CanSweep):  # here, since so many take their time to be written
            store.sweep("metadata/spend/")
            assert list_keys(store, "metadata/") == []

    def test_objects_that_go_while_they_are_listed_do_no_harm(self, store):
        for key in (KEY, OTHER):
            store.put(key, b"x")
        listing = store.list("raw/")
        first = next(listing)
        store.delete(OTHER)
        assert [first.key, *(info.key for info in listing)] in ([KEY], [KEY, OTHER])


class TestKeys:
    @pytest.mark.parametrize("key", INVALID_KEYS)
    @pytest.mark.parametrize("verb", ["stat", "open", "read", "delete"])
    def test_what_is_no_key_is_refused(self, store, verb, key):
        with pytest.raises(InvalidName):
            getattr(store, verb)(key)

    @pytest.mark.parametrize("key", INVALID_KEYS)
    def test_nothing_is_put_under_what_is_no_key(self, store, key):
        with pytest.raises(InvalidName):
            store.put(key, b"x")

    @pytest.mark.parametrize("key", INVALID_KEYS)
    def test_nothing_is_moved_from_or_to_what_is_no_key(self, store, key):
        store.put(KEY, b"x")
        with pytest.raises(InvalidName):
            store.move(KEY, key)
        with pytest.raises(InvalidName):
            store.move(key, OTHER)
        assert list_keys(store, "raw/") == [KEY]

    @pytest.mark.parametrize("prefix", ["raw/../", "raw/../landing/", "../", "/", "elsewhere/", "raw//"])
    def test_nothing_is_listed_outside_the_zones(self, store, prefix):
        with pytest.raises(InvalidName):
            list_keys(store, prefix)

    def test_a_key_that_no_system_could_write_down_is_refused(self, store):
        # A file name that is not UTF-8 reaches Python as lone surrogates; receipts could not name it.
        with pytest.raises(InvalidName):
            store.put("landing/spend/march/caf\udce9.csv", b"x")


class TestLocating:
    @pytest.fixture
    def locator(self, store) -> CanLocate:
        if not isinstance(store, CanLocate):
            pytest.skip("this store cannot locate")
        return store

    def test_an_object_lies_where_it_is_located(self, store, locator):
        store.put(KEY, b"x")
        where = locator.locate(KEY)
        assert where.endswith("/spend/v1/march/a.csv")
        if "://" not in where:
            assert Path(where).read_bytes() == b"x"

    @pytest.mark.parametrize("prefix", ["raw/", "raw/spend/", "raw/spend/v1/"])
    def test_a_prefix_is_where_its_objects_begin(self, locator, prefix):
        where = locator.locate(f"{prefix}x.csv").removesuffix("x.csv")
        assert where.rstrip("/") == locator.locate(prefix).rstrip("/")

    @pytest.mark.parametrize("key", [key for key in INVALID_KEYS if key not in ("raw", "raw/", "raw/a/")])
    def test_what_is_no_key_is_nowhere(self, locator, key):
        with pytest.raises(InvalidName):
            locator.locate(key)


class TestSweeping:
    @pytest.fixture
    def sweeper(self, store) -> CanSweep:
        if not isinstance(store, CanSweep):
            pytest.skip("this store cannot sweep")
        return store

    def test_all_below_a_prefix_goes_and_nothing_else(self, store, sweeper):
        names = ("march/a.csv", "march/v1/b c+%.csv", "march/Größe.csv")
        for key in (*(f"raw/spend/{name}" for name in names), "raw/spend/marching/a.csv", "fail/spend/march/a.csv"):
            store.put(key, b"x")
        sweeper.sweep("raw/spend/march/")
        assert list_keys(store, "raw/") == ["raw/spend/marching/a.csv"]
        assert list_keys(store, "fail/") == ["fail/spend/march/a.csv"]

    def test_nothing_there_is_no_error(self, sweeper):
        sweeper.sweep("raw/spend/march/")

    @pytest.mark.parametrize("prefix", ["raw/spend", "raw", "", "/", "elsewhere/", "raw/../", "raw//"])
    def test_what_is_no_folder_is_refused(self, sweeper, prefix):
        with pytest.raises(InvalidName):
            sweeper.sweep(prefix)


class TestHolding:
    @pytest.fixture
    def holder(self, store) -> CanHold:
        if not isinstance(store, CanHold):
            pytest.skip("this store cannot hold")
        return store

    def test_one_worker_at_a_time_holds_a_name(self, holder):
        with holder.hold("spend/march", wait=False), pytest.raises(Busy, match="spend/march"):
            holder.hold("spend/march", wait=False).__enter__()

    def test_different_names_are_held_apart(self, holder):
        with holder.hold("spend/march", wait=False), holder.hold("spend/april", wait=False):
            pass

    def test_a_name_is_free_again_behind_the_block(self, holder):
        for _ in range(3):
            with holder.hold("spend/march", wait=False):
                pass
        with pytest.raises(ZeroDivisionError), holder.hold("spend/march", wait=False):
            raise ZeroDivisionError
        with holder.hold("spend/march", wait=False):
            pass

    def test_any_text_is_a_name(self, holder):
        with holder.hold("../a\0b/" + "x" * 1_000, wait=True):
            pass

    def test_who_waits_comes_in_turn(self, holder):
        inside, most = [], []

        def work(place: int) -> None:
            with holder.hold("spend/march", wait=True):
                inside.append(place)
                most.append(len(inside))
                inside.remove(place)

        assert run_together(work, 8) == [None] * 8
        assert max(most) == 1


class TestFolders:
    """What only folders can get wrong."""

    @pytest.fixture
    def folder(self, tmp_path) -> FolderStore:
        return FolderStore(tmp_path / "lake")

    def test_a_zone_may_lie_elsewhere(self, tmp_path):
        store = FolderStore(tmp_path / "lake", {"landing": tmp_path / "in"})
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "a.csv").write_bytes(b"x")
        store.move("landing/a.csv", KEY)
        assert (tmp_path / "lake" / KEY).read_bytes() == b"x"

    def test_hidden_files_are_no_objects(self, folder):
        folder.put(KEY, b"x")
        Path(folder.locate(KEY)).with_name(".daap-left").write_bytes(b"half")
        assert list_keys(folder, "raw/") == [KEY]

    @pytest.mark.parametrize("verb", ["stat", "open", "read"])
    def test_a_symlink_is_no_object(self, folder, tmp_path, verb):
        secret = tmp_path / "secret"
        secret.write_bytes(b"not yours")
        folder.put(OTHER, b"x")
        Path(folder.locate(KEY)).symlink_to(secret)
        with pytest.raises(ObjectMissing):
            getattr(folder, verb)(KEY)
        assert list_keys(folder, "raw/") == [OTHER]

    def test_a_symlink_is_not_moved(self, folder, tmp_path):
        secret = tmp_path / "secret"
        secret.write_bytes(b"not yours")
        folder.put(OTHER, b"x")
        Path(folder.locate(KEY)).symlink_to(secret)
        with pytest.raises(ObjectMissing):
            folder.move(KEY, "raw/spend/c.csv")
        assert not os.path.lexists(folder.locate("raw/spend/c.csv"))

    def test_what_comes_to_raw_is_read_only(self, folder):
        folder.put("landing/a.csv", b"x")
        folder.move("landing/a.csv", KEY)
        assert Path(folder.locate(KEY)).stat().st_mode & 0o222 == 0

    def test_a_file_with_a_second_name_is_copied_so_that_the_name_cannot_change_it(self, folder, tmp_path):
        folder.put("landing/a.csv", b"as it came")
        os.link(folder.locate("landing/a.csv"), tmp_path / "second")
        folder.move("landing/a.csv", KEY)
        (tmp_path / "second").write_bytes(b"overwritten")
        assert folder.read(KEY)[0] == b"as it came"
        assert not has_object(folder, "landing/a.csv")

    def test_moves_that_copy_do_not_overwrite_each_other(self, folder, tmp_path, monkeypatch):
        # Both have found the target free before either has finished its copy.
        both = threading.Barrier(2)
        copy = files.copy_content

        def copy_together(source, stream) -> None:
            copy(source, stream)
            both.wait(10)

        monkeypatch.setattr(files, "copy_content", copy_together)
        for name in ("a", "b"):
            folder.put(f"landing/{name}.csv", name.encode())
            os.link(folder.locate(f"landing/{name}.csv"), tmp_path / name)
        errors = run_together(lambda n: folder.move(f"landing/{'ab'[n]}.csv", KEY), 2)
        kept = {folder.read(info.key)[0] for zone in ("landing/", "raw/") for info in folder.list(zone)}
        assert kept == {b"a", b"b"}
        assert [type(error) for error in errors if error] == [ObjectConflict]

    def test_a_file_goes_over_to_another_file_system(self, tmp_path):
        with other_device(tmp_path) as elsewhere:
            store = FolderStore(tmp_path / "lake", {"landing": elsewhere})
            data = os.urandom(3 << 20)
            store.put("landing/a.csv", data)
            store.move("landing/a.csv", KEY)
            assert store.read(KEY)[0] == data
            assert list_keys(store, "landing/") == []
            assert not list(Path(store.locate(KEY)).parent.glob(".*"))

    @pytest.mark.parametrize("verb", ["stat", "open"])
    def test_a_path_that_cannot_be_looked_at_is_not_taken_for_missing(self, folder, verb):
        # To take "cannot look" for "not there" would make a file that is in raw look lost.
        (folder.root / "raw").parent.mkdir(parents=True)
        (folder.root / "raw").symlink_to("raw")
        with pytest.raises(StoreUnavailable):
            getattr(folder, verb)(KEY)


class other_device:  # noqa: N801 - reads as a context
    """A folder on another file system than the given one; skips the test where there is none."""

    def __init__(self, here: Path) -> None:
        self._here = here

    def __enter__(self) -> Path:
        shared = Path("/dev/shm")  # noqa: S108 - a second file system that every Linux has
        if not shared.is_dir() or shared.stat().st_dev == self._here.stat().st_dev:
            pytest.skip("there is no second file system")
        self._folder = Path(tempfile.mkdtemp(dir=shared))
        return self._folder

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._folder)


MODEL_KEYS = st.sampled_from([
    "raw/a", "raw/ab", "raw/b/a", "raw/b/c", "raw/c/é.csv", "landing/a", "landing/b/a", "fail/a-b", "fail/a.b",
])  # fmt: skip
MODEL_DATA = st.binary(max_size=8)
MODEL_PREFIXES = st.sampled_from(["raw/", "raw/a", "raw/b/", "landing/", "fail/a", "curated/"])


class StoreMachine(RuleBasedStateMachine):
    """Any sequence of calls does to a store what it does to a dictionary."""

    make: Callable[[Path], ObjectStore]

    @initialize()
    def open_store(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="daap-model-"))
        self.store = type(self).make(self.folder)
        self.model: dict[str, bytes] = {}
        self.versions: dict[str, str] = {}
        self.old: list[str] = ["no version"]

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def write(self, key: str, data: bytes, expect: object, *, holds: bool) -> None:
        if holds:
            version = self.store.put(key, data, expect)
            assert version not in self.old
            self.old.append(version)
            self.model[key], self.versions[key] = data, version
        else:
            with pytest.raises(ObjectConflict):
                self.store.put(key, data, expect)

    @rule(key=MODEL_KEYS, data=MODEL_DATA)
    def put_anything(self, key: str, data: bytes) -> None:
        self.write(key, data, ANYTHING, holds=True)

    @rule(key=MODEL_KEYS, data=MODEL_DATA)
    def put_absent(self, key: str, data: bytes) -> None:
        self.write(key, data, ABSENT, holds=key not in self.model)

    @rule(key=MODEL_KEYS, data=MODEL_DATA)
    def put_version(self, key: str, data: bytes) -> None:
        self.write(key, data, self.versions.get(key, "none"), holds=key in self.model)

    @rule(key=MODEL_KEYS, data=MODEL_DATA, choice=st.randoms(use_true_random=False))
    def put_old_version(self, key: str, data: bytes, choice) -> None:
        old = choice.choice(self.old)
        self.write(key, data, old, holds=key in self.model and self.versions[key] == old)

    @rule(source=MODEL_KEYS, to=MODEL_KEYS)
    def move(self, source: str, to: str) -> None:
        if source not in self.model:
            with pytest.raises((ObjectMissing, ObjectConflict)):
                self.store.move(source, to)
        elif to in self.model:
            with pytest.raises(ObjectConflict):
                self.store.move(source, to)
        else:
            self.store.move(source, to)
            self.model[to] = self.model.pop(source)
            del self.versions[source]
            self.versions[to] = self.store.stat(to).version

    @rule(key=MODEL_KEYS)
    def delete(self, key: str) -> None:
        self.store.delete(key)
        self.model.pop(key, None)
        self.versions.pop(key, None)

    @rule(prefix=MODEL_PREFIXES)
    def list(self, prefix: str) -> None:
        found = [(info.key, info.size) for info in self.store.list(prefix)]
        assert found == sorted((key, len(data)) for key, data in self.model.items() if key.startswith(prefix))

    @rule(key=MODEL_KEYS)
    def read(self, key: str) -> None:
        if key in self.model:
            assert self.store.read(key) == (self.model[key], self.versions[key])
        else:
            with pytest.raises(ObjectMissing):
                self.store.read(key)

    @invariant()
    def holds_the_same(self) -> None:
        if hasattr(self, "model"):
            found = {i.key: i.size for zone in ("raw/", "landing/", "fail/") for i in self.store.list(zone)}
            assert found == {key: len(data) for key, data in self.model.items()}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_store_does_what_a_dictionary_does(name):
    machine = type(f"{name.title()}Machine", (StoreMachine,), {"make": staticmethod(STORES[name])})
    # Over the network each step takes a while, and shrinking a failure thousands of them.
    examples, phases = (8, [Phase.generate]) if name.startswith("s3") else (20, tuple(Phase))
    bounds = settings(
        max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
        phases=phases,
    )  # fmt: skip
    machine.TestCase.settings = bounds
    machine.TestCase("runTest").runTest()


class TestPruning:
    @pytest.fixture
    def pruner(self, store) -> CanPrune:
        if not isinstance(store, CanPrune):
            pytest.skip("this store has no folders")
        return store

    @pytest.fixture
    def lake(self, tmp_path) -> Path:
        return tmp_path / "lake"

    def test_folders_that_deletes_left_empty_go(self, store, pruner, lake):
        for key in (KEY, OTHER):
            store.put(key, b"x")
        for key in (KEY, OTHER):
            store.delete(key)
        pruner.prune("raw/spend/")
        assert not (lake / "raw" / "spend").exists()

    def test_objects_stay_with_the_folders_they_lie_in(self, store, pruner, lake):
        store.put(KEY, b"x")
        store.put("raw/spend/v2/april/b.csv", b"x")
        store.delete("raw/spend/v2/april/b.csv")
        pruner.prune("raw/spend/")
        assert list_keys(store, "raw/") == [KEY]
        assert not (lake / "raw" / "spend" / "v2").exists()

    def test_folders_beside_the_prefix_stay(self, pruner, lake):
        for folder in ("raw/spend/v1", "raw/spend2/v1"):
            (lake / folder).mkdir(parents=True)
        pruner.prune("raw/spend/")
        assert [path.name for path in (lake / "raw").iterdir()] == ["spend2"]

    def test_the_folder_of_a_zone_stays(self, store, pruner, lake):
        store.put(KEY, b"x")
        store.delete(KEY)
        pruner.prune("raw/")
        assert [path.name for path in lake.rglob("raw*")] == ["raw"]
        assert list((lake / "raw").iterdir()) == []

    def test_what_killed_writers_left_goes_too(self, store, pruner, lake):
        store.put(KEY, b"x")
        with new_file((lake / KEY).parent) as (stream, path):
            stream.write(b"secret")
            copy = path.with_name(path.name + "1")
            copy.write_bytes(b"secret")
        store.delete(KEY)
        pruner.prune("raw/spend/")
        assert not (lake / "raw" / "spend").exists()

    def test_hidden_files_of_others_stay(self, store, pruner, lake):
        store.put(KEY, b"x")
        (lake / KEY).with_name(".mine").write_text("x")
        store.delete(KEY)
        pruner.prune("raw/spend/")
        assert (lake / KEY).with_name(".mine").exists()

    def test_a_prefix_without_objects_is_no_error(self, pruner):
        pruner.prune("raw/nothing/")
        pruner.prune("raw/nothing/below/")

    @pytest.mark.parametrize("prefix", ["", "/", "raw/../", "elsewhere/", "raw/a/../../"])
    def test_what_is_no_prefix_is_refused(self, pruner, prefix):
        with pytest.raises(InvalidName):
            pruner.prune(prefix)

    def test_writers_at_work_beside_it_lose_nothing(self, store, pruner):
        done = threading.Event()

        def prune() -> None:
            while not done.is_set():
                pruner.prune("raw/spend/")

        with ThreadPoolExecutor(1) as pool:
            pruning = pool.submit(prune)
            kept = []
            for n in range(40):
                key = f"raw/spend/v{n}/march/a.csv"
                try:
                    store.put(key, b"x")
                except StoreUnavailable:
                    continue  # its folder went in the very moment: the writer is told, and tries again
                kept.append(key)
            done.set()
            pruning.result()
        assert sorted(list_keys(store, "raw/")) == sorted(kept)

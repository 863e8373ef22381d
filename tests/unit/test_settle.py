"""Telling a whole file from one that is still being written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from daap_local import settle
from daap_local.settle import SETTLE_SECONDS, Settling, is_ignored, is_written_to

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who writes")


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"a\n1\n")
    return path


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(settle.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """A clock, on a system that does not tell who writes."""
    monkeypatch.setattr(settle, "is_written_to", lambda _path: None)
    return Clock(monkeypatch)


@linux_only
class TestWriters:
    def test_a_file_nobody_has_open_is_not_written_to(self, path):
        assert is_written_to(path) is False

    @pytest.mark.parametrize("mode", ["ab", "r+b"])
    def test_a_file_open_for_writing_is_written_to_until_it_is_closed(self, path, mode):
        with path.open(mode):
            assert is_written_to(path) is True
        assert is_written_to(path) is False

    def test_a_file_open_for_reading_is_not_written_to(self, path):
        with path.open("rb"):
            assert is_written_to(path) is False

    def test_looking_leaves_no_lease_behind(self, path):
        assert is_written_to(path) is False
        with path.open("ab") as stream:
            stream.write(b"2\n")
        assert path.read_bytes() == b"a\n1\n2\n"

    def test_nothing_is_known_of_a_file_that_is_gone_or_a_link(self, path, tmp_path):
        (tmp_path / "link.csv").symlink_to(path)
        assert is_written_to(tmp_path / "link.csv") is None
        assert is_written_to(tmp_path / "gone.csv") is None

    def test_a_file_being_written_is_not_settled_though_an_event_said_closed(self, path):
        with path.open("ab"):
            assert not Settling().is_settled(path, closed=True)

    def test_a_file_nobody_writes_is_settled_at_once(self, path):
        assert Settling().is_settled(path, closed=False)


class TestResting:
    @pytest.mark.usefixtures("clock")
    def test_a_closed_file_is_settled_at_once(self, path):
        assert Settling().is_settled(path, closed=True)

    def test_a_file_is_settled_once_it_has_stayed_as_it_is(self, path, clock):
        settling = Settling()
        assert not settling.is_settled(path, closed=False)
        clock.now += SETTLE_SECONDS - 0.01
        assert not settling.is_settled(path, closed=False)
        clock.now += 0.01
        assert settling.is_settled(path, closed=False)

    def test_a_file_that_grows_begins_to_wait_anew(self, path, clock):
        settling = Settling()
        settling.is_settled(path, closed=False)
        clock.now += SETTLE_SECONDS
        path.write_bytes(b"a\n1\n2\n")
        assert not settling.is_settled(path, closed=False)
        clock.now += SETTLE_SECONDS
        assert settling.is_settled(path, closed=False)

    def test_a_file_rewritten_at_the_same_size_begins_to_wait_anew(self, path, clock):
        settling = Settling()
        settling.is_settled(path, closed=False)
        clock.now += SETTLE_SECONDS
        os.utime(path, ns=(1, 1))
        assert not settling.is_settled(path, closed=False)

    def test_a_file_that_was_dealt_with_begins_anew(self, path, clock):
        settling = Settling()
        settling.is_settled(path, closed=False)
        settling.forget(path)
        clock.now += SETTLE_SECONDS
        assert not settling.is_settled(path, closed=False)

    @pytest.mark.usefixtures("clock")
    def test_a_file_that_is_gone_is_not_settled(self, tmp_path):
        assert not Settling().is_settled(tmp_path / "gone.csv", closed=False)


class TestIgnoring:
    @pytest.mark.parametrize("name", ["a.csv", "a.PDF", "a", "part.csv", "tmp", "a~.csv"])
    def test_a_plain_file_counts(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"x")
        assert not is_ignored(tmp_path / name, tmp_path)

    @pytest.mark.parametrize(
        "name", [".a.csv", "~$a.csv", "a.csv.part", "a.tmp", "A.TMP", "a.crdownload", "a.filepart"]
    )
    def test_hidden_and_unfinished_files_do_not(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"x")
        assert is_ignored(tmp_path / name, tmp_path)

    def test_nothing_in_a_hidden_folder_counts(self, tmp_path):
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "a.csv").write_bytes(b"x")
        assert is_ignored(tmp_path / ".git" / "a.csv", tmp_path)

    def test_landing_itself_may_lie_in_a_hidden_folder(self, tmp_path):
        landing = tmp_path / ".lake" / "landing"
        landing.mkdir(parents=True)
        (landing / "a.csv").write_bytes(b"x")
        assert not is_ignored(landing / "a.csv", landing)

    def test_folders_links_pipes_and_what_is_gone_do_not_count(self, tmp_path):
        (tmp_path / "folder.csv").mkdir()
        (tmp_path / "link.csv").symlink_to(__file__)
        os.mkfifo(tmp_path / "pipe.csv")
        for name in ("folder.csv", "link.csv", "pipe.csv", "gone.csv"):
            assert is_ignored(tmp_path / name, tmp_path)

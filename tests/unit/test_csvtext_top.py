"""The top of a file is fetched once, and the whole file is there all the same."""

from __future__ import annotations

import io

import pytest

from daap.csvtext.top import TOP, Top
from daap.ports.engine import Source


class Counted:
    """A file that counts how often it is opened; raw streams give a few bytes at a time."""

    def __init__(self, data: bytes, *, raw: bool = False) -> None:
        self.data, self.raw, self.opened = data, raw, 0

    def open(self) -> io.BytesIO:
        self.opened += 1
        return Drops(self.data) if self.raw else io.BytesIO(self.data)

    @property
    def source(self) -> Source:
        return Source("s3://bucket/file.csv", len(self.data), self.open)


class Drops(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 1000) if size and size > 0 else size)


SIZES = [0, 1, TOP - 1, TOP, TOP + 1, 3 * TOP + 7]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_the_whole_file_can_be_read_again_and_again(size, raw):
    data = bytes(range(256)) * (size // 256 + 1)
    top = Top(Counted(data[:size], raw=raw).source)
    assert top.data == data[:size][:TOP]
    for _ in range(2):
        with top.open() as stream:
            assert stream.read() == data[:size]


def test_lines_at_the_top_cost_no_opening():
    file = Counted(b"a,b\n" + b"1,2\n" * TOP)
    top = Top(file.source)
    for _ in range(3):
        with top.open() as stream:
            assert [stream.readline() for _ in range(2)] == [b"a,b\n", b"1,2\n"]
    assert file.opened == 1


def test_a_file_that_ends_in_its_top_is_opened_once():
    file = Counted(b"a,b\n1,2\n")
    with Top(file.source).open() as stream:
        assert stream.read() == file.data
    assert file.opened == 1

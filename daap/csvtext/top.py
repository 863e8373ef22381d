"""The top of a file, fetched once: where a file lies far away, each opening costs a request."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from daap.ports.engine import Source

TOP = 64 << 10
"""Bytes that are kept."""


class Top:
    """The first bytes of a file, and the file from its start, as often as it is asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        with source.open() as stream:
            self.data = _take(stream, TOP)

    def open(self) -> BinaryIO:
        """The whole file; it is opened again only where more than its top is read."""
        return cast(BinaryIO, io.BufferedReader(_Behind(self.data, self._source)))


def _take(stream: BinaryIO, count: int) -> bytes:
    """The next `count` bytes, or what is left; a raw stream may give fewer at a time."""
    data = b""
    while len(data) < count and (chunk := stream.read(count - len(data))):
        data += chunk
    return data


class _Behind(io.RawIOBase):
    """The kept bytes, then the rest of the file."""

    def __init__(self, kept: bytes, source: Source) -> None:
        self._kept, self._at, self._source = kept, 0, source
        self._rest: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        view = memoryview(buffer)
        data = self._kept[self._at : self._at + len(view)] or self._read_on(len(view))
        self._at += len(data)
        view[: len(data)] = data
        return len(data)

    def _read_on(self, count: int) -> bytes:
        if len(self._kept) < TOP:  # the file ended in it
            return b""
        if self._rest is None:
            self._rest = self._source.open()
            _take(self._rest, len(self._kept))
        return self._rest.read(count)

    def close(self) -> None:
        if self._rest is not None:
            self._rest.close()
        super().close()

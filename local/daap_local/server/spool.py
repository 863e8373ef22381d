"""A file on its way in: hidden while it grows, hashed as it is written, then visible by one step."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from daap_local.files import make_folder, move_file, new_file, sync_path
from daap_local.server.refusals import UploadRefused


def uploads_folder(root: Path) -> Path:
    """Where what has not come whole lies: in the lake, but where no watcher looks and nothing is an object."""
    return root / ".scratch" / "uploads"


class Spool:
    """A hidden file that grows, with its size and MD5."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream, self.path = stream, path
        self._hash = hashlib.md5(usedforsecurity=False)
        self.size = 0

    @property
    def digest(self) -> bytes:
        """The MD5 of what has come."""
        return self._hash.digest()

    def fill(self, pieces: Iterable[bytes | memoryview], most: int) -> None:
        """Writes the pieces; raises UploadRefused once there are more than `most` bytes."""
        for piece in pieces:
            self.size += len(piece)
            if self.size > most:
                raise UploadRefused("EntityTooLarge", f"the file is larger than the {most} bytes that are allowed")
            self._hash.update(piece)
            self._stream.write(piece)

    def compare(self, md5: bytes) -> None:
        """Raises UploadRefused unless what has come has this MD5."""
        if self.digest != md5:
            raise UploadRefused("BadDigest", "what arrived has another MD5 than Content-MD5 says; send it again")

    def flush(self, trailer: bytes = b"") -> None:
        """Puts everything on disk, with a trailer that is none of the content."""
        self._stream.write(trailer)
        self._stream.flush()
        os.fsync(self._stream.fileno())


@contextmanager
def open_spool(folder: Path) -> Iterator[Spool]:
    """A spool for the block; what is still hidden at its end is removed."""
    with new_file(folder) as (stream, path):
        yield Spool(stream, path)


def reveal_file(path: Path, target: Path) -> None:
    """Makes a flushed file visible as `target`, durably and in one step; if `target` is there, it stays as it is."""
    make_folder(target.parent)
    try:
        os.link(path, target)
        path.unlink()
        sync_path(target.parent)
    except FileExistsError:
        return
    except OSError:
        _move_there(path, target)


def _move_there(path: Path, target: Path) -> None:
    """To another file system, or on one without links."""
    try:
        move_file(path, target)
    except FileExistsError:
        return

"""A file on its way in: hidden while it grows, hashed as it is written, then visible by one step."""

from __future__ import annotations

import filecmp
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from daap.errors import ObjectConflict
from daap_local.files import is_plain_file, make_folder, move_file, new_file, sync_path
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
    """Makes a flushed file visible as `target`, durably and in one step; the same content there already is as good.

    Raises ObjectConflict if another file lies there.
    """
    make_folder(target.parent)
    while not _link_or_move(path, target):
        with suppress(FileNotFoundError):  # taken in since: then there is room again
            if not is_plain_file(target) or not filecmp.cmp(path, target, shallow=False):
                raise ObjectConflict(f"another file lies at {target.name}; ask for a new upload")
            return


def _link_or_move(path: Path, target: Path) -> bool:
    """Whether the file has come to `target`: False if something is there."""
    try:
        os.link(path, target)
    except FileExistsError:
        return False
    except OSError:
        return _move_there(path, target)
    path.unlink()  # before anything else, for whoever takes the file in copies one that has two names
    sync_path(target.parent)
    return True


def _move_there(path: Path, target: Path) -> bool:
    """To another file system, or on one without links."""
    try:
        move_file(path, target)
    except FileExistsError:
        return False
    return True

"""Durable file operations: what has returned survives a crash of the machine."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from daap.errors import DaapError, StoreUnavailable

TEMPORARY = ".daap-"
"""What the names of unfinished files begin with; nothing that is hidden counts as an object."""

_COPY_BUFFER = 1 << 20
_READ_ONLY = 0o444
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
_ADVICE = {
    errno.ENOSPC: "the disk is full; make room and try again",
    errno.EDQUOT: "your disk quota is used up; make room and try again",
    errno.EACCES: "permission denied; give this user the right to write there",
    errno.EPERM: "permission denied; give this user the right to write there",
    errno.EROFS: "the file system is read-only",
    errno.EMFILE: "too many open files",
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """An OSError as StoreUnavailable, in words; errors of daap's own pass."""
    try:
        yield
    except DaapError:
        raise
    except OSError as error:
        reason = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise StoreUnavailable(f"cannot {doing}: {reason}") from error


def version_of(info: os.stat_result) -> str:
    """A token that changes whenever the file is written again or replaced."""
    return f"{info.st_ino:x}-{info.st_mtime_ns:x}-{info.st_size:x}"


def is_plain_file(path: Path) -> bool:
    """Whether `path` is a regular file (no link, pipe or device)."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def sync_path(path: Path) -> None:
    """Flushes a file's content, or a folder's entries, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Creates `path` and its parents, durably."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir()
        sync_path(folder.parent)


@contextmanager
def new_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A hidden file in `folder`, flushed to disk at the end of the block; removed if it is still there after it."""
    make_folder(folder)
    path = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        with path.open("xb") as stream:
            yield stream, path
    finally:
        path.unlink(missing_ok=True)


def write_all(stream: BinaryIO, data: bytes | BinaryIO) -> None:
    """Writes bytes, or another stream to its end, and flushes to disk."""
    if isinstance(data, bytes):
        stream.write(data)
    else:
        shutil.copyfileobj(data, stream, _COPY_BUFFER)
    stream.flush()
    os.fsync(stream.fileno())


def move_file(source: Path, target: Path, *, read_only: bool = False) -> None:
    """Moves a file durably and never over another one; raises FileNotFoundError or FileExistsError.

    A hard link and then an unlink, so that the file always has a name. Where that cannot be (another
    file system, or one without links), and where the file has other names through which it could be
    changed later, it is copied.
    """
    make_folder(target.parent)
    if source.lstat().st_nlink > 1 and not target.exists():
        _copy_over(source, target, read_only=read_only)
    else:
        if read_only:
            source.chmod(_READ_ONLY)  # before the file has its new name: a killed process cannot come back for it
        sync_path(source)
        _link_or_copy(source, target, read_only=read_only)
    sync_path(target.parent)
    source.unlink()
    sync_path(source.parent)


def _link_or_copy(source: Path, target: Path, *, read_only: bool) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.EXDEV or error.errno in _NO_LINKS:
            _copy_over(source, target, read_only=read_only)
        else:
            raise


def _copy_over(source: Path, target: Path, *, read_only: bool) -> None:
    if target.exists():
        raise FileExistsError(errno.EEXIST, "exists already", str(target))
    with new_file(target.parent) as (stream, path):
        copy_content(source, stream)
        os.fsync(stream.fileno())
        if read_only:
            path.chmod(_READ_ONLY)
        try:
            os.link(path, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            path.rename(target)  # a file system without links; two that move to one name there may race


def copy_content(source: Path, stream: BinaryIO) -> None:
    """Copies a file's content to `stream`, in the kernel where it can; flushing to disk is the caller's."""
    with source.open("rb") as origin:
        if hasattr(os, "copy_file_range"):
            with suppress(OSError):
                while os.copy_file_range(origin.fileno(), stream.fileno(), 1 << 30):
                    pass
        # What the kernel could not copy (another file system): from where it stopped.
        origin.seek(os.lseek(stream.fileno(), 0, os.SEEK_CUR))
        shutil.copyfileobj(origin, stream, _COPY_BUFFER)
        stream.flush()

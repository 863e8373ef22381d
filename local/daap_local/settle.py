"""Telling a whole file in landing from one that is still being written."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

from daap_local.files import is_plain_file

SETTLE_SECONDS = 1.0
"""How long a file has to stay as it is where nothing better can be known."""

_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


def is_ignored(path: Path, landing: Path) -> bool:
    """Whether a path in landing is hidden, bears the name of an unfinished copy, or is no plain file."""
    parts = path.relative_to(landing).parts
    hidden = any(part.startswith((".", "~")) for part in parts)
    return hidden or path.name.lower().endswith(_UNFINISHED) or not is_plain_file(path)


def is_written_to(path: Path) -> bool | None:
    """Whether some process has the file open for writing; None where the system does not tell.

    Linux grants a read lease only on a file that nobody has open for writing.
    Source: https://man7.org/linux/man-pages/man2/fcntl.2.html (F_SETLEASE)
    """
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 - not on every system

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        # Anything but EAGAIN: another user's file, or a file system without leases.
        return True if error.errno == errno.EAGAIN else None
    finally:
        os.close(descriptor)
    return False


class Settling:
    """Files that have been seen, and since when they have not changed."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}

    def is_settled(self, path: Path, *, closed: bool) -> bool:
        """Whether the file is whole: its writer closed it, or it has not changed for a while."""
        writing = is_written_to(path)
        if writing:
            self._seen.pop(path, None)
            return False
        if closed or writing is False:
            return True
        return self._has_rested(path)

    def _has_rested(self, path: Path) -> bool:
        try:
            info = path.stat()
        except FileNotFoundError:
            return False
        state, now = (info.st_size, info.st_mtime_ns), time.monotonic()
        before, since = self._seen.get(path, (None, now))
        if before != state:
            self._seen[path] = (state, now)
            return False
        return now - since >= SETTLE_SECONDS

    def forget(self, path: Path) -> None:
        """The file is dealt with."""
        self._seen.pop(path, None)

"""The object store on folders: a zone is a folder, a key a path below it."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from daap.errors import Busy, ObjectConflict, ObjectMissing
from daap.model.keys import ZONES, Zone, check_key, check_prefix
from daap.ports.objects import ABSENT, ANYTHING, Expect, ObjectInfo, ObjectStore
from daap_local.files import (
    TEMPORARY,
    make_folder,
    move_file,
    new_file,
    translated,
    version_of,
    write_all,
)

_NOT_THERE = (FileNotFoundError, NotADirectoryError)
_LOCKS = 64


class FolderStore(ObjectStore):
    """Objects as files below `root`; hidden files are none. Any number of processes may use it at once.

    Conditional writes are made under a lock of the operating system, which goes with its process.
    """

    def __init__(self, root: Path, zones: Mapping[Zone, Path] | None = None) -> None:
        """`zones` gives those folders that do not lie at `{root}/{zone}`."""
        self.root = root
        self._zones: dict[str, Path] = {zone: (zones or {}).get(zone, root / zone) for zone in ZONES}

    def locate(self, key: str) -> str:
        """See CanLocate."""
        return str(self.folder(key) if key.endswith("/") else self.path(key))

    def path(self, key: str) -> Path:
        """The path of a key."""
        zone, _, rest = check_key(key).partition("/")
        return self._zones[zone] / rest

    def folder(self, prefix: str) -> Path:
        """The folder of a prefix that ends in a slash, a whole zone among them."""
        zone, _, rest = check_prefix(prefix).partition("/")
        return self._zones[zone] / rest

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        path = self.path(key)
        with translated(f"read {path}"):
            try:
                info = path.lstat()
            except _NOT_THERE:
                raise ObjectMissing(f"there is no {key}") from None
        if not stat.S_ISREG(info.st_mode):
            raise ObjectMissing(f"there is no {key}: it is no plain file")
        return _describe(key, info)

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore. A link is not followed."""
        self.stat(key)
        path = self.path(key)
        with translated(f"read {path}"):
            try:
                return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
            except _NOT_THERE:
                raise ObjectMissing(f"there is no {key}") from None

    def read(self, key: str) -> tuple[bytes, str]:
        """See ObjectStore."""
        with self.open(key) as stream:
            return stream.read(), version_of(os.fstat(stream.fileno()))

    def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
        """See ObjectStore."""
        path = self.path(key)
        with translated(f"write {path}"), new_file(path.parent) as (stream, temporary):
            write_all(stream, data)
            # The version rests on the time of writing, which some kernels count in steps of milliseconds.
            os.utime(temporary, ns=(time.time_ns(), time.time_ns()))
            with self._lock(f"{int(hashlib.sha256(key.encode()).hexdigest(), 16) % _LOCKS}").acquire():
                self._meet(key, expect)
                version = version_of(temporary.stat())
                temporary.replace(path)
        return version

    def _meet(self, key: str, expect: str | Expect) -> None:
        if expect is ANYTHING:
            return
        try:
            found: str | Expect = self.stat(key).version
        except ObjectMissing:
            found = ABSENT
        if found != expect:
            raise ObjectConflict(f"{key} is not as expected: another process was faster")

    def move(self, source: str, target: str) -> None:
        """See ObjectStore. What comes to raw is made read-only: history is not edited."""
        self.stat(source)
        with translated(f"move {source} to {target}"):
            try:
                move_file(self.path(source), self.path(target), read_only=target.startswith("raw/"))
            except FileNotFoundError:
                raise ObjectMissing(f"there is no {source}") from None
            except FileExistsError:
                raise ObjectConflict(f"{target} exists already") from None

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        path = self.path(key)
        with translated(f"delete {path}"), suppress(*_NOT_THERE):
            if stat.S_ISREG(path.lstat().st_mode):
                path.unlink()

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        folder, _, start = check_prefix(prefix).rpartition("/")
        path = self.folder(f"{folder}/")
        with translated(f"list {path}"):
            yield from _walk(path, folder, start)

    def prune(self, prefix: str) -> None:
        """See CanPrune. The folder of a whole zone stays."""
        folder = self.folder(prefix)
        for parent, _, names in os.walk(folder, topdown=False):
            with suppress(OSError):  # not empty, or filled again meanwhile
                for name in names:
                    if name.startswith(TEMPORARY):
                        Path(parent, name).unlink()
                if Path(parent) not in self._zones.values():
                    Path(parent).rmdir()

    @contextmanager
    def hold(self, name: str, *, wait: bool) -> Iterator[None]:
        """See CanHold."""
        lock = self._lock(f"hold-{hashlib.sha256(name.encode()).hexdigest()[:32]}")
        with translated(f"write {lock.lock_file}"):
            try:
                lock.acquire(blocking=wait)
            except Timeout:
                raise Busy(f"another process works on {name}") from None
        try:
            yield
        finally:
            lock.release()

    def _lock(self, name: str) -> FileLock:
        folder = self.root / ".locks"
        with translated(f"write {folder}"):
            make_folder(folder)
        return FileLock(folder / f"{name}.lock", is_singleton=False, thread_local=False)


def _describe(key: str, info: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, info.st_size, datetime.fromtimestamp(info.st_mtime, UTC), version_of(info))


def _walk(path: Path, folder: str, start: str) -> Iterator[ObjectInfo]:
    """Files below `path`, in the order of their keys, as far as a name begins with `start`."""
    try:
        with os.scandir(path) as entries:
            found = [e for e in entries if e.name.startswith(start) and not e.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    # A folder sorts as its keys do: by its name with the slash.
    for entry in sorted(found, key=lambda e: e.name + "/" if e.is_dir(follow_symlinks=False) else e.name):
        key = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), key, "")
        elif entry.is_file(follow_symlinks=False):
            try:
                yield _describe(key, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue

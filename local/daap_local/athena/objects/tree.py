"""One bucket as a folder: walking it in the order of its keys, reading and writing files in it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, cast

from daap.errors import ObjectMissing
from daap_local.athena.objects.faults import AccessRefused, KeyConflict
from daap_local.athena.objects.paths import decode_part, encode_key, inside, plain_parts
from daap_local.files import TEMPORARY, make_folder, translated

_MODE = 0o644
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """An object of a bucket; `version` changes whenever it is written again. No part of `path` is a link."""

    key: str
    size: int
    modified: datetime
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class Tree:
    """A bucket's folder. A `plain` one holds the lake's own files, whose keys are paths as they are."""

    root: Path
    plain: bool = False
    writable: bool = True

    def path(self, key: str) -> Path:
        """Where a key lies, there or not; raises InvalidName."""
        return inside(self.root, plain_parts(key) if self.plain else encode_key(key))

    def stat(self, key: str) -> KeyInfo:
        """Raises ObjectMissing where there is no plain file."""
        with translated(f"read {key}"):
            path = self.path(key)
            try:
                info = path.lstat()
            except _NOT_THERE:
                raise ObjectMissing(f"there is no {key}") from None
        if not stat.S_ISREG(info.st_mode):
            raise ObjectMissing(f"there is no {key}")
        return _describe(key, info, str(path))

    def open(self, key: str) -> BinaryIO:
        """Raises ObjectMissing; a link is not followed."""
        return self.open_described(key)[0]

    def open_described(self, key: str) -> tuple[BinaryIO, KeyInfo]:
        """As open, and what the very file that was opened is: another may have its name a moment later."""
        self.stat(key)
        with translated(f"read {key}"):
            path = self.path(key)
            try:
                stream = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
            except _NOT_THERE:
                raise ObjectMissing(f"there is no {key}") from None
            return stream, _describe(key, os.fstat(stream.fileno()), str(path))

    def create(self, key: str) -> BinaryIO:
        """A stream whose closing puts the object in its place at one moment."""
        if not self.writable:
            raise AccessRefused(f"{self.root.name} is the lake's own and is not written to from here")
        path = self.path(key)
        with translated(f"write {key}"):
            if path.is_dir():
                raise KeyConflict(f"{key} is a folder here, and cannot be an object too")
            try:
                make_folder(path.parent)
            except (FileExistsError, NotADirectoryError):
                raise KeyConflict(f"{key} lies below another object, which cannot be a folder too") from None
            return cast(BinaryIO, NewFile(path))

    def delete(self, key: str) -> None:
        """Removes an object and the folders that it leaves empty."""
        if not self.writable:
            raise AccessRefused(f"{self.root.name} is the lake's own and is not written to from here")
        path = self.path(key)
        with translated(f"delete {key}"), suppress(*_NOT_THERE):
            if stat.S_ISREG(path.lstat().st_mode):
                path.unlink()
                self._prune(path.parent)

    def _prune(self, folder: Path) -> None:
        top = self.root.resolve()
        with suppress(OSError):
            while folder != top:
                folder.rmdir()
                folder = folder.parent

    def walk(self, prefix: str = "", after: str = "") -> Iterator[KeyInfo]:
        """Objects whose key begins with `prefix` and comes after `after`, in order of their keys."""
        folder, _, _ = prefix.rpartition("/")
        keep: Callable[[str, bool], bool] = lambda key, below: _wanted(key, below, prefix, after)  # noqa: E731
        with translated(f"list {prefix}"):
            yield from self._walk(self._folder(folder), f"{folder}/" if folder else "", keep)

    def children(self, prefix: str, after: str = "") -> Iterator[KeyInfo | str]:
        """As walk, but one level deep: folders come as their prefix, which ends in a slash."""
        folder, _, _ = prefix.rpartition("/")
        base = f"{folder}/" if folder else ""
        for name, entry in self._entries(self._folder(folder)):
            key, below = base + name, entry.is_dir(follow_symlinks=False)
            if below and f"{key}/".startswith(prefix) and f"{key}/" > after:
                if next(self._walk(entry.path, f"{key}/", lambda *_: True), None):
                    yield f"{key}/"
            elif not below and _wanted(key, False, prefix, after):
                with suppress(FileNotFoundError):
                    yield _describe(key, entry.stat(follow_symlinks=False), entry.path)

    def _folder(self, key: str) -> Path:
        return self.path(key) if key else self.root.resolve()

    def _walk(self, folder: Path | str, base: str, keep: Callable[[str, bool], bool]) -> Iterator[KeyInfo]:
        for name, entry in self._entries(folder):
            key, below = base + name, entry.is_dir(follow_symlinks=False)
            if not keep(key, below):
                continue
            if below:
                yield from self._walk(entry.path, f"{key}/", keep)
            else:
                with suppress(FileNotFoundError):
                    yield _describe(key, entry.stat(follow_symlinks=False), entry.path)

    def _entries(self, folder: Path | str) -> list[tuple[str, os.DirEntry[str]]]:
        """Names and entries in the order of keys: a folder sorts by its name with the slash."""
        try:
            with os.scandir(folder) as entries:
                found = [(self._name(e.name), e) for e in entries if not e.name.startswith(".") and _is_real(e)]
        except _NOT_THERE:
            return []
        return sorted(found, key=lambda pair: pair[0] + "/" if pair[1].is_dir(follow_symlinks=False) else pair[0])

    def _name(self, name: str) -> str:
        return name if self.plain else decode_part(name)


def _is_real(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)


def _wanted(key: str, below: bool, prefix: str, after: str) -> bool:
    if not below:
        return key.startswith(prefix) and key > after
    folder = f"{key}/"
    begins = folder.startswith(prefix) or prefix.startswith(folder)
    return begins and (folder > after or after.startswith(folder))


def _describe(key: str, info: os.stat_result, path: str) -> KeyInfo:
    version = f"{info.st_ino:x}-{info.st_mtime_ns:x}-{info.st_size:x}"
    return KeyInfo(key, info.st_size, datetime.fromtimestamp(info.st_mtime, UTC), version, path)


class NewFile:
    """A hidden file that takes its name when it is closed; left by an exception, it goes."""

    def __init__(self, path: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        self._path, self._temporary = path, Path(name)
        self._stream: IO[bytes] = os.fdopen(descriptor, "wb")

    def write(self, data: bytes) -> int:
        """As a stream's."""
        return self._stream.write(data)

    def tell(self) -> int:
        """As a stream's."""
        return self._stream.tell()

    def flush(self) -> None:
        """As a stream's."""
        self._stream.flush()

    def writable(self) -> bool:
        """As a stream's."""
        return True

    def readable(self) -> bool:
        """As a stream's."""
        return False

    def seekable(self) -> bool:
        """As a stream's."""
        return False

    @property
    def closed(self) -> bool:
        """As a stream's."""
        return self._stream.closed

    def close(self) -> None:
        """Puts the file in its place."""
        if self._stream.closed:
            return
        self._stream.close()
        self._temporary.chmod(_MODE)
        self._rename()

    def _rename(self) -> None:
        try:
            self._temporary.replace(self._path)
        except FileNotFoundError:  # a deletion has just removed the empty folder
            make_folder(self._path.parent)
            self._temporary.replace(self._path)

    def abandon(self) -> None:
        """Removes what was written."""
        self._stream.close()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> BinaryIO:
        return cast(BinaryIO, self)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

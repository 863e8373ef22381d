"""Multipart uploads on folders: parts come one by one, and are put together at the end.

A part is a file of its number: its content, and behind that its MD5. Replacing it is one step, so its
content and its MD5 always belong together.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from daap.errors import ObjectConflict, ObjectMissing
from daap_local.files import make_folder, new_file, sync_path, translated, write_all
from daap_local.folder_store import FolderStore
from daap_local.server.spool import open_spool, reveal_file, uploads_folder

MAX_PART = 5 << 30
"""Bytes of the largest part, as in S3."""

_HANDLE = re.compile(r"[0-9a-f]{32}")
_MANIFEST = "upload.json"
_MD5_SIZE = 16
_BUFFER = 1 << 20
_STALE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Begun:
    """A multipart upload that is under way."""

    key: str
    parts: int


class PartStore:
    """The multipart uploads of a lake."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store
        self._root = uploads_folder(store.root)

    def start(self, key: str, parts: int) -> str:
        """Begins an upload; returns its handle."""
        handle = uuid.uuid4().hex
        folder = self._root / handle
        with translated(f"write {folder}"):
            make_folder(folder)
            with new_file(folder) as (stream, path):
                write_all(stream, json.dumps(asdict(Begun(key, parts))).encode())
                path.replace(folder / _MANIFEST)
        return handle

    def find(self, handle: str) -> Begun:
        """The upload of a handle; raises ObjectMissing."""
        if not _HANDLE.fullmatch(handle):
            raise _no_upload(handle)
        path = self._root / handle / _MANIFEST
        with translated(f"read {path}"):
            try:
                return Begun(**json.loads(path.read_bytes()))
            except FileNotFoundError:
                raise _no_upload(handle) from None

    def save(self, handle: str, number: int, pieces: Iterable[bytes], md5: bytes | None) -> bytes:
        """Writes a part, in place of an earlier one of its number; returns its MD5.

        Raises ObjectMissing if there is no such upload, UploadRefused if the part is too large or has another MD5.
        """
        self.find(handle)
        folder = self._root / handle
        with translated(f"write {folder}"), open_spool(self._root) as spool:
            spool.fill(pieces, MAX_PART)
            if md5 is not None:
                spool.compare(md5)
            spool.flush(spool.digest)
            try:
                spool.path.replace(folder / str(number))
            except FileNotFoundError:
                raise _no_upload(handle) from None  # dropped meanwhile
            return spool.digest

    def finish(self, key: str, handle: str, etags: Sequence[str]) -> None:
        """See Presigner."""
        begun = self.find(handle)
        if begun.key != key:
            raise _no_upload(handle)
        if len(etags) != begun.parts:
            raise ObjectConflict(f"the upload has {begun.parts} parts, not {len(etags)}")
        folder, target = self._root / handle, self._store.path(key)
        with translated(f"write {target}"), new_file(self._root) as (stream, path):
            for number, etag in enumerate(etags, 1):
                self._append_part(handle, number, etag, stream)
            stream.flush()
            os.fsync(stream.fileno())
            reveal_file(path, target)
        _drop_folder(folder)

    def _append_part(self, handle: str, number: int, etag: str, stream: BinaryIO) -> None:
        with self._open_part(handle, number) as origin:
            size = origin.seek(-_MD5_SIZE, os.SEEK_END)
            if origin.read().hex() != etag.strip('"').lower():
                raise ObjectConflict(f"part {number} is another one than its ETag says; send it again")
            origin.seek(0)
            _append(origin, stream, size)

    @contextmanager
    def _open_part(self, handle: str, number: int) -> Iterator[BinaryIO]:
        try:
            stream = (self._root / handle / str(number)).open("rb")
        except FileNotFoundError:
            self.find(handle)
            raise ObjectConflict(f"part {number} is missing; send it before the upload is finished") from None
        with stream:
            yield stream

    def abort(self, key: str, handle: str) -> None:
        """See Presigner."""
        with suppress(ObjectMissing), translated(f"delete the upload {handle}"):
            if self.find(handle).key == key:
                _drop_folder(self._root / handle)


def _no_upload(handle: str) -> ObjectMissing:
    return ObjectMissing(f"there is no multipart upload {handle!a}; it was finished, dropped, or has grown old")


def _append(origin: BinaryIO, stream: BinaryIO, size: int) -> None:
    """Copies `size` bytes to the end of `stream`, in the kernel where it can."""
    stream.flush()
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):
            while size and (done := os.copy_file_range(origin.fileno(), stream.fileno(), size)):
                size -= done
    origin.seek(os.lseek(origin.fileno(), 0, os.SEEK_CUR))
    while size and (data := origin.read(min(size, _BUFFER))):
        stream.write(data)
        size -= len(data)


def _drop_folder(folder: Path) -> None:
    """Removes an upload: at once as far as anyone can see, then its files."""
    gone = folder.with_name(f".gone-{uuid.uuid4().hex}")
    with suppress(FileNotFoundError):
        folder.rename(gone)
        sync_path(folder.parent)
        shutil.rmtree(gone, ignore_errors=True)


def sweep_uploads(root: Path) -> None:
    """Removes uploads into which nothing has come for a day, and what killed processes left."""
    folder = uploads_folder(root)
    with translated(f"clean {folder}"), suppress(FileNotFoundError):
        for path in folder.iterdir():
            _drop_stale(path)


def _drop_stale(path: Path) -> None:
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime < _STALE_SECONDS:
            return
        if path.is_dir():
            _drop_folder(path)
        else:
            path.unlink()

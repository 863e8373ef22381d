"""The object store in memory."""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from daap.errors import ObjectConflict, ObjectMissing
from daap.model.keys import check_key, check_prefix
from daap.ports.objects import ABSENT, ANYTHING, Expect, ObjectInfo, ObjectStore


@dataclass(frozen=True, slots=True)
class _Item:
    data: bytes
    info: ObjectInfo


class MemoryStore(ObjectStore):
    """Objects in a dictionary; safe to use from many threads."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}
        self._versions = itertools.count(1)
        self._lock = threading.RLock()

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        return self._find(key).info

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore."""
        return io.BytesIO(self._find(key).data)

    def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
        """See ObjectStore."""
        content = data if isinstance(data, bytes) else data.read()
        with self._lock:
            found = self._items.get(check_key(key))
            if expect is not ANYTHING and expect != (found.info.version if found else ABSENT):
                raise ObjectConflict(f"{key} is not as expected: another writer was faster")
            version = f"m{next(self._versions)}"
            self._items[key] = _Item(content, ObjectInfo(key, len(content), datetime.now(UTC), version))
            return version

    def move(self, source: str, target: str) -> None:
        """See ObjectStore."""
        with self._lock:
            item = self._find(source)
            self.put(target, item.data, ABSENT)
            del self._items[source]

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        with self._lock:
            self._items.pop(check_key(key), None)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        check_prefix(prefix)
        with self._lock:
            keys = sorted(key for key in self._items if key.startswith(prefix))
        for key in keys:
            if item := self._items.get(key):
                yield item.info

    def _find(self, key: str) -> _Item:
        with self._lock:
            item = self._items.get(check_key(key))
        if item is None:
            raise ObjectMissing(f"there is no {key}")
        return item

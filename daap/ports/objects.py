"""The object store port: bytes under keys, with conditional writes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import BinaryIO, Final, Protocol, runtime_checkable


class Expect(Enum):
    """What a conditional write expects of the key, besides one exact version token."""

    ABSENT = "absent"
    ANYTHING = "anything"


ABSENT: Final = Expect.ABSENT
ANYTHING: Final = Expect.ANYTHING


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object: `version` is an opaque token that differs whenever the content was written again.

    A listing may know less of an object than `stat`: its tokens are compared with those of other listings. They differ
    where the content does.
    """

    key: str
    size: int
    modified: datetime
    version: str


class ObjectStore(ABC):
    """Objects under keys (`daap.model.keys`). Left out on purpose: append, partial writes, folders.

    Every method raises InvalidName for a key that is none, and StoreUnavailable where the store
    cannot do it now; nothing is half done then. A reader never sees half an object.
    """

    @abstractmethod
    def stat(self, key: str) -> ObjectInfo:
        """Size, time and version of an object; raises ObjectMissing."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """The content as a binary stream, to be closed by the caller; raises ObjectMissing."""

    @abstractmethod
    def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
        """Writes an object whole and durably, and returns its new version.

        `expect` is ABSENT, ANYTHING or a version token; raises ObjectConflict where it does not hold.
        """

    @abstractmethod
    def move(self, source: str, target: str) -> None:
        """Moves an object durably; at every moment it lies under at least one of the two keys.

        Raises ObjectMissing if `source` is gone, ObjectConflict if `target` exists already.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Removes an object; one that is not there is no error."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key begins with `prefix`, in order of their keys."""

    def read(self, key: str) -> tuple[bytes, str]:
        """The content and the version of a small object, of one and the same moment; raises ObjectMissing."""
        while True:
            before = self.stat(key)
            with self.open(key) as stream:
                data = stream.read()
            if self.stat(key).version == before.version:
                return data, before.version


@runtime_checkable
class CanLocate(Protocol):
    """A store whose objects an engine can open by itself."""

    def locate(self, key: str) -> str:
        """The path or URL of a key (or of a prefix that ends in a slash)."""


@runtime_checkable
class CanPrune(Protocol):
    """A store in which a deleted object may leave an empty folder behind."""

    def prune(self, prefix: str) -> None:
        """Removes the empty folders below `prefix`, which ends in a slash, and what killed writers left there."""


@runtime_checkable
class CanSweep(Protocol):
    """A store that can remove many objects faster than one by one."""

    def sweep(self, prefix: str) -> None:
        """Removes every object below `prefix`, which ends in a slash; none there is no error.

        Raises StoreUnavailable where some could not be removed; the others are gone then.
        """


@runtime_checkable
class CanHold(Protocol):
    """A store that can give one worker at a time the right to work on something.

    It saves double work; correctness never rests on it.
    """

    def hold(self, name: str, *, wait: bool) -> AbstractContextManager[None]:
        """Holds `name` while the context is open, and lets go if the process dies.

        Raises Busy if another worker holds it and `wait` is false.
        """

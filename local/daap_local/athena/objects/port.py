"""The objects port: bytes under s3:// URIs, as queries read and write them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from daap.errors import InvalidName


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object: its URI, its size in bytes, when it was written, and its path if it is a file of this machine."""

    uri: str
    size: int
    modified: datetime
    path: str | None = None


class Objects(ABC):
    """Objects under `s3://bucket/key`. Left out on purpose: conditions, versions, access lists.

    Every method raises InvalidName for a URI that is none, BucketMissing where there is no such bucket, and
    StoreUnavailable where the store cannot do it now. A reader never sees half an object.
    """

    @abstractmethod
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose URI begins with `prefix`, in order of their keys."""

    @abstractmethod
    def stat(self, uri: str) -> ObjectInfo:
        """Size and time of an object; raises ObjectMissing."""

    @abstractmethod
    def open(self, uri: str) -> BinaryIO:
        """The content as a binary stream that can be sought, to be closed by the caller; raises ObjectMissing."""

    @abstractmethod
    def create(self, uri: str) -> BinaryIO:
        """A stream to write to; the object is there, whole, once it is closed.

        A `with` block that is left by an exception writes nothing. Raises AccessRefused where one may not write.
        """

    @abstractmethod
    def delete(self, uri: str) -> None:
        """Removes an object; one that is not there is no error."""

    def put(self, uri: str, data: bytes) -> None:
        """Writes a small object whole."""
        with self.create(uri) as stream:
            stream.write(data)


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key` (`s3a` and `s3n` are taken too); raises InvalidName."""
    scheme, mark, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() not in ("s3", "s3a", "s3n") or not mark or not bucket:
        raise InvalidName(f"{uri!r} is no S3 location; one looks like s3://bucket/folder/")
    return bucket, key

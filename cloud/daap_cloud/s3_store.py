"""The object store on S3: a zone is a bucket and a prefix, a key an object below it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from daap.errors import ObjectConflict, ObjectMissing
from daap.model.keys import Zone, check_key, check_prefix
from daap.ports.objects import ABSENT, ANYTHING, Expect, ObjectInfo, ObjectStore
from daap_cloud.faults import translated
from daap_cloud.parts import PART_BYTES, copy_parts, put_parts, read_part

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_COPY = 5 * 1024**3
"""Bytes that one CopyObject takes. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a zone lies: a bucket, and a prefix in it that ends in a slash or is empty."""

    bucket: str
    prefix: str = ""


class S3Store(ObjectStore):
    """Objects in S3. Conditional writes are S3's own; a move is a copy, and then a deletion.

    The version of an object is its ETag, which conditions need, with the time of writing, which tells the
    same content written again from the first.
    """

    def __init__(self, client: S3Client, zones: Mapping[Zone, Place]) -> None:
        self._client = client
        self._zones: dict[str, Place] = {str(zone): place for zone, place in zones.items()}

    def place(self, key: str) -> tuple[str, str]:
        """The bucket of a key, and its name there."""
        zone, _, rest = check_key(key).partition("/")
        return self._zones[zone].bucket, self._zones[zone].prefix + rest

    def locate(self, key: str) -> str:
        """See CanLocate."""
        if not key.endswith("/"):
            bucket, name = self.place(key)
            return f"s3://{bucket}/{name}"
        zone, _, rest = check_prefix(key).partition("/")
        return f"s3://{self._zones[zone].bucket}/{self._zones[zone].prefix}{rest}"

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"read {key}"):
            found = self._client.head_object(Bucket=bucket, Key=name)
        return _describe(key, found["ContentLength"], found["LastModified"], found["ETag"])

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"read {key}"):
            body = self._client.get_object(Bucket=bucket, Key=name)["Body"]
        return cast(BinaryIO, io.BufferedReader(_Body(body, key), 1 << 20))

    def read(self, key: str) -> tuple[bytes, str]:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"read {key}"):
            found = self._client.get_object(Bucket=bucket, Key=name)
            data = found["Body"].read()
        return data, _version(found["ETag"], found["LastModified"])

    def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
        """See ObjectStore. Streams larger than a part go up in parts."""
        bucket, name = self.place(key)
        head = data if isinstance(data, bytes) else read_part(data)
        conditions = _conditions(expect)
        self._meet(key, expect)
        with translated(f"write {key}"):
            if isinstance(data, bytes) or len(head) < PART_BYTES:
                self._client.put_object(Bucket=bucket, Key=name, Body=head, **conditions)
            else:
                put_parts(self._client, bucket, name, (head,), data, conditions)
        return self.stat(key).version

    def _meet(self, key: str, expect: str | Expect) -> None:
        """S3 checks the ETag; the time of writing, the other half of a version, is checked here."""
        if not isinstance(expect, str):
            return
        try:
            found = self.stat(key).version
        except ObjectMissing:
            found = ""
        if found != expect:
            raise ObjectConflict(f"{key} is not as expected: another writer was faster")

    def move(self, source: str, target: str) -> None:
        """See ObjectStore."""
        info = self.stat(source)
        bucket, name = self.place(target)
        from_bucket, from_name = self.place(source)
        if self._exists(target):
            raise ObjectConflict(f"{target} exists already")
        with translated(f"move {source} to {target}"):
            if info.size <= MAX_COPY:
                origin: Any = {"Bucket": from_bucket, "Key": from_name}
                self._client.copy_object(Bucket=bucket, Key=name, CopySource=origin)
            else:
                copy_parts(self._client, (from_bucket, from_name), (bucket, name), info.size)
        self.delete(source)

    def _exists(self, key: str) -> bool:
        try:
            self.stat(key)
        except ObjectMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"delete {key}"):
            self._client.delete_object(Bucket=bucket, Key=name)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        zone, _, rest = check_prefix(prefix).partition("/")
        place = self._zones[zone]
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=place.bucket, Prefix=place.prefix + rest, PaginationConfig={"PageSize": _PAGE}
        )
        with translated(f"list {prefix}"):
            for page in pages:
                for found in page.get("Contents", ()):
                    key = f"{zone}/{found['Key'].removeprefix(place.prefix)}"
                    yield _describe(key, found["Size"], found["LastModified"], found["ETag"])


class _Body(io.RawIOBase):
    """An object's body as a raw stream; what fails while reading it is StoreUnavailable."""

    def __init__(self, body: Any, key: str) -> None:  # noqa: ANN401 - botocore's StreamingBody
        self._body, self._key = body, key

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        with translated(f"read {self._key}"):
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _describe(key: str, size: int, modified: datetime, etag: str) -> ObjectInfo:
    return ObjectInfo(key, size, modified, _version(etag, modified))


def _version(etag: str, modified: datetime) -> str:
    return f"{etag}|{modified.timestamp():.0f}"


def _conditions(expect: str | Expect) -> dict[str, Any]:
    if isinstance(expect, str):
        return {"IfMatch": expect.partition("|")[0]}
    return {"IfNoneMatch": "*"} if expect is ABSENT else {}

"""The object store on S3: a zone is a bucket and a prefix, a key an object below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from daap.errors import InvalidName, ObjectConflict, ObjectMissing, StoreUnavailable
from daap.model.keys import Zone, check_key, check_prefix
from daap.ports.objects import ABSENT, ANYTHING, Expect, ObjectInfo, ObjectStore
from daap_cloud.bodies import open_body
from daap_cloud.copies import carry_headers, copy_object
from daap_cloud.faults import code_of, missing_bucket, translated
from daap_cloud.marks import etag_of, join_version, mark_of, new_mark, read_mark, seal_mark
from daap_cloud.parts import Target, write_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_NAME = 1024
"""Bytes of an object's name. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""

_PAGE = 1_000
_MOVES = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a zone lies: a bucket, and a prefix in it that ends in a slash or is empty."""

    bucket: str
    prefix: str = ""


class S3Store(ObjectStore):
    """Objects in S3. Conditional writes are S3's own; a move is a copy, and then a deletion of what was copied.

    S3's conditions are on the ETag. So an update that names a version goes through where the same content was
    written again meanwhile: nothing is lost then. Requests: stat, open, read and delete 1, a put of less than
    64 MiB 1, a move of less than 5 GiB 4.
    """

    def __init__(self, client: S3Client, zones: Mapping[Zone, Place]) -> None:
        self._client = client
        self._zones: dict[str, Place] = {str(zone): place for zone, place in zones.items()}
        self._seen: set[str] = set()

    def place(self, key: str) -> tuple[str, str]:
        """The bucket of a key, and its name there; raises InvalidName."""
        zone, _, rest = check_key(key).partition("/")
        name = self._zones[zone].prefix + rest
        if len(name.encode()) > MAX_NAME:
            raise InvalidName(f"{key!r} is too long for S3, which takes {MAX_NAME} bytes; use shorter names")
        return self._zones[zone].bucket, name

    def key_of(self, bucket: str, name: str) -> str:
        """The key of an object, as an event names it; raises InvalidName where no zone lies there."""
        holds = [
            (len(place.prefix), zone)
            for zone, place in self._zones.items()
            if place.bucket == bucket and name.startswith(place.prefix)
        ]
        if not holds:
            raise InvalidName(f"s3://{bucket}/{name} is in none of the zones")
        size, zone = max(holds)
        return check_key(f"{zone}/{name[size:]}")

    def locate(self, key: str) -> str:
        """See CanLocate."""
        if not key.endswith("/"):
            bucket, name = self.place(key)
            return f"s3://{bucket}/{name}"
        zone, _, rest = check_prefix(key).partition("/")
        return f"s3://{self._zones[zone].bucket}/{self._zones[zone].prefix}{rest}"

    def stat(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        return self._describe(key, self._head(key))

    def _head(self, key: str) -> Mapping[str, Any]:
        bucket, name = self.place(key)
        try:
            with translated(f"read {key}"):
                found = self._client.head_object(Bucket=bucket, Key=name)
        except ObjectMissing:
            self._check_bucket(key, bucket)
            raise
        self._seen.add(bucket)
        return found

    def _check_bucket(self, key: str, bucket: str) -> None:
        """Tells a bucket that is not there from an object that is not: the answer to a HEAD does not say which."""
        if bucket in self._seen:
            return
        try:
            with translated(f"read {key}"):
                self._client.head_bucket(Bucket=bucket)
        except ObjectMissing:
            raise StoreUnavailable(f"cannot read {key}: {missing_bucket(bucket)}") from None
        self._seen.add(bucket)

    def _describe(self, key: str, found: Mapping[str, Any]) -> ObjectInfo:
        modified, metadata = found["LastModified"], found.get("Metadata", {})
        mark = read_mark(*self.place(key), metadata, found.get("VersionId"), modified)
        return _inform(key, found["ContentLength"], modified, join_version(found["ETag"], mark))

    def open(self, key: str) -> BinaryIO:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"read {key}"):
            return open_body(self._client.get_object(Bucket=bucket, Key=name)["Body"], f"read {key}")

    def read(self, key: str) -> tuple[bytes, str]:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"read {key}"):
            found: Mapping[str, Any] = self._client.get_object(Bucket=bucket, Key=name)
            # Entered by itself it would be urllib3's stream, with urllib3's errors.
            with closing(found["Body"]) as body:
                return body.read(), self._describe(key, found).version

    def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
        """See ObjectStore. Streams larger than a part go up in parts."""
        self._check_mark(key, expect)
        (bucket, name), mark = self.place(key), new_mark()
        target = Target(bucket, name, {"Metadata": seal_mark(mark, bucket, name)}, _conditions(expect))
        try:
            with translated(f"write {key}"):
                etag = write_object(self._client, target, data)
        except ObjectMissing:
            raise ObjectConflict(f"cannot write {key}: it was deleted meanwhile") from None
        except ObjectConflict:
            return self._find_written(key, mark)
        self._seen.add(bucket)
        return join_version(etag, mark)

    def _check_mark(self, key: str, expect: str | Expect) -> None:
        """S3's condition knows the content alone; that the same content was written again, only the mark tells."""
        if isinstance(expect, str) and self._find_version(key) != expect:
            raise ObjectConflict(f"cannot write {key}: another writer was faster")

    def _find_written(self, key: str, mark: str) -> str:
        """The version that this write has made, where the answer was lost and S3 refused it when it was sent again."""
        with suppress(ObjectMissing, StoreUnavailable):
            version = self.stat(key).version
            if mark_of(version) == mark:
                return version
        raise ObjectConflict(f"cannot write {key}: another writer was faster")

    def move(self, source: str, target: str) -> None:
        """See ObjectStore. A move that was cut short behind its copy goes on; the version stays where the ETag does."""
        self.place(target)
        for _ in range(_MOVES):  # each more is because someone else has written meanwhile
            origin = self._head(source)
            found = self._describe(source, origin).version
            there = None if source == target else self._find_version(target)
            if source == target or there not in (None, found):
                raise ObjectConflict(f"{target} exists already")
            if there or self._copy(source, origin, target, mark_of(found)):
                self._delete_version(source, found)
                return
        raise StoreUnavailable(f"cannot move {source}: it is written to all the time; try again when that is over")

    def _find_version(self, key: str) -> str | None:
        with suppress(ObjectMissing):
            return self.stat(key).version
        return None

    def _copy(self, source: str, origin: Mapping[str, Any], target: str, mark: str) -> bool:
        """Copies what `origin` describes; False if that is no longer there, or something is under the target."""
        bucket, name = self.place(target)
        wanted = Target(bucket, name, carry_headers(origin, seal_mark(mark, bucket, name)), _conditions(ABSENT))
        try:
            with translated(f"move {source} to {target}"):
                copy_object(self._client, self.place(source), origin, wanted)
        except (ObjectConflict, ObjectMissing):
            return False
        return True

    def _delete_version(self, key: str, version: str) -> None:
        """Removes an object unless it was written anew: then it is another one, and stays."""
        bucket, name = self.place(key)
        with suppress(ObjectMissing, ObjectConflict), translated(f"delete {key}"):
            try:
                self._client.delete_object(Bucket=bucket, Key=name, IfMatch=etag_of(version))
            except ClientError as error:
                if code_of(error) != "NotImplemented":
                    raise
                if self.stat(key).version == version:  # the best there is where S3's condition is not known
                    self.delete(key)

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        bucket, name = self.place(key)
        with translated(f"delete {key}"):
            self._client.delete_object(Bucket=bucket, Key=name)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore. What is no key, such as the folders that the console makes, is passed over."""
        zone, _, rest = check_prefix(prefix).partition("/")
        place = self._zones[zone]
        for page in self._pages(prefix, place.bucket, place.prefix + rest):
            for found in page:
                with suppress(InvalidName):
                    key = check_key(f"{zone}/{found['Key'].removeprefix(place.prefix)}")
                    mark = read_mark(place.bucket, found["Key"], {}, None, found["LastModified"])
                    version = join_version(found["ETag"], mark)
                    yield _inform(key, found["Size"], found["LastModified"], version)

    def _pages(self, prefix: str, bucket: str, start: str) -> Iterator[Sequence[Mapping[str, Any]]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=start, PaginationConfig={"PageSize": _PAGE}
        )
        with translated(f"list {prefix}"):
            for page in pages:
                yield page.get("Contents", ())

    def sweep(self, prefix: str) -> None:
        """See CanSweep."""
        zone, _, rest = check_prefix(prefix).partition("/")
        if rest and not rest.endswith("/"):
            raise InvalidName(f"{prefix!r} is no folder; one ends in a slash")
        place = self._zones[zone]
        for page in self._pages(prefix, place.bucket, place.prefix + rest):
            if page:
                self._delete_all(prefix, place.bucket, [found["Key"] for found in page])

    def _delete_all(self, prefix: str, bucket: str, names: Sequence[str]) -> None:
        with translated(f"delete {prefix}"):
            wanted: Any = {"Objects": [{"Key": name} for name in names], "Quiet": True}
            errors = self._client.delete_objects(Bucket=bucket, Delete=wanted).get("Errors", [])
        if errors:
            told = ", ".join(f"{error.get('Key')} ({error.get('Code')})" for error in errors[:5])
            raise StoreUnavailable(f"cannot delete {len(errors)} objects below {prefix}: {told}; try again")


def _inform(key: str, size: int, modified: datetime, version: str) -> ObjectInfo:
    # Emulators list fractions of a second, which S3 does not tell.
    return ObjectInfo(key, size, modified.astimezone(UTC).replace(microsecond=0), version)


def _conditions(expect: str | Expect) -> dict[str, Any]:
    if isinstance(expect, str):
        return {"IfMatch": etag_of(expect)}
    return {"IfNoneMatch": "*"} if expect is ABSENT else {}

"""Objects at an S3 endpoint: an emulator's, or AWS's own."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from daap.errors import ObjectMissing, StoreUnavailable
from daap_local.athena.objects.faults import AccessRefused, BucketMissing
from daap_local.athena.objects.port import ObjectInfo, Objects, split_uri

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_SPOOL = 8 << 20
_BLOCK = 1 << 20


def make_client(service: str, endpoint: str) -> Any:  # noqa: ANN401 - botocore's clients have no static type
    """A client for an endpoint, which may also be `aws`: the real one, as the environment names it."""
    config = Config(retries={"mode": "standard", "max_attempts": 3}, s3={"addressing_style": "path"})
    url = None if endpoint == "aws" else endpoint
    # A session of its own: boto3's default one would keep the credentials that the first server here found.
    make: Any = boto3.session.Session().client  # a service's name that is not known beforehand has no overload
    return make(service, endpoint_url=url, config=config)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "NoSuchBucket":
            raise BucketMissing(f"The specified bucket does not exist: {uri}") from error
        if code in _MISSING:
            raise ObjectMissing(f"there is no {uri}") from error
        if code in ("AccessDenied", "403"):
            raise AccessRefused(f"access denied to {uri}") from error
        raise StoreUnavailable(f"cannot reach {uri}: {error}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"cannot reach {uri}: {error}") from error


class BotoObjects(Objects):
    """Buckets at an endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._client = make_client("s3", endpoint)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Objects."""
        bucket, key = split_uri(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        with _told(prefix):
            for page in pages:
                for one in page.get("Contents", ()):
                    yield ObjectInfo(f"s3://{bucket}/{one['Key']}", one["Size"], one["LastModified"])

    def stat(self, uri: str) -> ObjectInfo:
        """See Objects."""
        bucket, key = split_uri(uri)
        with _told(uri):
            found = self._client.head_object(Bucket=bucket, Key=key)
        return ObjectInfo(uri, found["ContentLength"], found["LastModified"])

    def open(self, uri: str) -> BinaryIO:
        """See Objects."""
        bucket, key = split_uri(uri)
        return cast(BinaryIO, io.BufferedReader(_RangeReader(self._client, bucket, key, self.stat(uri).size), _BLOCK))

    def create(self, uri: str) -> BinaryIO:
        """See Objects."""
        bucket, key = split_uri(uri)
        return cast(BinaryIO, _Upload(self._client, bucket, key))

    def delete(self, uri: str) -> None:
        """See Objects."""
        bucket, key = split_uri(uri)
        with _told(uri):
            self._client.delete_object(Bucket=bucket, Key=key)


class _RangeReader(io.RawIOBase):
    """An object as a file that can be sought: each read asks for just its bytes."""

    def __init__(self, client: Any, bucket: str, key: str, size: int) -> None:  # noqa: ANN401 - as above
        self._client, self._bucket, self._key, self._size = client, bucket, key, size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        wanted = min(len(buffer), self._size - self._place)
        if wanted <= 0:
            return 0
        span = f"bytes={self._place}-{self._place + wanted - 1}"
        with _told(f"s3://{self._bucket}/{self._key}"):
            data = self._client.get_object(Bucket=self._bucket, Key=self._key, Range=span)["Body"].read()
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


class _Upload:
    """What is written is spooled, and uploaded when it is closed."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:  # noqa: ANN401 - as above
        self._client, self._bucket, self._key = client, bucket, key
        self._spool = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - closed in close()

    def write(self, data: bytes) -> int:
        return self._spool.write(data)

    def tell(self) -> int:
        return self._spool.tell()

    def flush(self) -> None:
        self._spool.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    @property
    def closed(self) -> bool:
        return self._spool.closed

    def close(self) -> None:
        if self._spool.closed:
            return
        self._spool.seek(0)
        with _told(f"s3://{self._bucket}/{self._key}"):
            self._client.upload_fileobj(self._spool, self._bucket, self._key)
        self._spool.close()

    def __enter__(self) -> BinaryIO:
        return cast(BinaryIO, self)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._spool.close()

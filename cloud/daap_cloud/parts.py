"""Writing objects: whole, or in parts where they are large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import stamina
from botocore.exceptions import BotoCoreError, ClientError

from daap_cloud.faults import is_clash

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 64 << 20
"""10,000 parts of this make 640 GB, more than a load can be."""

COPY_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Target:
    """An object that is to be written: its bucket and name, what it is to have, and on which condition."""

    bucket: str
    name: str
    extras: dict[str, Any]
    """Arguments of PutObject and CreateMultipartUpload alike: metadata and content headers."""
    conditions: dict[str, Any]
    """IfMatch or IfNoneMatch."""


def write_object(client: S3Client, target: Target, data: bytes | BinaryIO) -> str:
    """Writes an object, a large stream in parts; returns its ETag. Raises botocore's errors."""
    if isinstance(data, bytes):
        return _put_whole(client, target, data)
    first = _read_part(data)
    return _put_parts(client, target, first, data) if len(first) == PART_BYTES else _put_whole(client, target, first)


@stamina.retry(on=is_clash, attempts=8, timeout=20.0, wait_initial=0.05, wait_max=2.0)
def _put_whole(client: S3Client, target: Target, data: bytes) -> str:
    place: Any = {"Bucket": target.bucket, "Key": target.name, **target.extras, **target.conditions}
    return client.put_object(Body=data, **place)["ETag"]


def _read_part(stream: BinaryIO) -> bytes:
    return b"".join(_fill(stream))


def _fill(stream: BinaryIO) -> Iterator[bytes]:
    left = PART_BYTES
    while left and (chunk := stream.read(left)):
        left -= len(chunk)
        yield chunk


def _put_parts(client: S3Client, target: Target, first: bytes, stream: BinaryIO) -> str:
    """Writes a part and the rest of a stream as one object, which appears whole or not at all; returns its ETag."""
    parts = chain((first,), iter(lambda: _read_part(stream), b""))
    return _gather(client, target, (_PartBody(body) for body in parts))


def copy_parts(client: S3Client, source: dict[str, str], etag: str, size: int, target: Target) -> str:
    """Copies an object that is too large for one call, if it still has this ETag; returns the new one's."""
    spans = (f"bytes={start}-{min(start + COPY_BYTES, size) - 1}" for start in range(0, size, COPY_BYTES))
    return _gather(client, target, (_PartCopy(source, etag, span) for span in spans))


@dataclass(frozen=True, slots=True)
class _PartBody:
    body: bytes

    def send(self, client: S3Client, **place: Any) -> str:  # noqa: ANN401 - the call's own arguments
        return client.upload_part(Body=self.body, **place)["ETag"]


@dataclass(frozen=True, slots=True)
class _PartCopy:
    source: dict[str, str]
    etag: str
    span: str

    def send(self, client: S3Client, **place: Any) -> str:  # noqa: ANN401 - the call's own arguments
        origin: Any = self.source
        answer = client.upload_part_copy(
            CopySource=origin, CopySourceIfMatch=self.etag, CopySourceRange=self.span, **place
        )
        return answer["CopyPartResult"]["ETag"]


def _gather(client: S3Client, target: Target, parts: Iterable[_PartBody | _PartCopy]) -> str:
    place: dict[str, Any] = {"Bucket": target.bucket, "Key": target.name}
    place["UploadId"] = client.create_multipart_upload(**place, **target.extras)["UploadId"]
    try:
        sent: Any = [
            {"PartNumber": number, "ETag": part.send(client, PartNumber=number, **place)}
            for number, part in enumerate(parts, 1)
        ]
        return client.complete_multipart_upload(**place, MultipartUpload={"Parts": sent}, **target.conditions)["ETag"]
    except BaseException:
        with suppress(ClientError, BotoCoreError):  # the bucket's lifecycle rule removes what stays
            client.abort_multipart_upload(**place)
        raise

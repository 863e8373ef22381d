"""Large objects in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

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


def read_part(stream: BinaryIO) -> bytes:
    """The next part of a stream; less than a whole one at its end."""
    return b"".join(_fill(stream))


def _fill(stream: BinaryIO) -> Iterator[bytes]:
    left = PART_BYTES
    while left and (chunk := stream.read(left)):
        left -= len(chunk)
        yield chunk


def put_parts(client: S3Client, target: Target, first: bytes, stream: BinaryIO) -> str:
    """Writes a part and the rest of a stream as one object, which appears whole or not at all; returns its ETag."""
    parts = chain((first,), iter(lambda: read_part(stream), b""))
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

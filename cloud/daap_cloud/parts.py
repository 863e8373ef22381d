"""Large objects in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 64 << 20
"""10,000 parts of this make 640 GB, more than a load can be."""

_COPY_BYTES = 1 << 30


def read_part(stream: BinaryIO) -> bytes:
    """The next part of a stream; less than a whole one at its end."""
    return b"".join(_fill(stream))


def _fill(stream: BinaryIO) -> Iterator[bytes]:
    left = PART_BYTES
    while left and (chunk := stream.read(left)):
        left -= len(chunk)
        yield chunk


def put_parts(
    client: S3Client, bucket: str, key: str, first: Iterable[bytes], stream: BinaryIO, conditions: dict[str, Any]
) -> None:
    """Writes the `first` parts and then the rest of a stream as one object, which appears whole or not at all."""
    rest = iter(lambda: read_part(stream), b"")
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    try:
        parts = [
            {"PartNumber": number, "ETag": _put_part(client, bucket, key, upload, number, part)}
            for number, part in enumerate(chain(first, rest), 1)
        ]
        _finish(client, bucket, key, upload, parts, conditions)
    except BaseException:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise


def _put_part(client: S3Client, bucket: str, key: str, upload: str, number: int, part: bytes) -> str:
    return client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=part)["ETag"]


def copy_parts(client: S3Client, source: tuple[str, str], target: tuple[str, str], size: int) -> None:
    """Copies an object that is too large for one call."""
    bucket, key = target
    origin: Any = {"Bucket": source[0], "Key": source[1]}
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    try:
        parts = []
        for number, start in enumerate(range(0, size, _COPY_BYTES), 1):
            span = f"bytes={start}-{min(start + _COPY_BYTES, size) - 1}"
            copied = client.upload_part_copy(
                Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, CopySource=origin, CopySourceRange=span
            )
            parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
        _finish(client, bucket, key, upload, parts, {})
    except BaseException:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise


def _finish(
    client: S3Client, bucket: str, key: str, upload: str, parts: list[dict[str, Any]], conditions: dict[str, Any]
) -> None:
    listed: Any = {"Parts": parts}
    client.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=listed, **conditions)

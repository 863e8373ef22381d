"""Copying an object within S3, content headers and metadata with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import stamina

from daap_cloud.faults import is_clash
from daap_cloud.parts import Target, copy_parts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_COPY = 5 << 30
"""Bytes that one CopyObject takes. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""

_KEPT = ("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage", "CacheControl")


def carry_headers(origin: Mapping[str, Any], marked: Mapping[str, str]) -> dict[str, Any]:
    """What a copy of the object that `origin` (an answer of HeadObject) describes is to have, with `marked` on top.

    Metadata that could not be sent again stays behind.
    """
    metadata: Mapping[str, str] = origin.get("Metadata", {})
    plain = {name: value for name, value in metadata.items() if name.isascii() and value.isascii()}
    return {**{field: origin[field] for field in _KEPT if origin.get(field)}, "Metadata": {**plain, **marked}}


@stamina.retry(on=is_clash, attempts=8, timeout=20.0, wait_initial=0.05, wait_max=2.0)
def copy_object(client: S3Client, source: tuple[str, str], origin: Mapping[str, Any], target: Target) -> None:
    """Copies the object that `origin` describes, if it is still that one and the target's conditions hold.

    Raises botocore's ClientError.
    """
    place: Any = {"Bucket": source[0], "Key": source[1]}
    if origin["ContentLength"] > MAX_COPY:
        copy_parts(client, place, origin["ETag"], origin["ContentLength"], target)
        return
    client.copy_object(
        Bucket=target.bucket, Key=target.name, CopySource=place, CopySourceIfMatch=origin["ETag"],
        MetadataDirective="REPLACE", **target.extras, **target.conditions,
    )  # fmt: skip

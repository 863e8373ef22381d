"""The version of an object in S3: its ETag, which conditions need, and a mark that tells one writing from another.

The ETag of the same content is the same, and S3 tells the time of writing in whole seconds. So what daap writes
carries a random mark in its metadata, which a move hands on. The mark counts only under the key it was written for:
an object that someone else copies elsewhere, metadata and all, is another one. What others write is marked by
S3's own version id where the bucket keeps versions, else by its place and second.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime

_FIELD = "daap-version"
_BYTES = 8


def new_mark() -> str:
    """A mark for what is about to be written."""
    return secrets.token_hex(_BYTES)


def seal_mark(mark: str, bucket: str, name: str) -> dict[str, str]:
    """The metadata to write an object with, so that it bears `mark` there."""
    return {_FIELD: f"{mark}.{_digest(bucket, name)}"}


def read_mark(bucket: str, name: str, metadata: Mapping[str, str], version_id: str | None, modified: datetime) -> str:
    """The mark of an object as S3 describes it; `version_id` is S3's own, if the bucket keeps versions."""
    mark, _, seal = metadata.get(_FIELD, "").partition(".")
    if seal == _digest(bucket, name):
        return mark
    written = version_id if version_id not in (None, "null") else f"{modified.timestamp():.0f}"
    return _digest(bucket, name, str(written))


def join_version(etag: str, mark: str) -> str:
    """The version token of an object."""
    return f"{etag}|{mark}"


def etag_of(version: str) -> str:
    """The ETag in a version token."""
    return version.partition("|")[0]


def mark_of(version: str) -> str:
    """The mark in a version token."""
    return version.partition("|")[2]


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=_BYTES).hexdigest()

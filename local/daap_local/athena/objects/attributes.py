"""What S3 keeps beside an object's bytes: its ETag, content type and the metadata of the person who put it there."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from daap_local.athena.objects.tree import KeyInfo
from daap_local.athena.shelf import Shelf

_KIND = "s3-object"
PLAIN_TYPE = "binary/octet-stream"


@dataclass(frozen=True, slots=True)
class Attributes:
    """They belong to one writing of the object: `version` says to which."""

    version: str
    etag: str
    content_type: str = PLAIN_TYPE
    metadata: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    """Cache-Control and the like, given back as they came."""


class AttributeShelf:
    """Attributes of the objects that came through S3's API."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def get(self, bucket: str, info: KeyInfo) -> Attributes:
        """An object's attributes. One that did not come through the API has an ETag as multipart uploads have it.

        Such an ETag is no MD5 of the content, as S3 says itself, but it changes whenever the object does.
        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
        """
        found: dict[str, Any] | None = self._shelf.get(_KIND, bucket, info.key)
        if found and found["version"] == info.version:
            return Attributes(**found)
        derived = hashlib.md5(f"{bucket}/{info.key}/{info.version}".encode(), usedforsecurity=False)
        return Attributes(info.version, f"{derived.hexdigest()}-1")

    def put(self, bucket: str, key: str, attributes: Attributes) -> None:
        """Keeps an object's attributes."""
        self._shelf.put(_KIND, bucket, key, data=asdict(attributes))

    def drop(self, bucket: str, key: str) -> None:
        """Forgets an object's attributes."""
        self._shelf.delete(_KIND, bucket, key)

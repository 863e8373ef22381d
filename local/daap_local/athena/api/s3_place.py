"""What S3's handlers are given: the request, and the buckets it is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from daap_local.athena.objects.attributes import Attributes, AttributeShelf
from daap_local.athena.objects.folders import FolderObjects
from daap_local.athena.objects.tree import KeyInfo, Tree


@dataclass(frozen=True, slots=True)
class Store:
    """Buckets, what is kept beside their objects, and a folder for the parts of uploads."""

    buckets: FolderObjects
    attributes: AttributeShelf
    parts: Path


@dataclass(slots=True)
class Call:
    """One request: which bucket and which key it names."""

    request: Request
    store: Store
    bucket: str
    key: str
    query: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.query = dict(self.request.query_params)

    @property
    def tree(self) -> Tree:
        """The bucket; raises BucketMissing."""
        return self.store.buckets.tree(self.bucket)

    def attributes(self, info: KeyInfo) -> Attributes:
        """What is kept beside an object."""
        return self.store.attributes.get(self.bucket, info)


Handler = Callable[[Call], Awaitable[Response]]

"""The presigner port: forms and addresses by which a client sends a file straight to the store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class UploadForm:
    """An S3 presigned POST: the address, and the fields that a client sends before the file.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
    """

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartedUpload:
    """A multipart upload that has begun: the store's handle, and an address to PUT each part to, in order."""

    handle: str
    urls: tuple[str, ...]


class Presigner(ABC):
    """Lets a client without any other right send one file to one key in landing.

    What it signs is bound to the key and to a short life. Nothing lies under the key before the file
    is whole. Every method raises InvalidName for a key that is none, StoreUnavailable where the store
    cannot do it now.
    """

    @abstractmethod
    def sign_form(self, key: str, content_md5: str, max_bytes: int, lifetime: timedelta) -> UploadForm:
        """A form for one file of at most `max_bytes` with this MD5 (base64, as in RFC 1864)."""

    @abstractmethod
    def start_parts(self, key: str, parts: int, lifetime: timedelta) -> PartedUpload:
        """Begins a multipart upload of `parts` parts (1 to 10,000)."""

    @abstractmethod
    def finish_parts(self, key: str, handle: str, etags: Sequence[str]) -> None:
        """Puts the parts together under the key, in order; `etags` are what each PUT answered.

        Raises ObjectMissing if there is no such upload, ObjectConflict if a part is missing or another one.
        """

    @abstractmethod
    def abort_parts(self, key: str, handle: str) -> None:
        """Drops a multipart upload and its parts; one that is not there is no error."""


@runtime_checkable
class CanLend(Protocol):
    """A presigner whose store hands out its files itself, of any size.

    An answer of the API may be cut off where it runs: in a Lambda, at 6 MB.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    def sign_download(self, key: str, name: str, media_type: str, lifetime: timedelta) -> str:
        """An address from which a client gets a kept file, to save as `name`, without any other right.

        `key` lies in raw or fail. Raises InvalidName for another one, StoreUnavailable where it cannot be
        signed now. Whether the file is there is told by the address.
        """

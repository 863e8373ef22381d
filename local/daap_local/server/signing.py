"""Signatures of AWS Signature Version 4, by the lake's own secret.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALGORITHM = "AWS4-HMAC-SHA256"
ACCESS_KEY = "daap-local"
"""Stands where AWS has the id of an access key: it says which key signs, and is no secret."""

_SCOPE = ("local", "s3", "aws4_request")


def tell_time() -> datetime:
    """The time by the system's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs texts for a day, and tells a signature of its own from any other."""

    secret: bytes = field(repr=False)
    now: Callable[[], datetime] = tell_time

    def sign(self, day: str, text: str) -> str:
        """The signature of a text, in hex; `day` is as 20260131."""
        key = b"AWS4" + self.secret.hex().encode()
        for part in (day, *_SCOPE):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        return hmac.digest(key, text.encode(), hashlib.sha256).hex()

    def is_signed(self, day: str, text: str, signature: str) -> bool:
        """Whether the signature is the text's; takes as long for a wrong one as for the right one."""
        return hmac.compare_digest(self.sign(day, text).encode(), signature.encode())


def name_credential(day: str) -> str:
    """What `x-amz-credential` holds: which key, and for what it was derived."""
    return "/".join((ACCESS_KEY, day, *_SCOPE))


def read_credential(credential: str) -> str | None:
    """The day of a credential of ours; None for any other."""
    parts = credential.split("/")
    return parts[1] if len(parts) > 1 and credential == name_credential(parts[1]) else None


def format_amz(moment: datetime) -> str:
    """A moment as `x-amz-date` holds it: 20260131T235959Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

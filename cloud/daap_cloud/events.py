"""Events of EventBridge about objects, as the core's own keys.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from daap.errors import InvalidName

UNKNOWN = "unknown"
_UNPRINTABLE = re.compile(r"[^ -~]")
_MAX_ACTOR = 256


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """Something happened to an object; `actor` is the account or service that did it, as far as S3 tells."""

    bucket: str
    name: str
    actor: str = UNKNOWN


def read_event(event: Mapping[str, Any], *, quoted: bool = False) -> ObjectEvent:
    """The object an event is about; raises InvalidName for an event that is about none.

    Unlike in S3's own notifications, the name stands there as it is, without percent signs, unless it is `quoted`.
    """
    detail = event.get("detail")
    try:
        bucket, name = detail["bucket"]["name"], detail["object"]["key"]  # type: ignore[index]
    except (TypeError, KeyError):
        raise InvalidName("the event is about no object; it needs detail.bucket.name and detail.object.key") from None
    if not isinstance(bucket, str) or not isinstance(name, str):
        raise InvalidName("the event is about no object: its bucket and key are no texts")
    requester = detail.get("requester") if isinstance(detail, Mapping) else None
    actor = _UNPRINTABLE.sub("", str(requester or ""))[:_MAX_ACTOR]
    return ObjectEvent(bucket, unquote(name) if quoted else name, actor or UNKNOWN)

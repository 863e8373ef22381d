"""Pages of lists: an opaque token says where the next one begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from daap_local.athena.api.faults import invalid_request

T = TypeVar("T")


def cut_page(items: Sequence[T], token: str | None, size: int | None, most: int) -> tuple[Sequence[T], str | None]:
    """The page that begins at `token`, and the token of the next one, if there is one."""
    start = read_token(token) if token else 0
    end = start + min(size or most, most)
    return items[start:end], write_token(end) if end < len(items) else None


def write_token(place: int) -> str:
    """A place as a token."""
    return base64.urlsafe_b64encode(f"daap:{place}".encode()).decode()


def read_token(token: str) -> int:
    """The place that a token stands for; raises InvalidRequestException."""
    try:
        mark, _, place = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if mark == "daap":
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise invalid_request("the NextToken is not valid", "INVALID_NEXT_TOKEN")

"""Load timestamps: UTC, to the second, as `20260131T235959Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from daap.errors import InvalidName

_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_FORMAT = "%Y%m%dT%H%M%SZ"


def format_stamp(moment: datetime) -> str:
    """`moment` (aware) as a load timestamp, cut to the second."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def parse_stamp(text: str) -> datetime:
    """The moment a load timestamp names; raises InvalidName."""
    try:
        if _STAMP.fullmatch(text):
            return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise InvalidName(f"{text!r} is no load timestamp; one looks like 20260131T235959Z")


def next_stamp(text: str) -> str:
    """The load timestamp one second later."""
    return format_stamp(parse_stamp(text) + timedelta(seconds=1))

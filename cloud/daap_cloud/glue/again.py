"""Trying again where another writer was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from daap.errors import StoreUnavailable

_TRIES = 40
_FIRST, _LONGEST = 0.005, 0.5


def tries(what: str) -> Iterator[int]:
    """Numbers of tries to `what` (`change table a.b`), with pauses of random length between them.

    Raises StoreUnavailable when there have been too many; that takes about ten seconds.
    """
    for number in range(_TRIES):
        yield number
        time.sleep(random.uniform(0, min(_LONGEST, _FIRST * 2**number)))  # noqa: S311 - no secret
    raise StoreUnavailable(f"cannot {what}: others change it all the time")

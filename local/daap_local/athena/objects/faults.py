"""What can be wrong with an object or a bucket, beyond the core's own errors."""

from __future__ import annotations

from daap.errors import DaapError


class BucketMissing(DaapError):
    """There is no such bucket."""


class AccessRefused(DaapError):
    """The bucket, or the key, may not be written to: a lake's own history is not edited."""


class KeyConflict(DaapError):
    """The key cannot be a file because it is a folder already, or the other way round."""

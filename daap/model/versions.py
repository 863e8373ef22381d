"""Versions of a product: `v1.0`, minor for what is compatible, major for what is not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from daap.errors import InvalidName

_VERSION = re.compile(r"v([1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Ordered by number, so v10.0 follows v9.12."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}"

    @property
    def next_minor(self) -> Version:
        """The version after a compatible change."""
        return Version(self.major, self.minor + 1)

    @property
    def next_major(self) -> Version:
        """The version after a change that is not compatible."""
        return Version(self.major + 1, 0)


FIRST = Version(1, 0)


def parse_version(text: str) -> Version:
    """The version that `text` (`v1.0`) names; raises InvalidName."""
    match = _VERSION.fullmatch(text)
    if not match:
        raise InvalidName(f"{text!r} is no version; one looks like v1.0")
    return Version(int(match[1]), int(match[2]))

"""The cases whose answer is known to be wrong, each with its reason; strict: one that is mended turns the build red."""

from __future__ import annotations

KNOWN_WRONG: dict[str, str] = {}

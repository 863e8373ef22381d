"""The delimiters of LazySimpleSerDe, as its properties give them.

Source: Hive's LazySerDeParameters, and Trino's reading of it (trino-hive-formats, TextEncodingOptions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daap_local.athena.faults import unsupported

_DEFAULTS = bytes((*range(1, 9), 11, *range(14, 27), *range(28, 32)))
_LEVELS = 8
_MORE_LEVELS = "hive.serialization.extend.nesting.levels"


@dataclass(frozen=True, slots=True)
class SimpleOptions:
    """The serde's delimiters as bytes; `separators` by the depth of nesting."""

    separators: bytes
    escape: int | None = None
    null: str = "\\N"


def simple_options(properties: Mapping[str, str]) -> SimpleOptions:
    """The delimiters that the serde's properties give. Raises AthenaFault for what is not done here."""
    if properties.get("serialization.last.column.takes.rest", "").lower() == "true":
        raise unsupported("serialization.last.column.takes.rest")
    if properties.get("timestamp.formats"):
        raise unsupported("LazySimpleSerDe with timestamp.formats")
    if properties.get("serialization.encoding", "utf-8").lower() not in ("utf-8", "utf8"):
        raise unsupported(f"serialization.encoding {properties['serialization.encoding']}")
    escape = properties.get("escape.delim")
    null = properties.get("serialization.null.format", "\\N")
    return SimpleOptions(_separators(properties), None if escape is None else _delimiter(escape, ord("\\")), null)


def _separators(properties: Mapping[str, str]) -> bytes:
    given = (
        properties.get("field.delim", properties.get("serialization.format")),
        properties.get("collection.delim", properties.get("colelction.delim")),
        properties.get("mapkey.delim"),
    )
    first = bytes(_delimiter(text or "", default) for text, default in zip(given, _DEFAULTS, strict=False))
    levels = len(_DEFAULTS) if properties.get(_MORE_LEVELS, "").lower() == "true" else _LEVELS
    return first + _DEFAULTS[len(first) : levels]


def _delimiter(text: str, default: int) -> int:
    """A delimiter as Hive reads it: a number is a byte, else the first character counts."""
    if not text:
        return default
    try:
        return int(text) % 256
    except ValueError:
        return text.encode()[0]

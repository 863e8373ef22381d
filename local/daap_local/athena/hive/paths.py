"""Partition values in the paths of folders, as Hive writes and reads them.

Source: Hive's FileUtils.escapePathName and Warehouse.makePartName (Apache Hive, common module).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_UNSAFE = re.compile("[\x01-\x1f\x7f\"#%'*/:=?\\\\{\\[\\]^]")
_ESCAPED = re.compile("%([0-9a-fA-F]{2})")


def escape_path(value: str | None) -> str:
    """A partition value as a part of a path; None and '' have a name of their own."""
    return _UNSAFE.sub(lambda match: f"%{ord(match.group()):02X}", value) if value else DEFAULT_PARTITION


def unescape_path(text: str) -> str | None:
    """The value that a part of a path stands for; None for Hive's default partition."""
    if text == DEFAULT_PARTITION:
        return None
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)


def partition_name(keys: Sequence[str], values: Sequence[str | None]) -> str:
    """`key=value/key=value`, as in SHOW PARTITIONS and in the folders of a table."""
    return "/".join(f"{escape_path(key)}={escape_path(value)}" for key, value in zip(keys, values, strict=True))


def partition_values(path: str, keys: Sequence[str]) -> tuple[str | None, ...] | None:
    """The values of `keys` in a path below a table's location, or None where its folders are not those of the keys.

    `path` may end in a file's name; what lies deeper than the keys is not looked at.
    """
    parts = [part.partition("=") for part in path.strip("/").split("/")[: len(keys)]]
    if len(parts) < len(keys) or any(not mark for _, mark, _ in parts):
        return None
    if [(unescape_path(name) or "").lower() for name, _, _ in parts] != [key.lower() for key in keys]:
        return None
    return tuple(unescape_path(value) for _, _, value in parts)


def is_hidden(url: str) -> bool:
    """Whether a file's name says that it is no data: it begins with a point or an underscore."""
    return url.rsplit("/", 1)[-1].startswith((".", "_"))

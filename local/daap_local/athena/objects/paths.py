"""How S3 keys lie in a folder: one path part for each part of a key, unusual characters percent-encoded.

An encoded part never begins with a dot, is never empty, and has no character that a file system or DuckDB's
globbing gives a meaning to; so no key leads out of its bucket, and hidden files are no objects.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from daap.errors import InvalidName

_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_UNUSUAL = re.compile(r"^\.|[%*?\[\]\\\x00-\x1f\x7f:]")
_EMPTY = "%"
_MAX_PART = 255
_MAX_KEY = 1024


def check_bucket(name: str) -> str:
    """Returns `name`; raises InvalidName unless it is a bucket's name.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not _BUCKET.fullmatch(name):
        raise InvalidName(f"the specified bucket is not valid: {name!r}")
    return name


def encode_key(key: str) -> tuple[str, ...]:
    """The parts of the path of a key; raises InvalidName for one that is too long or no text."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidName("a key is text in UTF-8") from None
    parts = tuple(map(_encode_part, key.split("/")))
    if not key or size > _MAX_KEY or any(len(part.encode()) > _MAX_PART for part in parts):
        raise InvalidName(f"{key[:80]!r} is no key: it has to have 1 to {_MAX_KEY} bytes, {_MAX_PART} between slashes")
    return parts


def _encode_part(part: str) -> str:
    return _UNUSUAL.sub(lambda found: f"%{ord(found[0]):02X}", part) if part else _EMPTY


def decode_part(name: str) -> str:
    """The part of a key that a file's or folder's name stands for."""
    return "" if name == _EMPTY else unquote(name)


def plain_parts(key: str) -> tuple[str, ...]:
    """The parts of a key whose path is the key itself; raises InvalidName if one is not plain."""
    parts = tuple(key.split("/"))
    if any(not part or part.startswith(".") or re.search(r"[\\\x00-\x1f]", part) for part in parts):
        raise InvalidName(f"{key!r} is no key of the lake")
    return parts


def inside(root: Path, parts: tuple[str, ...]) -> Path:
    """`root` and the parts below it; raises InvalidName where a link leads elsewhere."""
    base = root.resolve()
    path = base.joinpath(*parts)
    if path.resolve() != path:
        raise InvalidName(f"{'/'.join(parts)!r} is no object: a link leads elsewhere")
    return path

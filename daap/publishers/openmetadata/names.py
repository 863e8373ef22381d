"""Names as OpenMetadata takes them, and names within names.

Source: https://docs.open-metadata.org/api-reference (fully qualified names)
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

MAX_NAME = 256

_SPACES = re.compile(r"\s+")
_RESERVED = str.maketrans({'"': "'", ">": ")", "<": "("})
"""What stands for something else in OpenMetadata's own names."""


def make_name(text: str) -> str:
    """A free text as a name: on one line, without what is reserved; a long one is cut and told apart by a digest.

    >>> make_name('Tax  "new" :: old')
    "Tax 'new' : old"
    """
    name = _SPACES.sub(" ", text).strip().translate(_RESERVED)
    while "::" in name:
        name = name.replace("::", ":")
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    return f"{name[: MAX_NAME - len(digest) - 1]}~{digest}"


def join_names(*names: str) -> str:
    """A fully qualified name; a part with a dot is quoted.

    >>> join_names("daap", "v1.0", "march")
    'daap."v1.0".march'
    """
    return ".".join(f'"{name}"' if "." in name else name for name in names)


def name_path(collection: str, fqn: str) -> str:
    """Where an entity is found by its fully qualified name."""
    return f"{collection}/name/{quote(fqn, safe='')}"

"""Parts of addresses, and their encoding.

Source: https://trino.io/docs/current/functions/url.html.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, unquote_to_bytes

from daap_local.athena.sql.python.failures import invalid

_ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]*)(?::(?P<port>\d*))?)?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_BAD = re.compile(r"[\s<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})|\[(?![0-9A-Fa-f:.]*\])")
_KEPT = "*-._"


def encode(text: str) -> str:
    """A text as a form encodes it: space is +."""
    made = []
    for byte in text.encode("utf-8"):
        character = chr(byte)
        if byte < 128 and (character.isalnum() or character in _KEPT):
            made.append(character)
        else:
            made.append("+" if character == " " else f"%{byte:02X}")
    return "".join(made)


def decode(text: str) -> str:
    """A text from a form's encoding."""
    found = re.search(r"%(?![0-9A-Fa-f]{2})", text)
    if found:
        raise invalid("URLDecoder: Illegal hex characters in escape (%) pattern")
    return unquote_plus(text, errors="replace")


def _parsed(url: str) -> re.Match[str] | None:
    return None if _BAD.search(url) else _ADDRESS.fullmatch(url)


def part(url: str, name: str) -> str | None:
    """A part of an address, empty where it has none (a port: NULL); NULL where the text is no address."""
    found = _parsed(url)
    if found is None:
        return None
    value = found.group(name)
    if name in {"path", "query", "fragment"}:
        return unquote_to_bytes(value or "").decode("utf-8", "replace")
    return value or (None if name == "port" else "")


def parameter(url: str, name: str) -> str | None:
    """The first parameter of that name in an address's query."""
    found = _parsed(url)
    query = found.group("query") if found is not None else None
    for item in (query or "").split("&") if query is not None else ():
        key, _, value = item.partition("=")
        if unquote_plus(key) == name:
            return unquote_plus(value)
    return None

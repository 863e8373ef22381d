"""IP addresses, held as the sixteen bytes of IPv6; one of IPv4 is the IPv6 address that it is mapped to.

Source: https://trino.io/docs/current/functions/ipaddress.html and the type in
https://trino.io/docs/current/language/types.html#ipaddress.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from daap_local.athena.sql.python.failures import invalid, uncast

_MAPPED = bytes(10) + b"\xff\xff"
"""What stands before the four bytes of an IPv4 address."""
_SHORT, _LONG = 4, 16


def read(text: str) -> bytes:
    """CAST(text AS ipaddress)."""
    try:
        return _sixteen(_parsed(text).packed)
    except ValueError as error:
        raise uncast(f"Cannot cast value to IPADDRESS: {text}") from error


def _parsed(text: str) -> IPv4Address | IPv6Address:
    """An address; raises ValueError for what is none, and for one with a zone, which no address of Trino's has."""
    if "%" in text:
        raise ValueError(text)
    return ip_address(text)


def _sixteen(packed: bytes) -> bytes:
    return _MAPPED + packed if len(packed) == _SHORT else packed


def of_bytes(data: bytes) -> bytes:
    """CAST(varbinary AS ipaddress): of four bytes or sixteen."""
    if len(data) not in {_SHORT, _LONG}:
        raise uncast(f"Invalid InetAddress binary length: {len(data)}")
    return _sixteen(data)


def show(data: bytes) -> str:
    """CAST(ipaddress AS varchar): an address of IPv4 as such, one of IPv6 with its longest run of zeros left out."""
    address = IPv6Address(data)
    return str(address.ipv4_mapped or address)


def contains(network: str, data: bytes) -> bool:
    """contains(network, address): whether an address is in a network written as `address/bits`."""
    written, slash, bits = network.partition("/")
    if not slash:
        raise invalid("Invalid CIDR")
    base = _network_address(written)
    address = IPv6Address(data)
    packed = address.ipv4_mapped.packed if address.ipv4_mapped else address.packed
    length = _prefix(bits, len(base) * 8)
    if len(base) != len(packed):
        return False
    kept = len(base) * 8 - length
    return int.from_bytes(base) >> kept == int.from_bytes(packed) >> kept


def _network_address(text: str) -> bytes:
    try:
        packed = _parsed(text).packed
    except ValueError as error:
        raise invalid("Invalid network IP address") from error
    return packed.removeprefix(_MAPPED) if len(packed) == _LONG else packed


def _prefix(text: str, most: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not 0 <= int(text) <= most:
        raise invalid("Invalid prefix length")
    return int(text)

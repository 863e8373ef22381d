"""Texts and bytes: what DuckDB's own functions do in another way, digests, and Java's regular expressions.

Sources: https://trino.io/docs/current/functions/string.html, /binary.html, /regexp.html.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
import zlib

from daap_local.athena.sql.python.failures import invalid


def reverse(text: str) -> str:
    """Code points in reverse order."""
    return text[::-1]


def reverse_bytes(value: bytes) -> bytes:
    """Bytes in reverse order."""
    return value[::-1]


def substr_bytes(value: bytes, start: int, length: int) -> bytes:
    """Bytes from a place counted from 1, or from the end."""
    at = start - 1 if start > 0 else len(value) + start
    if start == 0 or at < 0 or length <= 0:
        return b""
    return value[at : at + length]


def pad_bytes(value: bytes, size: int, padding: bytes, left: bool) -> bytes:
    """Bytes brought to a size."""
    if not 0 <= size <= 2**31 - 1:
        raise invalid("Target length must be in the range [0..2147483647]")
    if not padding:
        raise invalid("Padding bytes must not be empty")
    if size <= len(value):
        return value[:size]
    missing = size - len(value)
    added = (padding * (missing // len(padding) + 1))[:missing]
    return added + value if left else value + added


def nth_position(text: str, part: str, number: int) -> int:
    """The place of the nth occurrence, from the end where n is negative; 0 where there is none."""
    if number == 0:
        raise invalid("'instance' must not be a positive or negative number.")
    if not part:
        return 1
    at = len(text) if number < 0 else -1
    for _ in range(abs(number)):
        at = text.rfind(part, 0, max(0, at + len(part) - 1)) if number < 0 else text.find(part, at + 1)
        if at < 0:
            return 0
    return at + 1


def translate(text: str, source: str, target: str) -> str:
    """Characters of `source` replaced by those of `target` at the same place, or taken away."""
    table: dict[int, str] = {}
    for at, character in enumerate(source):
        table.setdefault(ord(character), target[at] if at < len(target) else "")
    return text.translate(table)


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's distance in code points."""
    before = list(range(len(other) + 1))
    for row, character in enumerate(one, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (character != wanted)))
        before = now
    return before[-1]


_SOUNDS = {**dict.fromkeys("BFPV", "1"), **dict.fromkeys("CGJKQSXZ", "2"), **dict.fromkeys("DT", "3"), "L": "4",
           **dict.fromkeys("MN", "5"), "R": "6"}  # fmt: skip


def soundex(text: str) -> str:
    """The four characters of the American Soundex."""
    letters = [character for character in text.upper() if character.isalpha()]
    if any(letter > "Z" for letter in letters):
        raise invalid(f"The character is not mapped: {next(letter for letter in letters if letter > 'Z')} (index={0})")
    if not letters:
        return ""
    made, last = letters[0], _SOUNDS.get(letters[0], "")
    for letter in letters[1:]:
        code = _SOUNDS.get(letter, "")
        if code and code != last:
            made += code
        if letter not in "HW":
            last = code
    return (made + "000")[:4]


def luhn(text: str) -> bool:
    """Whether the digits pass Luhn's check."""
    if not text or not all("0" <= character <= "9" for character in text):
        raise invalid("Input must only contain digits" if text else "Input must not be empty")
    total = 0
    for at, character in enumerate(reversed(text)):
        digit = int(character) * (2 if at % 2 else 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def normalize(text: str, form: str) -> str:
    """Unicode's normal form."""
    if form == "NFC":
        return unicodedata.normalize("NFC", text)
    if form == "NFD":
        return unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFKC" if form == "NFKC" else "NFKD", text)


def from_utf8(value: bytes, replacement: str) -> str:
    """Text from UTF-8; what is none is replaced."""
    if len(replacement) > 1:
        raise invalid("Replacement character string must empty or a single character")
    if replacement == "\ufffd":
        return value.decode("utf-8", "replace")
    return (
        value.decode("utf-8", "ignore")
        if not replacement
        else value.decode("utf-8", "replace").replace("\ufffd", replacement)
    )


def format_number(value: int) -> str:
    """A number shortened with a unit: 1.23M."""
    size, unit = abs(value), 0
    while size // 1000 ** (unit + 1) and unit < 5:
        unit += 1
    if not unit:
        return str(value)
    short = f"{size / 1000**unit:.3g}"
    short = f"{float(short):.10g}"
    return f"{'-' if value < 0 else ''}{short}{' KMBTQ'[unit]}"


def sha512(value: bytes) -> bytes:
    """SHA-512."""
    return hashlib.sha512(value).digest()


def crc32(value: bytes) -> int:
    """CRC-32."""
    return zlib.crc32(value)


def keyed_digest(value: bytes, key: bytes, name: str) -> bytes:
    """HMAC by that digest."""
    return hmac.new(key, value, name).digest()


def from_hex(text: str) -> bytes:
    """Bytes from hexadecimal digits."""
    try:
        if any(character.isspace() for character in text):
            raise ValueError(text)
        return bytes.fromhex(text)
    except ValueError as error:
        raise invalid("Invalid hexadecimal string") from error


def from_base64(text: str) -> bytes:
    """Bytes from base64, with or without padding."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4) if "=" not in text else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("Last unit does not have enough valid bits") from error


def to_base32(value: bytes) -> str:
    """Bytes in base32."""
    return base64.b32encode(value).decode("ascii")


def from_base32(text: str) -> bytes:
    """Bytes from base32."""
    try:
        return base64.b32decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 8))
    except (binascii.Error, ValueError) as error:
        raise invalid("Invalid base32 string") from error


def _compiled(pattern: str) -> re.Pattern[str]:
    """A Java pattern for Python's engine, which knows the same lookarounds and backreferences."""
    try:
        return re.compile(_python_pattern(pattern))
    except (re.error, OverflowError) as error:
        raise invalid(f"{error}") from error


def _python_pattern(pattern: str) -> str:
    pattern = re.sub(r"\(\?<([A-Za-z][A-Za-z0-9]*)>", r"(?P<\1>", pattern)
    return pattern.replace(r"\z", r"\Z") if r"\Z" not in pattern else pattern


def regexp_like(text: str, pattern: str) -> bool:
    """Whether the pattern is found."""
    return _compiled(pattern).search(text) is not None


def regexp_extract(text: str, pattern: str, group: int) -> str | None:
    """A group of the first match."""
    found = _compiled(pattern).search(text)
    return found.group(group) if found is not None else None


def regexp_extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    """A group of every match."""
    return [found.group(group) for found in _compiled(pattern).finditer(text)]


def regexp_split(text: str, pattern: str) -> list[str]:
    """What is between the matches."""
    parts, end = [], 0
    for found in _compiled(pattern).finditer(text):
        if found.end() > found.start() or 0 < found.start() < len(text):
            parts.append(text[end : found.start()])
            end = found.end()
    return [*parts, text[end:]]


def regexp_count(text: str, pattern: str) -> int:
    """How often the pattern is found."""
    return sum(1 for _ in _compiled(pattern).finditer(text))


def regexp_position(text: str, pattern: str, start: int, occurrence: int) -> int:
    """Where it is found for the nth time from a place on; -1 where it is not."""
    if start < 1:
        raise invalid("start position cannot be smaller than 1")
    if occurrence < 1:
        raise invalid("occurrence cannot be smaller than 1")
    for number, found in enumerate(_compiled(pattern).finditer(text, start - 1), start=1):
        if number == occurrence:
            return found.start() + 1
    return -1


def regexp_replace(text: str, pattern: str, template: str) -> str:
    """Every match replaced by a template."""
    return _compiled(pattern).sub(template, text)

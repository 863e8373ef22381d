"""Patterns of dates (MySQL's and Joda's) and of text, as DuckDB writes them, as far as both mean the same.

Sources: https://trino.io/docs/current/functions/datetime.html (MySQL date functions, Java date functions).
"""

from __future__ import annotations

import re

from sqlglot import exp

from daap_local.athena.sql.scopes import fault

_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
_REFUSED = "DUuVwX"


def mysql_to_strftime(pattern: str, node: exp.Expr) -> str | None:
    """A MySQL pattern for strftime. Raises INVALID_FUNCTION_ARGUMENT for the letters that Trino refuses."""

    def letter(found: re.Match[str]) -> str:
        character = found.group(1)
        if character in _REFUSED and character:
            raise fault("INVALID_FUNCTION_ARGUMENT", f"%{character} not supported in date format string", node)
        return _MYSQL.get(character, character)

    return re.sub(r"%(.|$)", letter, pattern, flags=re.DOTALL)


_JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H",
    "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "a": "%p", "EEEE": "%A",
    "EEE": "%a", "E": "%a", "EE": "%a", "MMM": "%b", "MMMM": "%B", "DDD": "%j", "ww": "%V", "xxxx": "%G", "e": "%u",
}  # fmt: skip
_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", re.DOTALL)


def joda_to_strftime(pattern: str) -> str | None:
    """A Joda pattern for strftime; None where it needs more than strftime has."""
    made, end = [], 0
    for found in _JODA_TOKEN.finditer(pattern):
        token, end = found.group(0), found.end()
        if token.startswith("'"):
            made.append((found.group(1).replace("''", "'") or "'").replace("%", "%%"))
        elif found.group(2):
            if token not in _JODA:
                return None
            made.append(_JODA[token])
        else:
            made.append(token.replace("%", "%%"))
    return "".join(made) if end == len(pattern) else None


_UNSAFE = re.compile(
    r"\(\?(?:[=!>]|<[=!])|(?<!\\)(?:\\\\)*\\[1-9kGZzXRhHvVN]|[*+?}]\+|&&|\\p\{(?:java|Is|In|Alpha|Lower|Upper|Punct|ASCII|Digit|Space|Alnum)|\\c"
)
"""What RE2 cannot do, or does in another way than Java: lookaround, backreferences, possessive quantifiers, ..."""


def is_plain(pattern: str) -> bool:
    """Whether RE2 reads a regular expression as Java does."""
    return _UNSAFE.search(pattern) is None and "$" not in _without_escapes(pattern).rstrip("$")


def _without_escapes(pattern: str) -> str:
    return re.sub(r"\\.", "", pattern)


def to_re2(pattern: str) -> str:
    """A Java pattern as RE2 writes it: named groups, and `$` that also matches before a last line break."""
    return re.sub(r"\(\?<([A-Za-z][A-Za-z0-9]*)>", r"(?P<\1>", pattern)


def group_count(pattern: str) -> int:
    """How many capturing groups a pattern has."""
    bare = re.sub(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", "", _without_escapes(pattern))
    return len(re.findall(r"\((?!\?)|\(\?P?<(?![=!])", bare))


def group_names(pattern: str) -> dict[str, int]:
    """The numbers of the named groups."""
    names: dict[str, int] = {}
    bare = _without_escapes(pattern)
    for number, found in enumerate(re.finditer(r"\((?!\?)|\(\?<([A-Za-z][A-Za-z0-9]*)>", bare), start=1):
        if found.group(1):
            names[found.group(1)] = number
    return names

"""Declared formats: how a column's text is written where it is not the plain form.

Dates and timestamps declare a strftime pattern (`%d-%b-%y`). Numbers declare an example that shows
currency, grouping, decimal mark and the way negatives are written (`£1,234.50`, `1.234,50`,
`(1,234)`). A format is declared, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Negative = Literal["minus", "trailing", "parentheses"]

# What each strftime part tells; English month and day names.
_DATE_PARTS = {
    "Y": "year", "y": "year", "m": "month", "-m": "month", "b": "month", "B": "month",
    "d": "day", "-d": "day", "j": "day of year", "a": "weekday", "A": "weekday",
}  # fmt: skip
_TIME_PARTS = {
    "H": "hour", "-H": "hour", "I": "hour", "-I": "hour", "p": "half of the day",
    "M": "minute", "-M": "minute", "S": "second", "-S": "second", "f": "fraction", "g": "fraction",
}  # fmt: skip
_DIRECTIVE = re.compile(r"%(-?[A-Za-z%]?)")
_LITERALS = re.compile(r"[ \-/.,:;_T()]*")

_EXAMPLE = re.compile(
    r"""(?P<open>\()?
    (?P<sign>[-+])?
    (?P<prefix>[^0-9\s()+\-.,']{1,8})?(?P<prefix_gap>\ )?
    (?P<digits>[0-9][0-9.,'\ \u00a0\u202f_]*)
    (?P<suffix_gap>\ )?(?P<suffix>[^0-9\s()+\-.,']{1,8})?
    (?P<trailing>-)?
    (?P<close>\))?""",
    re.VERBOSE,
)
_GROUPED = re.compile(
    r"[0-9]{1,3}(?P<mark>[.,' \u00a0\u202f_])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?:(?P<point>[.,])[0-9]+)?"
)
_UNGROUPED = re.compile(r"[0-9]+(?:(?P<point>[.,])[0-9]+)?")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers of a column are written.

    `prefix` and `suffix` are the currency or unit before and after the digits (empty where there is
    none); `grouping` is the thousands mark or empty; `point` is the decimal mark.
    """

    prefix: str = ""
    suffix: str = ""
    grouping: str = ""
    point: str = "."
    negative: Negative = "minus"

    def pattern(self, *, fraction: bool) -> str:
        """The regular expression of all texts in the format, as RE2, Java and Python alike read it.

        `fraction` is whether digits may stand behind the decimal mark.
        """
        prefix = f"{_exactly(self.prefix)} ?" if self.prefix else ""
        suffix = f" ?{_exactly(self.suffix)}" if self.suffix else ""
        whole = "[0-9]+"
        if self.grouping:
            whole = f"(?:[0-9]{{1,3}}(?:{_exactly(self.grouping)}[0-9]{{3}})+|[0-9]+)"
        point = _exactly(self.point)
        digits = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)" if fraction else whole
        signed = f"(?:[+-]?{prefix}|{prefix}[+-]){digits}{suffix}" if prefix else f"[+-]?{digits}{suffix}"
        if self.negative == "parentheses":
            return f"(?:{signed}|[(]{prefix}{digits}{suffix}[)])"
        if self.negative == "trailing":
            return f"(?:{signed}|{prefix}{digits}{suffix}-)"
        return signed


def _exactly(text: str) -> str:
    """The regular expression of this text: what is ASCII and no letter or digit might be a sign of the language."""
    return "".join(f"\\{char}" if char.isascii() and not char.isalnum() and char != " " else char for char in text)


def parse_number_format(example: str) -> NumberFormat:
    """The format that `example` shows; raises ValueError where the example leaves it open.

    `1,234` shows grouping by comma, `1.234,50` grouping by point and a decimal comma, `(1,234)`
    negatives in parentheses, `1,234-` negatives with the sign behind.
    """
    match = _EXAMPLE.fullmatch(example.strip())
    signs = match and [match[part] for part in ("open", "sign", "trailing") if match[part]]
    if not match or bool(match["open"]) != bool(match["close"]) or len(signs or ()) > 1:
        raise ValueError(f"{example!r} is no example of a number; write one such as £1,234.50")
    grouping, point = _read_marks(match["digits"].strip(), example)
    return NumberFormat(
        prefix=match["prefix"] or "",
        suffix=match["suffix"] or "",
        grouping=grouping,
        point=point,
        negative="parentheses" if match["open"] else "trailing" if match["trailing"] else "minus",
    )


def _read_marks(digits: str, example: str) -> tuple[str, str]:
    if plain := _UNGROUPED.fullmatch(digits):
        if plain["point"] and re.fullmatch(r"[0-9]{1,3}[.,][0-9]{3}", digits):
            return _read_group(plain["point"], example)
        return "", plain["point"] or "."
    grouped = _GROUPED.fullmatch(digits)
    if not grouped or grouped["point"] == grouped["mark"]:
        raise ValueError(f"{example!r} does not show its grouping; write an example such as 1,234.50")
    return grouped["mark"], grouped["point"] or ("," if grouped["mark"] == "." else ".")


def _read_group(mark: str, example: str) -> tuple[str, str]:
    """`1,234` shows grouping; `1.234` might be a group or a fraction, so it has to be written out."""
    if mark == ",":
        return ",", "."
    raise ValueError(f"{example!r} can be read in two ways; write 1.234,50 for grouping or 1234.5 for a fraction")


def check_time_format(pattern: str, kind: Literal["date", "timestamp"]) -> str:
    """Returns the strftime `pattern`; raises ValueError unless it names one whole date.

    A `timestamp` pattern may name a time too.

    >>> check_time_format("%d-%b-%y", "date")
    '%d-%b-%y'
    """
    parts = _DIRECTIVE.findall(pattern)
    allowed = _DATE_PARTS | _TIME_PARTS if kind == "timestamp" else _DATE_PARTS
    for part in parts:
        if part not in allowed:
            shown = ", ".join(f"%{p}" for p in sorted(allowed, key=str.lower))
            raise ValueError(f"%{part} is not allowed in a {kind} format; allowed are {shown}")
    if not _LITERALS.fullmatch(_DIRECTIVE.sub("", pattern)):
        raise ValueError(f"format {pattern!r}: only spaces and - / . , : ; _ T ( ) may stand between the % parts")
    if unclear := re.search(r"%-[A-Za-z](?=%-?[^bBaAp])", pattern):
        raise ValueError(f"format {pattern!r}: {unclear[0]} has no fixed width, so a mark has to stand behind it")
    _check_whole([allowed[part] for part in parts], pattern)
    return pattern


def _check_whole(told: list[str], pattern: str) -> None:
    for twice in {name for name in told if told.count(name) > 1}:
        raise ValueError(f"format {pattern!r} names the {twice} twice")
    if not ({"year", "month", "day"} <= set(told) or {"year", "day of year"} <= set(told)):
        raise ValueError(f"format {pattern!r} does not name a whole date; write one such as %d/%m/%Y")
    if bool({"%I", "%-I"} & set(re.findall(r"%-?I", pattern))) != ("half of the day" in told):
        raise ValueError(f"format {pattern!r}: the 12-hour %I and %p belong together")

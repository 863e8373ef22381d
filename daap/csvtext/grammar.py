"""The grammar of records in one dialect, as regular expressions that never backtrack.

Source: https://www.rfc-editor.org/rfc/rfc4180, with the delimiter, quote and escape the dialect declares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from daap.model.table import Dialect


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may stand on a line that begins outside quotes (`whole`, `opens`) or inside (`stays`, `closes`, `reopens`).

    `from_start` and `from_inside` match as far as a line is right, so that the first wrong character
    lies behind them; a group that ends there is a quoted field that was still open.
    """

    dialect: Dialect
    whole: re.Pattern[str]
    opens: re.Pattern[str]
    stays: re.Pattern[str]
    closes: re.Pattern[str]
    reopens: re.Pattern[str]
    from_start: re.Pattern[str]
    from_inside: re.Pattern[str]
    one_field: re.Pattern[str]
    field: str
    mark: str

    def of_width(self, width: int) -> re.Pattern[str]:
        """A whole record of exactly `width` fields."""
        return re.compile(f"{self.field}(?:{self.mark}{self.field}){{{width - 1}}}", re.DOTALL)


def build_grammar(dialect: Dialect) -> Grammar:
    """The grammar of a dialect that has a quote character."""
    mark, quote = re.escape(dialect.delimiter), re.escape(dialect.quote)
    inner = _inside_quotes(dialect)
    plain = f"[^{quote}{mark}]*+"
    field = f"(?:{quote}{inner}{quote}|{plain})"
    more = f"(?:{mark}{field})*+"

    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.DOTALL)

    return Grammar(
        dialect=dialect,
        whole=compiled(f"{field}{more}"),
        opens=compiled(f"(?:{field}{mark})*+{quote}{inner}"),
        stays=compiled(inner),
        closes=compiled(f"{inner}{quote}{more}"),
        reopens=compiled(f"{inner}{quote}{mark}(?:{field}{mark})*+{quote}{inner}"),
        from_start=compiled(f"(?:{field}{mark})*+(?:(?P<open>{quote}{inner})|{plain})"),
        from_inside=compiled(
            f"(?P<first>{inner})(?:{quote}(?:{mark}(?:{field}{mark})*+(?:(?P<open>{quote}{inner})|{plain}))?+)?+"
        ),
        one_field=compiled(f"({field})(?:{mark}|\\Z)"),
        field=field,
        mark=mark,
    )


def _inside_quotes(dialect: Dialect) -> str:
    quote, escape = re.escape(dialect.quote), re.escape(dialect.own_escape or "")
    if not escape:
        return f"(?:[^{quote}]++|{quote}{quote})*+"
    return f"(?:[^{quote}{escape}]++|{escape}[{quote}{escape}])*+"


def split_fields(text: str, grammar: Grammar | None, delimiter: str) -> list[str]:
    """The values of a right record; `grammar` is None where the dialect has no quotes."""
    if grammar is None or grammar.dialect.quote not in text:
        return text.split(delimiter)
    fields, position = [], 0
    while True:
        match = grammar.one_field.match(text, position)
        if match is None:
            raise ValueError("the record does not follow its grammar")
        fields.append(_unquote(match[1], grammar.dialect))
        position = match.end()
        if position == len(text) and not match[0].endswith(delimiter):
            return fields
        if position == len(text):
            return [*fields, ""]


def _unquote(field: str, dialect: Dialect) -> str:
    quote, escape = dialect.quote, dialect.own_escape
    if not field.startswith(quote):
        return field
    inner = field[1:-1]
    if escape is None:
        return inner.replace(quote * 2, quote)
    return re.sub(re.escape(escape) + "(.)", r"\1", inner, flags=re.DOTALL)

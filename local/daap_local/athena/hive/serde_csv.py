"""OpenCSVSerde: CSV as Athena reads it, which is neither RFC 4180 nor what DuckDB reads.

A line is a record, whatever is quoted. Rows with quotes only around whole fields, and with no escaped quotes and
escapes, are cut all at once; every other row goes through `csv_fields`, character by character.
Sources: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html, and the behaviour of Hive's OpenCSVSerde and of
Trino's reader for it (trino-hive-formats, CsvDeserializer).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.fields import (
    NEWLINE,
    Bytes,
    Fields,
    Indices,
    Mask,
    block_bytes,
    cut_fields,
    joined,
    line_texts,
)

_BACKSLASH = "\\"
_ASCII = 128
_EARLY = 2
"""A quote within the first three characters of a line is never taken as a part of the value."""


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """The three characters of the serde."""

    separator: str = ","
    quote: str = '"'
    escape: str = _BACKSLASH


def csv_options(properties: Mapping[str, str]) -> CsvOptions:
    """The characters that the serde's properties give. Raises AthenaFault for what the serde itself refuses.

    An escape character given as a double quote is read as a backslash, which is a fault of Hive's that Athena keeps.
    """
    separator = _character(properties, "separatorChar", ",")
    quote = _character(properties, "quoteChar", '"')
    escape = _character(properties, "escapeChar", _BACKSLASH)
    options = CsvOptions(separator, quote, _BACKSLASH if escape == '"' else escape)
    same = len({options.separator, options.quote, options.escape}) < len(("separator", "quote", "escape"))
    if separator == "\0" or (same and not quote == options.escape == "\0"):
        raise AthenaFault("NOT_SUPPORTED", "CSV not supported: separator, quote and escape character must differ")
    return options


def _character(properties: Mapping[str, str], key: str, default: str) -> str:
    value = properties.get(key, default)
    if not value:
        raise AthenaFault("HIVE_INVALID_METADATA", f"{key} is empty: String index out of range: 0")
    return value[0]


class CsvDecoder:
    """Blocks of lines into the fields of `places`, the wanted columns' places in a row of `width` columns."""

    def __init__(self, options: CsvOptions, places: Sequence[int], width: int) -> None:
        self._options, self._places, self._width = options, places, width
        self._plain = all(ord(one) < _ASCII for one in (options.separator, options.quote, options.escape))

    def __call__(self, block: bytes) -> tuple[int, list[pa.Array]]:
        """How many rows, and the wanted columns as strings."""
        fields = self._fields(block)
        return fields.rows, [fields.column(place) for place in self._places]

    def _fields(self, block: bytes) -> Fields:
        data = block_bytes(block)
        ends = np.flatnonzero(data == NEWLINE)
        if not self._plain:
            return self._exact(block, ends, Fields(pa.array([], pa.string()), ends * 0, ends * 0), np.arange(len(ends)))
        fields, odd = _regular(data, ends, self._options)
        return self._exact(block, ends, fields, odd)

    def _exact(self, block: bytes, ends: Indices, fields: Fields, rows: Indices) -> Fields:
        made = [csv_fields(line, self._options, self._width) for line in line_texts(block, ends, rows)]
        return joined(fields, rows, made)


def _regular(data: Bytes, ends: Indices, options: CsvOptions) -> tuple[Fields, Indices]:
    """The fields of all rows as far as they are regular, and the numbers of the rows that are not."""
    odd = np.zeros(len(ends), np.bool_)
    at_end: Mask = data == ord(options.separator)
    quotes: Mask = data == ord(options.quote)
    escapes: Mask = data == ord(options.escape)
    kept: Mask | None = None
    if quotes.any():
        inside = _inside(quotes, ends)
        kept = _kept(data, at_end, quotes, inside, ends, odd)
        at_end &= ~inside
    if escapes.any():
        kept = ~escapes if kept is None else kept & ~escapes
        _mark_escaped(escapes, quotes, ends, odd)
    at_end[ends] = True
    fields = cut_fields(data, at_end, kept)
    fields.counts[np.diff(ends, prepend=-1) == 1] = 0
    return fields, np.flatnonzero(odd)


def _mark_escaped(escapes: Mask, quotes: Mask, ends: Indices, odd: Mask) -> None:
    """Marks the rows in which a quote or an escape is escaped; before anything else an escape is only dropped."""
    places = np.flatnonzero(escapes)
    odd[np.searchsorted(ends, places[quotes[places + 1] | escapes[places + 1]])] = True


def _inside(quotes: Mask, ends: Indices) -> Mask:
    """Which bytes follow an odd number of quotes of their line; a quote itself counts for what comes after it."""
    turns = quotes.view(np.uint8).copy()
    odd = np.bitwise_xor.accumulate(turns)
    open_lines = np.diff(odd[ends], prepend=np.uint8(0)) != 0
    if open_lines.any():
        # An open quote ends with its line: a turn more at the line end brings the count back to even.
        turns[ends[open_lines]] = 1
        odd = np.bitwise_xor.accumulate(turns)
    inside: Mask = odd.view(np.bool_)
    return inside


def _kept(data: Bytes, separators: Mask, quotes: Mask, inside: Mask, ends: Indices, odd: Mask) -> Mask:
    """Which bytes belong to values; rows whose quotes are not around whole fields are marked in `odd`."""
    places = np.flatnonzero(quotes)
    opening = inside[places]
    at_edge = separators.copy()
    at_edge[ends] = True
    first = (places == 0) | at_edge[places - 1]
    last = at_edge[places + 1]
    paired = data[places + np.where(opening, -1, 1)] == data[places]
    irregular = places[~(np.where(opening, first, last) | paired)]
    odd[np.searchsorted(ends, irregular)] = True
    odd |= inside[ends - 1] & (np.diff(ends, prepend=-1) > 1)
    kept = ~quotes
    kept[places[opening & ~first]] = True
    return kept


def csv_fields(line: str, options: CsvOptions, width: int) -> list[str]:
    """The fields of one line as the serde finds them; fewer than `width` where the line has fewer, or loses some.

    An empty line has none, and a last field whose quote is not closed is lost.
    """
    reader = _Line(line, options, width)
    return reader.read() if line and width else []


class _Line:
    """The serde's own way through a line, with the state it keeps."""

    def __init__(self, line: str, options: CsvOptions, width: int) -> None:
        self._line, self._options, self._width = line, options, width
        self._at, self._quoted, self._inside = 0, False, False
        self._value: list[str] = []
        self._fields: list[str] = []

    def read(self) -> list[str]:
        """All fields."""
        while self._at < len(self._line) and len(self._fields) < self._width:
            self._step(self._line[self._at])
            self._at += 1
        if len(self._fields) < self._width and not self._quoted:
            self._fields.append("".join(self._value))
        return self._fields

    def _step(self, char: str) -> None:
        if char == self._options.escape:
            self._escape()
        elif char == self._options.quote:
            self._quote(char)
        elif char == self._options.separator and not self._quoted:
            self._fields.append("".join(self._value))
            self._value, self._inside = [], False
        else:
            self._value.append(char)
            self._inside = True

    def _following(self) -> str:
        return self._line[self._at + 1 : self._at + 2]

    def _escape(self) -> None:
        """Keeps the next character if it is a quote or an escape; the escape itself is dropped in any case."""
        following = self._following()
        if (self._quoted or self._inside) and following and following in (self._options.quote, self._options.escape):
            self._value.append(following)
            self._at += 1

    def _quote(self, char: str) -> None:
        if (self._quoted or self._inside) and self._following() == char:
            self._value.append(char)
            self._at += 1
        else:
            if self._amid():
                self._keep(char)
            self._quoted = not self._quoted
        self._inside = not self._inside

    def _amid(self) -> bool:
        """Whether the quote stands between other characters of a value, beyond the line's first three."""
        separator = self._options.separator
        return self._at > _EARLY and self._line[self._at - 1] != separator and self._following() not in ("", separator)

    def _keep(self, char: str) -> None:
        """Keeps a quote amid a value; where only white space came before, that goes instead."""
        if self._value and all(map(_is_space, self._value)):
            self._value = []
        else:
            self._value.append(char)


def _is_space(char: str) -> bool:
    """Java's Character.isWhitespace: no non-breaking spaces."""
    return char.isspace() and char not in "\x85\xa0\u2007\u202f"

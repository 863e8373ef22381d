"""Which files Athena's reader of CSV (OpenCSVSerde) reads as the value contract does, and how it is to be set up.

It knows lines, not records: a line break inside quotes ends the row. It pads short rows with NULL, cuts long ones, and
makes a row of a blank line. So a file is read once as bytes, and only one in which every line is a right record of the
header's width goes to Athena. Of such a file the lines are counted, which the rows that Athena writes have to equal.
Sources: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html, and the behaviour of Hive's OpenCSVSerde.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from daap.csvtext.header import Layout, read_layout
from daap.csvtext.records import RecordReader
from daap.csvtext.top import Top
from daap.errors import EngineFailed
from daap.model.table import Dialect, TableSchema
from daap.model.verdict import ErrorLog
from daap.ports.engine import Source

LONGEST_LINE = 16 << 20
"""Bytes; Athena takes 32 MB for a row. Source: https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html"""

_CHUNK = 1 << 20
_CANDIDATES = "\x01\x02\x03\x04\x05\x06"
_LF, _CR = 0x0A, 0x0D
_Places = NDArray[np.intp]


class Unsuited(EngineFailed):
    """Athena would not read this file as the contract does; the message is the reason, for a person."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """How Athena is to read a file: the places of the columns, and what its serde is told.

    `skip` lines come before the data; `escape` and, where the dialect has no quotes, `quote` occur nowhere in the
    file; `rows` are the records.
    """

    layout: Layout
    delimiter: str
    quote: str
    escape: str
    skip: int
    rows: int


def why_not(source: Source, schema: TableSchema) -> str | None:
    """Why Athena cannot read a file as the contract does; None if it can."""
    try:
        examine(source, schema)
    except Unsuited as reason:
        return str(reason)
    return None


def examine(source: Source, schema: TableSchema) -> RawFile:
    """How Athena is to read a file, in one pass with bounded memory; raises Unsuited if it cannot."""
    dialect = schema.dialect
    _check_dialect(dialect)
    top = Top(source)
    layout = _read_head(top, schema)
    if layout.line == 0 and top.data.startswith(codecs.BOM_UTF8):
        raise Unsuited("it begins with a byte order mark and has no header line")
    lines = _Lines(dialect, layout.width)
    with source.open() as stream:
        _skip_lines(stream, layout.line)
        for piece in _pieces(stream):
            lines.take(piece)
    if not lines.count:
        raise Unsuited("it has no rows, for which Athena writes no file")
    spare = iter(lines.spare)
    escape, quote = next(spare, None), dialect.quote or next(spare, None)
    if escape is None or quote is None:
        raise Unsuited("every character that could serve Athena as its escape occurs in it")
    return RawFile(layout, dialect.delimiter, quote, escape, layout.line, lines.count)


def _check_dialect(dialect: Dialect) -> None:
    if dialect.encoding not in ("utf-8", "utf-8-sig"):
        raise Unsuited(f"its encoding is {dialect.encoding}; Athena reads UTF-8")
    if dialect.own_escape:
        raise Unsuited(f"its dialect has an escape character of its own, {dialect.own_escape}")


def _read_head(top: Top, schema: TableSchema) -> Layout:
    log = ErrorLog()
    with top.open() as stream:
        layout = read_layout(RecordReader(stream, schema.dialect), schema, log)
    if layout is None or log.counts:
        raise Unsuited(f"its header is not that of the schema: {log.kept[0]}")
    return layout


def _skip_lines(stream: BinaryIO, count: int) -> None:
    for _ in range(count):
        if b"\r" in stream.readline().removesuffix(b"\n").removesuffix(b"\r"):
            raise Unsuited("a line of it ends in a carriage return alone")


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of whole lines; the last line gets an end if it has none."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if len(rest) > LONGEST_LINE:
            raise Unsuited(f"a line of it is longer than {LONGEST_LINE >> 20} MiB")
        if end:
            yield data[:end]
    if rest.endswith(b"\r"):
        raise Unsuited("a line of it ends in a carriage return alone")
    if rest:
        yield rest + b"\n"


class _Lines:
    """Looks at pieces of whole lines; raises Unsuited at the first that Athena would misread."""

    def __init__(self, dialect: Dialect, width: int) -> None:
        self._mark, self._quote, self._width = dialect.delimiter.encode(), dialect.quote.encode(), width
        self.count = 0
        self.spare = _CANDIDATES
        """Characters that have not occurred."""

    def take(self, piece: bytes) -> None:
        """Looks at a piece."""
        self._check_text(piece)
        self._check_ends(piece)
        self.spare = "".join(char for char in self.spare if char.encode() not in piece)
        data = np.frombuffer(piece, np.uint8)
        ends, marks = np.flatnonzero(data == _LF), np.flatnonzero(data == self._mark[0])
        if self._quote and self._quote in piece:
            quotes = np.flatnonzero(data == self._quote[0])
            self._check_quotes(data, quotes, ends)
            marks = marks[np.searchsorted(quotes, marks) % 2 == 0]
        self._check_widths(marks, ends)
        self.count += len(ends)

    def _check_text(self, piece: bytes) -> None:
        if b"\0" in piece:
            raise Unsuited("it holds NUL")
        try:
            if not piece.isascii():
                piece.decode()
        except UnicodeDecodeError:
            raise Unsuited("it is no UTF-8") from None

    def _check_ends(self, piece: bytes) -> None:
        returns = piece.count(b"\r")
        if returns and returns != piece.count(b"\r\n"):
            raise Unsuited("it holds a carriage return that is not part of a CRLF")
        if piece.startswith((b"\n", b"\r\n")) or b"\n\n" in piece or (returns and b"\n\r\n" in piece):
            raise Unsuited("it has a blank line, of which Athena makes a row")

    def _check_quotes(self, data: NDArray[np.uint8], quotes: _Places, ends: _Places) -> None:
        """Each line has its quotes around whole fields, and all others doubled."""
        if (np.searchsorted(quotes, ends) % 2).any():
            raise Unsuited("it has a line break inside quotes")
        mark, quote = self._mark[0], self._quote[0]
        before = data[quotes[::2] - 1]  # of the first of all: the piece's last, which is a line feed too
        behind = data[quotes[1::2] + 1]
        opens = (before == mark) | (before == _LF) | (before == quote)
        closes = (behind == mark) | (behind == _LF) | (behind == _CR) | (behind == quote)
        if not (opens.all() and closes.all()):
            raise Unsuited("it has a quote inside a field that is not doubled")

    def _check_widths(self, marks: _Places, ends: _Places) -> None:
        """Each line has as many delimiters as the header: then the first and last of each lie between its ends."""
        each = self._width - 1
        right = len(marks) == each * len(ends)
        if right and each:
            rows = marks.reshape(len(ends), each)
            right = bool((rows[:, -1] < ends).all() and (rows[1:, 0] > ends[:-1]).all())
        if not right:
            raise Unsuited("it has a line with more or fewer fields than the header")

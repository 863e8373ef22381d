"""The byte scan: hash, size and an independent count of the records, at memory speed.

It does not trust the engine that converts the file. It knows only plain files: valid UTF-8, one kind
of line end, no blank lines, quotes exactly where RFC 4180 wants them. Of such a file it counts the
records; any other is left to the exact reader (`daap.csvtext.records`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from daap.model.table import Dialect

_CHUNK = 256 << 10  # small enough for the processor's second-level cache
_LONGEST_RECORD = 16 << 20
_LF, _CR = 0x0A, 0x0D

LineEnd = Literal["\n", "\r\n"]
_Bytes = NDArray[np.uint8]
_Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Scan:
    """`records` and `line_end` of the part behind the header are known only of a plain file."""

    size: int
    content_hash: str
    plain: bool
    records: int = 0
    line_end: LineEnd = "\n"


def scan_file(stream: BinaryIO, dialect: Dialect, data_start: int | None = None, width: int = 0) -> Scan:
    """Hashes a whole file and, from byte `data_start` on, counts its records of `width` fields.

    With `data_start` None only the hash and the size are taken.
    """
    digest = blake3()
    counter = None if data_start is None else _Counter(dialect, data_start, width)
    size = 0
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if counter is not None and not counter.take(chunk):
            counter = None
    content_hash = f"blake3:{digest.hexdigest()}"
    if counter is None or not counter.finish():
        return Scan(size, content_hash, plain=False)
    return Scan(size, content_hash, True, counter.records, counter.line_end)


class _Counter:
    """Counts records piece by piece; a piece holds whole records, so it begins and ends outside quotes."""

    def __init__(self, dialect: Dialect, data_start: int, width: int) -> None:
        self._delimiter = dialect.delimiter.encode()
        self._quote = dialect.quote.encode()
        self._width = width
        self._to_skip = data_start
        self._rest = b""
        self._line_end: LineEnd | None = None
        self.records = 0

    @property
    def line_end(self) -> LineEnd:
        return self._line_end or "\n"

    def take(self, chunk: bytes) -> bool:
        """Counts a chunk; False once the file turns out not to be plain."""
        if self._to_skip:
            skipped = min(self._to_skip, len(chunk))
            self._to_skip -= skipped
            chunk = chunk[skipped:]
        data = self._rest + chunk if self._rest else chunk
        used = self._count(data)
        if used is None:
            return False
        self._rest = data[used:]
        return len(self._rest) <= _LONGEST_RECORD

    def finish(self) -> bool:
        """Counts a last record without a line end; False if the file is not plain after all."""
        if not self._rest:
            return True
        data = self._rest + self.line_end.encode()
        return self._count(data) == len(data)

    def _count(self, data: bytes) -> int | None:
        """Counts the whole records at the front of `data`; returns their bytes, or None if they are not plain."""
        if self._quote and self._quote in data:
            return self._count_quoted(data)
        used = data.rfind(b"\n") + 1
        piece = data[:used]
        return used if not piece or (_is_text(piece) and self._count_unquoted(piece)) else None

    def _count_unquoted(self, piece: bytes) -> bool:
        end = self._see_line_end(piece, piece.index(b"\n")).encode()
        lines, returns = piece.count(b"\n"), piece.count(b"\r")
        self.records += lines
        if returns != (piece.count(end) if end == b"\r\n" else 0) or (returns and returns != lines):
            return False
        if piece.startswith(end) or b"\n" + end in piece:
            return False  # a blank line
        # DuckDB passes over surplus empty fields at the end of a record.
        return self._delimiter + end not in piece or self._fields_fit(piece.count(self._delimiter), lines)

    def _count_quoted(self, data: bytes) -> int | None:
        bytes_ = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(bytes_ == self._quote[0])
        ends = _outside(np.flatnonzero(bytes_ == _LF), quotes)
        if not len(ends):
            return 0
        used = int(ends[-1]) + 1
        bytes_, quotes = bytes_[:used], quotes[: np.searchsorted(quotes, used)]
        self._see_line_end(data, int(ends[0]))
        self.records += len(ends)
        fits = (
            _is_text(data[:used])
            and self._quotes_fit(bytes_, quotes)
            and self._ends_fit(bytes_, ends, quotes, has_returns=b"\r" in data)
            and self._widths_fit(bytes_, ends, quotes)
        )
        return used if fits else None

    def _see_line_end(self, data: bytes, first: int) -> LineEnd:
        """The file's kind of line end, from its first one on."""
        if self._line_end is None:
            self._line_end = "\r\n" if data[max(first - 1, 0) : first] == b"\r" else "\n"
        return self._line_end

    def _quotes_fit(self, data: _Bytes, quotes: _Places) -> bool:
        """Opening quotes begin a field, closing ones end it, and all others are doubled."""
        before = data[quotes[::2] - 1]
        if len(quotes) and quotes[0] == 0:
            before[0] = _LF  # the piece before ended behind a line feed
        behind = data[quotes[1::2] + 1]  # a piece ends in a line feed, so there is one
        mark, quote = self._delimiter[0], self._quote[0]
        opens = (before == mark) | (before == _LF) | (before == quote)
        closes = (behind == mark) | (behind == _LF) | (behind == _CR) | (behind == quote)
        return bool(opens.all() and closes.all())

    def _ends_fit(self, data: _Bytes, ends: _Places, quotes: _Places, *, has_returns: bool) -> bool:
        """One kind of line end, and no blank line."""
        width = len(self.line_end)
        if ends[0] == width - 1 or (np.diff(ends) == width).any():
            return False
        if not has_returns:
            return self.line_end == "\n"
        returns = _outside(np.flatnonzero(data == _CR), quotes)
        return np.array_equal(returns, ends - 1) if self.line_end == "\r\n" else not len(returns)

    def _widths_fit(self, data: _Bytes, ends: _Places, quotes: _Places) -> bool:
        """No surplus fields where a record ends in an empty one; DuckDB passes over those."""
        last = ends - len(self.line_end)
        mark, quote = self._delimiter[0], self._quote[0]
        empty = (data[last] == mark) | ((data[last] == quote) & (data[last - 1] == quote))
        if not empty.any():
            return True
        return self._fields_fit(len(_outside(np.flatnonzero(data == mark), quotes)), len(ends))

    def _fields_fit(self, delimiters: int, records: int) -> bool:
        return delimiters == records * (self._width - 1)


def _outside(places: _Places, quotes: _Places) -> _Places:
    """Those places that are not inside quotes."""
    passed: _Places = np.searchsorted(quotes, places)
    kept: _Places = places[passed % 2 == 0]
    return kept


def _is_text(piece: bytes) -> bool:
    return b"\0" not in piece and _is_utf8(piece)


def _is_utf8(piece: bytes) -> bool:
    if piece.isascii():
        return True
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True

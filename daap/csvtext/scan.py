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
_LONGEST_LINE = 16 << 20
_LF, _CR = 0x0A, 0x0D

LineEnd = Literal["\n", "\r\n"]


@dataclass(frozen=True, slots=True)
class Scan:
    """`records` and `line_end` of the part behind the header are known only of a plain file."""

    size: int
    content_hash: str
    plain: bool
    records: int = 0
    line_end: LineEnd = "\n"


def scan_file(stream: BinaryIO, dialect: Dialect, data_start: int | None) -> Scan:
    """Hashes a whole file and, from byte `data_start` on, counts its records.

    With `data_start` None only the hash and the size are taken.
    """
    digest = blake3()
    counter = None if data_start is None else _Counter(dialect, data_start)
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
    """Counts records piece by piece; a piece always ends behind a line feed."""

    def __init__(self, dialect: Dialect, data_start: int) -> None:
        self._delimiter = ord(dialect.delimiter)
        self._quote = ord(dialect.quote) if dialect.quote else -1
        self._to_skip = data_start
        self._rest = b""
        self._inside = False  # whether the next piece begins inside quotes
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
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        if len(self._rest) > _LONGEST_LINE:
            return False
        return not end or self._count_piece(data[:end])

    def finish(self) -> bool:
        """Counts a last line without an end; False if the file is not plain after all."""
        if self._rest:
            end = self.line_end.encode()
            if not self._count_piece(self._rest + end, final=True):
                return False
        return not self._inside

    def _count_piece(self, piece: bytes, *, final: bool = False) -> bool:
        if b"\0" in piece or not _is_utf8(piece):
            return False
        if self._line_end is None and not final:
            first = piece.index(b"\n")
            self._line_end = "\r\n" if piece[max(first - 1, 0) : first] == b"\r" else "\n"
        if self._quote < 0 or (not self._inside and self._quote not in piece):
            return self._count_unquoted(piece)
        return self._count_quoted(np.frombuffer(piece, np.uint8))

    def _count_unquoted(self, piece: bytes) -> bool:
        lines, returns = piece.count(b"\n"), piece.count(b"\r")
        self.records += lines
        if self.line_end == "\n":
            return not returns and b"\n\n" not in piece and piece[0] != _LF
        whole = returns == lines == piece.count(b"\r\n")
        return whole and b"\n\r\n" not in piece and piece[:2] != b"\r\n"

    def _count_quoted(self, data: NDArray[np.uint8]) -> bool:
        quotes = np.flatnonzero(data == self._quote)
        if not self._quotes_fit(data, quotes):
            return False
        ends = self._outside(np.flatnonzero(data == _LF), quotes)
        returns = self._outside(np.flatnonzero(data == _CR), quotes)
        self.records += len(ends)
        fits = self._ends_fit(ends, returns)
        self._inside ^= bool(len(quotes) % 2)
        return fits

    def _quotes_fit(self, data: NDArray[np.uint8], quotes: NDArray[np.intp]) -> bool:
        first = 1 if self._inside else 0
        opening, closing = quotes[first::2], quotes[1 - first :: 2]
        before = data[opening - 1]
        if len(opening) and opening[0] == 0:
            before[0] = _LF  # the piece before ended behind a line feed
        right = (before == self._delimiter) | (before == _LF) | (before == self._quote)
        behind = data[closing + 1]  # a piece ends in a line feed, so there is one
        right_too = (behind == self._delimiter) | (behind == _LF) | (behind == _CR) | (behind == self._quote)
        return bool(right.all() and right_too.all())

    def _outside(self, places: NDArray[np.intp], quotes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those places that are not inside quotes."""
        passed: NDArray[np.intp] = np.searchsorted(quotes, places)
        outside: NDArray[np.bool_] = (passed + int(self._inside)) % 2 == 0
        return places[outside]

    def _ends_fit(self, ends: NDArray[np.intp], returns: NDArray[np.intp]) -> bool:
        """One kind of line end, and no blank line."""
        width = len(self.line_end)
        if not len(ends):
            return not len(returns)
        starts_blank = not self._inside and ends[0] == width - 1
        if starts_blank or (np.diff(ends) == width).any():
            return False
        return np.array_equal(returns, ends - 1) if width == 2 else not len(returns)  # noqa: PLR2004 - CRLF


def _is_utf8(piece: bytes) -> bool:
    if piece.isascii():
        return True
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True

"""Physical lines of a file, decoded, as an editor counts them."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from daap.model.table import Encoding

UNDECODABLE = "\udcff"
"""Stands for bytes that are not in the encoding; it occurs in no decoded text."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_MARK = "\ufeff"
_HANDLER = "daap.mark_undecodable"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error(_HANDLER, _mark)


class LineReader:
    """Reads lines with their ends on (LF, CRLF or a lone CR); `number` is the last line's, from 1.

    Bytes that cannot be decoded become UNDECODABLE, so that reading goes on and the line is known.
    """

    def __init__(self, stream: BinaryIO, encoding: Encoding, longest: int) -> None:
        """`longest` is the most characters of a line; a longer one comes in parts."""
        buffered = io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream
        self._text = io.TextIOWrapper(buffered, _codec(buffered, encoding), errors=_HANDLER, newline="")
        self._longest = longest
        self.number = 0

    def read(self) -> str:
        """The next line; empty at the end of the file."""
        line = self._text.readline(self._longest)
        if not line:
            return line
        self.number += 1
        # Not by the codec utf-8-sig, which loses an unfinished byte order mark without a word.
        return line.removeprefix(_MARK) if self.number == 1 and self._text.encoding == "utf-8" else line


def _codec(stream: BinaryIO, encoding: Encoding) -> str:
    if encoding == "utf-8-sig":
        return "utf-8"
    if encoding == "utf-16" and _head(stream)[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16-le"
    return encoding


def _head(stream: BinaryIO) -> bytes:
    if isinstance(stream, io.BufferedReader):
        return stream.peek(2)
    start = stream.tell()
    head = stream.read(2)
    stream.seek(start)
    return head


def show_text(text: str) -> str:
    """`text` as a report shows it: U+FFFD for what could not be decoded."""
    return _SURROGATE.sub("\ufffd", text)


def is_decodable(text: str) -> bool:
    """Whether `text` holds no mark of undecodable bytes and no lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

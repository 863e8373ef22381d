"""Text files as blocks of whole lines, decompressed by the end of their names as Athena does.

Sources: https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html and Hadoop's LineRecordReader (a line
ends with LF, CR or CRLF; the last needs no end).
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pyarrow as pa

from daap_local.athena.faults import AthenaFault

BLOCK = 1024 * 1024
LONGEST = 100 * 1024 * 1024
"""The bytes that a line may have, as in Trino."""

_LENGTH = struct.Struct(">I")


def text_blocks(stream: BinaryIO, header: int = 0, footer: int = 0) -> Iterator[bytes]:
    """Blocks of whole lines in UTF-8, each line ended by one LF, without the first and last so many lines.

    A byte order mark at the beginning is passed over, as Hadoop's and Trino's readers of lines do.
    Bytes that are no UTF-8 become U+FFFD, as where Java decodes them. Raises AthenaFault where the file is damaged.
    """
    blocks = _without_header(_without_mark(_whole_lines(stream)), header)
    yield from _without_footer(blocks, footer) if footer else blocks


def decompressed(stream: BinaryIO, url: str) -> BinaryIO:
    """The stream's content; what is compressed is told from the end of the name. Raises AthenaFault."""
    suffix = url[url.rfind(".") :] if "." in url.rsplit("/", 1)[-1] else ""
    opened = _CODECS.get(suffix)
    if opened is None and suffix in (".lzo", ".lzo_deflate"):
        raise AthenaFault("NOT_SUPPORTED", f"LZO compression ({url}) is not supported here")
    return opened(stream) if opened else stream


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := _read(stream):
        block = rest + chunk
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        rest = block[end:]
        if len(rest) > LONGEST:
            raise AthenaFault("HIVE_BAD_DATA", f"Line too long in text file: more than {LONGEST} bytes")
        if end:
            yield _normal(block[:end])
    if rest:
        yield _normal(rest if rest.endswith(b"\r") else rest + b"\n")


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(BLOCK)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise AthenaFault("HIVE_CURSOR_ERROR", f"Failed to read file: {error}") from error


def _normal(block: bytes) -> bytes:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode(errors="replace").encode()
    return block


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(blocks, b"").removeprefix(codecs.BOM_UTF8)
    yield from blocks


def _without_header(blocks: Iterator[bytes], count: int) -> Iterator[bytes]:
    for block in blocks:
        start = 0
        while count and start < len(block):
            start = block.index(b"\n", start) + 1
            count -= 1
        if start < len(block):
            yield block[start:] if start else block


def _without_footer(blocks: Iterator[bytes], count: int) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        lines = (held + block).splitlines(keepends=True) if count else []
        held = b"".join(lines[-count:])
        if len(lines) > count:
            yield b"".join(lines[:-count])


def _hadoop_blocks(codec: str) -> Callable[[BinaryIO], BinaryIO]:
    """A reader of Hadoop's own framing: a block's full length, then chunks, each after its compressed length."""

    def opened(stream: BinaryIO) -> BinaryIO:
        return io.BufferedReader(_Generated(_hadoop_chunks(stream, pa.Codec(codec))))

    return opened


def _hadoop_chunks(stream: BinaryIO, codec: pa.Codec) -> Iterator[bytes]:
    while head := stream.read(_LENGTH.size):
        left = _LENGTH.unpack(head)[0]
        while left:
            body = stream.read(_LENGTH.unpack(stream.read(_LENGTH.size))[0])
            size = _snappy_length(body) if codec.name == "snappy" else left
            yield codec.decompress(body, decompressed_size=size, asbytes=True)
            left -= size


def _snappy_length(body: bytes) -> int:
    """The length that a Snappy chunk begins with: seven bits a byte, the lowest first."""
    length = shift = 0
    for byte in body:
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 (the last byte has no high bit)
            break
    return length


class _Generated(io.RawIOBase):
    """A stream over chunks as they are made."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills what it can of `buffer`."""
        while not self._rest:
            self._rest = next(self._chunks, b"")
            if not self._rest:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _gzip(stream: BinaryIO) -> BinaryIO:
    return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]


def _bzip2(stream: BinaryIO) -> BinaryIO:
    return bz2.BZ2File(stream)  # type: ignore[return-value]


def _zstd(stream: BinaryIO) -> BinaryIO:
    opened: BinaryIO = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
    return opened


def _deflate(stream: BinaryIO) -> BinaryIO:
    return io.BufferedReader(_Generated(_inflated(stream)))


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    while chunk := stream.read(BLOCK):
        yield inflate.decompress(chunk)
    yield inflate.flush()


_CODECS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    ".gz": _gzip, ".bz2": _bzip2, ".zst": _zstd, ".deflate": _deflate,
    ".snappy": _hadoop_blocks("snappy"), ".lz4": _hadoop_blocks("lz4_raw"),
}  # fmt: skip

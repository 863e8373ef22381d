"""Files being written, one class for each way to write."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import orc

from daap_local.athena.hive.avro import AvroWriter
from daap_local.athena.hive.targets import Target

_SUFFIXES = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst", "DEFLATE": ".deflate", "NONE": ""}
_GZIP_LEVEL = 4  # Arrow's own choice is the slowest: sixty times the time for a fiftieth of the size


class FileWriter(Protocol):
    """A file that takes tables until it is closed."""

    def write(self, table: pa.Table) -> None:
        """Adds rows."""

    def close(self) -> int:
        """Ends the file and gives the number of its rows."""

    def abandon(self) -> None:
        """Lets go of the file without a complaint."""


def new_writer(target: Target, schema: pa.Schema, stream: BinaryIO) -> FileWriter:
    """The writer of a target's files onto a stream."""
    if target.format == "PARQUET":
        return _Columns(_parquet(target, schema, stream), stream)
    if target.format == "ORC":
        return _Columns(_orc(target, stream), stream)
    if target.format == "AVRO":
        return _Columns(AvroWriter(target.data_columns, target.compression, stream), stream)
    return _Lines(_COMPRESSED[target.compression](stream), stream)


def file_suffix(target: Target) -> str:
    """The end of a file's name: the compression of text, and nothing for formats that say it inside."""
    return "" if target.format in ("PARQUET", "ORC", "AVRO") else _SUFFIXES[target.compression]


class _Columns:
    """Parquet, ORC or Avro."""

    def __init__(self, writer: Any, stream: BinaryIO) -> None:  # noqa: ANN401 (pyarrow ships no types)
        self._writer, self._stream, self._rows = writer, stream, 0

    def write(self, table: pa.Table) -> None:
        """Adds rows."""
        self._writer.write(table)
        self._rows += table.num_rows

    def close(self) -> int:
        """Ends the file and gives the number of its rows."""
        self._writer.close()
        self._stream.close()
        return self._rows

    def abandon(self) -> None:
        """Lets go of the file without a complaint."""
        with contextlib.suppress(pa.ArrowException, OSError, ValueError):
            self.close()


class _Lines:
    """Texts of one line each."""

    def __init__(self, body: BinaryIO, stream: BinaryIO) -> None:
        self._body, self._stream, self._rows = body, stream, 0

    def write(self, table: pa.Table) -> None:
        """Adds rows."""
        ended = pc.binary_join_element_wise(table.column(0), "", "\n")
        for chunk in ended.chunks:
            self._body.write("".join(chunk.to_pylist()).encode())
        self._rows += table.num_rows

    def close(self) -> int:
        """Ends the file and gives the number of its rows."""
        self._body.close()
        self._stream.close()
        return self._rows

    def abandon(self) -> None:
        """Lets go of the file without a complaint."""
        with contextlib.suppress(pa.ArrowException, OSError, ValueError):
            self.close()


class _Deflated:
    """A stream in zlib's format."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._deflate = stream, zlib.compressobj()

    def write(self, content: bytes) -> None:
        self._stream.write(self._deflate.compress(content))

    def close(self) -> None:
        self._stream.write(self._deflate.flush())


def _parquet(target: Target, schema: pa.Schema, stream: BinaryIO) -> pq.ParquetWriter:
    compression = target.compression
    return pq.ParquetWriter(
        stream, schema, compression="none" if compression == "NONE" else compression.lower(),
        compression_level=_GZIP_LEVEL if compression == "GZIP" else None,
        use_deprecated_int96_timestamps=True, store_schema=False,
    )  # fmt: skip


def _orc(target: Target, stream: BinaryIO) -> orc.ORCWriter:
    compression = "uncompressed" if target.compression == "NONE" else target.compression.lower()
    return orc.ORCWriter(stream, compression=compression)


class _Unclosed:
    """A stream whose closing is left to its owner."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.write, self.flush = stream.write, stream.flush

    def close(self) -> None:
        """Leaves it open."""


_COMPRESSED: dict[str, Callable[[BinaryIO], Any]] = {
    "GZIP": lambda stream: gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0),
    "BZIP2": lambda stream: bz2.BZ2File(stream, "wb"),
    "ZSTD": lambda stream: pa.CompressedOutputStream(pa.PythonFile(_Unclosed(stream), mode="w"), "zstd"),
    "DEFLATE": _Deflated,
    "NONE": _Unclosed,
}

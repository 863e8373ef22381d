"""Lines into fields, whole blocks at once.

Every field of a block is a slice of one string array; a column picks its fields from it by index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

NEWLINE = ord("\n")
Indices = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fields:
    """All fields of a block: `starts` is the first field of each row, `counts` how many fields it has."""

    values: pa.Array
    starts: Indices
    counts: Indices

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.starts)

    def column(self, at: int, values: pa.Array | None = None) -> pa.Array:
        """The fields at one place of each row; NULL where a row is too short."""
        missing = self.counts <= at
        picked = pa.array(np.where(missing, 0, self.starts + at), mask=missing)
        return (self.values if values is None else values).take(picked)


def block_bytes(block: bytes) -> Bytes:
    """The block's bytes as numbers."""
    return np.frombuffer(block, np.uint8)


def cut_fields(data: Bytes, at_end: Mask, kept: Mask | None = None) -> Fields:
    """Fields that end before each marked byte, a line end or a separator; only `kept` bytes stay in them."""
    ends = np.flatnonzero(at_end)
    values = slices(data, ends, kept)
    last = np.flatnonzero(data[ends] == NEWLINE)
    starts = np.concatenate(([0], last[:-1] + 1)) if len(last) else np.empty(0, np.int64)
    return Fields(values, starts, last - starts + 1)


def slices(data: Bytes, ends: Indices, kept: Mask | None = None) -> pa.Array:
    """The texts between `ends`, which themselves are left out."""
    inside: Mask = np.ones(len(data), np.bool_) if kept is None else kept.copy()
    inside[ends] = False
    offsets = ends - np.arange(len(ends)) if kept is None else np.cumsum(_lengths(inside, ends))
    whole = np.concatenate(([0], offsets)).astype(np.int32)
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(whole), pa.py_buffer(data[inside]))


def _lengths(inside: Mask, ends: Indices) -> Indices:
    """How many bytes are kept before each end, since the one before."""
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    counted: Indices = np.add.reduceat(inside.view(np.uint8), starts, dtype=np.int64) if len(ends) else ends
    return counted


def joined(first: Fields, rows: Indices, others: Sequence[Sequence[str]]) -> Fields:
    """`first` with the rows of the given numbers replaced by fields made elsewhere."""
    if not len(rows):
        return first
    counts = np.array([len(fields) for fields in others], np.int64)
    made = pa.array([field for fields in others for field in fields], pa.string())
    starts, lengths = first.starts.copy(), first.counts.copy()
    starts[rows] = len(first.values) + np.cumsum(counts) - counts
    lengths[rows] = counts
    return Fields(pa.concat_arrays([first.values, made]), starts, lengths)


def line_texts(block: bytes, ends: Indices, rows: Indices) -> list[str]:
    """The lines of the given numbers; `ends` are where the line ends lie."""
    return [block[(ends[row - 1] + 1 if row else 0) : ends[row]].decode() for row in rows]

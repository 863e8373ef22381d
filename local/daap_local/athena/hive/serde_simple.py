"""LazySimpleSerDe: fields between delimiters, no quotes.

Sources: https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html and the behaviour of Trino's reader for it
(trino-hive-formats, SimpleDeserializer and TextEncodingOptions).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daap_local.athena.hive.delimiters import SimpleOptions
from daap_local.athena.hive.fields import NEWLINE, Bytes, Mask, block_bytes, cut_fields, slices
from daap_local.athena.hive.lazy_nested import NestedReader
from daap_local.athena.hive.types import HiveType
from daap_local.athena.hive.values import lazy_value

_TEXTS = frozenset({"string", "varchar", "char"})


class SimpleDecoder:
    """Blocks of lines into the wanted columns, each given by its place in a row and its type."""

    def __init__(self, options: SimpleOptions, columns: Sequence[tuple[int, HiveType]]) -> None:
        self._options, self._columns = options, columns
        self._nested = {place: NestedReader(type_, options) for place, type_ in columns if type_.nested}

    def __call__(self, block: bytes) -> tuple[int, list[pa.Array]]:
        """How many rows, and the wanted columns: strings, or values where the type is nested."""
        data = block_bytes(block)
        lines = data == NEWLINE
        separated = data == self._options.separators[0]
        escapes = self._escapes(data)
        if escapes is not None:
            separated &= ~_after(escapes)
        ends = np.flatnonzero(lines | separated)
        fields = cut_fields(data, lines | separated)
        plain = fields.values if escapes is None else slices(data, ends, ~(escapes & ~_before(lines | separated)))
        columns = []
        for place, type_ in self._columns:
            raw = self._nulled(fields.column(place))
            columns.append(self._column(place, type_, raw, raw if escapes is None else fields.column(place, plain)))
        return fields.rows, columns

    def _column(self, place: int, type_: HiveType, raw: pa.Array, plain: pa.Array) -> pa.Array:
        if type_.nested:
            return self._nested[place](raw)
        if type_.kind not in _TEXTS or raw is plain:
            return raw
        return pc.if_else(pc.is_null(raw), pa.scalar(None, pa.string()), plain)

    def _nulled(self, column: pa.Array) -> pa.Array:
        return pc.if_else(pc.equal(column, self._options.null), pa.scalar(None, pa.string()), column)

    def _escapes(self, data: Bytes) -> Mask | None:
        """Which bytes are escape characters in force, not being escaped themselves."""
        if self._options.escape is None:
            return None
        found = np.flatnonzero(data == self._options.escape)
        if not len(found):
            return None
        begins = np.concatenate(([True], np.diff(found) != 1))
        place = np.arange(len(found)) - np.maximum.accumulate(np.where(begins, np.arange(len(found)), 0))
        mask = np.zeros(len(data), np.bool_)
        mask[found[place % 2 == 0]] = True
        return mask


def simple_value(column: str, type_: HiveType) -> str:
    """The SQL of a column's value from what the decoder yields."""
    return column if type_.nested else lazy_value(column, type_)


def _after(mask: Mask) -> Mask:
    """What follows the marked bytes."""
    return np.concatenate(([False], mask[:-1]))


def _before(mask: Mask) -> Mask:
    """What precedes the marked bytes."""
    return np.concatenate((mask[1:], [False]))

"""Hive's buckets: which file of a bucketed table a row belongs to.

Source: Hive's ObjectInspectorUtils.getBucketHashCode in its first version, which Trino and so Athena write by
(plugin/trino-hive, HiveBucketingV1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daap_local.athena.faults import unsupported
from daap_local.athena.hive.types import HiveType

_Hashes = npt.NDArray[np.int64]
_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF
_WORD = 32
_TEXTS = frozenset({"string", "varchar"})


def bucket_numbers(columns: Sequence[pa.Array], types: Sequence[HiveType], count: int) -> _Hashes:
    """The bucket of every row, from 0. Raises AthenaFault for types by which nothing is bucketed here."""
    whole: _Hashes = np.zeros(len(columns[0]), np.int64)
    for column, type_ in zip(columns, types, strict=True):
        whole = (whole * 31 + _hashes(column, type_)) & _MASK
    return (whole & _POSITIVE) % count


def _hashes(column: pa.Array, type_: HiveType) -> _Hashes:
    hashes = _value_hashes(column, type_)
    hashes[np.asarray(pc.is_null(column))] = 0
    return hashes


def _value_hashes(column: pa.Array, type_: HiveType) -> _Hashes:
    if type_.kind in _TEXTS:
        encoded = column.dictionary_encode()
        by_text = np.array([_text_hash(text.encode()) for text in encoded.dictionary.to_pylist()] or [0], np.int64)
        places: _Hashes = np.asarray(encoded.indices.fill_null(0)).astype(np.int64)
        return by_text[places]
    if type_.kind == "bigint":
        return _folded(_numbers(column, pa.int64()))
    if type_.kind == "double":
        return _folded(np.asarray(pc.add(column.fill_null(0.0), 0.0)).view(np.int64).copy())
    if type_.kind == "float":
        bits = np.asarray(pc.add(column.fill_null(0.0), pa.scalar(0.0, pa.float32()))).view(np.int32)
        return bits.astype(np.int64)
    if type_.kind in ("tinyint", "smallint", "int", "boolean", "date"):
        whole = column.cast(pa.int32()) if type_.kind != "boolean" else column.cast(pa.int8())
        return _numbers(whole, pa.int64())
    raise unsupported(f"bucketed_by a column of type {type_}")


def _numbers(column: pa.Array, type_: pa.DataType) -> _Hashes:
    return np.asarray(column.cast(type_).fill_null(0)).copy()


def _folded(numbers: _Hashes) -> _Hashes:
    """Both halves of 64 bits in 32."""
    return (numbers ^ (numbers >> _WORD)) & _MASK


def _text_hash(content: bytes) -> int:
    number = 0
    for byte in content:
        number = (number * 31 + (byte - 256 if byte > 127 else byte)) & _MASK  # noqa: PLR2004 (Java's bytes have signs)
    return number

"""The rows of files as a stream of Arrow's record batches, which DuckDB pulls.

Whoever pulls reads the files, one batch at a time: there is no thread of Arrow's. A dataset of Arrow's has some, and
scans of one that read through Python were seen to stand still for ever, most likely since one side held Python's lock
while it waited for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from daap_local.athena.hive.files import DataFile

Rows = tuple[int, Sequence[pa.Array]]
"""How many rows there are, and their columns."""

_NUMBER = pa.field("hive_file", pa.int32())


class FileRows:
    """The rows of files, made anew for every scan, with the file's number as the last column."""

    def __init__(
        self, fields: Sequence[pa.Field], files: Sequence[DataFile], read: Callable[[DataFile], Iterator[Rows]]
    ) -> None:
        """`read` gives a file's rows, in columns as `fields` describe them."""
        self._schema, self._files, self._read = pa.schema([*fields, _NUMBER]), files, read

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:  # noqa: ANN401 (a PyCapsule)
        """Arrow's PyCapsule interface, as DuckDB asks for it."""
        reader = pa.RecordBatchReader.from_batches(self._schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for number, file in enumerate(self._files):
            for rows, columns in self._read(file):
                numbers = pa.repeat(pa.scalar(number, pa.int32()), rows)
                yield pa.RecordBatch.from_arrays([*columns, numbers], schema=self._schema)

"""What the footers of Parquet files say, remembered as long as the files stay as they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.files import DataFile, Opener

_Key = tuple[str, int, datetime | None]
_LIMIT = 100_000
_FEW, _AT_ONCE = 4, 8


@dataclass(frozen=True, slots=True)
class Footer:
    """The schema of a file, the number of its rows, and the bytes of each column as they lie in the file.

    Files of equal schemas share one object.
    """

    schema: pa.Schema
    rows: int
    bytes: tuple[int, ...]

    def bytes_of(self, names: Collection[str]) -> int:
        """The bytes of the columns of these names, in lower case."""
        pairs = zip(self.schema.names, self.bytes, strict=True)
        return sum(size for name, size in pairs if name.lower() in names)


class Footers:
    """Footers by file, safe to be shared by threads; the oldest are forgotten first."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit, self._lock = limit, Lock()
        self._footers: OrderedDict[_Key, Footer] = OrderedDict()
        self._same: dict[str, pa.Schema] = {}

    def footer(self, file: DataFile, opener: Opener) -> Footer:
        """The footer of a Parquet file. Raises AthenaFault where the file is none."""
        key = (file.url, file.size, file.modified)
        with self._lock:
            found = self._footers.get(key)
        return found or self._remember(key, _read_footer(file, opener))

    def all(self, files: Sequence[DataFile], opener: Opener) -> list[Footer]:
        """The footers of files; those of files elsewhere are read several at a time, since each is waited for."""
        if len(files) < _FEW or all(file.path is not None for file in files):
            return [self.footer(file, opener) for file in files]
        with ThreadPoolExecutor(_AT_ONCE, "athena-footers") as pool:
            return list(pool.map(lambda file: self.footer(file, opener), files))

    def _remember(self, key: _Key, footer: Footer) -> Footer:
        with self._lock:
            same = self._same.setdefault(str(footer.schema), footer.schema)
            self._footers[key] = replace(footer, schema=same)
            while len(self._footers) > self._limit:
                self._footers.popitem(last=False)
            return self._footers[key]


def _read_footer(file: DataFile, opener: Opener) -> Footer:
    try:
        if file.path is not None:
            return _footer(pq.read_metadata(file.path))
        with opener(file.url) as stream:
            return _footer(pq.read_metadata(stream))
    except (pa.ArrowException, OSError) as error:
        raise AthenaFault("HIVE_BAD_DATA", f"Malformed Parquet file. {error} [{file.url}]") from error


def _footer(metadata: pq.FileMetaData) -> Footer:
    schema = metadata.schema.to_arrow_schema().remove_metadata()
    return Footer(schema, metadata.num_rows, tuple(_column_bytes(metadata, schema.names)))


def _column_bytes(metadata: pq.FileMetaData, names: Sequence[str]) -> list[int]:
    """The compressed bytes of the columns of the top level; a nested one's parts are counted together."""
    sizes = dict.fromkeys(names, 0)
    for group in range(metadata.num_row_groups):
        columns = metadata.row_group(group)
        for place in range(columns.num_columns):
            column = columns.column(place)
            path = column.path_in_schema
            name = path if path in sizes else path.partition(".")[0]
            sizes[name] = sizes.get(name, 0) + column.total_compressed_size
    return [sizes[name] for name in names]

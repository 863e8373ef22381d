"""The schemas of Parquet files, remembered as long as the files stay as they are."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.files import DataFile, Opener

_Key = tuple[str, int, datetime | None]
_LIMIT = 100_000


class Footers:
    """Schemas by file, safe to be shared by threads; the oldest are forgotten first."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit, self._lock = limit, Lock()
        self._schemas: OrderedDict[_Key, pa.Schema] = OrderedDict()
        self._same: dict[str, pa.Schema] = {}

    def schema(self, file: DataFile, opener: Opener) -> pa.Schema:
        """The schema of a Parquet file. Raises AthenaFault where the file is none."""
        key = (file.url, file.size, file.modified)
        with self._lock:
            found = self._schemas.get(key)
        if found is None:
            found = self._remember(key, _read_schema(file, opener))
        return found

    def _remember(self, key: _Key, schema: pa.Schema) -> pa.Schema:
        """Keeps one object for schemas that are the same, so that files group quickly."""
        with self._lock:
            same = self._same.setdefault(str(schema), schema)
            self._schemas[key] = same
            while len(self._schemas) > self._limit:
                self._schemas.popitem(last=False)
            return same


def _read_schema(file: DataFile, opener: Opener) -> pa.Schema:
    try:
        if file.path is not None:
            return pq.read_schema(file.path).remove_metadata()
        with opener(file.url) as stream:
            return pq.read_schema(stream).remove_metadata()
    except (pa.ArrowException, OSError) as error:
        raise AthenaFault("HIVE_BAD_DATA", f"Malformed Parquet file. {error} [{file.url}]") from error

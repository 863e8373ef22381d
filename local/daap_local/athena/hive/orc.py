"""ORC tables, stripe by stripe through Arrow's reader, with the rules of Parquet's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import orc

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.columnar import column_values
from daap_local.athena.hive.files import DataFile, FileList, Opener


def orc_scans(listed: FileList) -> Sequence[str]:
    """One SELECT for each schema among the files. Raises AthenaFault."""
    groups: dict[str, tuple[pa.Schema, list[DataFile]]] = {}
    for file in listed.files:
        schema = _open(listed.opener, file).schema
        groups.setdefault(str(schema), (schema, []))[1].append(file)
    return [_scan(listed, schema, files) for schema, files in groups.values()]


def _scan(listed: FileList, schema: pa.Schema, files: Sequence[DataFile]) -> str:
    part = FileList(listed.table, files, listed.connection, listed.opener, listed.wanted, listed.storage)
    return part.select(part.register("rows", _Rows(part, schema)), column_values(listed, schema, files[0].url))


def _open(opener: Opener, file: DataFile) -> orc.ORCFile:
    try:
        return orc.ORCFile(opener(file.url))
    except (pa.ArrowException, OSError) as error:
        raise AthenaFault("HIVE_BAD_DATA", f"Malformed ORC file. {error} [{file.url}]") from error


class _Rows:
    """The stripes of the files as a stream of Arrow's, made anew for every scan."""

    def __init__(self, part: FileList, schema: pa.Schema) -> None:
        self._part, self._schema = part, schema.append(pa.field("hive_file", pa.int32()))

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:  # noqa: ANN401 (a PyCapsule)
        """Arrow's PyCapsule interface, as DuckDB asks for it."""
        reader = pa.RecordBatchReader.from_batches(self._schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for number, file in enumerate(self._part.files):
            opened = _open(self._part.opener, file)
            for stripe in range(opened.nstripes):
                batch = opened.read_stripe(stripe)
                numbers = pa.repeat(pa.scalar(number, pa.int32()), batch.num_rows)
                yield pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=self._schema)

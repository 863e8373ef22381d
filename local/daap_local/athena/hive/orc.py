"""ORC tables, stripe by stripe through Arrow's reader, with the rules of Parquet's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyarrow import orc

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.columnar import column_values
from daap_local.athena.hive.files import DataFile, FileList, Opener
from daap_local.athena.hive.streams import FileRows, Rows


def orc_scans(listed: FileList) -> Sequence[str]:
    """One SELECT for each schema among the files. Raises AthenaFault."""
    groups: dict[str, tuple[pa.Schema, list[DataFile]]] = {}
    for file in listed.files:
        schema = _open(listed.opener, file).schema
        groups.setdefault(str(schema), (schema, []))[1].append(file)
    return [_scan(listed, schema, files) for schema, files in groups.values()]


def _scan(listed: FileList, schema: pa.Schema, files: Sequence[DataFile]) -> str:
    part = FileList(listed.table, files, listed.connection, listed.opener, listed.wanted, listed.storage)

    def read(file: DataFile) -> Iterator[Rows]:
        opened = _open(part.opener, file)
        for batch in map(opened.read_stripe, range(opened.nstripes)):
            yield batch.num_rows, batch.columns

    source = part.register("rows", FileRows(list(schema), files, read))
    return part.select(source, column_values(listed, schema, files[0].url))


def _open(opener: Opener, file: DataFile) -> orc.ORCFile:
    try:
        return orc.ORCFile(opener(file.url))
    except (pa.ArrowException, OSError) as error:
        raise AthenaFault("HIVE_BAD_DATA", f"Malformed ORC file. {error} [{file.url}]") from error

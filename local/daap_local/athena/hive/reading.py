"""A table's files as a SELECT that DuckDB runs, read as Athena reads them.

Files with no content and files whose names begin with a point or an underscore are passed over. Each group of files
that are read alike becomes one scan; values of partition keys and hidden columns are joined by the file's number.
Source of the formats: https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import duckdb

from daap.engines.duckdb.sql import identifier
from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.avro import avro_scans
from daap_local.athena.hive.columnar import parquet_scans
from daap_local.athena.hive.files import DataFile, FileList, Opener, Wanted
from daap_local.athena.hive.footers import Footers
from daap_local.athena.hive.formats import format_of_serde
from daap_local.athena.hive.orc import orc_scans
from daap_local.athena.hive.paths import is_hidden
from daap_local.athena.hive.text import text_scans
from daap_local.athena.hive.types import duckdb_text, parse_type
from daap_local.athena.tables import GlueTable, Storage

__all__ = ["DataFile", "Footers", "Opener", "fault_in", "select_files"]

_FAULT = re.compile(r"\b(HIVE_[A-Z_]+|NOT_SUPPORTED): (.*?)(?:\. Detail: Python exception|\n\nLINE|$)", re.DOTALL)
HIDDEN_TYPES = {
    "$path": "VARCHAR",
    "$file_size": "BIGINT",
    "$file_modified_time": "TIMESTAMPTZ",
    "$partition": "VARCHAR",
}


def select_files(
    table: GlueTable,
    files: Sequence[DataFile],
    connection: duckdb.DuckDBPyConnection,
    opener: Opener,
    *,
    only: Collection[str] | None = None,
    valued: Collection[str] | None = None,
    hidden: Collection[str] = (),
    footers: Footers | None = None,
) -> str:
    """A SELECT of the table's columns, its partition keys, then the hidden columns asked for.

    `only` narrows it to the columns named (hidden ones included); where none is named, rows of one NULL are counted.
    Of these, only the columns in `valued` are read where it is given; the others are there, as NULLs.
    It may register objects named hive_* in `connection`, and can be scanned more than once as long as that is open.
    Raises AthenaFault for what cannot be read here; faults met while rows flow are found by `fault_in`.
    """
    if table.parameters.get("table_type", "").upper() == "ICEBERG":
        raise unsupported("an Iceberg table")
    wanted = Wanted.of(table, only if valued is None else valued, hidden)
    read = [file for file in files if file.size and not is_hidden(file.url)]
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[DataFile]] = {}
    for file in read:
        storage = file.storage or table.storage
        groups.setdefault((storage.serde, tuple(sorted(storage.serde_properties.items()))), []).append(file)
    selects = [
        select
        for members in groups.values()
        for select in _selects(table, members, connection, opener, wanted, footers or Footers())
    ]
    whole = "\nUNION ALL ".join(selects) or _nothing(wanted)
    return whole if valued is None else _filled(whole, Wanted.of(table, only, hidden), wanted)


def fault_in(error: duckdb.Error) -> AthenaFault | None:
    """The fault that reading a file raised inside DuckDB, if it was one."""
    match = _FAULT.search(str(error))
    return AthenaFault(match.group(1), match.group(2).strip()) if match else None


def _selects(
    table: GlueTable,
    files: Sequence[DataFile],
    connection: duckdb.DuckDBPyConnection,
    opener: Opener,
    wanted: Wanted,
    footers: Footers,
) -> Sequence[str]:
    storage: Storage = files[0].storage or table.storage
    listed = FileList(table, files, connection, opener, wanted, storage)
    kind = format_of_serde(storage.serde)
    if kind == "PARQUET":
        return parquet_scans(listed, footers)
    if kind == "ORC":
        return orc_scans(listed)
    if kind == "AVRO":
        return avro_scans(listed)
    if kind in ("TEXTFILE", "CSV", "JSON"):
        return text_scans(listed, kind)
    raise unsupported(f"reading files with {storage.serde or 'no serde'}")


def _nothing(wanted: Wanted) -> str:
    texts = [f"NULL::{type_} AS {identifier(name)}" for name, type_ in _typed(wanted)] or ["NULL AS hive_row"]
    return f"SELECT {', '.join(texts)} WHERE false"


def _typed(wanted: Wanted) -> list[tuple[str, str]]:
    """The names of all columns with DuckDB's types."""
    columns = [(column.name, duckdb_text(parse_type(column.type))) for column in (*wanted.columns, *wanted.keys)]
    return columns + [(name, HIDDEN_TYPES[name]) for name in wanted.hidden]


def _filled(select: str, named: Wanted, valued: Wanted) -> str:
    """The columns of `named`, with NULLs for those that were not read."""
    read = {name for name, _ in _typed(valued)}
    texts = [
        identifier(name) if name in read else f"NULL::{type_} AS {identifier(name)}" for name, type_ in _typed(named)
    ]
    return f"SELECT {', '.join(texts) or 'NULL AS hive_row'} FROM ({select}) AS r"  # noqa: S608 (from quoted parts)

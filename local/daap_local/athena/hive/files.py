"""The files of a scan: what is wanted of them, and the values that belong to a file rather than to its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import uuid4

import duckdb
import pyarrow as pa

from daap.engines.duckdb.sql import identifier
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.paths import partition_name
from daap_local.athena.hive.scalars import arrow_type, scalar
from daap_local.athena.hive.types import HiveType, parse_type, presto_text
from daap_local.athena.tables import ColumnDef, GlueTable, Storage

Opener = Callable[[str], BinaryIO]
"""Opens a file by its URL, for reading at any place."""

HIDDEN = ("$path", "$file_size", "$file_modified_time", "$partition")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a table.

    `url` is what "$path" shows; `values` are the partition's, as text, in the order of the table's keys (None: Hive's
    default partition). DuckDB itself opens `path`; without one the file is read through the opener. `storage` is the
    partition's own where it has one.
    """

    url: str
    size: int
    modified: datetime | None = None
    values: tuple[str | None, ...] = ()
    path: str | None = None
    storage: Storage | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns to be read, each in the table's order; `places` are the plain columns' places in the table."""

    columns: tuple[ColumnDef, ...]
    places: tuple[int, ...]
    keys: tuple[ColumnDef, ...]
    hidden: tuple[str, ...]

    @classmethod
    def of(cls, table: GlueTable, only: Collection[str] | None, hidden: Collection[str]) -> Wanted:
        """What `only` and `hidden` name of a table's columns."""
        names = None if only is None else {name.lower() for name in only}
        pairs = [
            (at, column)
            for at, column in enumerate(table.columns)
            if (names is None or column.name.lower() in names) and not _is_key(table, column)
        ]
        keys = tuple(key for key in table.partition_keys if names is None or key.name.lower() in names)
        shown = {*hidden, *(names or ())}
        return cls(
            tuple(column for _, column in pairs), tuple(at for at, _ in pairs), keys,
            tuple(name for name in HIDDEN if name in shown),
        )  # fmt: skip

    def types(self) -> list[HiveType]:
        """The types of the plain columns."""
        return [parse_type(column.type) for column in self.columns]

    @property
    def of_file(self) -> bool:
        """Whether anything is wanted that belongs to the file."""
        return bool(self.keys or self.hidden)


@dataclass(frozen=True, slots=True)
class FileList:
    """Files of a table that are read alike, and the means to read them."""

    table: GlueTable
    files: Sequence[DataFile]
    connection: duckdb.DuckDBPyConnection
    opener: Opener
    wanted: Wanted
    storage: Storage

    def select(self, source: str, values: Sequence[str], number: str = "d.hive_file") -> str:
        """A SELECT of the wanted columns from `source AS d`; `values` are the plain columns' expressions.

        `number` is the expression that tells a row's file, a number or a name as in `register_files`.
        """
        named = [f"{value} AS {identifier(one.name)}" for value, one in zip(values, self.wanted.columns, strict=True)]
        others = [*(key.name for key in self.wanted.keys), *self.wanted.hidden]
        named += [f"f.{identifier(name)}" for name in others]
        joined = f" JOIN {self.register_files()} AS f ON {number} = f.{_key_of(number)}" if self.wanted.of_file else ""
        shown = ", ".join(named) or "NULL AS hive_row"
        return f"SELECT {shown} FROM {source} AS d{joined}"  # noqa: S608 (from quoted parts alone)

    def select_counted(self, rows: Sequence[int]) -> str:
        """A SELECT of what belongs to the files, as often as each has rows; no file is opened for it."""
        if not self.wanted.of_file:
            return f"SELECT NULL AS hive_row FROM range({sum(rows)})"  # noqa: S608 (a number)
        shown = ", ".join(
            f"f.{identifier(name)}" for name in (*(key.name for key in self.wanted.keys), *self.wanted.hidden)
        )
        counted = self.register(
            "rows", pa.table({"hive_file": pa.array(range(len(rows)), pa.int32()), "n": list(rows)})
        )
        numbers = f"(SELECT hive_file, unnest(range(n)) FROM {counted})"  # noqa: S608 (names made here)
        return f"SELECT {shown} FROM {numbers} AS d JOIN {self.register_files()} AS f USING (hive_file)"  # noqa: S608 (as above)

    def register(self, kind: str, thing: object) -> str:
        """A name in the connection for something that DuckDB can scan."""
        name = f"hive_{kind}_{uuid4().hex}"
        self.connection.register(name, thing)
        return name

    def register_files(self) -> str:
        """A table of the files: hive_file, hive_name, then the wanted keys and hidden columns."""
        columns: dict[str, pa.Array] = {
            "hive_file": pa.array(range(len(self.files)), pa.int32()),
            "hive_name": pa.array([file.path or file.url for file in self.files], pa.string()),
        }
        for key in self.wanted.keys:
            place = self.table.partition_keys.index(key)
            columns[key.name] = key_values(key, [file.values[place] for file in self.files])
        for name in self.wanted.hidden:
            columns[name] = self._hidden(name)
        return self.register("files", pa.table(columns))

    def _hidden(self, name: str) -> pa.Array:
        if name == "$path":
            return pa.array([file.url for file in self.files], pa.string())
        if name == "$file_size":
            return pa.array([file.size for file in self.files], pa.int64())
        if name == "$partition":
            keys = [key.name for key in self.table.partition_keys]
            return pa.array([partition_name(keys, file.values) for file in self.files], pa.string())
        return pa.array([file.modified for file in self.files], pa.timestamp("us", "UTC"))


def _is_key(table: GlueTable, column: ColumnDef) -> bool:
    return any(key.name == column.name for key in table.partition_keys)


def _key_of(number: str) -> str:
    return number.rpartition(".")[2]


def key_values(key: ColumnDef, texts: Sequence[str | None]) -> pa.Array:
    """A partition key's values from their texts, in the key's type. Raises AthenaFault."""
    type_ = parse_type(key.type)
    if type_.nested:
        raise AthenaFault("HIVE_INVALID_METADATA", f"the partition key {key.name} cannot be of type {type_}")
    read = scalar(type_)
    made: dict[str | None, Any] = {None: None}
    for text in set(texts) - {None}:
        try:
            made[text] = read(str(text))
        except ValueError as error:
            problem = f"Invalid partition value '{text}' for {presto_text(type_).upper()} partition key: {key.name}"
            raise AthenaFault("HIVE_INVALID_PARTITION_VALUE", problem) from error
    return pa.array([made[text] for text in texts], arrow_type(type_))

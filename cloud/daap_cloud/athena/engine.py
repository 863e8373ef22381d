"""The Athena engine: a file of raw history as a table of text, and UNLOAD with the value contract's casts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from daap.engines.duckdb.engine import DuckDBEngine
from daap.engines.duckdb.sql import identifier
from daap.errors import EngineFailed, InvalidQuery, ObjectMissing, StoreUnavailable
from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict, Writer, Written
from daap.ports.engine import Engine, Progress, Source, silent
from daap_cloud.athena.fits import RawFile, Unsuited, examine
from daap_cloud.athena.runner import AthenaRunner, Execution
from daap_cloud.athena.sql import MAX_STATEMENT, select_values, unload
from daap_cloud.clients import Clients
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableInputTypeDef

WORK_DATABASE = "daap_work"
ENGINE_VERSION = "3"
"""Source: https://docs.aws.amazon.com/athena/latest/ug/engine-versions-reference-0003.html"""

_OF_VALUES = frozenset({"INVALID_CAST_ARGUMENT", "NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_FUNCTION_ARGUMENT"})
"""What a query fails with over a value. Source: Trino, io.trino.spi.StandardErrorCode."""

_PREFIX = "curate_"
_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


class AthenaEngine(Engine):
    """Converts with Athena what Athena reads as the contract does; judges with DuckDB, since Athena cannot.

    For each conversion there is a table of its own in the Glue database `database`, which goes again after it.
    """

    name = "athena"
    version = ENGINE_VERSION

    def __init__(
        self, clients: Clients, runner: AthenaRunner, judge: DuckDBEngine, database: str = WORK_DATABASE
    ) -> None:
        """`judge` reaches S3; it checks files, and counts the rows of what Athena wrote."""
        self._clients, self._runner, self._judge, self._database = clients, runner, judge, database

    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        """See Engine."""
        return self._judge.check(source, schema, progress)

    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        """See Engine; raises Unsuited, and leaves nothing, if Athena would misread the file or refuses a value."""
        folder = _folder_of(source)
        self._check_alone(source, folder)
        raw = examine(source, schema)
        table = f"{_PREFIX}{uuid.uuid4().hex}"
        place = f"{identifier(self._database)}.{identifier(table)}"
        target = f"{target.rstrip('/')}/"
        statement = unload(select_values(place, schema, raw.layout.positions, columns), target)
        if len(statement.encode()) > MAX_STATEMENT:
            raise Unsuited("its table has so many columns that the statement would be too long for Athena")
        with self._raw_table(table, folder, raw), self._swept_if_failed(target):
            execution = self._run(statement, source, schema if columns is None else None)
            progress("converting", 1.0)
            return self._count(execution, raw, target)

    def _check_alone(self, source: Source, folder: str) -> None:
        """Athena reads folders: there must be nothing but the file in its own, and nothing that Athena hides."""
        bucket, key = _split(source.location)
        name = key.rpartition("/")[2]
        if name.startswith(("_", ".")) or not name.endswith(".csv"):
            raise Unsuited(f"Athena passes over a file named {name}")
        with translated(f"list {folder}"):
            found = self._clients.s3.list_objects_v2(Bucket=bucket, Prefix=_split(folder)[1], MaxKeys=2)
        keys = [one["Key"] for one in found.get("Contents", ())]
        if not keys:
            raise ObjectMissing(f"there is no {source.location}")
        if keys != [key]:
            raise Unsuited("other files lie in its folder, and Athena reads folders")

    def _run(self, statement: str, source: Source, schema: TableSchema | None) -> Execution:
        try:
            return self._runner.run(statement, self._database, count_rows=True)
        except InvalidQuery as error:
            code = str(error).partition(":")[0]
            if code not in _OF_VALUES:
                raise EngineFailed(f"Athena cannot convert {source.location}: {error}") from error
            if schema:
                self._refuse_wrong(source, schema)
            raise Unsuited("Athena refused one of its values") from error  # without its words, which may hold the value

    def _refuse_wrong(self, source: Source, schema: TableSchema) -> None:
        """Raises EngineFailed, with what a person can act on, if it is the file that is wrong."""
        verdict = self._judge.check(source, schema)
        if not verdict.accepted:
            raise EngineFailed(f"{source.location} does not pass its schema: {verdict.errors[0]}")

    def _count(self, execution: Execution, raw: RawFile, target: str) -> Written:
        """What was written, by its own footers; raises EngineFailed unless it is what Athena says, and what was read.

        Athena counts a moment later, and now and then not at all.
        """
        written = self._judge.measure(target, self._written_names(execution, target))
        counts = {"in the file": raw.rows, "in Parquet": written.rows}
        if execution.rows is not None:
            counts["by Athena's count"] = execution.rows
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{rows} {where}" for where, rows in counts.items())
            raise EngineFailed(f"query {execution.id} did not write the rows that it read: {told}")
        return Written(target, written.files, Writer(self.name, self.version))

    def _written_names(self, execution: Execution, target: str) -> list[str]:
        """The files that the statement's manifest lists, below `target`."""
        if execution.manifest is None:
            raise EngineFailed(f"query {execution.id} names no manifest of the files it wrote")
        bucket, key = _split(execution.manifest)
        with translated(f"read {execution.manifest}"):
            listed = self._clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        addresses = listed.split()
        if strange := [address for address in addresses if not address.startswith(target)]:
            raise EngineFailed(f"query {execution.id} wrote to {strange[0]}, which is not below {target}")
        return [address.removeprefix(target) for address in addresses]

    @contextmanager
    def _raw_table(self, name: str, folder: str, raw: RawFile) -> Iterator[None]:
        glue = self._clients.glue
        try:
            with translated(f"make the table {self._database}.{name}"):
                glue.create_table(DatabaseName=self._database, TableInput=_describe(name, folder, raw))
        except StoreUnavailable as error:
            if isinstance(error.__cause__, glue.exceptions.EntityNotFoundException):
                told = f"there is no Glue database {self._database} for Athena to work in"
                raise EngineFailed(f"{told}; deploy the stack, or set DAAP_WORK_DATABASE") from error
            raise
        try:
            yield
        finally:
            # One that stays is in nobody's way, and tidy() finds it.
            with suppress(StoreUnavailable, ObjectMissing):
                self._drop_table(name)

    def _drop_table(self, name: str) -> None:
        with translated(f"drop the table {self._database}.{name}"):
            self._clients.glue.delete_table(DatabaseName=self._database, Name=name)

    def tidy(self, older: timedelta = timedelta(days=1)) -> int:
        """Drops the tables that conversions left which were killed; returns how many. Raises StoreUnavailable."""
        before, dropped = datetime.now(UTC) - older, 0
        pages = self._clients.glue.get_paginator("get_tables").paginate(DatabaseName=self._database)
        with translated(f"list the tables of {self._database}"):
            for page in pages:
                for table in page["TableList"]:
                    if table["Name"].startswith(_PREFIX) and table["CreateTime"] < before:
                        self._drop_table(table["Name"])
                        dropped += 1
        return dropped

    @contextmanager
    def _swept_if_failed(self, target: str) -> Iterator[None]:
        """Athena leaves what a failed UNLOAD has written until then."""
        try:
            yield
        except BaseException:
            with suppress(StoreUnavailable):
                self._sweep(target)
            raise

    def _sweep(self, target: str) -> None:
        bucket, prefix = _split(target)
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with translated(f"empty {target}"):
            for page in pages:
                for found in page.get("Contents", ()):
                    self._clients.s3.delete_object(Bucket=bucket, Key=found["Key"])


def _folder_of(source: Source) -> str:
    if not source.location.startswith("s3://"):
        raise Unsuited("it is not in S3")
    return source.location.rpartition("/")[0] + "/"


def _split(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def _describe(name: str, folder: str, raw: RawFile) -> TableInputTypeDef:
    """The table of text that Athena reads: columns by their places, whatever the header calls them."""
    columns: Any = [{"Name": f"c{place}", "Type": "string"} for place in range(raw.layout.width)]
    marks = {"separatorChar": raw.delimiter, "quoteChar": raw.quote, "escapeChar": raw.escape}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "csv", "skip.header.line.count": str(raw.skip)},
        "StorageDescriptor": {
            "Columns": columns,
            "Location": folder,
            "InputFormat": _INPUT,
            "OutputFormat": _OUTPUT,
            "SerdeInfo": {"SerializationLibrary": _SERDE, "Parameters": marks},
        },
    }

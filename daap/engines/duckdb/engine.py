"""The DuckDB engine: one pass for a good file, an exact one for any other.

The direct path lets DuckDB read, judge and write in one statement, while a byte scan hashes the file
and counts its records on its own. It is believed only if DuckDB refused nothing, the scan found the
file plain, and both counted the same. Everything else takes the careful path: the exact reader
judges the structure and numbers the lines, DuckDB judges the values of the right records.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from daap.csvtext.header import Layout, no_header, read_layout
from daap.csvtext.records import RecordReader
from daap.csvtext.scan import Scan, scan_file
from daap.csvtext.sift import sift_records
from daap.csvtext.top import Top
from daap.engines.duckdb.contract import duckdb_type, missing, parse_text, strict_value, unfit
from daap.engines.duckdb.faults import log_faults
from daap.engines.duckdb.reading import TextFile, select_texts
from daap.engines.duckdb.remote import Remote, is_exact, is_remote
from daap.engines.duckdb.session import Unfit, connect, measure_parquet, reporting, translated
from daap.engines.duckdb.sql import identifier, literal
from daap.errors import EngineFailed, StoreUnavailable
from daap.model.table import Column, TableSchema
from daap.model.types import ColumnType
from daap.model.verdict import ErrorLog, Verdict, Written, WrittenFile
from daap.ports.engine import Engine, Progress, Source, silent

DIRECT, CAREFUL = "direct", "careful"
_OUTPUT = "part-0.parquet"


@dataclass(frozen=True, slots=True)
class _Shape:
    """Other columns than the schema's, to be written; `kept` are those that the schema has, by name and type."""

    columns: Sequence[Column]
    kept: frozenset[str]

    def pass_over(self, schema: TableSchema) -> TableSchema:
        """The schema with every column that is not kept read as any text."""
        text = ColumnType("string")
        columns = tuple(c if c.name in self.kept else Column(name=c.name, type=text) for c in schema.columns)
        return schema.model_copy(update={"columns": columns})

    def select(self, select: str) -> str:
        """The columns from a SELECT of the schema's: those that are not kept are NULL."""
        values = ", ".join(
            identifier(c.name) if c.name in self.kept else f"NULL::{duckdb_type(c.type)} AS {identifier(c.name)}"
            for c in self.columns
        )
        return f"SELECT {values} FROM ({select})"


def _find_shape(schema: TableSchema, columns: Sequence[Column]) -> _Shape:
    had = {(column.name, column.type) for column in schema.columns}
    return _Shape(columns, frozenset(column.name for column in columns if (column.name, column.type) in had))


@dataclass(frozen=True, slots=True)
class _Head:
    """What the top of a file tells: the layout (None: unreadable), its errors, and where the data begins.

    `data_start` is the byte behind the header, or None where the direct path cannot be taken.
    """

    layout: Layout | None
    log: ErrorLog
    data_start: int | None


class DuckDBEngine(Engine):
    """Checks and converts on one machine; one instance may be used by many threads."""

    name = "duckdb"
    version = duckdb.__version__

    def __init__(
        self,
        *,
        scratch: Path | None = None,
        memory_limit: str = "2GB",
        threads: int | None = None,
        remote: Remote | None = None,
    ) -> None:
        """`scratch` is a folder for intermediate files, the size of the input where the careful path is taken.

        With `remote`, sources and targets may be addresses.
        """
        self._scratch = scratch or Path(tempfile.gettempdir())
        self._database = connect(self._scratch, memory_limit, threads)
        self._remote = remote

    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        """See Engine."""
        with self._job(source) as job:
            verdict, _ = job.run(schema, None, progress)
            return verdict

    def stage(
        self, source: Source, schema: TableSchema, target: str, progress: Progress = silent
    ) -> tuple[Verdict, Written | None]:
        """See CanStage."""
        return self._stage(source, schema, target, progress, None)

    def _stage(
        self, source: Source, schema: TableSchema, target: str, progress: Progress, shape: _Shape | None
    ) -> tuple[Verdict, Written | None]:
        with self._job(source, shape) as job:
            try:
                return job.run(schema, target, progress)
            except BaseException:
                with suppress(StoreUnavailable):  # what went wrong first is what is told
                    job.drop(target)
                raise

    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        """See Engine."""
        shape = _find_shape(schema, columns) if columns is not None else None
        schema = shape.pass_over(schema) if shape else schema
        verdict, written = self._stage(source, schema, target, progress, shape)
        if written is None:
            raise EngineFailed(f"{source.location} does not pass its schema: {verdict.errors[0]}")
        return written

    def measure(self, target: str, names: Sequence[str]) -> Written:
        """What another engine wrote as Parquet below `target`, by the footers of the files of these `names`.

        Raises EngineFailed if one of them is no Parquet, StoreUnavailable if it cannot be read.
        """
        with self._connected() as connection:
            found = measure_parquet(connection, [_output_path(target, name) for name in names])
        return Written(target, tuple(WrittenFile(name, *one) for name, one in zip(names, found, strict=True)))

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._database.cursor()
        try:
            if self._remote:
                self._remote.prepare(cursor)
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def _job(self, source: Source, shape: _Shape | None = None) -> Iterator[_Job]:
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            with (
                self._connected() as connection,
                tempfile.TemporaryDirectory(prefix="load-", dir=self._scratch) as folder,
            ):
                yield _Job(connection, source, Path(folder), shape, self._remote)
        except OSError as error:
            told = error.strerror or error
            raise EngineFailed(f"cannot read {source.location} or write below {self._scratch}: {told}") from error


class _Job:
    """The work on one file."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        source: Source,
        folder: Path,
        shape: _Shape | None,
        remote: Remote | None,
    ) -> None:
        """`shape` tells which columns are written, where they are not the schema's."""
        self._connection, self._source, self._folder, self._shape = connection, source, folder, shape
        self._remote = remote

    def run(self, schema: TableSchema, target: str | None, progress: Progress) -> tuple[Verdict, Written | None]:
        """Judges the file and, with a `target`, writes it if it is accepted."""
        top = Top(self._source)
        head = self._read_head(schema, top)
        if head.data_start is None or head.layout is None:
            return self._run_careful(schema, head, self._scan(schema), target, progress)
        with ThreadPoolExecutor(1, "daap-scan") as pool:
            scanning = pool.submit(self._scan, schema, head.data_start, head.layout.width)
            rows, written = self._run_direct(schema, head.layout, _peek_line_end(top.data), target, progress)
            scan = scanning.result()
        if rows is not None and scan.plain and rows == scan.records and (rows or schema.dialect.header):
            return Verdict(rows, scan.size, scan.content_hash, path=DIRECT), written
        if target:
            self.drop(target)
        return self._run_careful(schema, head, scan, target, progress)

    def _scan(self, schema: TableSchema, data_start: int | None = None, width: int = 0) -> Scan:
        with self._source.open() as stream:
            return scan_file(stream, schema.dialect, data_start, width)

    def _read_head(self, schema: TableSchema, top: Top) -> _Head:
        log = ErrorLog()
        with top.open() as stream:
            reader = RecordReader(stream, schema.dialect)
            layout = read_layout(reader, schema, log)
            lines = reader.lines.number
        plain = layout is not None and not log.counts and _is_plain(schema) and is_exact(self._source.location)
        return _Head(layout, log, _find_data(top, lines) if plain else None)

    def _run_direct(
        self, schema: TableSchema, layout: Layout, line_end: str, target: str | None, progress: Progress
    ) -> tuple[int | None, Written | None]:
        """The rows that DuckDB read and found right (None if it refused anything), and what it wrote."""
        file = TextFile(self._source.location, schema.dialect, layout, skip=layout.line, line_end=line_end)
        try:
            if target is None:
                return self._count_right(file, schema, progress), None
            written = self._write(file, schema, target, progress)
        except Unfit:
            return None, None
        return written.rows, written

    def _count_right(self, file: TextFile, schema: TableSchema, progress: Progress) -> int | None:
        """The number of rows, or None if a value is wrong."""
        tests = [
            test for place, column in enumerate(schema.columns)
            for test in (unfit(column, f"t{place}"), missing(column, f"t{place}"))
        ]  # fmt: skip
        wrong = " OR ".join(tests)
        statement = f"SELECT count(*), count(*) FILTER (WHERE {wrong}) FROM ({select_texts(file, schema)})"
        with translated("checking"), reporting(self._connection, "checking", progress):
            row = self._connection.execute(statement).fetchone()
        return int(row[0]) if row and not row[1] else None

    def _write(self, file: TextFile, schema: TableSchema, target: str, progress: Progress) -> Written:
        """Writes all rows as typed Parquet; raises Unfit if a value does not fit."""
        path = _output_path(target, _OUTPUT)
        if not is_remote(target):
            Path(target).mkdir(parents=True, exist_ok=True)
        values = _select_values(file, schema)
        select = self._shape.select(values) if self._shape else values
        statement = f"COPY ({select}) TO {literal(path)} (FORMAT parquet)"
        with translated("writing Parquet"), reporting(self._connection, "converting", progress):
            row = self._connection.execute(statement).fetchone()
        rows = int(row[0]) if row else 0
        ((kept, size),) = measure_parquet(self._connection, [path])
        if kept != rows:
            raise EngineFailed(f"DuckDB said {rows} rows, the Parquet file holds {kept}")
        return Written(target, (WrittenFile(_OUTPUT, rows, size),))

    def drop(self, target: str) -> None:
        """Removes what was written, if anything; raises StoreUnavailable."""
        if not is_remote(target):
            with suppress(FileNotFoundError):
                shutil.rmtree(target)
        elif self._remote:
            self._remote.remove(_output_path(target, _OUTPUT))

    def _run_careful(
        self, schema: TableSchema, head: _Head, scan: Scan, target: str | None, progress: Progress
    ) -> tuple[Verdict, Written | None]:
        log, rows = head.log, 0
        file: TextFile | None = None
        if head.layout is not None:
            log = ErrorLog(list(head.log.kept), head.log.counts.copy())
            file, rows, right = self._sift(schema, head.layout, log, progress)
            self._judge_values(file, schema, log, right)
            if not (rows or schema.dialect.header):
                log.add(no_header(head.layout.line))
        verdict = Verdict(rows, scan.size, scan.content_hash, tuple(log.kept), dict(log.counts), path=CAREFUL)
        if target is None or file is None or not verdict.accepted:
            return verdict, None
        return verdict, self._write_sifted(file, schema, target, rows, progress)

    def _sift(
        self, schema: TableSchema, layout: Layout, log: ErrorLog, progress: Progress
    ) -> tuple[TextFile, int, int]:
        """Writes the right records to a scratch file; returns it, all records and the right ones."""
        path = self._folder / "sifted.csv"
        with self._source.open() as stream, path.open("w", encoding="utf-8", newline="") as out:
            reader = RecordReader(stream, schema.dialect)
            read_layout(reader, schema, ErrorLog())  # again, to come to the data; its errors are known
            sifted = sift_records(reader, layout, schema, out, log, _share(progress, self._source.size))
        file = TextFile(str(path), schema.dialect, layout, numbered=True, longest=sifted.longest)
        return file, sifted.records, sifted.right

    def _judge_values(self, file: TextFile, schema: TableSchema, log: ErrorLog, right: int) -> None:
        try:
            seen = log_faults(self._connection, file, schema, log)
        except Unfit as error:
            raise EngineFailed(f"DuckDB cannot read what the exact reader accepts: {error}") from error
        if seen != right:
            raise EngineFailed(f"DuckDB read {seen} rows where the exact reader counts {right}")

    def _write_sifted(self, file: TextFile, schema: TableSchema, target: str, rows: int, progress: Progress) -> Written:
        try:
            written = self._write(file, schema, target, progress)
        except Unfit as error:
            raise EngineFailed(f"DuckDB refuses a value that passed the check: {error}") from error
        if written.rows != rows:
            raise EngineFailed(f"{rows} rows were read but {written.rows} written")
        return written


def _select_values(file: TextFile, schema: TableSchema) -> str:
    """The schema's columns as typed values; the statement fails at the first that does not fit.

    What is parsed gets a name in an inner query: DuckDB does not see common parts across the
    branches of a CASE, and would compute them twice.
    """
    parsed = ", ".join(f"{parse_text(column, f't{n}')} AS v{n}" for n, column in enumerate(schema.columns))
    values = ", ".join(
        f"{strict_value(column, f't{n}', f'v{n}')} AS {identifier(column.name)}"
        for n, column in enumerate(schema.columns)
    )
    return f"SELECT {values} FROM (SELECT *, {parsed} FROM ({select_texts(file, schema)}))"


def _is_plain(schema: TableSchema) -> bool:
    """Whether DuckDB's reader and the byte scan know the dialect."""
    dialect = schema.dialect
    return dialect.encoding in ("utf-8", "utf-8-sig") and not dialect.own_escape


def _find_data(top: Top, lines: int) -> int | None:
    """The byte behind the first `lines` lines; None if one of them ends in a lone CR."""
    start = 0
    with top.open() as stream:
        for _ in range(lines):
            line = stream.readline()
            if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
                return None
            start += len(line)
    return start


def _peek_line_end(head: bytes) -> str:
    return "\r\n" if b"\r\n" in head else "\n"


def _share(progress: Progress, size: int) -> Callable[[int], None]:
    return lambda done: progress("checking", min(done / size, 1.0) if size else 1.0)


def _output_path(target: str, name: str) -> str:
    return f"{target.rstrip('/')}/{name}"

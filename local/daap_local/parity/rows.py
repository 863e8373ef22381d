"""Rows of two sides as multisets of exact values, in bounded memory: DuckDB groups them, and spills to disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from daap.engines.duckdb.sql import identifier, literal
from daap.errors import EngineFailed
from daap.ports.query import ArrowStream

_MEMORY = "1GB"
_FETCHED = 1_000
"""Differing rows of one side that are looked through for the one which another row was meant to be."""

_NUMBER = "file_row_number"
_BATCH_ROWS = 10_000

Values = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Odd:
    """A row that one side has more often: its values as text, how often more, and its first record in the file, from 1.

    The record is not known of a row that only the right side has, which need not keep the order of the file.
    """

    values: Values
    times: int
    record: int | None
    place: int | None = field(default=None, compare=False)
    """Where the row stands on its own side, if that is known: near rows are more likely to be one and the same."""


@dataclass(frozen=True, slots=True)
class RowsFound:
    """How many rows there are on either side, how many have no equal on the other, and the first of those."""

    counts: tuple[int, int]
    odd: int
    left: tuple[Odd, ...]
    right: tuple[Odd, ...]


class RowBench:
    """A database of a moment in `folder`. Values are compared as exact text; NULL and the empty text differ."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(str(folder / "rows.duckdb"))
        for name, value in (
            ("memory_limit", _MEMORY), ("temp_directory", str(folder / "spill")),
            ("autoinstall_known_extensions", "false"), ("preserve_insertion_order", "false"),
        ):  # fmt: skip
            self._connection.execute(f"SET {name} = {literal(value)}")

    def close(self) -> None:
        """Ends the database."""
        self._connection.close()

    def compare_files(self, left: Sequence[Path], right: Sequence[Path], columns: Sequence[str]) -> RowsFound:
        """Compares the rows of Parquet files in these columns; the left ones are in the order of the CSV."""
        with _translated("comparing Parquet"):
            return self._compare(_files(left, columns), _files(right, columns), len(columns))

    def compare_streams(
        self, left: ArrowStream, right: ArrowStream, columns: Sequence[str], padded: set[str]
    ) -> RowsFound:
        """Compares the rows of two answers in these columns; in `padded` ones, spaces at the end do not count."""
        with _translated("comparing the rows of a query"), self._kept("a", left), self._kept("b", right):
            return self._compare(_table("a", columns, padded), _table("b", columns, padded), len(columns))

    def compare_part(
        self, some: ArrowStream, files: Sequence[Path], columns: Sequence[str], padded: set[str]
    ) -> RowsFound:
        """Compares an answer, as the left side, with the Parquet files of which it is to be a part."""
        with _translated("comparing a preview"), self._kept("a", some):
            return self._compare(_table("a", columns, padded), _files(files, columns), len(columns))

    @contextmanager
    def _kept(self, name: str, stream: ArrowStream) -> Iterator[None]:
        reader = pa.RecordBatchReader.from_stream(stream)
        self._connection.register("stream", reader)
        try:
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM stream")
            yield
        finally:
            self._connection.unregister("stream")
            self._connection.execute(f"DROP TABLE IF EXISTS {name}")

    def _compare(self, left: str, right: str, width: int) -> RowsFound:
        keys = "".join(f"c{place}, " for place in range(width))
        both = f"SELECT 0 AS s, * FROM ({left}) UNION ALL SELECT 1 AS s, * FROM ({right})"  # noqa: S608 - quoted
        numbers = "count(*) FILTER (s = 0) AS l, count(*) FILTER (s = 1) AS r"
        places = "min(n) FILTER (s = 0) AS ln, min(n) FILTER (s = 1) AS rn"
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT {keys}{numbers}, {places} FROM ({both}) "  # noqa: S608 - quoted
            f"GROUP BY {keys.rstrip(', ') or '()'} HAVING l <> r"
        )
        counts = tuple(self._one(f"SELECT count(*) FROM ({side})") for side in (left, right))  # noqa: S608 - as above
        odd = self._one("SELECT coalesce(sum(abs(l - r)), 0) FROM grouped")
        left_odd, right_odd = self._odd(keys, "l", "r"), self._odd(keys, "r", "l")
        self._connection.execute("DROP TABLE grouped")
        return RowsFound((counts[0], counts[1]), odd, left_odd, right_odd)

    def _one(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row else 0

    def _odd(self, keys: str, more: str, less: str) -> tuple[Odd, ...]:
        rows = self._connection.execute(
            f"SELECT {keys}{more} - {less}, ln, {more}n FROM grouped WHERE {more} > {less} "  # noqa: S608 - names of our own
            f"ORDER BY {more}n NULLS LAST, {keys}1 LIMIT {_FETCHED}"
        ).fetchall()
        return tuple(
            Odd(tuple(values), times, None if record is None else record + 1, place)
            for *values, times, record, place in rows
        )


def _text(name: str, trimmed: bool = False) -> str:
    text = f"CAST({identifier(name)} AS VARCHAR)"
    return f"rtrim({text}, ' ')" if trimmed else text


def _select(columns: Sequence[str], number: str, source: str, padded: set[str]) -> str:
    """The columns as text by their places, so that no name can clash with ours."""
    texts = "".join(f"{_text(name, name in padded)} AS c{place}, " for place, name in enumerate(columns))
    return f"SELECT {texts}{number} AS n FROM {source}"  # noqa: S608 - quoted


def _files(paths: Sequence[Path], columns: Sequence[str]) -> str:
    numbered = len(paths) == 1 and _NUMBER not in columns
    if not paths:
        return _select_nothing(columns)
    listed = ", ".join(literal(str(path)) for path in paths)
    source = f"read_parquet([{listed}], hive_partitioning = false, {_NUMBER} = {str(numbered).lower()})"
    return _select(columns, _NUMBER if numbered else "NULL::BIGINT", source, set())


def _select_nothing(columns: Sequence[str]) -> str:
    nulls = "".join(f"NULL::VARCHAR AS c{place}, " for place in range(len(columns)))
    return f"SELECT {nulls}NULL::BIGINT AS n WHERE false"


def _table(name: str, columns: Sequence[str], padded: set[str]) -> str:
    return _select(columns, "NULL::BIGINT", name, padded)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise EngineFailed(f"{doing} failed: {error}") from error

"""A DuckDB connection set up for ingestion, and DuckDB's errors as daap's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from daap.engines.duckdb.sql import literal
from daap.errors import Cancelled, EngineFailed, ObjectMissing, StoreUnavailable
from daap.ports.engine import Progress, silent

_POLL_SECONDS = 0.2
_NOT_FOUND = 404


class Unfit(Exception):
    """The statement met text that is not as it should be. Internal: the careful path finds out what."""


def connect(scratch: Path, memory_limit: str, threads: int | None) -> duckdb.DuckDBPyConnection:
    """An in-memory database that loads no extensions from the network and spills below `scratch`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_persistent_secrets": False,  # credentials live in memory, and nothing is read from a home folder
        "memory_limit": memory_limit,
        "temp_directory": str(scratch / "spill"),
    }
    if threads:
        config["threads"] = threads
    connection = duckdb.connect(config=config)
    connection.execute("SET enable_progress_bar = false")
    return connection


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """DuckDB's errors as Unfit, ObjectMissing, StoreUnavailable, Cancelled or EngineFailed; `doing` says at what."""
    try:
        yield
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
        raise Unfit(str(error)) from error
    except duckdb.InterruptException:
        raise Cancelled(f"stopped while {doing}") from None
    except duckdb.OutOfMemoryException as error:
        raise EngineFailed(f"not enough memory while {doing}: {_first_line(error)}") from error
    except duckdb.HTTPException as error:
        kind = ObjectMissing if error.status_code == _NOT_FOUND else StoreUnavailable
        raise kind(f"cannot read or write while {doing}: {_first_line(error)}") from error
    except duckdb.IOException as error:
        raise StoreUnavailable(f"cannot read or write while {doing}: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise EngineFailed(f"DuckDB failed while {doing}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


@contextmanager
def reporting(connection: duckdb.DuckDBPyConnection, step: str, progress: Progress) -> Iterator[None]:
    """Passes DuckDB's own progress on, a few times a second, while the block runs a statement."""
    if progress is silent:
        yield
        return
    done = threading.Event()

    def poll() -> None:
        while not done.wait(_POLL_SECONDS):
            share = connection.query_progress()
            if share >= 0:
                progress(step, min(share, 100.0) / 100)

    thread = threading.Thread(target=poll, name="daap-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def measure_parquet(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> list[tuple[int, int]]:
    """Rows and bytes of Parquet files, by their own footers; raises EngineFailed if one is no Parquet."""
    listed = ", ".join(map(literal, paths))
    statement = f"SELECT file_name, num_rows, file_size_bytes FROM parquet_file_metadata([{listed}])"
    try:
        with translated("counting the rows written"):
            found = {name: (rows, size) for name, rows, size in connection.execute(statement).fetchall()}
    except Unfit as error:
        raise EngineFailed(f"what was written is no Parquet: {error}") from error
    if missing := [path for path in paths if path not in found]:
        raise EngineFailed(f"what was written to {missing[0]} cannot be read")
    return [found[path] for path in paths]

"""One DuckDB for one statement: in memory, bounded, and confined to the files of catalogued tables."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daap.engines.duckdb.sql import literal
from daap.errors import Cancelled

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may use: bytes of memory, threads, and where and how much it may spill."""

    memory: int
    threads: int
    scratch: Path
    spill: int


class Session:
    """A connection that can be stopped from another thread at any moment, before it is open too."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.stopped = threading.Event()
        self.exhausted = threading.Event()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The statement's connection, with Athena's functions in it; the same one each time."""
        self.check()
        with self._lock:
            if self._connection is None:
                self._connection = _open(self._limits)
        return self._connection

    def confine(self, folders: Sequence[str]) -> None:
        """From here on the connection opens nothing but what lies in `folders`, and its settings stay."""
        connection = self.connect()
        listed = ", ".join(map(literal, folders))
        connection.execute(f"SET allowed_directories = [{listed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Runs a statement; its rows are there to be fetched as they are made."""
        connection = self.connect()
        self.check()
        return connection.execute(sql)

    def check(self) -> None:
        """Raises Cancelled once the statement is to stop."""
        if self.stopped.is_set():
            raise Cancelled("Query cancelled by user")

    def stop(self, *, exhausted: bool = False) -> None:
        """Ends what runs; to be called again until it has ended, since between two steps nothing can be interrupted."""
        if exhausted:
            self.exhausted.set()
        self.stopped.set()
        if self._lock.acquire(blocking=False):
            try:
                if self._connection is not None:
                    self._connection.interrupt()
            finally:
                self._lock.release()

    def close(self) -> None:
        """Frees all that the statement held."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _open(limits: Limits) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - as below

    from daap_local.athena.sql import install  # noqa: PLC0415 - the translation is loaded with the first query

    limits.scratch.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": f"{limits.memory}B",
        "threads": limits.threads,
        "temp_directory": str(limits.scratch),
        "max_temp_directory_size": f"{limits.spill}B",
    })  # fmt: skip
    connection.execute("SET enable_progress_bar = false")
    install(connection)
    return connection

"""One statement's use of DuckDB, which can be stopped from another thread at any moment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from daap.errors import Cancelled

if TYPE_CHECKING:
    import duckdb

    from daap_local.athena.execution.spares import Spare, Spares


class Session:
    """A connection of the statement's own, taken when it is first needed."""

    def __init__(self, spares: Spares) -> None:
        self._spares = spares
        self._lock = threading.Lock()
        self._spare: Spare | None = None
        self.stopped = threading.Event()
        self.exhausted = threading.Event()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The statement's connection, the same one each time; `run` and `prepare` put Athena's functions into it."""
        self.check()
        with self._lock:
            if self._spare is None:
                self._spare = self._spares.take()
            return self._spare.connection

    def run(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Runs a statement; its rows are there to be fetched as they are made."""
        connection = self.prepare(sql)
        self.check()
        return connection.execute(sql)

    def prepare(self, sql: str) -> duckdb.DuckDBPyConnection:
        """The connection, with those of Athena's functions in it that a text names."""
        from daap_local.athena.sql import install  # noqa: PLC0415 - the translation is loaded with the first query

        connection = self.connect()
        install(connection, sql)
        return connection

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
                if self._spare is not None:
                    self._spare.connection.interrupt()
            finally:
                self._lock.release()

    def close(self) -> None:
        """Frees all that the statement held."""
        with self._lock:
            if self._spare is not None:
                self._spare.close()
                self._spare = None

"""Connections for queries: each has one to itself, and some are opened before they are needed."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daap.engines.duckdb.sql import literal

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use: bytes of memory, threads, where and how much it may spill, and where it may read."""

    memory: int
    threads: int
    scratch: Path
    spill: int
    folders: Sequence[str] = ()


@dataclass(slots=True)
class Spare:
    """A connection, and the folder it spills to."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path

    def close(self) -> None:
        """Frees all that it holds."""
        self.connection.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Spares:
    """Keeps a few connections ready."""

    def __init__(self, limits: Limits, count: int) -> None:
        self._limits, self._count = limits, count
        self._ready: deque[Spare] = deque()
        self._lock = threading.Lock()
        self._filling = False
        self._closed = False

    def take(self) -> Spare:
        """A connection for one query, whose user closes it."""
        try:
            return self._ready.pop()
        except IndexError:
            return open_spare(self._limits)
        finally:
            self.fill()

    def fill(self) -> None:
        """Opens what is missing, in a thread of its own."""
        with self._lock:
            if self._filling or self._closed:
                return
            self._filling = True
        threading.Thread(target=self._fill, name="athena-spares", daemon=True).start()

    def _fill(self) -> None:
        try:
            while len(self._ready) < self._count and not self._closed:
                self._ready.append(open_spare(self._limits))
        finally:
            self._filling = False

    def close(self) -> None:
        """Closes those that are left."""
        self._closed = True
        while self._ready:
            self._ready.popleft().close()


def open_spare(limits: Limits) -> Spare:
    """An empty database in memory that opens nothing but what lies in some folders."""
    import duckdb  # noqa: PLC0415 - loaded with the first query

    scratch = limits.scratch / uuid.uuid4().hex
    scratch.mkdir(parents=True)
    connection = duckdb.connect(config={
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": f"{limits.memory}B",
        "threads": limits.threads,
        "temp_directory": str(scratch),
        "max_temp_directory_size": f"{limits.spill}B",
    })  # fmt: skip
    connection.execute("SET enable_progress_bar = false")
    _confine(connection, limits.folders)
    return Spare(connection, scratch)


def _confine(connection: duckdb.DuckDBPyConnection, folders: Sequence[str]) -> None:
    """Neither of the two can be changed back while the database is open, whatever a statement says."""
    connection.execute(f"SET allowed_directories = [{', '.join(map(literal, folders))}]")
    connection.execute("SET enable_external_access = false")

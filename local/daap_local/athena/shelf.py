"""What the server keeps across restarts: JSON documents by kind and key, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daap_local.files import make_folder

Document = dict[str, Any]
_MARK = "\x1f"
_END = "\x20"  # the character after the mark: what begins with `key + mark` sorts before `key + end`
_SCHEMA = "CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, data TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID"
_WAIT_SECONDS = 30.0


class Shelf:
    """Documents under `(kind, *key)`. Threads share it, and so may processes; every call is one transaction."""

    def __init__(self, path: Path | None) -> None:
        """None keeps all in memory."""
        if path:
            make_folder(path.parent)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            str(path or ":memory:"), timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All calls in the block count as one, and none of them if it is left by an exception."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._finish("ROLLBACK")
                raise
            self._finish("COMMIT")

    def _finish(self, how: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._connection.execute(how)

    def get(self, kind: str, *key: str) -> Document | None:
        """The document, or None."""
        with self._lock:
            statement = "SELECT data FROM documents WHERE kind = ? AND key = ?"
            row = self._connection.execute(statement, (kind, _join(key))).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, *key: str, data: Document) -> None:
        """Writes the document, over an older one too."""
        with self.transaction():
            statement = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)"
            self._connection.execute(statement, (kind, _join(key), json.dumps(data)))

    def delete(self, kind: str, *key: str) -> None:
        """Removes the document, if it is there."""
        with self.transaction():
            self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, _join(key)))

    def delete_below(self, kind: str, *key: str) -> None:
        """Removes all documents whose key begins with `key`."""
        with self.transaction():
            statement = "DELETE FROM documents WHERE kind = ? AND key > ? AND key < ?"
            self._connection.execute(statement, (kind, *_span(key)))

    def list(self, kind: str, *key: str) -> list[Document]:
        """All documents whose key begins with `key`, in the order of their keys."""
        with self._lock:
            statement = "SELECT data FROM documents WHERE kind = ? AND key > ? AND key < ? ORDER BY key"
            rows = self._connection.execute(statement, (kind, *_span(key))).fetchall()
        found: list[Document] = json.loads(f"[{','.join(row[0] for row in rows)}]")
        return found

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()


def _join(key: tuple[str, ...]) -> str:
    return "".join(f"{part}{_MARK}" for part in key)


def _span(key: tuple[str, ...]) -> tuple[str, str]:
    start = _join(key)
    return start, f"{start[:-1]}{_END}" if start else "\U0010ffff"

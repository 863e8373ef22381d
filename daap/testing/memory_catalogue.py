"""The catalogue in memory; engines write to a folder that it is given."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from daap.errors import NotRegistered, StoreUnavailable
from daap.model.keys import partition_prefix, table_prefix
from daap.model.loads import LoadId, OutputFile, TableRef
from daap.model.verdict import Written
from daap.ports.catalogue import Catalogue, TableEntry


class MemoryCatalogue(Catalogue):
    """Tables and snapshots in dictionaries; `folder` is where engines write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._tables: dict[tuple[str, str], TableEntry] = {}
        self._snapshots: dict[LoadId, tuple[OutputFile, ...]] = {}

    def put_table(self, entry: TableEntry) -> None:
        """See Catalogue."""
        key = (entry.ref.database, entry.ref.table.lower())
        with self._lock:
            known = self._tables.get(key)
            widened = known.widened or _adds_columns(known, entry) if known else self._has_snapshots(entry.ref)
            self._tables[key] = TableEntry(entry.ref, entry.schema, widened=widened)

    def tables(self) -> Sequence[TableEntry]:
        """See Catalogue."""
        with self._lock:
            return [self._tables[key] for key in sorted(self._tables)]

    def table(self, database: str, table: str) -> TableEntry:
        """See Catalogue."""
        try:
            return self._tables[database.lower(), table.lower()]
        except KeyError:
            raise NotRegistered(f"there is no table {database}.{table}") from None

    def new_target(self, load: LoadId) -> str:
        """See Catalogue."""
        return str(self._folder / f"{str(load).replace('/', '-')}-{uuid.uuid4().hex}")

    def publish(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """See Catalogue."""
        with self._lock:
            if load not in self._snapshots:
                self._show(load, written)
            shutil.rmtree(written.target, ignore_errors=True)
            return self._snapshots[load]

    def replace(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """See Catalogue."""
        with self._lock:
            self._show(load, written)
            return self._snapshots[load]

    def _show(self, load: LoadId, written: Written) -> None:
        if not Path(written.target).is_dir():
            raise StoreUnavailable(f"cannot publish {load}: what was written is gone")
        prefix = partition_prefix("curated", load)
        self._drop_files(load)
        shutil.move(written.target, self._folder / "visible" / prefix)
        self._snapshots[load] = tuple(OutputFile(key=prefix + f.name, rows=f.rows, bytes=f.size) for f in written.files)

    def withdraw(self, load: LoadId) -> None:
        """See Catalogue."""
        with self._lock:
            self._snapshots.pop(load, None)
            self._drop_files(load)
        self.discard(load)

    def drop_table(self, ref: TableRef) -> None:
        """See Catalogue."""
        with self._lock:
            self._tables.pop((ref.database, ref.table.lower()), None)
            for load in [load for load in self._snapshots if load.ref == ref]:
                del self._snapshots[load]
            shutil.rmtree(self._folder / "visible" / table_prefix("curated", ref), ignore_errors=True)
        for folder in self._folder.glob(f"{str(ref).replace('/', '-')}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _drop_files(self, load: LoadId) -> None:
        shutil.rmtree(self._folder / "visible" / partition_prefix("curated", load), ignore_errors=True)

    def discard(self, load: LoadId) -> None:
        """See Catalogue."""
        for folder in self._folder.glob(f"{str(load).replace('/', '-')}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def snapshots(self, ref: TableRef) -> Sequence[str]:
        """See Catalogue."""
        with self._lock:
            return sorted(load.stamp for load in self._snapshots if load.ref == ref)

    def _has_snapshots(self, ref: TableRef) -> bool:
        return any(load.ref == ref for load in self._snapshots)


def _adds_columns(known: TableEntry, entry: TableEntry) -> bool:
    return not {column.name for column in entry.schema.columns} <= {column.name for column in known.schema.columns}

"""The catalogue on folders: a snapshot is visible once its folder bears its partition's name."""

from __future__ import annotations

import errno
import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from daap.errors import InvalidName, NotRegistered, ObjectMissing
from daap.model.keys import partition_prefix, table_prefix
from daap.model.loads import LoadId, OutputFile, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Written
from daap.ports.catalogue import Catalogue, TableEntry
from daap_local.files import make_folder, sync_path, translated
from daap_local.folder_store import FolderStore

_ENTRIES = "metadata/catalogue-tables/"
_STAGING = ".staging"  # hidden: neither the store nor a query sees it
_PARTITION = "load_timestamp="
_EXISTS = frozenset({errno.ENOTEMPTY, errno.EEXIST})


class FolderCatalogue(Catalogue):
    """Entries as objects in the metadata zone, snapshots as folders in the curated zone."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store

    def put_table(self, entry: TableEntry) -> None:
        """See Catalogue."""
        key = _entry_key(entry.ref.database, entry.ref.table)
        data = json.dumps({
            "product": entry.ref.product, "major": entry.ref.major, "table": entry.ref.table,
            "schema": entry.schema.dump(),
        }, indent=1).encode()  # fmt: skip
        try:
            if self._store.read(key)[0] == data:
                return
        except ObjectMissing:
            pass
        self._store.put(key, data)

    def tables(self) -> Sequence[TableEntry]:
        """See Catalogue."""
        return [self._load(info.key) for info in self._store.list(_ENTRIES)]

    def table(self, database: str, table: str) -> TableEntry:
        """See Catalogue."""
        try:
            return self._load(_entry_key(database.lower(), table.lower()))
        except (ObjectMissing, InvalidName):
            raise NotRegistered(f"there is no table {database}.{table}") from None

    def _load(self, key: str) -> TableEntry:
        found = json.loads(self._store.read(key)[0])
        ref = TableRef(found["product"], found["major"], found["table"])
        return TableEntry(ref, TableSchema.model_validate(found["schema"]))

    def new_target(self, load: LoadId) -> str:
        """See Catalogue."""
        return str(self._folder(load.ref) / _STAGING / f"{load.stamp}-{uuid.uuid4().hex}")

    def publish(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """See Catalogue. All is on disk before the one rename that shows it."""
        staged, visible = Path(written.target), self._store.folder(partition_prefix("curated", load))
        with translated(f"publish {load}"):
            if visible.is_dir():
                shutil.rmtree(staged, ignore_errors=True)
                return _describe_files(load, visible)
            for file in written.files:
                sync_path(staged / file.name)
            sync_path(staged)
            make_folder(visible.parent)
            try:
                staged.rename(visible)
            except OSError as error:
                if error.errno not in _EXISTS:
                    raise
                shutil.rmtree(staged)
                return _describe_files(load, visible)
            sync_path(visible.parent)
        prefix = partition_prefix("curated", load)
        return tuple(OutputFile(key=prefix + f.name, rows=f.rows, bytes=f.size) for f in written.files)

    def discard(self, load: LoadId) -> None:
        """See Catalogue."""
        for folder in (self._folder(load.ref) / _STAGING).glob(f"{load.stamp}-*"):
            with translated(f"remove {folder}"):
                shutil.rmtree(folder, ignore_errors=True)

    def snapshots(self, ref: TableRef) -> Sequence[str]:
        """See Catalogue."""
        return sorted(p.name.removeprefix(_PARTITION) for p in self._folder(ref).glob(f"{_PARTITION}*"))

    def _folder(self, ref: TableRef) -> Path:
        return self._store.folder(table_prefix("curated", ref))


def _entry_key(database: str, table: str) -> str:
    return f"{_ENTRIES}{database}/{table.lower()}.json"


def _describe_files(load: LoadId, folder: Path) -> tuple[OutputFile, ...]:
    """The files of a snapshot that another try has published, by what they say themselves."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - slow to import, and seldom needed

    prefix = partition_prefix("curated", load)
    return tuple(
        OutputFile(key=prefix + path.name, rows=pq.read_metadata(path).num_rows, bytes=path.stat().st_size)
        for path in sorted(folder.glob("*.parquet"))
    )

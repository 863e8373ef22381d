"""The catalogue on folders: a snapshot is visible once its folder bears its partition's name."""

from __future__ import annotations

import errno
import json
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
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
        try:
            known = self._load(key)
        except ObjectMissing:
            # Over snapshots that are there already, an entry was lost: nobody knows by which schemas they were made.
            self._store.put(key, _encode(entry, widened=bool(self.snapshots(entry.ref))))
            return
        if known.ref != entry.ref or known.schema != entry.schema:
            self._store.put(key, _encode(entry, widened=known.widened or _adds_columns(known.schema, entry.schema)))

    def tables(self) -> Sequence[TableEntry]:
        """See Catalogue."""
        entries = []
        for info in self._store.list(_ENTRIES):
            with suppress(ObjectMissing):  # dropped meanwhile
                entries.append(self._load(info.key))
        return entries

    def table(self, database: str, table: str) -> TableEntry:
        """See Catalogue."""
        try:
            return self._load(_entry_key(database.lower(), table.lower()))
        except (ObjectMissing, InvalidName):
            raise NotRegistered(f"there is no table {database}.{table}") from None

    def _load(self, key: str) -> TableEntry:
        found = json.loads(self._store.read(key)[0])
        ref = TableRef(found["product"], found["major"], found["table"])
        return TableEntry(ref, TableSchema.model_validate(found["schema"]), widened=found.get("widened", False))

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

    def replace(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """See Catalogue. One file takes the place of one file by a rename; else the old folder goes aside first."""
        staged, visible = Path(written.target), self._store.folder(partition_prefix("curated", load))
        if not visible.is_dir():
            return self.publish(load, written)
        names = [file.name for file in written.files]
        with translated(f"replace {load}"):
            for name in names:
                sync_path(staged / name)
            if [path.name for path in visible.iterdir()] == names == names[:1]:
                (staged / names[0]).replace(visible / names[0])
                sync_path(visible)
                staged.rmdir()
            else:
                self._put_aside(load)
                return self.publish(load, written)
        return _describe_files(load, visible)

    def withdraw(self, load: LoadId) -> None:
        """See Catalogue. What an earlier try put aside and did not come to remove goes too."""
        self._put_aside(load)
        self.discard(load)

    def _put_aside(self, load: LoadId) -> None:
        visible, aside = self._store.folder(partition_prefix("curated", load)), Path(self.new_target(load))
        with translated(f"remove {visible}"):
            if not visible.is_dir():
                return
            make_folder(aside.parent)
            try:
                visible.rename(aside)
            except FileNotFoundError:
                return
            sync_path(visible.parent)
            _remove_folder(aside)

    def drop_table(self, ref: TableRef) -> None:
        """See Catalogue."""
        self._store.delete(_entry_key(ref.database, ref.table))
        for stamp in self.snapshots(ref):
            self.withdraw(LoadId(ref, stamp))
        folder = self._folder(ref)
        with translated(f"remove {folder}"):
            _remove_folder(folder)
        self._store.prune(f"{_ENTRIES}{ref.database}/")

    def discard(self, load: LoadId) -> None:
        """See Catalogue."""
        for folder in (self._folder(load.ref) / _STAGING).glob(f"{load.stamp}-*"):
            with translated(f"remove {folder}"):
                _remove_folder(folder)

    def snapshots(self, ref: TableRef) -> Sequence[str]:
        """See Catalogue."""
        return sorted(p.name.removeprefix(_PARTITION) for p in self._folder(ref).glob(f"{_PARTITION}*"))

    def _folder(self, ref: TableRef) -> Path:
        return self._store.folder(table_prefix("curated", ref))


def _remove_folder(folder: Path) -> None:
    while folder.is_dir():
        with suppress(FileNotFoundError):  # another process removes it too
            shutil.rmtree(folder)


def _encode(entry: TableEntry, *, widened: bool) -> bytes:
    return json.dumps({
        "product": entry.ref.product, "major": entry.ref.major, "table": entry.ref.table,
        "schema": entry.schema.dump(), "widened": widened,
    }, indent=1).encode()  # fmt: skip


def _adds_columns(old: TableSchema, new: TableSchema) -> bool:
    return not {column.name for column in new.columns} <= {column.name for column in old.columns}


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

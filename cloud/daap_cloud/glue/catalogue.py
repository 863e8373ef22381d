"""The catalogue in Glue: a snapshot is visible once its partition is there, which is the last thing to be made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from daap.errors import NotRegistered, ObjectConflict, ObjectMissing, StoreUnavailable
from daap.model.keys import partition_prefix
from daap.model.loads import LoadId, OutputFile, TableRef
from daap.model.table import TableSchema
from daap.model.verdict import Written
from daap.ports.catalogue import Catalogue, TableEntry
from daap_cloud.clients import Clients
from daap_cloud.glue.again import tries
from daap_cloud.glue.calls import GlueCalls
from daap_cloud.glue.entries import Entries, Kept
from daap_cloud.glue.footers import Footers
from daap_cloud.glue.shown import Shown
from daap_cloud.glue.tables import GlueColumn, columns_of, csv_storage, parquet_storage, raw_database
from daap_cloud.glue.targets import GRACE, Targets
from daap_cloud.s3_store import S3Store


class GlueCatalogue(Catalogue):
    """Entries as objects in the metadata zone, shown as tables in Glue; snapshots as partitions.

    A target never moves: its partition points at it. What publishing costs does not depend on how many snapshots there
    are. `grace` is how long publishers and queries may be on their way, see `daap_cloud.glue.targets`.
    """

    def __init__(self, store: S3Store, clients: Clients, grace: timedelta = GRACE) -> None:
        self._store = store
        self._calls = GlueCalls(clients.glue)
        self._entries = Entries(store)
        self._footers = Footers(store, clients.s3)
        self._targets = Targets(store, self._footers, grace)
        self._shown = Shown(store, self._calls)

    def put_table(self, entry: TableEntry) -> None:
        """See Catalogue. Where Glue knows the table already, this is one read of its entry."""
        for _ in tries(f"put table {entry.ref}"):
            try:
                self._try_put(entry)
            except ObjectConflict:  # another writer was faster
                continue
            break

    def _try_put(self, entry: TableEntry) -> None:
        kept = self._entries.find(entry.ref.database, entry.ref.table)
        wanted = replace(entry, widened=self._is_widened(kept, entry))
        if kept and kept.shown and kept.entry == wanted and kept.entry.widened == wanted.widened:
            return
        version = self._entries.save(wanted, kept.version if kept else None, shown=False)
        self._shown.show(wanted, lambda: self._entries.check(entry.ref, version))
        self._entries.save(wanted, version, shown=True)

    def _is_widened(self, kept: Kept | None, entry: TableEntry) -> bool:
        if kept is None:
            # Over snapshots that are there already, an entry was lost: nobody knows by which schemas they were made.
            return bool(self.snapshots(entry.ref))
        return kept.entry.widened or _adds_columns(kept.entry.schema, entry.schema)

    def tables(self) -> Sequence[TableEntry]:
        """See Catalogue."""
        return sorted((kept.entry for kept in self._entries.list()), key=lambda entry: entry.ref)

    def table(self, database: str, table: str) -> TableEntry:
        """See Catalogue."""
        if kept := self._entries.find(database, table):
            return kept.entry
        raise NotRegistered(f"there is no table {database}.{table}")

    def new_target(self, load: LoadId) -> str:
        """See Catalogue."""
        return self._targets.fresh(load)

    def publish(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """See Catalogue."""
        try:
            files = self._targets.claim(written)
        except ObjectMissing as error:
            if visible := self._find_visible(load):
                self._advance(load)
                return self._targets.describe(visible)
            raise StoreUnavailable(f"cannot publish {load}: {error}") from None
        files = self._add(load, written.target, files)
        self._advance(load)
        return files

    def _advance(self, load: LoadId) -> None:
        """Moves the view to a snapshot that is visible, unless it shows a newer one."""
        try:
            self._shown.advance(load.ref, load.stamp)
        except ObjectMissing:  # somebody removed the view
            self._show_again(load.ref)
            self._shown.advance(load.ref, load.stamp)

    def _add(self, load: LoadId, target: str, files: tuple[OutputFile, ...]) -> tuple[OutputFile, ...]:
        """Adds the partition; where one is there, that one stays. Returns the files of the one that is visible."""
        columns = self._prepare(load, files)
        for _ in tries(f"publish {load}"):
            try:
                self._calls.create_partition(*_name(load), parquet_storage(columns, target))
            except ObjectMissing:  # somebody removed the table in Glue, or all of it
                columns = self._show_again(load.ref)
                continue
            except ObjectConflict:
                if (visible := self._find_visible(load)) is None:  # withdrawn just now
                    continue
                if visible != target:
                    self._targets.remove(target)
                    return self._targets.describe(visible)
            break
        return files

    def _prepare(self, load: LoadId, files: tuple[OutputFile, ...]) -> Sequence[GlueColumn]:
        """Makes sure that the table is there, and the partition of its raw file; returns the table's columns."""
        kept = self._entries.find(load.ref.database, load.ref.table)
        if kept is None:
            return self._prepare_bare(load.ref, files)
        if not kept.shown:
            self.put_table(kept.entry)
        self._add_raw(load, kept.entry.schema)
        return columns_of(kept.entry.schema)

    def _prepare_bare(self, ref: TableRef, files: tuple[OutputFile, ...]) -> Sequence[GlueColumn]:
        """A table whose entry is lost: its snapshots go on, by the columns that Glue or the files tell."""
        if (columns := self._shown.columns(ref)) is None:
            columns = self._footers.read_columns(files[0].key)
            self._shown.show_curated(ref, columns, "", lambda: None)
        return columns

    def _show_again(self, ref: TableRef) -> Sequence[GlueColumn]:
        kept = self._entries.find(ref.database, ref.table)
        if kept is None:
            raise NotRegistered(f"there is no table {ref.database}.{ref.table} any more")
        self._shown.show(kept.entry, lambda: self._entries.check(ref, kept.version))
        return columns_of(kept.entry.schema)

    def _add_raw(self, load: LoadId, schema: TableSchema) -> None:
        location = self._store.locate(partition_prefix("raw", load))
        storage = csv_storage([column.name for column in schema.columns], schema.dialect, location)
        with suppress(ObjectConflict, ObjectMissing):
            self._calls.create_partition(raw_database(load.ref), load.ref.table.lower(), load.stamp, storage)

    def _find_visible(self, load: LoadId) -> str | None:
        """Where the visible snapshot of a load lies."""
        try:
            return str(self._calls.partition(*_name(load))["StorageDescriptor"]["Location"])
        except ObjectMissing:
            return None

    def replace(self, load: LoadId, written: Written) -> tuple[OutputFile, ...]:
        """See Catalogue. One change of the partition's location; the files before go once no query can read them."""
        try:
            files = self._targets.claim(written)
        except ObjectMissing as error:
            raise StoreUnavailable(f"cannot replace {load}: {error}") from None
        before = self._find_visible(load)
        try:
            columns = self._prepare(load, files)
            self._calls.update_partition(*_name(load), parquet_storage(columns, written.target))
        except ObjectMissing:
            return self.publish(load, written)
        self._advance(load)
        if before and before != written.target:
            self._targets.retire(before)
        return files

    def withdraw(self, load: LoadId) -> None:
        """See Catalogue. The view goes to an older snapshot first, so that it never shows one that is gone."""
        self._shown.retreat(load.ref, load.stamp)
        self._calls.delete_partition(*_name(load))
        self._calls.delete_partition(raw_database(load.ref), load.ref.table.lower(), load.stamp)
        self._shown.retreat(load.ref, load.stamp)  # another worker may have published it again between
        self._targets.remove_all(load)

    def drop_table(self, ref: TableRef) -> None:
        """See Catalogue."""
        self._entries.remove(ref)
        self._shown.drop(ref)
        self._targets.remove_table(ref)

    def discard(self, load: LoadId) -> None:
        """See Catalogue. Looks at this load's own prefix alone; what a publisher took just now stays."""
        left = self._targets.left(load)
        if not left:
            return
        visible = self._find_visible(load)
        for location, objects in left.items():
            if location != visible:
                self._targets.discard(location, objects)

    def snapshots(self, ref: TableRef) -> Sequence[str]:
        """See Catalogue."""
        return sorted(self._calls.values(ref.database, ref.table.lower()))


def _name(load: LoadId) -> tuple[str, str, str]:
    return load.ref.database, load.ref.table.lower(), load.stamp


def _adds_columns(old: TableSchema, new: TableSchema) -> bool:
    return not {column.name for column in new.columns} <= {column.name for column in old.columns}

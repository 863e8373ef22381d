"""Tables and views in Glue, made and kept as the entries say. Every change is checked by the version of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from daap.errors import ObjectConflict, ObjectMissing
from daap.model.keys import Zone, table_prefix
from daap.model.loads import TableRef
from daap.ports.catalogue import TableEntry
from daap_cloud.glue.again import tries
from daap_cloud.glue.calls import GlueCalls, Json
from daap_cloud.glue.tables import GlueColumn, columns_of, curated_table, raw_database, raw_table
from daap_cloud.glue.views import latest_view, moved_view, newest_of, view_name
from daap_cloud.s3_store import S3Store

Guard = Callable[[], None]
"""Raises ObjectConflict where what is to be shown is not the newest any more."""


class Shown:
    """What Glue shows of tables."""

    def __init__(self, store: S3Store, calls: GlueCalls) -> None:
        self._store, self._calls = store, calls

    def show(self, entry: TableEntry, guard: Guard) -> None:
        """Makes or changes curated table, raw table and view of an entry."""
        self.show_curated(entry.ref, columns_of(entry.schema), entry.schema.table_description, guard)
        raw = raw_table(entry.ref, entry.schema, self._locate("raw", entry.ref))
        self._put(raw_database(entry.ref), raw["Name"], lambda _found: raw, guard)

    def show_curated(self, ref: TableRef, columns: Sequence[GlueColumn], description: str, guard: Guard) -> None:
        """Makes or changes curated table and view; the view stays with the snapshot that it shows."""
        table = curated_table(ref, columns, description, self._locate("curated", ref))
        self._put(ref.database, table["Name"], lambda _found: table, guard)

        def view(found: Json | None) -> Json:
            return latest_view(ref, columns, newest_of(found) if found else self.newest(ref))

        self._put(ref.database, view_name(ref), view, guard)

    def _locate(self, zone: Zone, ref: TableRef) -> str:
        return self._store.locate(table_prefix(zone, ref))

    def _put(self, database: str, name: str, make: Callable[[Json | None], Json], guard: Guard) -> None:
        """Makes a table or changes it; again where another writer was faster, unless the guard says no."""
        for _ in tries(f"change table {database}.{name}"):
            found = self._find(database, name)
            guard()  # behind the read: whoever changes the entry from here on comes to Glue later than this
            try:
                if found:
                    self._calls.update_table(database, make(found), found["VersionId"])
                else:
                    self._calls.create_table(database, make(None))
            except ObjectConflict:
                continue
            except ObjectMissing:
                with suppress(ObjectConflict):
                    self._calls.create_database(database, "tables of a data product")
                continue
            return

    def _find(self, database: str, name: str) -> Json | None:
        try:
            return self._calls.table(database, name)
        except ObjectMissing:
            return None

    def columns(self, ref: TableRef) -> tuple[GlueColumn, ...] | None:
        """The columns of a curated table as Glue has them; None of one that is not there."""
        found = self._find(ref.database, ref.table.lower())
        if found is None:
            return None
        listed = found["StorageDescriptor"]["Columns"]
        return tuple(GlueColumn(column["Name"], column["Type"], column.get("Comment", "")) for column in listed)

    def newest(self, ref: TableRef, leaving: str | None = None) -> str | None:
        """The newest stamp of all that are visible, `leaving` apart."""
        stamps = self._calls.values(ref.database, ref.table.lower())
        return max((stamp for stamp in stamps if stamp != leaving), default=None)

    def advance(self, ref: TableRef, stamp: str) -> None:
        """Moves the view to a snapshot, if that is newer than the one it shows."""
        for _ in tries(f"move the view of {ref}"):
            view = self._calls.table(ref.database, view_name(ref))
            if (newest_of(view) or "") >= stamp:
                return
            if self._move(ref, view, stamp):
                return

    def retreat(self, ref: TableRef, stamp: str) -> None:
        """Moves the view away from a snapshot that is not to be seen any more, or from one that is gone already.

        The list of snapshots is read again behind each move, since another worker may have published one between.
        """
        with suppress(ObjectMissing):  # no view
            view = self._calls.table(ref.database, view_name(ref))
            shown = newest_of(view)
            if shown is None or (shown != stamp and self._is_visible(ref, shown)):
                return
            for _ in tries(f"move the view of {ref}"):
                newest = self.newest(ref, leaving=stamp)
                if newest == newest_of(view):
                    return
                self._move(ref, view, newest)
                view = self._calls.table(ref.database, view_name(ref))

    def _is_visible(self, ref: TableRef, stamp: str) -> bool:
        try:
            self._calls.partition(ref.database, ref.table.lower(), stamp)
        except ObjectMissing:
            return False
        return True

    def _move(self, ref: TableRef, view: Json, newest: str | None) -> bool:
        """Whether it was moved: false where another writer was faster."""
        try:
            self._calls.update_table(ref.database, moved_view(ref, view, newest), view["VersionId"])
        except ObjectConflict:
            return False
        return True

    def drop(self, ref: TableRef) -> None:
        """Removes view and tables, and the databases if nothing is left in them."""
        self._calls.delete_table(ref.database, view_name(ref))
        for database in (ref.database, raw_database(ref)):
            self._calls.delete_table(database, ref.table.lower())
            if not self._calls.has_tables(database):
                self._calls.delete_database(database)

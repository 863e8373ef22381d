"""Table entries: objects in the metadata zone, the same as a lake of folders has.

They are the truth about tables, and what Glue knows is made from them: Glue has no place for dialects, formats and
texts that mean NULL, cuts descriptions, and lets others write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from daap.errors import InvalidName, ObjectConflict, ObjectMissing
from daap.model.loads import TableRef
from daap.model.table import TableSchema
from daap.ports.catalogue import TableEntry
from daap.ports.objects import ABSENT
from daap_cloud.s3_store import S3Store

_ENTRIES = "metadata/catalogue-tables/"


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry, whether Glue has been told of it, and the object's version."""

    entry: TableEntry
    shown: bool
    version: str


class Entries:
    """Entries by database and table; writes are conditional."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def find(self, database: str, table: str) -> Kept | None:
        """The entry of a table, whatever the case of its name."""
        try:
            return self._load(_key(database, table))
        except (ObjectMissing, InvalidName):
            return None

    def save(self, entry: TableEntry, version: str | None, *, shown: bool) -> str:
        """Writes an entry over the version that was read (None: over none); raises ObjectConflict."""
        data = json.dumps({
            "product": entry.ref.product, "major": entry.ref.major, "table": entry.ref.table,
            "schema": entry.schema.dump(), "widened": entry.widened, "shown": shown,
        }, indent=1).encode()  # fmt: skip
        return self._store.put(_key(entry.ref.database, entry.ref.table), data, version or ABSENT)

    def check(self, ref: TableRef, version: str) -> None:
        """Raises ObjectConflict unless the entry is still at `version`."""
        try:
            found = self._store.stat(_key(ref.database, ref.table)).version
        except ObjectMissing:
            found = ""
        if found != version:
            raise ObjectConflict(f"the entry of {ref} was changed meanwhile")

    def remove(self, ref: TableRef) -> None:
        """Removes an entry; one that is not there is no error."""
        self._store.delete(_key(ref.database, ref.table))

    def list(self) -> Iterator[Kept]:
        """All entries."""
        for info in self._store.list(_ENTRIES):
            with suppress(ObjectMissing):  # dropped meanwhile
                yield self._load(info.key)

    def _load(self, key: str) -> Kept:
        data, version = self._store.read(key)
        found = json.loads(data)
        ref = TableRef(found["product"], found["major"], found["table"])
        entry = TableEntry(ref, TableSchema.model_validate(found["schema"]), widened=found.get("widened", False))
        return Kept(entry, found.get("shown", False), version)


def _key(database: str, table: str) -> str:
    return f"{_ENTRIES}{database.lower()}/{table.lower()}.json"

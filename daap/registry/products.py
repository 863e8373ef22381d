"""The registry of products. One object a product, its head, is the truth; a change is one conditional write of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from daap.errors import (
    AlreadyRegistered,
    InvalidChange,
    NotRegistered,
    ObjectConflict,
    ObjectMissing,
    VersionConflict,
)
from daap.model.keys import HEADS, head_key, record_key, version_key
from daap.model.loads import TableRef
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.model.versions import FIRST, Version, parse_version
from daap.ports.catalogue import Catalogue, TableEntry
from daap.ports.objects import ABSENT, CanHold, Expect, ObjectStore
from daap.registry.amend import find_table, insert_table
from daap.registry.heads import Change, Registered, decode_head, encode_head

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Head:
    """A product as it was read, with the token that a conditional write of it needs."""

    registered: Registered
    token: str


class Registry:
    """Registers, amends and retrieves products."""

    def __init__(self, store: ObjectStore, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue

    def register(self, product: Product, actor: str = UNKNOWN) -> tuple[Registered, bool]:
        """Registers a new product as v1.0; returns it and whether it is new.

        The same spec again changes nothing; raises AlreadyRegistered for another one, or while a
        product of this name is being deleted.
        """
        now = datetime.now(UTC)
        registered, new = Registered(product, FIRST, now, now, Change("registered", actor)), True
        with self.hold(product.name):
            try:
                self._store.put(head_key(product.name), encode_head(registered), ABSENT)
            except ObjectConflict:
                registered, new = self._find_equal(product), False
            self._project(registered)  # also for the same spec again: the first try may have been cut short
        return registered, new

    def hold(self, product: str) -> AbstractContextManager[None]:
        """Keeps a product from being deleted while what follows from its head is written, where the store can."""
        return self._store.hold(product, wait=True) if isinstance(self._store, CanHold) else nullcontext()

    def _find_equal(self, product: Product) -> Registered:
        try:
            found = self.get(product.name)
        except NotRegistered:
            raise AlreadyRegistered(f"{product.name} is being deleted; register it once that is done") from None
        if found.product != product:
            raise AlreadyRegistered(_explain_difference(found, product))
        return found

    def get(self, name: str) -> Registered:
        """The current definition of a product; raises NotRegistered."""
        return self.read(name).registered

    def list(self) -> Iterator[Registered]:
        """All products, by name."""
        for info in self._store.list(HEADS):
            with suppress(ObjectMissing):  # deleted meanwhile
                registered = decode_head(self._store.read(info.key)[0])
                if not registered.deleting:
                    yield registered

    def read(self, name: str) -> Head:
        """The current definition with its token; raises NotRegistered, also for one that is being deleted."""
        head = self.read_any(name)
        if head.registered.deleting:
            raise NotRegistered(f"product {name} is not registered: it is being deleted")
        return head

    def read_any(self, name: str) -> Head:
        """As read, but also a product that is being deleted."""
        try:
            data, token = self._store.read(head_key(name))
        except ObjectMissing:
            raise NotRegistered(f"product {name} is not registered") from None
        return Head(decode_head(data), token)

    def commit(self, head: Head, amended: Registered) -> Registered:
        """Makes `amended` the current definition; raises VersionConflict if `head` is so no longer."""
        with self.hold(amended.product.name):
            if not self._is_projected(head.registered) and self._is_current(head):
                self._project(head.registered)  # its own writer may have been cut short
            self.replace_head(head, amended)
            self._project(amended)
        return amended

    def _is_current(self, head: Head) -> bool:
        try:
            return self._store.stat(head_key(head.registered.product.name)).version == head.token
        except ObjectMissing:
            return False

    def _is_projected(self, registered: Registered) -> bool:
        """Whether all that follows from a head is written: the record is the last of it."""
        try:
            data, _ = self._store.read(record_key(registered.product.name, registered.version))
        except ObjectMissing:
            return False
        return decode_head(data).updated >= registered.updated

    def replace_head(self, head: Head, amended: Registered) -> Head:
        """The conditional write of commit alone."""
        try:
            token = self._store.put(head_key(amended.product.name), encode_head(amended), head.token)
        except ObjectConflict:
            won = self.get(amended.product.name)
            raise VersionConflict(won.product.name, str(won.version)) from None
        return Head(amended, token)

    def amend(self, head: Head, product: Product, change: Change, *, version: Version | None = None) -> Registered:
        """Commits a compatible change as the next minor version, or as the `version` given."""
        now, found = datetime.now(UTC), head.registered
        amended = replace(
            found, product=product, version=version or found.version.next_minor, updated=now, change=change
        )
        return self.commit(head, amended)

    def add_table(self, name: str, table: str, schema: TableSchema, actor: str = UNKNOWN) -> Registered:
        """Adds a table to a product as a minor version; the first table of a product keeps its version.

        Raises NotRegistered, TableExists, VersionConflict, InvalidSpec if the name clashes with another, or
        InvalidChange while a table of this name is being removed.
        """
        return self._insert_table(self.read(name), table, schema, actor)

    def _insert_table(self, head: Head, table: str, schema: TableSchema, actor: str) -> Registered:
        found = head.registered
        if table.lower() in map(str.lower, found.removing):
            raise InvalidChange(f"table {table} is being removed; resync {found.product.name}, then add it")
        product = insert_table(found.product, table, schema)
        keeps = not found.product.tables and found.version == FIRST
        change = Change("table added", actor, {"tables_added": [table]})
        return self.amend(head, product, change, version=found.version if keeps else None)

    def ensure_table(self, name: str, table: str, schema: TableSchema, actor: str = UNKNOWN) -> Registered:
        """As add_table, but a table that is there stays as it is, and a lost race is run again."""
        while True:
            head = self.read(name)
            if table in head.registered.product.tables:
                return head.registered
            try:
                return self._insert_table(head, table, schema, actor)
            except VersionConflict:
                continue  # another process changed the product; its change stays

    def find_ref(self, name: str, table: str, major: int | None = None) -> TableRef:
        """A table (or files component) of the current major version, or of an earlier one; raises NotRegistered."""
        found = self.get(name)
        version = found.last_of(major) if major is not None else found.version
        if table not in found.product.files:  # which no change adds or removes
            self._schema_in(found, version, table)
        return TableRef(name, version.major, table)

    def refs(self, registered: Registered) -> Sequence[TableRef]:
        """The tables of a product in all its major versions, in order; some may have been removed since."""
        name = registered.product.name
        return sorted(
            TableRef(name, major, table) for major in registered.majors for table in self._tables_in(registered, major)
        )

    def _tables_in(self, found: Registered, major: int) -> Mapping[str, TableSchema]:
        """The tables of a major version, as they are now or were last; none if its record was never written."""
        if major == found.version.major:
            return found.product.tables
        try:
            data, _ = self._store.read(record_key(found.product.name, found.last_of(major)))
        except ObjectMissing:
            return {}
        return decode_head(data).product.tables

    def schema_of(self, ref: TableRef) -> TableSchema:
        """The latest schema of a table in a major version, an old one among them; raises NotRegistered."""
        found = self.get(ref.product)
        return self._schema_in(found, found.last_of(ref.major), ref.table)

    def schema_at(self, name: str, version: str, table: str) -> TableSchema:
        """The schema of a table in one version; raises NotRegistered."""
        return self._schema_in(self.get(name), parse_version(version), table)

    def _schema_in(self, found: Registered, version: Version, table: str) -> TableSchema:
        if version == found.version:
            return find_table(found.product, table)
        name = found.product.name
        try:
            data, _ = self._store.read(version_key(name, str(version), table, "schema.json"))
        except ObjectMissing:
            raise NotRegistered(f"product {name} has no table {table} in version {version}") from None
        return TableSchema.model_validate_json(data)

    def project(self, name: str) -> None:
        """Writes what follows from the head of a product, where that was cut short or lost; raises NotRegistered."""
        with self.hold(name):
            self._project(self.get(name))

    def _project(self, registered: Registered) -> None:
        """Writes what follows from a head: the objects of its version, and the catalogue's entries."""
        product, version = registered.product, str(registered.version)
        self._put_once(version_key(product.name, version, "metadata.json"), product.metadata.dump())
        for table, schema in product.tables.items():
            self._put_once(version_key(product.name, version, table, "schema.json"), schema.dump())
        self._show_tables(registered)
        self._put_record(registered)

    def _show_tables(self, registered: Registered) -> None:
        """Brings the catalogue up to a head, or to the newer one that another writer has made of it meanwhile."""
        shown: Mapping[str, TableSchema] = {}
        latest: Mapping[str, TableSchema] = registered.product.tables
        while latest != shown:
            for table, schema in latest.items():
                self._catalogue.put_table(TableEntry(registered.ref(table), schema))
            shown = latest
            with suppress(NotRegistered):  # deleted meanwhile
                latest = self._tables_in(self.get(registered.product.name), registered.version.major)

    def show_table(self, ref: TableRef) -> None:
        """Makes sure that the catalogue knows a table by its latest schema; raises NotRegistered."""
        shown = None
        while shown != (latest := self.schema_of(ref)):
            self._catalogue.put_table(TableEntry(ref, latest))
            shown = latest

    def _put_record(self, registered: Registered) -> None:
        """The record of a version; that of v1.0 is made anew with the first table, which keeps the version."""
        key, data = record_key(registered.product.name, registered.version), encode_head(registered.as_record())
        try:
            found, token = self._store.read(key)
        except ObjectMissing:
            expect: str | Expect = ABSENT
        else:
            if decode_head(found).updated >= registered.updated:
                return
            expect = token
        with suppress(ObjectConflict):  # another process is projecting the same
            self._store.put(key, data, expect)

    def _put_once(self, key: str, data: dict[str, Any]) -> None:
        try:
            self._store.stat(key)
        except ObjectMissing:
            pass
        else:
            return
        try:
            self._store.put(key, json.dumps(data, indent=1, ensure_ascii=False).encode(), ABSENT)
        except ObjectConflict:
            return  # a version, once made, never changes


def _explain_difference(registered: Registered, product: Product) -> str:
    old, new = _flatten(registered.product.dump()), _flatten(product.dump())
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")  # noqa: PLR2004
    return (
        f"{product.name} {registered.version} is registered with another spec; it differs in {shown}. "
        "A version never changes: amend the product, or register under another name."
    )


def _flatten(data: object, path: str = "") -> dict[str, object]:
    if isinstance(data, dict):
        items = [(f"{path}.{key}" if path else str(key), value) for key, value in data.items()]
    elif isinstance(data, list):
        items = [(f"{path}[{place}]", value) for place, value in enumerate(data)]
    else:
        return {path: data}
    return {k: v for key, value in items for k, v in _flatten(value, key).items()}

"""The registry of products. One object a product, its head, is the truth; a change is one conditional write of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from daap.errors import AlreadyRegistered, NotRegistered, ObjectConflict, ObjectMissing
from daap.model.keys import head_key, version_key
from daap.model.loads import TableRef
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.model.versions import FIRST, Version, parse_version
from daap.ports.catalogue import Catalogue, TableEntry
from daap.ports.objects import ABSENT, ObjectStore
from daap.registry.spec import build_product

_HEAD = re.compile(r"metadata/[a-z0-9_]+/head\.json")


@dataclass(frozen=True, slots=True)
class Registered:
    """A product as it is registered: its spec, its version and when it came."""

    product: Product
    version: Version
    created: datetime
    updated: datetime

    def ref(self, table: str) -> TableRef:
        """The table of the current major version."""
        return TableRef(self.product.name, self.version.major, table)

    def schema(self, table: str) -> TableSchema:
        """The schema of a table; raises NotRegistered."""
        try:
            return self.product.tables[table]
        except KeyError:
            raise NotRegistered(f"product {self.product.name} has no table {table}") from None

    def dump(self) -> dict[str, Any]:
        """As plain data, with the generated fields."""
        return {
            "version": str(self.version),
            "id": f"dp:{self.product.name}:{self.version}",
            "creationDate": self.created.isoformat(),
            "lastUpdated": self.updated.isoformat(),
            "spec": self.product.dump(),
        }


class Registry:
    """Registers and retrieves products."""

    def __init__(self, store: ObjectStore, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue

    def register(self, product: Product) -> tuple[Registered, bool]:
        """Registers a new product as v1.0; returns it and whether it is new.

        The same spec again changes nothing; raises AlreadyRegistered for another one.
        """
        now = datetime.now(UTC)
        registered, new = Registered(product, FIRST, now, now), True
        try:
            self._store.put(head_key(product.name), _encode(registered), ABSENT)
        except ObjectConflict:
            registered, new = self.get(product.name), False
            if registered.product != product:
                raise AlreadyRegistered(_explain_difference(registered, product)) from None
        self._project(registered)  # also for the same spec again: the first try may have been cut short
        return registered, new

    def add_table(self, name: str, table: str, schema: TableSchema) -> Registered:
        """Adds a table to a product as a minor version; one that is there already stays as it is.

        The first table of a product keeps its version. Raises NotRegistered, or InvalidSpec if the
        name clashes with another.
        """
        while True:
            found, token = self._read(name)
            if table in found.product.tables:
                return found
            spec = found.product.dump()
            product = build_product({**spec, "tables": {**spec.get("tables", {}), table: schema.dump()}})
            version = found.version.next_minor if found.product.tables else found.version
            amended = Registered(product, version, found.created, datetime.now(UTC))
            self._project(found)  # its own writer may have been cut short
            try:
                self._store.put(head_key(name), _encode(amended), token)
            except ObjectConflict:
                continue  # another process changed the product; its change stays
            self._project(amended)
            return amended

    def get(self, name: str) -> Registered:
        """The current definition of a product; raises NotRegistered."""
        return self._read(name)[0]

    def list(self) -> Iterator[Registered]:
        """All products, by name."""
        for info in self._store.list("metadata/"):
            if _HEAD.fullmatch(info.key):
                yield _decode(self._store.read(info.key)[0])

    def _read(self, name: str) -> tuple[Registered, str]:
        try:
            data, token = self._store.read(head_key(name))
        except ObjectMissing:
            raise NotRegistered(f"product {name} is not registered") from None
        return _decode(data), token

    def _project(self, registered: Registered) -> None:
        """Writes what follows from a head: the objects of its version, and the catalogue's entries."""
        product, version = registered.product, str(registered.version)
        self._put_once(version_key(product.name, version, "metadata.json"), product.metadata.dump())
        for table, schema in product.tables.items():
            self._put_once(version_key(product.name, version, table, "schema.json"), schema.dump())
            self._catalogue.put_table(TableEntry(registered.ref(table), schema))

    def _put_once(self, key: str, data: dict[str, Any]) -> None:
        try:
            self._store.put(key, json.dumps(data, indent=1, ensure_ascii=False).encode(), ABSENT)
        except ObjectConflict:
            return  # a version, once made, never changes


def _encode(registered: Registered) -> bytes:
    return json.dumps(registered.dump(), indent=1, ensure_ascii=False).encode()


def _decode(data: bytes) -> Registered:
    found = json.loads(data)
    return Registered(
        product=Product.model_validate(found["spec"]),
        version=parse_version(found["version"]),
        created=datetime.fromisoformat(found["creationDate"]),
        updated=datetime.fromisoformat(found["lastUpdated"]),
    )


def _explain_difference(registered: Registered, product: Product) -> str:
    old, new = _flatten(registered.product.dump()), _flatten(product.dump())
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")  # noqa: PLR2004
    return (
        f"{product.name} {registered.version} is registered with another spec; it differs in {shown}. "
        "A version never changes: give back the registered spec, or register under another name."
    )


def _flatten(data: object, path: str = "") -> dict[str, object]:
    if isinstance(data, dict):
        items = [(f"{path}.{key}" if path else str(key), value) for key, value in data.items()]
    elif isinstance(data, list):
        items = [(f"{path}[{place}]", value) for place, value in enumerate(data)]
    else:
        return {path: data}
    return {k: v for key, value in items for k, v in _flatten(value, key).items()}

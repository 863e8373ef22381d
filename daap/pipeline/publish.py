"""Telling another catalogue of a product, and keeping what came of it.

The catalogue is told what the head says at that moment, not what an event says: events come twice and out of order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from daap.errors import DaapError, NotRegistered, ObjectConflict, ObjectMissing
from daap.model.keys import PUSHES, push_key
from daap.model.table import TableSchema
from daap.model.versions import Version
from daap.pipeline.audit import audited
from daap.pipeline.lake import Lake
from daap.ports.objects import ABSENT, Expect, ObjectStore
from daap.ports.publisher import CataloguePublisher, Publication, PublishedDatabase
from daap.registry.directory import find_record
from daap.registry.heads import Registered

MAX_ERROR = 1_000
"""How much of an error is kept, in characters."""

_ROUNDS = 5
"""How often a product that changes while it is told of is told of anew, before an event of its own does that."""

State = Literal["published", "failed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Push:
    """What came of telling a catalogue of a product.

    `version` and `updated` are of the head that it was told of, None where that was the product's end; `tries` counts
    those without success since the last one with it.
    """

    product: str
    publisher: str
    state: State
    at: datetime
    version: str | None = None
    updated: datetime | None = None
    tries: int = 0
    error: str | None = None

    def shows(self, registered: Registered, publisher: str) -> bool:
        """Whether the catalogue shows the product as it is registered."""
        told = (self.publisher, self.state, self.version, self.updated)
        return told == (publisher, "published", str(registered.version), registered.updated)


def push_product(lake: Lake, product: str) -> Push | None:
    """Makes the catalogue show a product as it is now, or no more, and keeps what came of it.

    A catalogue that cannot be told is no error but a state. None where the lake has no other catalogue. Raises
    StoreUnavailable where the lake itself cannot be read or written.
    """
    if lake.publisher is None:
        return None
    with audited(lake.store, lake.console, product=product, publisher=lake.publisher.name) as trail:
        push = _push_newest(lake, lake.publisher, product)
        told = trail.warn if push.state == "failed" else trail.info
        told("catalogue", f"{product} {push.version or 'is gone'}: {push.error or push.state}", tries=push.tries)
    return push


def _push_newest(lake: Lake, publisher: CataloguePublisher, product: str) -> Push:
    """Tells of the head until it is the same afterwards: who is slow must not have the last word with an old one."""
    registered = find_head(lake, product)
    for _ in range(_ROUNDS):
        push = _keep_push(lake.store, _tell(lake, publisher, product, registered))
        before, registered = registered, find_head(lake, product)
        if _stamp(before) == _stamp(registered):
            break
    return push


def find_head(lake: Lake, product: str) -> Registered | None:
    """The product as it is registered; None for one that is not, or is being deleted."""
    try:
        return lake.registry.get(product)
    except NotRegistered:
        return None


def _stamp(registered: Registered | None) -> object:
    return registered and (registered.version, registered.updated)


def _tell(lake: Lake, publisher: CataloguePublisher, product: str, registered: Registered | None) -> Push:
    push = Push(product, publisher.name, "withdrawn", datetime.now(UTC))
    if registered:
        push = replace(push, state="published", version=str(registered.version), updated=registered.updated)
    try:
        if registered:
            publisher.publish(make_publication(lake, registered))
        else:
            publisher.withdraw(product)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with another catalogue is a state, and no more
        said = str(error) if isinstance(error, DaapError) else f"{type(error).__name__}: {error}"
        push = replace(push, state="failed", error=said[:MAX_ERROR], tries=1)
    return replace(push, at=datetime.now(UTC))


def make_publication(lake: Lake, registered: Registered) -> Publication:
    """What a catalogue is to show of a product: all its major versions, without the tables that were removed."""
    databases = tuple(_list_databases(lake, registered))
    return Publication(registered.product, registered.version, registered.created, registered.updated, databases)


def _list_databases(lake: Lake, registered: Registered) -> Iterator[PublishedDatabase]:
    name, removed = registered.product.name, _find_removed(lake.store, registered)
    for version in (*registered.lasts, registered.version):
        is_current = version == registered.version
        tables = registered.product.tables if is_current else _read_tables(lake.store, name, version)
        gone = {table for major, table in removed if major > version.major}
        kept = {table: schema for table, schema in tables.items() if table not in gone}
        yield PublishedDatabase(f"{name}_v{version.major}", version, is_current, kept)


def _read_tables(store: ObjectStore, product: str, version: Version) -> Mapping[str, TableSchema]:
    try:
        return find_record(store, product, str(version)).product.tables
    except NotRegistered:  # its record was never written, nor were its tables
        return {}


def _find_removed(store: ObjectStore, registered: Registered) -> set[tuple[int, str]]:
    """The tables that were removed, each with the major version that was made without it."""
    found = {(registered.version.major, table) for table in registered.removing}
    for major in registered.majors[1:]:
        first = Version(major, 0)
        with suppress(NotRegistered):
            is_now = first == registered.version
            made = registered if is_now else find_record(store, registered.product.name, str(first))
            found |= {(major, table) for table in made.change.details.get("tables_removed", ())}
    return found


def read_push(store: ObjectStore, product: str) -> Push | None:
    """What came of telling of a product the last time; None if nothing is kept of it."""
    try:
        return _decode(store.read(push_key(product))[0])
    except ObjectMissing:
        return None


def _keep_push(store: ObjectStore, push: Push) -> Push:
    """Keeps a push, unless a newer head has been told of meanwhile; of a product that is gone, nothing is kept."""
    if push.state == "withdrawn":
        store.delete(push_key(push.product))
        return push
    while True:
        found, expect = _read_last(store, push.product)
        if found and _is_older(push, found):
            return push
        kept = replace(push, tries=found.tries + 1) if push.state == "failed" and found else push
        try:
            store.put(push_key(push.product), _encode(kept), expect)
        except ObjectConflict:
            continue
        return kept


def _read_last(store: ObjectStore, product: str) -> tuple[Push | None, str | Expect]:
    try:
        data, token = store.read(push_key(product))
    except ObjectMissing:
        return None, ABSENT
    return _decode(data), token


def _is_older(push: Push, found: Push) -> bool:
    return push.updated is not None and found.updated is not None and push.updated < found.updated


def _encode(push: Push) -> bytes:
    return json.dumps(asdict(push), indent=1, ensure_ascii=False, default=datetime.isoformat).encode()


def _decode(data: bytes) -> Push:
    found = json.loads(data)
    updated = datetime.fromisoformat(found["updated"]) if found["updated"] else None
    return Push(**found | {"at": datetime.fromisoformat(found["at"]), "updated": updated})


def find_behind(lake: Lake, *, only_gone: bool = False) -> Iterator[str]:
    """The products, by name, of which the catalogue does not show what it should; or only those that are no more.

    That may be because it could not be told, or because nobody told it.
    """
    if lake.publisher is None:
        return
    told = {info.key.removeprefix(PUSHES).removesuffix(".json") for info in lake.store.list(PUSHES)}
    there = {registered.product.name for registered in lake.registry.list()}
    for name in sorted(told - there if only_gone else told | there):
        if is_behind(lake, name):
            yield name


def is_behind(lake: Lake, product: str) -> bool:
    """Whether the catalogue does not show the product as it is registered, or still shows it though it is not."""
    if lake.publisher is None:
        return False
    push, registered = read_push(lake.store, product), find_head(lake, product)
    if registered is None:
        return push is not None
    return push is None or not push.shows(registered, lake.publisher.name)

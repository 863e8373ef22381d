"""Finding products: listed, searched and paged from what this process remembers of the heads."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, islice

from daap.errors import NotRegistered, ObjectMissing
from daap.model.keys import HEADS, record_key, records_prefix
from daap.model.versions import parse_version
from daap.ports.objects import ObjectInfo, ObjectStore
from daap.registry.heads import Registered, decode_head

FRESH_SECONDS = 1.0
_READERS = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A product with the text that a search looks through, in lower case."""

    registered: Registered
    text: str


class _Shelf:
    """Products in the order of their names, and their texts as one, so that a search does not look at each in turn."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.names = [entry.registered.product.name for entry in entries]
        self._text = "\0".join(entry.text for entry in entries)
        self._starts = [0, *accumulate(len(entry.text) + 1 for entry in entries)]

    def search(self, words: list[str], start: int) -> Iterator[Entry]:
        """The entries from place `start` on that hold every word."""
        rarest = min(words, key=self._text.count)
        place = start
        while place < len(self.entries):
            found = self._text.find(rarest, self._starts[place])
            if found < 0:
                return
            place = bisect_right(self._starts, found)
            entry = self.entries[place - 1]
            if all(word in entry.text for word in words):
                yield entry


class Directory:
    """All products by name. Heads are read again only where they changed; a look is at most a second old."""

    def __init__(self, store: ObjectStore, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._store, self._fresh = store, fresh_seconds
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, Entry]] = {}
        self._shelf = _Shelf([])
        self._looked = float("-inf")
        self._changes = self._seen = 0

    def forget(self) -> None:
        """The next look is taken anew: this process has changed a product."""
        self._changes += 1

    def entries(self) -> Sequence[Entry]:
        """All products, by name."""
        return self._look().entries

    def _look(self) -> _Shelf:
        with self._lock:
            if self._changes != self._seen or time.monotonic() - self._looked > self._fresh:
                # Noted before the look: a change in its midst makes the next one look again.
                self._looked, self._seen = time.monotonic(), self._changes
                self._refresh()
            return self._shelf

    def find(
        self, text: str, keep: Callable[[Registered], bool], after: str, limit: int
    ) -> tuple[list[Registered], bool]:
        """Up to `limit` products behind the name `after` that hold every word of `text`; and whether there are more."""
        words = text.lower().split()
        matching = self._match(words, keep, after)
        found = [entry.registered for entry in islice(matching, limit)]
        return found, next(matching, None) is not None

    def _match(self, words: list[str], keep: Callable[[Registered], bool], after: str) -> Iterator[Entry]:
        shelf = self._look()
        start = bisect_right(shelf.names, after)
        for entry in shelf.search(words, start) if words else shelf.entries[start:]:
            if keep(entry.registered):
                yield entry

    def _refresh(self) -> None:
        infos = list(self._store.list(HEADS))
        changed = [info for info in infos if self._known.get(info.key, ("",))[0] != info.version]
        if changed or len(infos) != len(self._known):
            read = self._read_all(changed)
            kept = {info.key for info in infos}
            known = {key: value for key, value in self._known.items() if key in kept} | read
            self._known = known
            self._shelf = _Shelf([entry for _, (_, entry) in sorted(known.items()) if not entry.registered.deleting])

    def _read_all(self, infos: list[ObjectInfo]) -> dict[str, tuple[str, Entry]]:
        with ThreadPoolExecutor(_READERS, "daap-directory") as pool:
            found = list(pool.map(self._read_one, infos) if len(infos) > 1 else map(self._read_one, infos))
        return {key: (version, entry) for key, version, entry in (item for item in found if item is not None)}

    def _read_one(self, info: ObjectInfo) -> tuple[str, str, Entry] | None:
        try:
            data, _ = self._store.read(info.key)
        except ObjectMissing:
            return None  # deleted meanwhile
        registered = decode_head(data)
        # With the version that was listed, though the content may be newer: the next listing tells, if it is.
        return info.key, info.version, Entry(registered, _searchable(registered))


def _searchable(registered: Registered) -> str:
    product = registered.product
    tags = (text for tag in product.tags.items() for text in tag)
    columns = (column.name for schema in product.tables.values() for column in schema.columns)
    described = (schema.table_description for schema in product.tables.values())
    parts = (
        product.name, product.description, product.domain, product.data_product_owner,
        product.data_product_owner_display_name, *product.tables, *product.files, *tags, *described, *columns,
    )  # fmt: skip
    return "\n".join(parts).lower().replace("\0", " ")


def list_records(store: ObjectStore, product: str) -> list[str]:
    """The keys of a product's version records, the oldest first."""
    return [info.key for info in store.list(records_prefix(product))]


def find_record(store: ObjectStore, product: str, version: str) -> Registered:
    """One version of a product as it was made; raises NotRegistered, or InvalidName for what is no version."""
    try:
        return read_record(store, record_key(product, parse_version(version)))
    except ObjectMissing:
        raise NotRegistered(f"product {product} has no version {version}") from None


def read_record(store: ObjectStore, key: str) -> Registered:
    """One version of a product as it was made; raises ObjectMissing."""
    return decode_head(store.read(key)[0])

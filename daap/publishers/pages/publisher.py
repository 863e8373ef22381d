"""Pages as a catalogue: one of each product with its JSON beside it, and an index, as objects of the metadata zone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from daap.errors import DaapError, ObjectConflict, ObjectMissing
from daap.model.names import check_product
from daap.ports.objects import ABSENT, Expect, ObjectStore
from daap.ports.publisher import CataloguePublisher, Publication, PublishFailed
from daap.publishers.pages.html import render_index, render_product

PAGES = "metadata/catalogue-pages/"
INDEX = f"{PAGES}index.html"
"""Where a reader begins."""

_PRODUCTS = f"{PAGES}products/"


class PagesPublisher(CataloguePublisher):
    """Writes pages that a browser opens as they lie, or any web server gives out."""

    name = "files"

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def publish(self, publication: Publication) -> None:
        """See CataloguePublisher."""
        told, place = dump_publication(publication), f"{_PRODUCTS}{publication.product.name}"
        with _told(f"write the page of {publication.product.name}"):
            self._store.put(f"{place}.html", render_product(told).encode())
            self._store.put(f"{place}.json", json.dumps(told, indent=1, ensure_ascii=False).encode())
            self._write_index()

    def withdraw(self, product: str) -> None:
        """See CataloguePublisher."""
        place = f"{_PRODUCTS}{check_product(product)}"
        with _told(f"remove the page of {product}"):
            for kind in ("json", "html"):
                self._store.delete(f"{place}.{kind}")
            self._write_index()

    def _write_index(self) -> None:
        """Lists all that there is now. Whoever writes in between makes this begin again, so that no page is missing."""
        while True:
            expect = self._find_index()
            page = render_index(list(self._read_products())).encode()
            try:
                self._store.put(INDEX, page, expect)
            except ObjectConflict:
                continue
            return

    def _find_index(self) -> str | Expect:
        try:
            return self._store.stat(INDEX).version
        except ObjectMissing:
            return ABSENT

    def _read_products(self) -> Iterator[dict[str, Any]]:
        for info in list(self._store.list(_PRODUCTS)):
            if info.key.endswith(".json"):
                with suppress(ObjectMissing):  # withdrawn meanwhile
                    yield json.loads(self._store.read(info.key)[0])


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Makes errors of the store those of the port."""
    try:
        yield
    except DaapError as error:
        raise PublishFailed(f"cannot {what}: {error}") from None


def dump_publication(publication: Publication) -> dict[str, Any]:
    """A publication as plain data: what stands in the JSON beside a page."""
    product, spec = publication.product, publication.product.dump()
    return {
        "name": product.name, "version": str(publication.version),
        "creationDate": publication.created.isoformat(), "lastUpdated": publication.updated.isoformat(),
        "metadata": {key: value for key, value in spec.items() if key not in ("tables", "files")},
        "files": spec.get("files", {}),
        "databases": [
            {
                "name": one.name, "version": str(one.version), "current": one.is_current,
                "tables": {name: schema.dump() for name, schema in one.tables.items()},
            }
            for one in publication.databases
        ],
    }  # fmt: skip

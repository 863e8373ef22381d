"""Pages as a catalogue: what stands in them, that nothing in a spec gets out of its place, and that none is missing."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from daap.errors import StoreUnavailable
from daap.model.versions import FIRST, Version
from daap.ports.publisher import Publication, PublishedDatabase, PublishFailed
from daap.publishers.pages.publisher import INDEX, PAGES, PagesPublisher
from daap.registry.spec import build_product
from daap.testing.memory_store import MemoryStore
from daap_local.folder_store import FolderStore
from tests.support.lakes import make_product

NOW = datetime(2026, 1, 31, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'&amp;<img src=https://example.org/x onerror=y>"


class Reader(HTMLParser):
    """The elements and texts of a page; notes what is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def links(self) -> list[str]:
        return [attrs["href"] for tag, attrs in self.tags if tag == "a"]


@pytest.fixture(params=["memory", "folder"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path)


def publication(name: str = "shop", **changed) -> Publication:
    product = build_product(make_product(name).dump() | changed)
    old = PublishedDatabase(f"{name}_v1", FIRST, False, {})
    now = PublishedDatabase(f"{name}_v2", Version(2, 1), True, product.tables)
    return Publication(product, Version(2, 1), NOW, NOW, (old, now))


def page(store, name: str = "shop") -> str:
    return store.read(f"{PAGES}products/{name}.html")[0].decode()


class TestPages:
    def test_a_product_stands_on_its_page_and_in_the_index(self, store):
        PagesPublisher(store).publish(publication(tags={"tier": "gold"}))
        read = Reader(page(store))
        for told in ("v2.1", "tier: gold", "owner@example.org", "30 days", "shop_v1", "decimal(18,2)", "personal data",
                     "required", "SELECT * FROM shop_v2.orders_latest", "2026-01-31 00:00 UTC"):  # fmt: skip
            assert told in read.text
        index = Reader(store.read(INDEX)[0].decode())
        assert "products/shop.html" in index.links()
        assert "1 data product" in index.text

    def test_json_lies_beside_it(self, store):
        PagesPublisher(store).publish(publication())
        told = json.loads(store.read(f"{PAGES}products/shop.json")[0])
        assert (told["name"], told["version"]) == ("shop", "v2.1")
        assert [one["current"] for one in told["databases"]] == [False, True]

    def test_it_can_be_read_aloud_and_by_keys(self, store):
        PagesPublisher(store).publish(publication())
        for text in (page(store), store.read(INDEX)[0].decode()):
            tags = Reader(text).tags
            names = [tag for tag, _ in tags]
            assert dict(tags)["html"] == {"lang": "en"}
            assert names.count("h1") == names.count("main") == names.count("title") == 1
            assert names.count("caption") == names.count("table")
            assert all("scope" in attrs for tag, attrs in tags if tag == "th")
            assert ("a", {"class": "skip", "href": "#main"}) in tags

    def test_a_page_asks_nobody_for_anything(self, store):
        PagesPublisher(store).publish(publication())
        tags = Reader(page(store)).tags
        assert not {"script", "img", "iframe"} & {tag for tag, _ in tags}
        links = [attrs["href"] for _, attrs in tags if "href" in attrs]
        assert not [link for link in links if link.startswith(("http", "//"))]
        assert "url(" not in page(store)

    def test_what_owners_write_stays_text(self, store):
        spec = make_product().dump()
        spec["tables"]["orders"] |= {"tableDescription": EVIL}
        spec["tables"]["orders"]["columns"][0]["description"] = EVIL
        spec |= {"description": EVIL, "domain": EVIL, "dataProductOwner": EVIL, "dataProductOwnerDisplayName": EVIL,
                 "dpiaLocation": EVIL, "tags": {EVIL: EVIL}, "files": {"papers": {"description": EVIL}}}  # fmt: skip
        product = build_product(spec)
        database = PublishedDatabase("shop_v1", FIRST, True, product.tables)
        PagesPublisher(store).publish(Publication(product, FIRST, NOW, NOW, (database,)))
        for text in (page(store), store.read(INDEX)[0].decode()):
            read = Reader(text)
            assert not {"script", "img"} & {tag for tag, _ in read.tags}
            assert "<script>alert(1)</script>" in read.text

    def test_withdrawn_is_gone(self, store):
        publisher = PagesPublisher(store)
        for name in ("shop", "index"):
            publisher.publish(publication(name))
        publisher.withdraw("shop")
        publisher.withdraw("shop")
        assert "products/shop.html" not in Reader(store.read(INDEX)[0].decode()).links()
        left = [info.key.removeprefix(PAGES) for info in store.list(PAGES)]
        assert left == ["index.html", "products/index.html", "products/index.json"]

    def test_none_is_missing_after_many_at_once(self, store):
        names = [f"shop_{number}" for number in range(8)]
        threads = [threading.Thread(target=PagesPublisher(store).publish, args=(publication(name),)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        links = Reader(store.read(INDEX)[0].decode()).links()
        assert [link for link in links if link.startswith("products/")] == [f"products/{name}.html" for name in names]

    def test_a_store_that_cannot_be_written(self, monkeypatch):
        store = MemoryStore()

        def refuse(*_args):
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr(store, "put", refuse)
        with pytest.raises(PublishFailed, match="cannot write the page of shop: the disk is full"):
            PagesPublisher(store).publish(publication())

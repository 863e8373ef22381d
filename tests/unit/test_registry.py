"""Registering products: once, all or nothing, and never two things under one version."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daap.errors import AlreadyRegistered, DaapError, NotRegistered, TableExists
from daap.model.table import TableSchema
from daap.model.versions import parse_version
from daap.pipeline.claims import allot_stamp
from daap.registry.products import Registry
from daap.testing.memory_catalogue import MemoryCatalogue
from daap.testing.memory_store import MemoryStore
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from tests.support.lakes import PRODUCT, TABLES, make_product


def open_folder(folder: Path):
    store = FolderStore(folder)
    return store, FolderCatalogue(store)


PLACES = {"folder": open_folder, "memory": lambda folder: (MemoryStore(), MemoryCatalogue(folder))}
SCHEMA = TableSchema.model_validate({"tableDescription": "x", "columns": [{"name": "id", "type": "int"}]})


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    return PLACES[request.param](tmp_path)


@pytest.fixture
def registry(place) -> Registry:
    return Registry(*place)


def run_together(work, number: int) -> list[object]:
    start = threading.Barrier(number)

    def run(n: int) -> object:
        start.wait()
        try:
            return work(n)
        except DaapError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_a_new_product_is_version_one(registry):
    registered, new = registry.register(make_product())
    assert (str(registered.version), new) == ("v1.0", True)
    assert registry.get(PRODUCT) == registered
    assert registered.created == registered.updated


def test_its_tables_are_in_the_catalogue(place, registry):
    registry.register(make_product())
    assert [str(entry.ref) for entry in place[1].tables()] == sorted(f"shop/v1/{table}" for table in TABLES)


def test_its_metadata_and_schemas_lie_under_its_version(place, registry):
    registry.register(make_product())
    metadata = json.loads(place[0].read("metadata/shop/v1.0/metadata.json")[0])
    assert metadata["name"] == PRODUCT
    assert "tables" not in metadata
    for table in TABLES:
        schema = json.loads(place[0].read(f"metadata/shop/v1.0/{table}/schema.json")[0])
        assert TableSchema.model_validate(schema) == make_product().tables[table]


def test_the_same_spec_again_changes_nothing(registry):
    first, _ = registry.register(make_product())
    again, new = registry.register(make_product())
    assert (again, new) == (first, False)


def test_another_spec_under_the_same_name_is_refused_and_says_where_it_differs(registry):
    registry.register(make_product())
    with pytest.raises(AlreadyRegistered, match=r"tables\.returns"):
        registry.register(make_product(tables=("orders",)))
    assert registry.get(PRODUCT).product == make_product()


def test_a_registration_that_was_cut_short_is_finished_by_the_next(place, registry):
    registry.register(make_product())
    store, _ = place
    for info in list(store.list("metadata/")):
        if not info.key.startswith("metadata/product-heads/"):
            store.delete(info.key)
    registry.register(make_product())
    assert store.stat("metadata/shop/v1.0/orders/schema.json")
    assert len(Registry(*place).get(PRODUCT).product.tables) == 3


def test_of_many_that_register_at_once_one_is_new(registry):
    told = run_together(lambda _n: registry.register(make_product())[1], 8)
    assert sorted(told) == [False] * 7 + [True]


def test_of_two_specs_registered_at_once_one_stands_whole(registry):
    specs = [make_product(tables=(f"table{n}",)) for n in range(6)]
    told = run_together(lambda n: registry.register(specs[n])[1], 6)
    assert sum(one is True for one in told) == 1
    assert all(one is True or isinstance(one, AlreadyRegistered) for one in told)
    assert registry.get(PRODUCT).product == specs[told.index(True)]


def test_what_was_not_registered_is_told_so(registry):
    with pytest.raises(NotRegistered, match="nobody"):
        registry.get("nobody")
    with pytest.raises(NotRegistered):
        registry.add_table("nobody", "things", SCHEMA)
    registry.register(make_product())
    with pytest.raises(NotRegistered, match="nothing"):
        registry.get(PRODUCT).schema("nothing")


def test_products_are_listed_by_name(registry):
    for name in ("zoo", "a1", "shop"):
        registry.register(make_product(name))
    assert [registered.product.name for registered in registry.list()] == ["a1", "shop", "zoo"]


@pytest.mark.parametrize("table", ["head", "HEAD", "metadata", "schema"])
def test_a_table_may_have_any_name_without_disturbing_the_list(place, registry, table):
    registered, _ = registry.register(make_product(tables=(table,)))
    allot_stamp(place[0], registered.ref(table))
    assert [one.product.name for one in registry.list()] == [PRODUCT]


class TestAddingTables:
    def test_a_table_is_a_minor_version(self, place, registry):
        first, _ = registry.register(make_product())
        registered = registry.add_table(PRODUCT, "things", SCHEMA)
        assert str(registered.version) == "v1.1"
        assert registered.schema("things") == SCHEMA
        assert registered.created == first.created
        assert place[1].table("shop_v1", "things").schema == SCHEMA
        assert place[0].stat("metadata/shop/v1.1/things/schema.json")
        assert place[0].stat("metadata/shop/v1.0/orders/schema.json")

    def test_the_first_table_keeps_the_version(self, registry):
        registry.register(make_product(tables=()))
        assert str(registry.add_table(PRODUCT, "things", SCHEMA).version) == "v1.0"

    def test_a_table_that_is_there_stays_as_it_is(self, registry):
        registered, _ = registry.register(make_product())
        assert registry.ensure_table(PRODUCT, "orders", SCHEMA) == registered
        with pytest.raises(TableExists, match="orders already"):
            registry.add_table(PRODUCT, "orders", SCHEMA)

    def test_a_name_that_clashes_is_refused_in_words(self, registry):
        registry.register(make_product())
        for name in ("ORDERS", "orders_latest", "Papers"):
            with pytest.raises(DaapError, match=f"(?i){name}"):
                registry.add_table(PRODUCT, name, SCHEMA)

    def test_tables_added_at_once_are_all_there_in_the_end(self, registry):
        registry.register(make_product())
        names = [f"things{n}" for n in range(6)]
        while missing := [name for name in names if name not in registry.get(PRODUCT).product.tables]:
            # A writer that loses a race is told so, and tries again.
            run_together(lambda n, missing=missing: registry.ensure_table(PRODUCT, missing[n], SCHEMA), len(missing))
        assert str(registry.get(PRODUCT).version) == "v1.6"


def test_versions_sort_by_number_not_by_letter():
    texts = ["v10.0", "v9.12", "v1.0", "v2.0", "v9.2", "v1.10", "v1.9"]
    assert [str(v) for v in sorted(map(parse_version, texts))] == [
        "v1.0", "v1.9", "v1.10", "v2.0", "v9.2", "v9.12", "v10.0",
    ]  # fmt: skip

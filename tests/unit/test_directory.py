"""Finding products by words, page by page, while they come and go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.model.keys import head_key
from daap.registry.directory import Directory, list_records, read_record
from daap.registry.products import Registry
from daap.registry.spec import build_product
from daap.testing.memory_catalogue import MemoryCatalogue
from daap.testing.memory_store import MemoryStore
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from tests.support.lakes import make_product, make_table

PLACES = {
    "folder": lambda folder: (store := FolderStore(folder), FolderCatalogue(store)),
    "memory": lambda folder: (MemoryStore(), MemoryCatalogue(folder)),
}


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    return PLACES[request.param](tmp_path)


@pytest.fixture
def registry(place) -> Registry:
    return Registry(*place)


@pytest.fixture
def directory(place) -> Directory:
    """One that looks anew each time."""
    return Directory(place[0], fresh_seconds=0)


def describe(name: str, description: str, **fields: object) -> object:
    return build_product(make_product(name).dump() | {"description": description, **fields})


def find(directory: Directory, text: str = "", after: str = "", limit: int = 100, keep=lambda _r: True):
    found, more = directory.find(text, keep, after, limit)
    return [registered.product.name for registered in found], more


def test_an_empty_lake_has_no_products(directory):
    assert find(directory) == ([], False)
    assert find(directory, "word") == ([], False)


def test_products_come_by_name(directory, registry):
    for name in ("zoo", "a1", "shop"):
        registry.register(make_product(name))
    assert find(directory) == (["a1", "shop", "zoo"], False)


def test_a_name_that_begins_with_another_comes_behind_it(directory, registry):
    for name in ("shop_2", "shop", "shop2"):
        registry.register(make_product(name))
    assert find(directory)[0] == sorted(["shop", "shop2", "shop_2"])


@pytest.mark.parametrize(
    "text",
    [
        "spend",
        "PAYMENTS of",
        "of   payments",
        "finance",
        "march",
        "amount",
        "Ärger",
        "papers",
        "red tagged",
        "tableword",
    ],
)
def test_words_are_looked_for_in_all_that_describes_a_product(directory, registry, text):
    table = make_table("id int", "amount int").model_copy(update={"table_description": "the Tableword"})
    wanted = describe(
        "spend", "Payments of the town, no ärger", domain="Finance", tags={"colour": "red", "is": "tagged"}
    )
    registry.register(wanted)
    registry.add_table("spend", "march", table)
    registry.register(build_product(make_product("other", ("things",), ()).dump() | {"tables": {}, "domain": "else"}))
    assert find(directory, text) == (["spend"], False)


def test_every_word_has_to_be_there(directory, registry):
    registry.register(describe("one", "apples and pears"))
    registry.register(describe("two", "apples"))
    assert find(directory, "apples pears")[0] == ["one"]
    assert find(directory, "apples plums")[0] == []


def test_words_of_two_products_make_no_match(directory, registry):
    registry.register(describe("one", "ends in left"))
    registry.register(describe("two", "right begins"))
    assert find(directory, "left right") == ([], False)


@pytest.mark.parametrize("text", ["\0", "one\0two", "%", "\\", "(", "\n"])
def test_any_text_may_be_looked_for(directory, registry, text):
    registry.register(make_product("one"))
    registry.register(make_product("two"))
    found, _ = find(directory, text)
    assert found == (["one", "two"] if not text.strip() else [])


@pytest.mark.parametrize("text", ["", "sample"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_put_together_are_the_whole(directory, registry, text, limit):
    names = [f"p{n}" for n in range(7)]
    for name in names:
        registry.register(make_product(name))
    seen, after, more = [], "", True
    while more:
        page, more = find(directory, text, after, limit)
        seen += page
        after = page[-1]
    assert seen == names


def test_what_may_not_be_seen_does_not_count_towards_a_page(directory, registry):
    for n in range(9):
        registry.register(make_product(f"p{n}"))
    odd = find(directory, limit=3, keep=lambda r: int(r.product.name[1]) % 2 == 1)
    assert odd == (["p1", "p3", "p5"], True)
    assert find(directory, after="p5", limit=3, keep=lambda r: int(r.product.name[1]) % 2 == 1) == (["p7"], False)


def test_a_page_may_begin_behind_a_name_that_is_gone(directory, registry):
    for name in ("aa", "cc"):
        registry.register(make_product(name))
    assert find(directory, after="bb") == (["cc"], False)


def test_changes_by_another_process_are_seen(place, directory, registry):
    registry.register(make_product("one"))
    assert find(directory, "newword") == ([], False)
    head = registry.read("one")
    registry.amend(head, describe("one", "newword"), head.registered.change)
    assert find(directory, "newword") == (["one"], False)
    place[0].delete(head_key("one"))
    assert find(directory) == ([], False)


def test_one_deleted_and_another_registered_at_once_are_seen(place, directory, registry):
    registry.register(make_product("one"))
    assert find(directory)[0] == ["one"]
    place[0].delete(head_key("one"))
    registry.register(make_product("two"))
    assert find(directory)[0] == ["two"]


def test_a_product_that_is_being_deleted_is_not_found(directory, registry):
    registry.register(make_product("one"))
    head = registry.read("one")
    registry.replace_head(head, replace(head.registered, deleting=True))
    assert find(directory) == ([], False)


def test_a_look_is_remembered_until_it_is_forgotten(place, registry):
    directory = Directory(place[0], fresh_seconds=1_000)
    assert find(directory)[0] == []
    registry.register(make_product("one"))
    assert find(directory)[0] == []
    directory.forget()
    assert find(directory)[0] == ["one"]


def test_only_heads_that_changed_are_read_again(tmp_path, monkeypatch):
    store = MemoryStore()
    registry, directory = Registry(store, MemoryCatalogue(tmp_path)), Directory(store, 0)
    for n in range(50):
        registry.register(make_product(f"p{n}"))
    find(directory)
    read, reads = store.read, []
    monkeypatch.setattr(store, "read", lambda key: reads.append(key) or read(key))
    find(directory)
    assert reads == []
    registry.add_table("p7", "things", make_table())
    reads.clear()
    find(directory)
    assert reads == [head_key("p7")]


def test_records_come_in_the_order_of_versions(place, registry):
    registry.register(make_product())
    for _ in range(11):
        head = registry.read("shop")
        spec = head.registered.product.dump() | {"description": f"after {head.registered.version}"}
        registry.amend(head, build_product(spec), head.registered.change)
    versions = [str(read_record(place[0], key).version) for key in list_records(place[0], "shop")]
    assert versions == [f"v1.{n}" for n in range(12)]


WORDS = st.text("ab\0 \n", max_size=4)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text("ab", min_size=1, max_size=6)), WORDS, WORDS)
def test_a_search_finds_just_what_looking_at_each_product_would(texts, text, after):
    store = MemoryStore()
    registry = Registry(store, _Nowhere())
    for name, description in texts.items():
        registry.register(
            build_product(make_product(name, (), ()).dump() | {"description": description, "domain": "z"})
        )
    directory = Directory(store)
    entries = [entry for entry in directory.entries() if entry.registered.product.name > after]
    expected = [e.registered.product.name for e in entries if all(word in e.text for word in text.lower().split())]
    assert find(directory, text, after) == (expected, False)


class _Nowhere(MemoryCatalogue):
    """A catalogue for products without tables."""

    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]

"""Versions: each is made once and never changes, and of two writers one wins."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from daap.errors import AlreadyRegistered, InvalidChange, InvalidName, InvalidSpec, NotRegistered, VersionConflict
from daap.model.loads import TableRef
from daap.registry.amend import AMENDABLE, amend_metadata, drop_table, insert_table, replace_schema
from daap.registry.directory import find_record, list_records, read_record
from daap.registry.heads import Change, LegalHold, Registered, decode_head, encode_head
from daap.registry.products import Registry
from daap.registry.spec import build_product
from daap.testing.memory_catalogue import MemoryCatalogue
from daap.testing.memory_store import MemoryStore
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from tests.support.lakes import PAPERS, PRODUCT, TABLES, make_product, make_table

PLACES = {
    "folder": lambda folder: (store := FolderStore(folder), FolderCatalogue(store)),
    "memory": lambda folder: (MemoryStore(), MemoryCatalogue(folder)),
}
DONE = Change("metadata changed", "ann")


@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    return PLACES[request.param](tmp_path)


@pytest.fixture
def registry(place) -> Registry:
    registry = Registry(*place)
    registry.register(make_product())
    return registry


def describe(registry: Registry, text: str) -> Registered:
    """A minor version with another description."""
    head = registry.read(PRODUCT)
    product = build_product(head.registered.product.dump() | {"description": text})
    return registry.amend(head, product, DONE)


def jump(registry: Registry, **fields: object) -> Registered:
    """A major version, without any data."""
    head = registry.read(PRODUCT)
    found = head.registered
    return registry.commit(
        head, replace(found, version=found.version.next_major, lasts=(*found.lasts, found.version), **fields)
    )


def read_all(store, prefix: str = "metadata/") -> dict[str, bytes]:
    return {info.key: store.read(info.key)[0] for info in store.list(prefix)}


def list_history(store) -> list[str]:
    return [str(read_record(store, key).version) for key in list_records(store, PRODUCT)]


class TestNumbers:
    def test_minors_go_on_past_nine(self, place, registry):
        for n in range(1, 12):
            assert str(describe(registry, f"text {n}").version) == f"v1.{n}"
        assert list_history(place[0]) == [f"v1.{n}" for n in range(12)]

    def test_majors_go_on_past_nine_and_ten(self, place, registry):
        for n in range(2, 13):
            registered = jump(registry)
            assert str(registered.version) == f"v{n}.0"
        assert registered.majors == tuple(range(1, 13))
        assert list_history(place[0]) == [f"v{n}.0" for n in range(1, 13)]
        assert {entry.ref.database for entry in place[1].tables()} == {f"shop_v{n}" for n in range(1, 13)}

    def test_the_last_version_of_each_major_is_known(self, registry):
        describe(registry, "one")
        jump(registry)
        describe(registry, "two")
        registered = jump(registry)
        assert [str(registered.last_of(major)) for major in (1, 2, 3)] == ["v1.1", "v2.1", "v3.0"]
        with pytest.raises(NotRegistered, match="no major version 4"):
            registered.last_of(4)

    def test_there_may_be_1500_versions(self, tmp_path):
        store = MemoryStore()
        registry = Registry(store, MemoryCatalogue(tmp_path))
        registry.register(make_product(tables=("orders",)))
        for n in range(1, 1_501):
            assert describe(registry, f"text {n}").version.minor == n
        history = [read_record(store, key) for key in list_records(store, PRODUCT)]
        assert [str(one.version) for one in history] == [f"v1.{n}" for n in range(1_501)]
        assert [one.product.description for one in history[1:]] == [f"text {n}" for n in range(1, 1_501)]
        assert registry.get(PRODUCT) == history[-1]
        assert find_record(store, PRODUCT, "v1.999").product.description == "text 999"
        assert registry.schema_at(PRODUCT, "v1.7", "orders") == make_product().tables["orders"]


class TestHistory:
    def test_a_version_once_made_never_changes(self, place, registry):
        kept: dict[str, bytes] = {}
        for n, change in enumerate([describe, describe, lambda r, _t: jump(r), describe, lambda r, _t: jump(r)] * 2):
            before = read_all(place[0], "metadata/shop/") | read_all(place[0], "metadata/product-versions/shop/")
            assert {key: before[key] for key in kept} == kept
            kept = before
            change(registry, f"text {n}")
        now = read_all(place[0])
        assert {key: now[key] for key in kept} == kept

    def test_a_record_tells_what_was_made_by_whom(self, place, registry):
        head = registry.read(PRODUCT)
        product = amend_metadata(head.registered.product, {"domain": "other"})
        made = Change("metadata changed", "bob", {"metadata": ["domain"]})
        registered = registry.amend(head, product, made)
        assert find_record(place[0], PRODUCT, "v1.1") == registered
        assert find_record(place[0], PRODUCT, "v1.1").change == made
        assert find_record(place[0], PRODUCT, "v1.0").change.action == "registered"

    @pytest.mark.parametrize("version", ["v1.1", "v2.0", "v1.00", "1.0", "", "../../x", "v1.0\n"])
    def test_a_version_that_was_not_made_is_told_so(self, place, registry, version):
        with pytest.raises((NotRegistered, InvalidName)):
            find_record(place[0], PRODUCT, version)
        with pytest.raises((NotRegistered, InvalidName)):
            registry.schema_at(PRODUCT, version, "orders")

    def test_a_hold_is_no_part_of_a_version(self, place, registry):
        head = registry.read(PRODUCT)
        held = replace(head.registered, legal_hold=LegalHold("a case", "ann", head.registered.created))
        registry.replace_head(head, held)
        describe(registry, "text")
        assert registry.get(PRODUCT).legal_hold == held.legal_hold
        assert find_record(place[0], PRODUCT, "v1.1").legal_hold is None

    def test_a_head_is_stored_and_read_without_loss(self, registry):
        found = registry.get(PRODUCT)
        full = replace(
            jump(registry), legal_hold=LegalHold("Größe", "ann", found.created), removing=("sales",), deleting=True,
            carried={"orders": "shop/v1/orders/20260131T235959Z"},
        )  # fmt: skip
        assert decode_head(encode_head(full)) == full
        assert json.loads(encode_head(full))["version"] == "v2.0"

    def test_the_table_that_comes_after_all_were_removed_is_a_version_of_its_own(self, place, registry):
        # v2.0 is the version that removed them, and stays so.
        product = registry.get(PRODUCT).product
        for table in TABLES:
            product = drop_table(product, table)
        removed = jump(registry, product=product, change=Change("table removed", "ann"))
        assert str(registry.add_table(PRODUCT, "things", make_table()).version) == "v2.1"
        assert find_record(place[0], PRODUCT, "v2.0") == removed

    def test_the_first_table_after_a_change_of_metadata_is_a_minor_version(self, place):
        registry = Registry(*place)
        registry.register(make_product(tables=()))
        describe(registry, "other")
        assert str(registry.add_table(PRODUCT, "things", make_table()).version) == "v1.2"

    def test_the_record_of_the_first_version_holds_the_first_table(self, place):
        registry = Registry(*place)
        registry.register(make_product(tables=()))
        registered = registry.add_table(PRODUCT, "things", make_table())
        assert find_record(place[0], PRODUCT, "v1.0") == registered
        assert list_history(place[0]) == ["v1.0"]


class TestSchemas:
    def test_each_version_has_its_own(self, registry):
        schemas = [registry.get(PRODUCT).schema("orders")]
        for n in range(3):
            head = registry.read(PRODUCT)
            schemas.append(make_table("id int", *(f"c{i} int" for i in range(n + 1))))
            registry.amend(head, replace_schema(head.registered.product, "orders", schemas[-1]), DONE)
        assert [registry.schema_at(PRODUCT, f"v1.{n}", "orders") for n in range(4)] == schemas

    def test_the_latest_of_an_old_major_is_found(self, registry):
        head = registry.read(PRODUCT)
        first = make_table("id int", "a int")
        registry.amend(head, replace_schema(head.registered.product, "orders", first), DONE)
        second = make_table("a int")
        jump(registry, product=replace_schema(registry.get(PRODUCT).product, "orders", second))
        assert registry.schema_of(TableRef(PRODUCT, 1, "orders")) == first
        assert registry.schema_of(TableRef(PRODUCT, 2, "orders")) == second
        with pytest.raises(NotRegistered):
            registry.schema_of(TableRef(PRODUCT, 3, "orders"))

    def test_tables_and_files_are_found_in_every_major(self, registry):
        jump(registry)
        for table in ("orders", PAPERS):
            assert registry.find_ref(PRODUCT, table) == TableRef(PRODUCT, 2, table)
            assert registry.find_ref(PRODUCT, table, 1) == TableRef(PRODUCT, 1, table)
            for major in (0, 3):
                with pytest.raises(NotRegistered):
                    registry.find_ref(PRODUCT, table, major)

    def test_a_table_that_came_with_a_later_major_is_not_found_before(self, registry):
        jump(registry)
        registry.add_table(PRODUCT, "things", make_table())
        assert registry.find_ref(PRODUCT, "things", 2).major == 2
        with pytest.raises(NotRegistered):
            registry.find_ref(PRODUCT, "things", 1)

    def test_all_tables_of_all_majors_are_listed(self, registry):
        jump(registry, product=drop_table(registry.get(PRODUCT).product, "sales"))
        registry.add_table(PRODUCT, "things", make_table())
        assert [str(ref) for ref in registry.refs(registry.get(PRODUCT))] == [
            "shop/v1/orders", "shop/v1/returns", "shop/v1/sales",
            "shop/v2/orders", "shop/v2/returns", "shop/v2/things",
        ]  # fmt: skip


class TestWriters:
    def test_a_writer_that_read_before_another_wrote_is_told_which_version_won(self, registry):
        head = registry.read(PRODUCT)
        describe(registry, "first")
        with pytest.raises(VersionConflict, match=r"shop .* v1\.1") as told:
            registry.amend(head, build_product(head.registered.product.dump() | {"domain": "lost"}), DONE)
        assert told.value.version == "v1.1"
        assert registry.get(PRODUCT).product.description == "first"
        assert registry.get(PRODUCT).product.domain == "test"

    def test_a_version_number_names_one_thing_even_if_the_change_is_the_same(self, registry):
        head = registry.read(PRODUCT)
        product = build_product(head.registered.product.dump() | {"domain": "same"})
        registry.amend(head, product, DONE)
        with pytest.raises(VersionConflict):
            registry.amend(head, product, DONE)

    def test_a_loser_leaves_no_trace(self, place, registry):
        head = registry.read(PRODUCT)
        describe(registry, "first")
        before = read_all(place[0])
        with pytest.raises(VersionConflict):
            registry.amend(head, insert_table(head.registered.product, "things", make_table()), DONE)
        assert read_all(place[0]) == before
        assert "things" not in {entry.ref.table for entry in place[1].tables()}

    def test_a_loser_does_not_take_a_new_column_from_the_catalogue(self, place, registry):
        head = registry.read(PRODUCT)
        wider = make_table("id int", "new int")
        registry.amend(head, replace_schema(head.registered.product, "orders", wider), DONE)
        with pytest.raises(VersionConflict):
            registry.amend(head, build_product(head.registered.product.dump() | {"domain": "lost"}), DONE)
        assert place[1].table("shop_v1", "orders").schema == wider

    def test_a_writer_that_is_slow_to_tell_the_catalogue_does_not_overwrite_what_is_newer(self, place, registry):
        head = registry.read(PRODUCT)
        old = head.registered
        wider = make_table("id int", "new int")
        registry.amend(head, replace_schema(old.product, "orders", wider), DONE)
        registry._project(old)
        assert place[1].table("shop_v1", "orders").schema == wider

    def test_it_does_not_bring_back_a_product_that_was_deleted(self, tmp_path):
        store = MemoryStore()
        registry = Registry(store, MemoryCatalogue(tmp_path))
        registry.register(make_product())
        head = registry.read(PRODUCT)
        for info in list(store.list("metadata/")):
            store.delete(info.key)
        with pytest.raises(NotRegistered):
            registry.commit(head, replace(head.registered, version=head.registered.version.next_minor))
        assert list(store.list("metadata/")) == []

    def test_what_a_writer_that_was_cut_short_left_is_finished_by_the_next(self, place, registry):
        head = registry.read(PRODUCT)
        amended = replace(
            head.registered, product=insert_table(head.registered.product, "things", make_table()),
            version=head.registered.version.next_minor, change=DONE,
        )  # fmt: skip
        registry.replace_head(head, amended)  # and there it was killed
        describe(registry, "next")
        assert list_history(place[0]) == ["v1.0", "v1.1", "v1.2"]
        assert registry.schema_at(PRODUCT, "v1.1", "things") == make_table()
        assert place[1].table("shop_v1", "things").schema == make_table()

    @pytest.mark.parametrize("writers", [2, 20])
    def test_of_many_at_once_one_wins_each_version(self, registry, writers):
        head, start = registry.read(PRODUCT), threading.Barrier(writers)

        def write(n: int) -> tuple[str, str]:
            product = build_product(head.registered.product.dump() | {"description": f"by {n}"})
            start.wait()
            try:
                return "won", registry.amend(head, product, DONE).product.description
            except VersionConflict as error:
                return "lost", error.version

        with ThreadPoolExecutor(writers) as pool:
            told = list(pool.map(write, range(writers)))
        ((_, won),) = [one for one in told if one[0] == "won"]
        assert registry.get(PRODUCT).product.description == won
        assert told.count(("lost", "v1.1")) == writers - 1

    def test_first_tables_added_at_once_are_never_lost(self, place):
        registry = Registry(*place)
        registry.register(make_product(tables=(), files=()))
        start = threading.Barrier(6)

        def add(n: int) -> None:
            start.wait()
            while True:
                try:
                    registry.add_table(PRODUCT, f"things{n}", make_table())
                except VersionConflict:
                    continue
                return

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(add, range(6)))
        assert sorted(registry.get(PRODUCT).product.tables) == [f"things{n}" for n in range(6)]
        assert list_history(place[0]) == [f"v1.{n}" for n in range(6)]
        assert len(place[1].tables()) == 6


class TestStates:
    def test_a_product_that_is_being_deleted_is_not_registered_and_its_name_is_not_free(self, registry):
        head = registry.read(PRODUCT)
        registry.replace_head(head, replace(head.registered, deleting=True))
        with pytest.raises(NotRegistered, match="being deleted"):
            registry.get(PRODUCT)
        assert list(registry.list()) == []
        with pytest.raises(AlreadyRegistered, match="being deleted"):
            registry.register(make_product())
        assert registry.read_any(PRODUCT).registered.deleting

    def test_a_table_that_is_being_removed_may_not_come_again_before_that_is_done(self, registry):
        jump(registry, product=drop_table(registry.get(PRODUCT).product, "sales"), removing=("sales",))
        for add in (registry.add_table, registry.ensure_table):
            with pytest.raises(InvalidChange, match="sales is being removed"):
                add(PRODUCT, "sales", make_table())
        with pytest.raises(InvalidChange, match="Sales is being removed"):
            registry.add_table(PRODUCT, "Sales", make_table())


class TestMetadata:
    @pytest.mark.parametrize("field", AMENDABLE)
    def test_what_may_change_does(self, field):
        value = {
            "email": "new@example.org", "dpiaRequired": False, "retentionPeriod": 7, "status": "retired",
            "tags": {"a": "b"},
        }.get(field, "new")  # fmt: skip
        assert amend_metadata(make_product(), {field: value}).dump()[field] == value

    def test_a_whole_spec_of_metadata_may_be_given(self):
        fields = make_product().metadata.dump() | {"domain": "new"}
        assert amend_metadata(make_product(), fields).domain == "new"

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"name": "other"}, "name"),
            ({"dpiaLocation": "x"}, "dpiaLocation"),
            ({"tables": {}}, "tables"),
            ({"files": {}}, "files"),
        ],
    )
    def test_what_may_not_change_is_named(self, fields, named):
        with pytest.raises(InvalidChange, match=named):
            amend_metadata(make_product(), fields | {"domain": "new"})

    @pytest.mark.parametrize("fields", [{}, {"domain": "test"}, {"tags": {}}, {"tags": None}])
    def test_what_changes_nothing_is_refused(self, fields):
        with pytest.raises(InvalidChange, match="nothing changes"):
            amend_metadata(make_product(), fields)

    @pytest.mark.parametrize(
        "fields",
        [{"retentionPeriod": 0}, {"retentionPeriod": True}, {"email": "nobody"}, {"status": "gone"},
         {"version": "v9.9"}, {"colour": "red"}, {"description": None}, {"tags": {"": "x"}}, [], "x", None, 7],
    )  # fmt: skip
    def test_wrong_values_are_refused(self, fields):
        with pytest.raises(InvalidSpec):
            amend_metadata(make_product(), fields)

    def test_null_takes_a_value_away(self):
        tagged = amend_metadata(make_product(), {"tags": {"a": "b"}, "dataProductMaintainer": "me"})
        assert amend_metadata(tagged, {"tags": None, "dataProductMaintainer": None}) == make_product()

    def test_tables_and_files_stay(self):
        amended = amend_metadata(make_product(), {"domain": "new"})
        assert (amended.tables, amended.files) == (make_product().tables, make_product().files)

"""Deleting tables and products: everything goes but the audit log, and the name is free again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from daap.errors import (
    InvalidChange,
    NotRegistered,
    TableExists,
    UnderLegalHold,
    VersionConflict,
)
from daap.model.events import FileRefused
from daap.model.loads import TableRef
from daap.pipeline import remove
from daap.pipeline.claims import announce_file
from daap.pipeline.manage import create_table, register_product, set_hold
from daap.pipeline.remove import delete_product, finish_removals, remove_table
from daap.pipeline.resync import resync_product
from tests.support.lakes import (
    AMOUNT,
    BAD,
    ID,
    PAPERS,
    PRODUCT,
    TABLE,
    TABLES,
    Bench,
    make_csv,
    make_product,
    make_table,
)

FIRST, SECOND = "20260101T000000Z", "20260102T000000Z"
SECRET = b"id,customer,amount\n1,Ann,1.00\nsecret-value,Bob,oops\n"


class _Died(Exception):
    """The process ends here."""


def _die(*_args: object, **_facts: object) -> None:
    raise _Died


def fill(bench: Bench, product: str = PRODUCT, table: str = TABLE) -> None:
    """A product in use: good and bad files, two majors, files of any kind, one announced and one in landing."""
    bench.load(FIRST, make_csv(), table, product)
    bench.load(SECOND, SECRET, table, product)
    bench.take("x.pdf", b"x", PAPERS, product)
    remove_table(bench.lake, product, "returns", "ann")
    bench.load("20260103T000000Z", make_csv(), table, product, 2)
    announce_file(bench.lake.store, TableRef(product, 2, table), "late.csv", "ann")
    bench.drop("waiting.csv", make_csv(), table, product)


def traces(bench: Bench, name: str) -> list[str]:
    """Files and folders that name something, or hold what its files held; the audit log and locks apart."""
    found = [key for zone in ("landing/", "raw/", "curated/", "fail/", "metadata/") for key in bench.keys(zone)]
    kept = [key for key in found if name in key or name.encode() in bench.read(key)]
    paths = (str(path.relative_to(bench.root)) for path in bench.root.rglob("*"))
    return kept + [path for path in paths if name in path and not path.startswith((".locks", "logs", "visible"))]


def everything(bench: Bench) -> dict[str, bytes]:
    """All objects but the audit log."""
    return {
        k: v for zone in ("landing/", "raw/", "fail/", "curated/", "metadata/") for k, v in bench.contents(zone).items()
    }


def is_of_shop(key: str) -> bool:
    """Whether an object is one of the sample product's."""
    return "/shop/" in key or key in ("metadata/product-heads/shop.json", *SHOP_ENTRIES)


SHOP_ENTRIES = tuple(f"metadata/catalogue-tables/shop_v1/{table}.json" for table in TABLES)


class TestTables:
    def test_a_table_goes_with_its_data_of_every_version(self, bench):
        fill(bench)
        evolved = remove_table(bench.lake, PRODUCT, TABLE, "bob")
        assert str(evolved.registered.version) == "v3.0"
        assert TABLE not in evolved.registered.product.tables
        for zone in ("landing", "raw", "curated", "fail", "metadata/load-receipts", "metadata/load-clocks"):
            for major in (1, 2, 3):
                assert bench.keys(f"{zone}/shop/v{major}/{TABLE}") == []
        assert bench.keys("landing/shop/") == bench.claims() == []
        assert [bench.snapshots(major=major) for major in (1, 2, 3)] == [[], [], []]
        assert TABLE not in {entry.ref.table for entry in bench.lake.catalogue.tables()}

    def test_no_folder_of_it_is_left(self, folders):
        fill(folders)
        remove_table(folders.lake, PRODUCT, TABLE, "bob")
        history = folders.root / "metadata" / "shop"
        assert [path for path in folders.root.rglob(f"*{TABLE}*") if not path.is_relative_to(history)] == []

    def test_the_history_of_versions_stays(self, bench):
        before = bench.contents("metadata/shop/") | bench.contents("metadata/product-versions/")
        remove_table(bench.lake, PRODUCT, TABLE, "bob")
        after = bench.contents("metadata/shop/") | bench.contents("metadata/product-versions/")
        assert {key: after[key] for key in before} == before

    def test_the_other_tables_keep_all_of_theirs(self, bench):
        bench.load(FIRST, make_csv(), "sales")
        bench.load(SECOND, BAD, "sales")
        bench.load(FIRST, b"x", PAPERS)
        bench.drop("waiting.csv", make_csv(), "sales")
        bench.load(FIRST, make_csv(9))
        kept = {zone: bench.contents(f"{zone}/shop/v1/sales/") for zone in ("raw", "fail", "curated")}
        remove_table(bench.lake, PRODUCT, TABLE, "bob")
        assert {zone: bench.contents(f"{zone}/shop/v1/sales/") for zone in kept} == kept
        assert bench.keys("landing/") == ["landing/shop/sales/waiting.csv"]
        assert (bench.snapshots("sales"), bench.snapshots("sales", major=2)) == ([FIRST], [FIRST])
        assert len(bench.files(f"raw/shop/v1/{PAPERS}/")) == 1

    def test_a_table_whose_name_begins_alike_is_another(self, bench):
        create_table(bench.lake, PRODUCT, "orders2", make_table(), "ann")
        bench.load(FIRST, make_csv(), "orders2")
        bench.drop("waiting.csv", make_csv(), "orders2")
        remove_table(bench.lake, PRODUCT, TABLE, "bob")
        assert bench.snapshots("orders2") == [FIRST]
        assert bench.keys("landing/") == ["landing/shop/orders2/waiting.csv"]

    def test_added_again_it_starts_clean(self, bench):
        fill(bench)
        remove_table(bench.lake, PRODUCT, TABLE, "bob")
        assert str(create_table(bench.lake, PRODUCT, TABLE, make_table("id int"), "ann").version) == "v3.1"
        assert bench.snapshots(major=3) == []
        assert [r for r in bench.receipts() if r.table == TABLE] == []
        bench.take("new.csv", b"id\n1\n")
        assert len(bench.snapshots(major=3)) == 1
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == []
        assert len(bench.snapshots(major=3)) == 1

    def test_removed_and_added_again_and_again(self, bench):
        for n in range(1, 4):
            bench.take(f"{n}.csv", make_csv())
            remove_table(bench.lake, PRODUCT, TABLE, "bob")
            create_table(bench.lake, PRODUCT, TABLE, make_table(), "ann")
            assert [bench.snapshots(major=major) for major in range(1, n + 2)] == [[]] * (n + 1)
        assert str(bench.lake.registry.get(PRODUCT).version) == "v4.1"

    def test_what_is_no_table_is_refused(self, bench):
        for name in ("nothing", PAPERS, "Orders"):
            with pytest.raises(InvalidChange, match=f"no table {name}"):
                remove_table(bench.lake, PRODUCT, name, "bob")
        with pytest.raises(NotRegistered, match="nobody"):
            remove_table(bench.lake, "nobody", TABLE, "bob")
        assert str(bench.lake.registry.get(PRODUCT).version) == "v1.0"

    def test_the_audit_log_keeps_what_happened(self, bench):
        bench.load(FIRST, make_csv())
        before = bench.contents("logs/")
        remove_table(bench.lake, PRODUCT, TABLE, "bob")
        assert before.items() <= bench.contents("logs/").items()
        assert [event["actor"] for event in bench.events() if event["stage"] == "removed"] == ["bob"]

    def test_an_upload_that_was_announced_before_is_refused(self, bench):
        claim = announce_file(bench.lake.store, TableRef(PRODUCT, 1, TABLE), "late.csv", "ann")
        remove_table(bench.lake, PRODUCT, TABLE, "bob")
        bench.lake.store.put(claim.landing, make_csv())
        assert isinstance(bench.ingest(claim.landing), FileRefused)
        assert bench.snapshots() == bench.snapshots(major=2) == []


class TestCutShort:
    @pytest.fixture
    def half_removed(self, bench, monkeypatch) -> Bench:
        """A table whose removal was cut short behind the new version."""
        fill(bench)
        with monkeypatch.context() as patch:
            patch.setattr(remove, "_sweep_table", _die)
            with pytest.raises(_Died):
                remove_table(bench.lake, PRODUCT, TABLE, "bob")
        assert bench.lake.registry.get(PRODUCT).removing == (TABLE,)
        assert bench.files(f"raw/shop/v1/{TABLE}/") == [make_csv()]
        return bench

    def test_resync_goes_on_with_it(self, half_removed):
        assert list(resync_product(half_removed.lake, PRODUCT, "ann")) == []
        assert half_removed.lake.registry.get(PRODUCT).removing == ()
        assert half_removed.keys(f"raw/shop/v1/{TABLE}/") == []

    def test_adding_it_again_goes_on_with_it_first(self, half_removed):
        create_table(half_removed.lake, PRODUCT, TABLE, make_table(), "ann")
        assert half_removed.snapshots() == half_removed.snapshots(major=3) == []
        half_removed.take("new.csv", make_csv())
        list(resync_product(half_removed.lake, PRODUCT, "ann"))
        assert len(half_removed.snapshots(major=3)) == 1

    def test_one_that_looked_before_deletes_nothing_that_came_after(self, half_removed):
        stale = half_removed.lake.registry.get(PRODUCT)
        create_table(half_removed.lake, PRODUCT, TABLE, make_table(), "ann")
        half_removed.take("new.csv", make_csv())
        half_removed.drop("next.csv", make_csv())
        finish_removals(half_removed.lake, stale)
        assert len(half_removed.snapshots(major=3)) == 1
        assert half_removed.keys("landing/") == [f"landing/shop/{TABLE}/next.csv"]

    def test_a_major_change_meanwhile_does_not_forget_it(self, half_removed):
        half_removed.change(ID, table="sales")
        assert half_removed.lake.registry.get(PRODUCT).removing == (TABLE,)
        list(resync_product(half_removed.lake, PRODUCT, "ann"))
        assert half_removed.keys(f"raw/shop/v1/{TABLE}/") == []

    def test_a_legal_hold_that_came_since_keeps_what_is_left(self, half_removed):
        before = half_removed.contents("raw/")
        set_hold(half_removed.lake, PRODUCT, "a case", "ann")
        list(resync_product(half_removed.lake, PRODUCT, "ann"))
        assert half_removed.contents("raw/") == before
        set_hold(half_removed.lake, PRODUCT, None, "ann")
        list(resync_product(half_removed.lake, PRODUCT, "ann"))
        assert half_removed.keys(f"raw/shop/v1/{TABLE}/") == []

    def test_deleting_the_product_takes_it_along(self, half_removed):
        delete_product(half_removed.lake, PRODUCT, "bob")
        assert traces(half_removed, "shop") == []

    @pytest.mark.parametrize("step", ["sweep_prefix", "_drop_claims", "_prefixes"])
    def test_a_product_half_deleted_is_not_registered_and_is_gone_on_with(self, bench, monkeypatch, step):
        fill(bench)
        with monkeypatch.context() as patch:
            patch.setattr(remove, step, _die)
            with pytest.raises(_Died):
                delete_product(bench.lake, PRODUCT, "bob")
        with pytest.raises(NotRegistered, match="being deleted"):
            bench.lake.registry.get(PRODUCT)
        with pytest.raises(NotRegistered):
            list(resync_product(bench.lake, PRODUCT, "ann"))
        delete_product(bench.lake, PRODUCT, "bob")
        assert traces(bench, "shop") == []
        with pytest.raises(NotRegistered):
            delete_product(bench.lake, PRODUCT, "bob")


class TestProducts:
    def test_not_one_object_folder_or_claim_is_left(self, bench):
        fill(bench)
        delete_product(bench.lake, PRODUCT, "bob")
        assert traces(bench, "shop") == traces(bench, "secret-value") == bench.claims() == []
        assert list(bench.lake.registry.list()) == list(bench.lake.catalogue.tables()) == []

    def test_nothing_that_was_never_published_is_left(self, folders):
        folders.load(FIRST, make_csv())
        staged = folders.root / "curated" / "shop" / "v1" / TABLE / ".staging" / "x" / "part-0.parquet"
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(b"secret-value")
        hidden = folders.root / "raw" / "shop" / "v1" / TABLE / ".daap-0123"
        hidden.write_bytes(b"secret-value")
        delete_product(folders.lake, PRODUCT, "bob")
        assert traces(folders, "shop") == []

    def test_nor_if_the_deletion_was_cut_short_behind_the_catalogue_s_entry(self, folders, monkeypatch):
        folders.load(FIRST, make_csv())
        staged = folders.root / "curated" / "shop" / "v1" / TABLE / ".staging" / "x" / "part-0.parquet"
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(b"secret-value")
        with monkeypatch.context() as patch:
            patch.setattr(type(folders.lake.catalogue), "snapshots", _die)
            with pytest.raises(_Died):
                delete_product(folders.lake, PRODUCT, "bob")
        delete_product(folders.lake, PRODUCT, "bob")
        assert traces(folders, "shop") == []

    def test_the_audit_log_is_all_that_stays(self, bench):
        fill(bench)
        before = bench.contents("logs/")
        delete_product(bench.lake, PRODUCT, "bob")
        assert before.items() <= bench.contents("logs/").items()
        assert [event["actor"] for event in bench.events() if event["stage"] == "deleted"] == ["bob"]

    def test_other_products_keep_all_of_theirs(self, bench):
        others = ("shop2", "sho", "shop_v1")
        for name in others:
            bench.register(make_product(name))
            fill(bench, name)
        before = everything(bench)
        bench.load(FIRST, make_csv())
        delete_product(bench.lake, PRODUCT, "bob")
        theirs = {key: data for key, data in before.items() if not is_of_shop(key)}
        assert theirs.items() <= everything(bench).items()
        assert [registered.product.name for registered in bench.lake.registry.list()] == sorted(others)

    def test_the_name_can_be_registered_again_and_starts_clean(self, bench):
        fill(bench)
        delete_product(bench.lake, PRODUCT, "bob")
        registered = register_product(bench.lake, make_product(tables=(TABLE,)), "ann")
        assert (str(registered.version), registered.lasts) == ("v1.0", ())
        assert bench.snapshots() == bench.receipts() == []
        bench.take("new.csv", make_csv())
        assert len(bench.snapshots()) == len(bench.receipts()) == 1
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == []

    def test_a_product_without_tables_is_deleted_too(self, bench):
        bench.register(make_product("empty", (), ()))
        delete_product(bench.lake, "empty", "bob")
        assert traces(bench, "empty") == []

    def test_a_product_nobody_registered_is_told_so(self, bench):
        with pytest.raises(NotRegistered, match="nobody"):
            delete_product(bench.lake, "nobody", "bob")

    def test_one_that_goes_on_with_a_deletion_spares_a_product_that_was_registered_since(self, bench, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(remove, "_sweep_product", _die)
            with pytest.raises(_Died):
                delete_product(bench.lake, PRODUCT, "bob")
        held = remove.held_tables

        @contextmanager
        def wait(lake, registered):
            """While this one waits for its turn, another finishes, and the name is registered again."""
            monkeypatch.setattr(remove, "held_tables", held)
            delete_product(lake, PRODUCT, "eve")
            register_product(lake, make_product(), "ann")
            with held(lake, registered):
                yield

        monkeypatch.setattr(remove, "held_tables", wait)
        with pytest.raises(VersionConflict):
            delete_product(bench.lake, PRODUCT, "bob")
        assert bench.lake.registry.get(PRODUCT).product == make_product()
        assert len(bench.lake.catalogue.tables()) == len(TABLES)

    def test_one_that_was_registered_again_meanwhile_is_not_deleted_with_the_old(self, bench):
        stale = bench.lake.registry.read(PRODUCT)
        delete_product(bench.lake, PRODUCT, "bob")
        register_product(bench.lake, make_product(), "ann")
        with pytest.raises(VersionConflict):
            bench.lake.registry.replace_head(stale, replace(stale.registered, deleting=True))
        assert str(bench.lake.registry.get(PRODUCT).version) == "v1.0"


class TestLegalHold:
    @pytest.mark.parametrize(
        "delete",
        [lambda lake: remove_table(lake, PRODUCT, TABLE, "bob"), lambda lake: delete_product(lake, PRODUCT, "bob")],
    )
    def test_nothing_may_be_deleted_under_it(self, bench, delete):
        bench.load(FIRST, make_csv())
        set_hold(bench.lake, PRODUCT, "the case of 2026", "ann")
        before = {zone: bench.contents(zone) for zone in ("raw/", "curated/", "metadata/")}
        with pytest.raises(UnderLegalHold, match="the case of 2026"):
            delete(bench.lake)
        assert {zone: bench.contents(zone) for zone in before} == before
        set_hold(bench.lake, PRODUCT, None, "ann")
        delete(bench.lake)
        assert bench.keys("raw/") == []

    def test_schemas_may_still_change_and_files_come(self, bench):
        set_hold(bench.lake, PRODUCT, "a case", "ann")
        bench.take("one.csv", make_csv())
        assert bench.change(ID, AMOUNT).registered.legal_hold.reason == "a case"
        assert len(bench.snapshots(major=2)) == 1

    def test_a_product_nobody_registered_cannot_be_held(self, bench):
        with pytest.raises(NotRegistered):
            set_hold(bench.lake, "nobody", "a case", "ann")


def test_a_table_that_is_there_is_not_added_again(bench):
    with pytest.raises(TableExists):
        create_table(bench.lake, PRODUCT, TABLE, make_table(), "ann")

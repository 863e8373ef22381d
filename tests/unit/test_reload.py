"""Reloading: curated is made anew from raw, row for row, and nothing else changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from daap.errors import NotRegistered
from daap.model.loads import LoadStatus, TableRef
from daap.pipeline.reload import Rebuilt, reload_load, reload_tables, select_tables
from daap.pipeline.retention import enforce_retention
from tests.support.lakes import (
    AMOUNT,
    BAD,
    CUSTOMER,
    ID,
    PAPERS,
    PRODUCT,
    TABLE,
    Bench,
    make_csv,
)

FIRST, SECOND, THIRD = "20260101T000000Z", "20260102T000000Z", "20260103T000000Z"


def reload(bench: Bench, table: str | None = None) -> list[Rebuilt]:
    return list(reload_tables(bench.lake, select_tables(bench.lake, PRODUCT, table), "bob"))


def told(rebuilt: list[Rebuilt]) -> list[tuple[str, int, bool]]:
    return [(str(one.load), one.rows, one.was_missing) for one in rebuilt]


def everything(bench: Bench) -> list[dict[str, object]]:
    return bench.query("SELECT * FROM shop_v1.orders ORDER BY ALL")


def curated(bench: Bench) -> Path:
    return Path(bench.lake.locate("curated/"))


def test_every_snapshot_is_made_anew_the_oldest_first(bench):
    bench.load(SECOND, make_csv(rows=2))
    bench.load(FIRST, make_csv(rows=1))
    bench.load(FIRST, make_csv(rows=3), "sales")
    assert told(reload(bench)) == [
        (f"shop/v1/orders/{FIRST}", 1, False), (f"shop/v1/orders/{SECOND}", 2, False),
        (f"shop/v1/sales/{FIRST}", 3, False),
    ]  # fmt: skip


def test_one_table_may_be_chosen(bench):
    for table in (TABLE, "sales"):
        bench.load(FIRST, make_csv(), table)
    assert [one.load.ref.table for one in reload(bench, "sales")] == ["sales"]
    assert reload(bench, "returns") == []
    for unknown in ("nothing", PAPERS):
        with pytest.raises(NotRegistered, match=unknown):
            select_tables(bench.lake, PRODUCT, unknown)
    with pytest.raises(NotRegistered, match="nobody"):
        select_tables(bench.lake, "nobody")


def test_readers_see_the_same_rows_as_before(folders):
    for stamp, rows in ((FIRST, 2), (SECOND, 0), (THIRD, 5)):
        folders.load(stamp, make_csv(rows=rows))
    before = everything(folders)
    reload(folders)
    assert everything(folders) == before
    assert folders.snapshots() == [FIRST, SECOND, THIRD]


def test_the_receipt_tells_when_and_keeps_all_else(bench):
    before = bench.load(FIRST, make_csv(rows=2)).receipt
    reload(bench)
    (after,) = bench.receipts()
    assert after.rebuilt is not None
    same = after.model_copy(update={"rebuilt": None, "engine": before.engine, "output_files": before.output_files})
    assert same == before
    assert [(file.key, file.rows) for file in after.output_files] == [(f.key, f.rows) for f in before.output_files]
    assert [(event["actor"], event["load"]) for event in bench.events() if event["stage"] == "reloaded"] == [
        ("bob", f"shop/v1/orders/{FIRST}")
    ]


def test_raw_stays_as_it_is(bench):
    bench.load(FIRST, make_csv())
    before = bench.contents("raw/")
    reload(bench)
    assert bench.contents("raw/") == before


class TestDamage:
    @pytest.mark.parametrize("harm", ["all", "a table", "a snapshot", "its file"])
    def test_what_was_deleted_by_hand_comes_back(self, folders, harm):
        for stamp in (FIRST, SECOND):
            folders.load(stamp, make_csv(rows=2))
        before = everything(folders)
        place = curated(folders) / "shop" / "v1" / "orders"
        {
            "all": lambda: shutil.rmtree(curated(folders)),
            "a table": lambda: shutil.rmtree(place),
            "a snapshot": lambda: shutil.rmtree(place / f"load_timestamp={SECOND}"),
            "its file": (place / f"load_timestamp={SECOND}" / "part-0.parquet").unlink,
        }[harm]()
        rebuilt = reload(folders)
        assert [one.was_missing for one in rebuilt] == {
            "all": [True, True], "a table": [True, True], "a snapshot": [False, True], "its file": [False, False],
        }[harm]  # fmt: skip
        assert everything(folders) == before

    @pytest.mark.parametrize("data", [b"", b"PAR1", b"nonsense" * 100])
    def test_what_was_damaged_is_whole_again(self, folders, data):
        folders.load(FIRST, make_csv(rows=2))
        before = everything(folders)
        (file,) = curated(folders).rglob("*.parquet")
        file.write_bytes(data)
        reload(folders)
        assert everything(folders) == before

    def test_files_that_do_not_belong_there_are_gone(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        before = everything(folders)
        (file,) = curated(folders).rglob("*.parquet")
        shutil.copy(file, file.with_name("part-1.parquet"))
        assert len(everything(folders)) == 4
        reload(folders)
        assert everything(folders) == before

    def test_the_catalogue_s_entries_may_be_lost_too(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change(ID, CUSTOMER, AMOUNT, "extra int")
        before = everything(folders)
        shutil.rmtree(folders.root / "metadata" / "catalogue-tables")
        folders.lake.registry.project(PRODUCT)
        reload(folders)
        assert everything(folders) == before


class TestVersions:
    def test_each_snapshot_is_read_by_the_schema_of_its_version(self, folders):
        folders.load(FIRST, b"id,customer,amount\n1,Ann,1.00\n")
        folders.change(ID, CUSTOMER, AMOUNT | {"format": "1.234,5"}, "extra int", delimiter=";")
        folders.load(SECOND, b"id;customer;amount;extra\n2;Bob;2,00;7\n")
        before = everything(folders)
        shutil.rmtree(curated(folders))
        reload(folders)
        assert everything(folders) == before

    def test_carried_snapshots_are_made_anew_in_every_major(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change("id bigint", AMOUNT)
        folders.change("id string")
        before = [folders.query(f"SELECT * FROM shop_v{n}.orders ORDER BY ALL") for n in (1, 2, 3)]
        shutil.rmtree(curated(folders))
        assert told(reload(folders, TABLE)) == [(f"shop/v{n}/orders/{FIRST}", 2, True) for n in (1, 2, 3)]
        assert [folders.query(f"SELECT * FROM shop_v{n}.orders ORDER BY ALL") for n in (1, 2, 3)] == before


class TestLeftAlone:
    def test_refused_files_and_files_of_any_kind(self, bench):
        bench.load(FIRST, BAD)
        bench.take("x.pdf", b"x", PAPERS)
        assert reload(bench) == []
        assert bench.snapshots() == []

    def test_expired_loads_never_come_back(self, bench):
        (load,) = [bench.load("20250101T000000Z", make_csv()).receipt.load]
        assert len(list(enforce_retention(bench.lake, PRODUCT, "ann"))) == 1
        assert reload(bench) == []
        assert reload_load(bench.lake, load, "bob", was_missing=True) is None
        assert bench.snapshots() == []
        assert bench.receipts()[0].status is LoadStatus.EXPIRED

    def test_a_load_that_expires_while_others_are_reloaded(self, bench):
        bench.load("20250101T000000Z", make_csv())
        bench.load("20250102T000000Z", make_csv())
        going = reload_tables(bench.lake, [TableRef(PRODUCT, 1, TABLE)], "bob")
        assert next(going).load.stamp == "20250101T000000Z"
        list(enforce_retention(bench.lake, PRODUCT, "ann"))
        assert list(going) == []
        assert bench.snapshots() == []

    def test_a_snapshot_that_would_have_other_rows_stays(self, bench):
        bench.load(FIRST, make_csv(rows=3))
        before = bench.receipts()
        (key,) = bench.keys("raw/")
        bench.lake.store.put(key, make_csv(rows=2))
        (told,) = reload(bench)
        assert "had 3 rows, but 2" in told.error
        assert (bench.receipts(), bench.snapshots()) == (before, [FIRST])
        bench.lake.store.put(key, BAD)
        (told,) = reload(bench)
        assert "does not pass" in told.error
        assert (bench.receipts(), bench.snapshots()) == (before, [FIRST])
        assert list(bench.root.rglob(".staging/*")) == []

    def test_a_snapshot_whose_raw_file_is_gone_stays(self, bench):
        bench.load(FIRST, make_csv())
        bench.lake.store.delete(bench.keys("raw/")[0])
        (told,) = reload(bench)
        assert told.error
        assert bench.snapshots() == [FIRST]

"""Resync: each thing that was cut short or lost is found, told, and brought to its end; once."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from daap.errors import EngineFailed, NotRegistered
from daap.model.events import FileLanded
from daap.model.keys import claim_key, file_key, receipt_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.pipeline import evolve, resync
from daap.pipeline.audit import Trail
from daap.pipeline.claims import announce_file, open_claims
from daap.pipeline.land import land_file
from daap.pipeline.resync import Mended, resync_product
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
    make_table,
)

FIRST, SECOND = "20260101T000000Z", "20260102T000000Z"
FILE_ID = "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1"


@pytest.fixture
def at_rest(monkeypatch) -> None:
    """Files in landing are taken for whole at once."""
    monkeypatch.setattr(resync, "AT_REST", -resync.AT_REST)


def mend(bench: Bench) -> list[Mended]:
    """Resyncs; doing so again has to find nothing but what could not be mended."""
    found = list(resync_product(bench.lake, PRODUCT, "bob"))
    again = list(resync_product(bench.lake, PRODUCT, "bob"))
    left = [one for one in found if one.error and not one.error.startswith("refused")]
    assert [(one.found, one.what) for one in again] == [(one.found, one.what) for one in left]
    return found


def put_raw(bench: Bench, data: bytes, table: str = TABLE, stamp: str = FIRST, extension: str = "csv") -> LoadId:
    """A file in raw that nothing knows of, as if the metadata had been lost."""
    load = LoadId(TableRef(PRODUCT, 1, table), stamp)
    bench.lake.store.put(file_key("raw", load, FILE_ID, extension), data)
    return load


class _Died(Exception):
    """The process ends here."""


def _die(*_args: object) -> None:
    raise _Died


def test_where_nothing_is_wrong_nothing_is_found(bench):
    for n, table in enumerate((TABLE, "sales", TABLE)):
        bench.take(f"{n}.csv", make_csv(n), table)
    bench.take("bad.csv", BAD)
    bench.take("x.pdf", b"x", PAPERS)
    bench.change(ID, AMOUNT)
    zones = ("raw/", "curated/", "fail/", "metadata/", "logs/")
    before = [bench.contents(zone) for zone in zones]
    assert mend(bench) == []
    assert [bench.contents(zone) for zone in zones] == before


def test_an_unknown_product_is_told_so(bench):
    with pytest.raises(NotRegistered, match="nobody"):
        list(resync_product(bench.lake, "nobody", "bob"))


class TestLanded:
    @pytest.mark.usefixtures("at_rest")
    def test_a_file_that_no_event_came_for_is_taken_in(self, bench):
        key = bench.drop("orders.csv", make_csv())
        assert mend(bench) == [Mended("landed", key)]
        assert (len(bench.snapshots()), bench.receipts()[0].actor) == (1, "bob")

    @pytest.mark.usefixtures("at_rest")
    def test_one_that_is_refused_is_told_with_the_reason(self, bench):
        key = bench.drop("bad.csv", BAD)
        (found,) = mend(bench)
        assert (found.found, found.what) == ("landed", key)
        assert found.error.startswith("refused: line 3, column id")

    @pytest.mark.usefixtures("at_rest")
    def test_one_that_lies_out_of_place_is_told_and_stays(self, bench):
        bench.lake.store.put("landing/shop/orders/deeper/x.csv", make_csv())
        (found,) = mend(bench)
        assert "out of place" in found.error
        assert bench.keys("landing/") == ["landing/shop/orders/deeper/x.csv"]

    def test_one_that_is_being_written_is_left_in_peace(self, bench):
        bench.drop("orders.csv", make_csv())
        assert mend(bench) == []
        assert bench.keys("landing/") == ["landing/shop/orders/orders.csv"]

    def test_one_that_has_lain_a_minute_is_taken(self, folders):
        key = folders.drop("orders.csv", make_csv())
        long_ago = time.time() - 61
        os.utime(folders.lake.locate(key), (long_ago, long_ago))
        assert mend(folders) == [Mended("landed", key)]

    @pytest.mark.usefixtures("at_rest")
    def test_files_of_other_products_are_left_in_peace(self, bench):
        bench.drop("orders.csv", make_csv(), product="shop2")
        assert mend(bench) == []


class TestClaimed:
    def test_a_load_that_was_cut_short_is_gone_on_with(self, bench, monkeypatch):
        key = bench.drop("orders.csv", make_csv())
        with monkeypatch.context() as patch:
            patch.setattr(type(bench.lake.catalogue), "publish", _die)
            with pytest.raises(_Died):
                bench.ingest(key)
        assert mend(bench) == [Mended("claimed", key)]
        assert (len(bench.snapshots()), bench.claims()) == (1, [])
        assert bench.receipts()[0].actor == "ann"

    def test_one_that_another_process_works_on_is_left_in_peace(self, folders):
        key = folders.drop("orders.csv", make_csv())
        land_file(FileLanded(key, "ann"), folders.lake, Trail(None))
        with folders.lake.hold("shop/orders", wait=False):
            assert list(resync._finish_claims(folders.lake, PRODUCT)) == []
        assert folders.claims() == ["orders.csv"]

    def test_an_announced_file_may_yet_come(self, bench):
        announce_file(bench.lake.store, TableRef(PRODUCT, 1, TABLE), "late.csv", "ann")
        assert mend(bench) == []
        assert bench.claims() == ["late.csv"]

    def test_one_that_cannot_go_on_is_told(self, bench, monkeypatch):
        key = bench.drop("orders.csv", make_csv())
        monkeypatch.setattr(type(bench.lake.engine), "stage", _refuse)
        with pytest.raises(EngineFailed):
            bench.ingest(key)
        assert mend(bench) == [Mended("claimed", key, "out of memory")]


def _refuse(*_args: object) -> None:
    raise EngineFailed("out of memory")


class TestArchived:
    def test_a_load_that_was_archived_and_never_curated_is_curated(self, bench):
        key = bench.drop("orders.csv", make_csv(rows=4))
        land_file(FileLanded(key, "ann"), bench.lake, Trail(None))
        (claim,) = open_claims(bench.lake.store)
        bench.lake.store.delete(claim_key(claim.file_id))
        assert mend(bench) == [Mended("archived", str(claim.load))]
        (receipt,) = bench.receipts()
        assert (receipt.status, receipt.rows_written) == (LoadStatus.CURATED, 4)
        assert bench.snapshots() == [receipt.load_timestamp]

    def test_one_that_cannot_be_is_told_and_others_go_on(self, bench):
        for name in ("one.csv", "two.csv"):
            land_file(FileLanded(bench.drop(name, make_csv()), "ann"), bench.lake, Trail(None))
        for claim in list(open_claims(bench.lake.store)):
            bench.lake.store.delete(claim_key(claim.file_id))
        bench.lake.store.put(bench.keys("raw/")[0], BAD)
        first, second = mend(bench)
        assert (first.found, second.found) == ("archived", "archived")
        assert "does not pass" in first.error
        assert second.error is None
        assert len(bench.snapshots()) == 1


class TestUnpublished:
    def test_a_snapshot_that_curated_has_lost_is_made_anew(self, bench):
        load = bench.take("orders.csv", make_csv(rows=4)).receipt.load
        bench.lake.catalogue.withdraw(load)
        assert mend(bench) == [Mended("unpublished", str(load))]
        assert bench.snapshots() == [load.stamp]

    def test_a_carried_one_too(self, bench):
        bench.load(FIRST, make_csv())
        bench.change(ID)
        carried = LoadId(TableRef(PRODUCT, 2, TABLE), FIRST)
        bench.lake.catalogue.withdraw(carried)
        assert mend(bench) == [Mended("unpublished", str(carried))]
        assert bench.snapshots(major=2) == [FIRST]

    def test_all_that_curated_held(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.load(SECOND, make_csv(rows=3))
        folders.change("id string")
        shutil.rmtree(Path(folders.lake.locate("curated/")))
        assert {one.found for one in mend(folders)} == {"unpublished"}
        assert folders.query("SELECT count(*) AS n FROM shop_v1.orders") == [{"n": 5}]
        assert folders.query("SELECT count(*) AS n FROM shop_v2.orders") == [{"n": 3}]

    def test_one_whose_raw_file_no_longer_fits_is_told(self, bench):
        load = bench.take("orders.csv", make_csv(rows=4)).receipt.load
        bench.lake.catalogue.withdraw(load)
        bench.lake.store.put(bench.keys("raw/")[0], make_csv(rows=3))
        (found,) = mend(bench)
        assert (found.found, "had 4 rows, but 3" in found.error) == ("unpublished", True)
        assert bench.snapshots() == []


class TestUnrecorded:
    def test_a_raw_file_without_a_receipt_gets_one_and_its_snapshot(self, bench):
        load = put_raw(bench, make_csv(rows=4))
        assert mend(bench) == [Mended("unrecorded", str(load))]
        (receipt,) = bench.receipts()
        assert (receipt.status, receipt.rows_read, receipt.rows_written) == (LoadStatus.CURATED, 4, 4)
        assert (receipt.file_id, receipt.actor, receipt.schema_version) == (FILE_ID, "bob", "v1.0")
        assert bench.snapshots() == [FIRST]

    def test_a_receipt_that_is_lost_though_the_snapshot_is_there_is_written_again(self, bench):
        before = bench.load(FIRST, make_csv(rows=4)).receipt
        bench.lake.store.delete(receipt_key(before.load))
        assert mend(bench) == [Mended("unrecorded", str(before.load))]
        (after,) = bench.receipts()
        assert (after.status, after.rows_written, after.content_hash) == (LoadStatus.CURATED, 4, before.content_hash)
        assert after.output_files == before.output_files

    def test_the_receipt_of_a_carried_snapshot_too(self, bench):
        bench.load(FIRST, make_csv(rows=4))
        bench.change(ID)
        carried = LoadId(TableRef(PRODUCT, 2, TABLE), FIRST)
        before = bench.lake.ledger.get(carried)
        bench.lake.store.delete(receipt_key(carried))
        assert mend(bench) == [Mended("carried", str(carried))]
        assert bench.lake.ledger.get(carried).carried_from == before.carried_from

    def test_all_the_receipts_of_a_table_with_an_older_schema(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change(ID, CUSTOMER, AMOUNT | {"required": True})
        for key in folders.keys("metadata/load-receipts/"):
            folders.lake.store.delete(key)
        assert [one.found for one in mend(folders)] == ["unrecorded"]
        assert folders.receipts()[0].schema_version == "v1.1"
        assert folders.query("SELECT count(*) AS n FROM shop_v1.orders") == [{"n": 2}]

    def test_a_file_of_an_older_major_is_checked_by_that_one(self, bench):
        bench.change("id string")
        load = put_raw(bench, make_csv())
        assert mend(bench) == [Mended("unrecorded", str(load))]
        assert bench.receipts()[0].schema_version == "v1.0"
        assert (bench.snapshots(), bench.snapshots(major=2)) == ([FIRST], [])

    def test_one_that_does_not_pass_stays_in_raw_and_is_told_with_its_reason(self, bench):
        load = put_raw(bench, b"id,customer,amount\n1,Annabelle,x\n")
        (found,) = mend(bench)
        assert (found.found, found.what) == ("unrecorded", str(load))
        assert "line 2, column amount" in found.error
        assert len(bench.files("raw/")) == 1
        assert bench.snapshots() == bench.files("fail/") == []

    def test_values_of_personal_columns_are_masked_in_it(self, bench):
        put_raw(bench, b"id,customer,amount\n1,Annabelle of the long long name,1.00\n")
        (found,) = mend(bench)
        assert "Annabelle" not in found.error + str(bench.events())

    def test_a_file_of_a_files_component_gets_its_receipt(self, bench):
        load = put_raw(bench, b"%PDF", PAPERS, extension="pdf")
        assert mend(bench) == [Mended("unrecorded", str(load))]
        (receipt,) = bench.receipts()
        assert (receipt.kind, receipt.status, receipt.bytes) == ("file", LoadStatus.ARCHIVED, 4)
        assert receipt.content_hash
        assert bench.keys("curated/") == []

    def test_that_of_an_older_major_too(self, bench):
        load = put_raw(bench, b"%PDF", PAPERS, extension="pdf")
        bench.change(ID)
        assert mend(bench) == [Mended("unrecorded", str(load))]

    def test_what_daap_did_not_put_there_is_left_alone(self, bench):
        for key in (
            "raw/shop/v1/orders/README.txt",
            "raw/shop/v1/orders/load_timestamp=x/y.csv",
            "raw/shop/v1/orders/load_timestamp=20260101T000000Z/mine.csv",
        ):
            bench.lake.store.put(key, b"x")
        assert mend(bench) == []


class TestCarried:
    def test_a_major_change_that_was_cut_short_is_finished(self, bench, monkeypatch):
        bench.load(FIRST, make_csv())
        bench.load(SECOND, make_csv(), "sales")
        with monkeypatch.context() as patch:
            patch.setattr(evolve, "carry_load", _die)
            with pytest.raises(_Died):
                bench.change(ID)
        assert mend(bench) == [
            Mended("carried", f"shop/v2/orders/{FIRST}"), Mended("carried", f"shop/v2/sales/{SECOND}"),
        ]  # fmt: skip
        assert (bench.snapshots(major=2), bench.snapshots("sales", major=2)) == ([FIRST], [SECOND])

    @pytest.mark.usefixtures("at_rest")
    def test_one_that_cannot_be_carried_is_told_and_all_else_is_done(self, bench, monkeypatch):
        bench.load(FIRST, make_csv(rows=3))
        bench.load(SECOND, make_csv(), "sales")
        with monkeypatch.context() as patch:
            patch.setattr(evolve, "carry_load", _die)
            with pytest.raises(_Died):
                bench.change(ID)
        bench.lake.store.put(bench.keys("raw/shop/v1/orders/")[0], make_csv(rows=2))
        key = bench.drop("more.csv", b"id\n7\n")
        found = mend(bench)
        assert [(one.found, one.what, bool(one.error)) for one in found] == [
            ("carried", f"shop/v2/orders/{FIRST}", True), ("carried", f"shop/v2/sales/{SECOND}", False),
            ("landed", key, False),
        ]  # fmt: skip

    def test_what_expired_in_between_is_not_carried(self, bench, monkeypatch):
        bench.load("20250101T000000Z", make_csv())
        with monkeypatch.context() as patch:
            patch.setattr(evolve, "carry_load", _die)
            with pytest.raises(_Died):
                bench.change(ID)
        list(enforce_retention(bench.lake, PRODUCT, "ann"))
        assert mend(bench) == []
        assert bench.snapshots(major=2) == []


class TestRegistration:
    def test_the_catalogue_s_entries_are_written_again(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change(ID, CUSTOMER, AMOUNT, "extra int")
        shutil.rmtree(folders.root / "metadata" / "catalogue-tables")
        assert mend(folders) == []
        assert [row["extra"] for row in folders.query("SELECT extra FROM shop_v1.orders")] == [None, None]

    def test_those_of_older_majors_too(self, folders):
        folders.load(FIRST, make_csv(rows=2))
        folders.change(ID)
        shutil.rmtree(folders.root / "metadata" / "catalogue-tables")
        assert mend(folders) == []
        assert folders.query("SELECT count(*) AS n FROM shop_v1.orders") == [{"n": 2}]


def test_expired_loads_never_come_back(bench):
    bench.load("20250101T000000Z", make_csv())
    bench.change(ID)
    bench.load("20250102T000000Z", b"id\n1\n", major=2)
    list(enforce_retention(bench.lake, PRODUCT, "ann"))
    assert mend(bench) == []
    assert bench.snapshots() == bench.snapshots(major=2) == bench.keys("raw/") == []


def test_a_table_nobody_registered_is_not_touched(bench):
    put_raw(bench, make_csv(), "unknown")
    assert mend(bench) == []
    bench.lake.registry.add_table(PRODUCT, "unknown", make_table())
    assert [one.found for one in mend(bench)] == ["unrecorded"]

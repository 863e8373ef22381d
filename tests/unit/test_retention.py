"""Retention: what is older than its period is deleted everywhere at once, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daap.errors import NotRegistered
from daap.model.events import FileLanded
from daap.model.keys import claim_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.model.stamps import format_stamp, parse_stamp
from daap.pipeline.audit import Trail
from daap.pipeline.claims import open_claims
from daap.pipeline.ingest import resume_claim
from daap.pipeline.land import land_file
from daap.pipeline.manage import amend_product, set_hold
from daap.pipeline.reload import reload_tables, select_tables
from daap.pipeline.resync import resync_product
from daap.pipeline.retention import Expired, enforce_retention, find_expired
from tests.support.lakes import AMOUNT, ID, PAPERS, PRODUCT, TABLE, Bench, make_csv

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMIT = NOW - timedelta(days=30)
"""The sample's retention period is 30 days."""

SECRET = b"id,customer,amount\n1,Ann,1.00\nsecret-value,Bob,oops\n"
ZONES = ("landing/", "raw/", "curated/", "fail/")


def ago(days: int, seconds: int = 0) -> str:
    return format_stamp(NOW - timedelta(days=days, seconds=seconds))


def find(bench: Bench, now: datetime = NOW) -> list[Expired]:
    return list(find_expired(bench.lake, PRODUCT, now))


def enforce(bench: Bench, now: datetime = NOW) -> list[Expired]:
    return list(enforce_retention(bench.lake, PRODUCT, "bob", now))


def stamps(expired: list[Expired]) -> list[str]:
    return [one.load.stamp for one in expired]


def look(bench: Bench) -> list[object]:
    """All that deleting could touch."""
    return [bench.contents(zone) for zone in (*ZONES, "metadata/", "logs/")] + [bench.snapshots()]


class TestWhichLoads:
    @pytest.mark.parametrize(
        ("stamp", "is_over"),
        [(ago(31), True), (ago(30, 1), True), (ago(30), False), (ago(29), False), (ago(0), False), (ago(-1), False)],
    )
    def test_a_load_expires_when_it_is_older_than_the_period_and_not_before(self, bench, stamp, is_over):
        bench.load(stamp, make_csv())
        assert stamps(find(bench)) == ([stamp] if is_over else [])

    def test_it_is_told_with_its_file_and_its_days(self, bench):
        load = bench.load(ago(45), make_csv()).receipt.load
        (expired,) = find(bench)
        assert (expired.load, expired.days) == (load, 45)
        assert expired.source_name.endswith(".csv")

    def test_the_oldest_of_each_table_come_first(self, bench):
        for days, table in ((40, TABLE), (50, TABLE), (45, "sales")):
            bench.load(ago(days), make_csv(), table)
        assert [(one.load.ref.table, one.days) for one in find(bench)] == [(TABLE, 50), (TABLE, 40), ("sales", 45)]

    def test_refused_files_and_files_of_any_kind_expire_too(self, bench):
        bench.load(ago(40), SECRET)
        bench.load(ago(41), b"x", PAPERS)
        assert sorted(one.days for one in find(bench)) == [40, 41]

    def test_so_do_those_of_older_majors(self, bench):
        bench.load(ago(40), make_csv())
        bench.load(ago(41), b"x", PAPERS)
        bench.load(ago(42), SECRET, "sales")
        bench.change(ID)
        assert [(str(one.load.ref), one.days) for one in find(bench)] == [
            ("shop/v1/orders", 40), ("shop/v1/papers", 41), ("shop/v1/sales", 42), ("shop/v2/orders", 40),
        ]  # fmt: skip

    def test_so_does_a_file_for_a_table_nobody_registered(self, bench):
        bench.load(ago(40), SECRET, "unknown")
        assert stamps(enforce(bench)) == [ago(40)]
        assert bench.keys("fail/") == []

    def test_so_does_one_that_was_archived_and_never_curated(self, bench):
        key = bench.drop("orders.csv", make_csv())
        land_file(FileLanded(key, "ann"), bench.lake, Trail(None))
        (claim,) = open_claims(bench.lake.store)
        later = parse_stamp(claim.stamp) + timedelta(days=31)
        assert stamps(enforce(bench, later)) == [claim.stamp]
        assert bench.keys("raw/") == []
        resume_claim(claim, bench.lake)
        assert bench.claims() == bench.snapshots() == bench.keys("raw/") == []

    def test_not_one_that_is_on_its_way(self, bench, monkeypatch):
        key = bench.drop("orders.csv", make_csv())
        with monkeypatch.context() as patch:
            patch.setattr(type(bench.lake.engine), "stage", _die)
            with pytest.raises(_Died):
                bench.ingest(key)
        assert enforce(bench, datetime.now(UTC) + timedelta(days=99)) == []
        (claim,) = open_claims(bench.lake.store)
        assert resume_claim(claim, bench.lake).receipt.status is LoadStatus.CURATED

    def test_the_period_of_now_counts(self, bench):
        bench.load(ago(20), make_csv())
        assert find(bench) == []
        amend_product(bench.lake, PRODUCT, {"retentionPeriod": 10}, "ann")
        assert stamps(find(bench)) == [ago(20)]

    def test_other_products_keep_theirs(self, bench):
        bench.lake.registry.register(bench.lake.registry.get(PRODUCT).product.model_copy(update={"name": "shop2"}))
        bench.load(ago(40), make_csv(), product="shop2")
        assert enforce(bench) == []
        assert len(bench.files("raw/")) == 1

    def test_an_unknown_product_is_told_so(self, bench):
        for call in (find_expired(bench.lake, "nobody"), enforce_retention(bench.lake, "nobody", "bob")):
            with pytest.raises(NotRegistered, match="nobody"):
                list(call)


class _Died(Exception):
    """The process ends here."""


def _die(*_args: object, **_facts: object) -> None:
    raise _Died


class TestDeleting:
    def test_the_dry_run_changes_nothing(self, bench):
        bench.load(ago(40), make_csv())
        bench.load(ago(41), SECRET)
        before = look(bench)
        assert len(find(bench)) == 2
        assert look(bench) == before

    def test_files_reports_and_snapshots_go_together(self, bench):
        for days, data, table in ((40, make_csv(), TABLE), (41, SECRET, TABLE), (42, b"x", PAPERS)):
            bench.load(ago(days), data, table)
        assert len(enforce(bench)) == 3
        for zone in ZONES:
            assert bench.keys(zone) == []
        assert bench.snapshots() == []

    def test_not_one_file_or_folder_of_them_is_left(self, bench):
        bench.load(ago(40), make_csv())
        bench.load(ago(41), SECRET)
        enforce(bench)
        assert [
            path for path in bench.root.rglob("*") if ago(40) in str(path) and "load-receipts" not in str(path)
        ] == []
        assert list(bench.root.rglob("*.parquet")) == []

    def test_younger_ones_stay_as_they_are(self, bench):
        bench.load(ago(40), make_csv(1))
        bench.load(ago(20), make_csv(7))
        bench.load(ago(10), SECRET)
        kept = [receipt for receipt in bench.receipts() if receipt.load_timestamp != ago(40)]
        enforce(bench)
        assert (bench.files("raw/"), bench.files("fail/")) == ([make_csv(7)], [SECRET])
        assert bench.snapshots() == [ago(20)]
        assert bench.receipts()[1:] == kept

    def test_of_carried_snapshots_every_major_s_goes(self, bench):
        bench.load(ago(40), make_csv())
        bench.change(ID, AMOUNT)
        bench.change(ID)
        assert len(enforce(bench)) == 3
        assert [bench.snapshots(major=n) for n in (1, 2, 3)] == [[], [], []]
        assert bench.keys("raw/") == bench.keys("curated/") == []

    def test_the_receipt_stays_without_a_value_of_the_file(self, bench):
        bench.load(ago(40), SECRET)
        bench.load(ago(41), make_csv())
        enforce(bench)
        curated, failed = bench.receipts()
        assert {curated.status, failed.status} == {LoadStatus.EXPIRED}
        assert (failed.errors.total, failed.errors.by_code) == (2, {"type_error": 2})
        assert (failed.errors.report, failed.errors.annotated, curated.output_files) == ("", None, ())
        assert LoadStatus.EXPIRED in failed.reached
        assert LoadStatus.FAILED in failed.reached
        assert not any(b"secret-value" in data for data in bench.contents("metadata/").values())

    def test_the_audit_log_tells_of_each(self, bench):
        load = bench.load(ago(40), make_csv()).receipt.load
        enforce(bench)
        told = [event for event in bench.events() if event["stage"] == "expired"]
        assert [(event["load"], event["actor"]) for event in told] == [(str(load), "bob")]

    def test_once_deleted_there_is_nothing_left_to_do(self, bench):
        bench.load(ago(40), make_csv())
        enforce(bench)
        before = look(bench)
        assert find(bench) == enforce(bench) == []
        assert look(bench) == before

    def test_what_was_cut_short_is_gone_on_with(self, bench, monkeypatch):
        bench.load(ago(40), make_csv())
        with monkeypatch.context() as patch:
            patch.setattr(type(bench.lake.ledger), "amend", _die)
            with pytest.raises(_Died):
                enforce(bench)
        assert stamps(find(bench)) == [ago(40)]
        enforce(bench)
        assert bench.receipts()[0].status is LoadStatus.EXPIRED

    def test_expired_loads_never_come_back(self, bench):
        bench.load(ago(40), make_csv())
        bench.change(ID)
        enforce(bench)
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == []
        assert list(reload_tables(bench.lake, select_tables(bench.lake, PRODUCT), "ann")) == []
        assert [bench.snapshots(major=n) for n in (1, 2)] == [[], []]

    def test_the_same_upload_again_is_a_load_of_its_own_moment(self, bench):
        # A producer's second delivery of a file whose load has expired must not bring the old load back.
        load = bench.load(ago(40), make_csv()).receipt
        enforce(bench)
        key = f"landing/shop/v1/orders/load_timestamp={load.load_timestamp}/{load.file_id}.csv"
        bench.lake.store.put(key, make_csv())
        bench.ingest(key)
        assert bench.snapshots() == []
        assert bench.receipts()[0].status is LoadStatus.EXPIRED

    def test_a_snapshot_may_be_queried_until_it_is_gone_and_the_table_after_it(self, bench):
        bench.load(ago(40), make_csv())
        enforce(bench)
        assert bench.lake.catalogue.table("shop_v1", TABLE).ref == TableRef(PRODUCT, 1, TABLE)


class TestLegalHold:
    def test_nothing_is_found_and_nothing_deleted(self, bench):
        bench.load(ago(40), make_csv())
        set_hold(bench.lake, PRODUCT, "a case", "ann")
        before = look(bench)
        assert find(bench) == enforce(bench) == []
        assert look(bench) == before

    def test_lifted_it_goes_on(self, bench):
        bench.load(ago(40), make_csv())
        set_hold(bench.lake, PRODUCT, "a case", "ann")
        set_hold(bench.lake, PRODUCT, None, "ann")
        assert stamps(enforce(bench)) == [ago(40)]

    def test_a_hold_that_comes_while_others_are_deleted_holds_from_then_on(self, bench):
        for days in (42, 41, 40):
            bench.load(ago(days), make_csv())
        going = enforce_retention(bench.lake, PRODUCT, "bob", NOW)
        assert next(going).days == 42
        set_hold(bench.lake, PRODUCT, "a case", "ann")
        assert list(going) == []
        assert bench.snapshots() == [ago(41), ago(40)]

    def test_no_new_version_is_made_of_it(self, bench):
        before = bench.lake.registry.get(PRODUCT)
        held = set_hold(bench.lake, PRODUCT, "a case", "ann")
        assert (held.version, held.legal_hold.reason, held.legal_hold.actor) == (before.version, "a case", "ann")
        assert set_hold(bench.lake, PRODUCT, None, "ann") == before
        assert [event["stage"] for event in bench.events()] == ["held", "released"]


def test_a_load_that_another_process_deleted_first_is_not_told_twice(bench):
    load = bench.load(ago(40), make_csv()).receipt.load
    first, second = (enforce_retention(bench.lake, PRODUCT, who, NOW) for who in ("ann", "bob"))
    found = find(bench)
    assert list(first) == found
    assert list(second) == []
    assert len([event for event in bench.events() if event["stage"] == "expired"]) == 1
    assert bench.lake.ledger.get(LoadId(load.ref, load.stamp)).status is LoadStatus.EXPIRED


def test_claims_of_deleted_loads_are_none(bench):
    bench.load(ago(40), make_csv())
    enforce(bench)
    assert bench.keys(claim_key("x").removesuffix("x.json")) == []

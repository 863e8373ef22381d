"""Ways in which a system like this one has lost data before; each must stay impossible here.

Two uploads in one second and the versions' order are in test_pipeline_repeats.py and test_registry.py too;
here they stand as they happened.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daap.model.events import FileRefused, LoadCurated
from daap.model.keys import clock_key, file_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.model.stamps import format_stamp
from daap.pipeline import claims
from tests.support.lakes import TABLE, make_csv, open_folders, open_memory

ORDERS = TableRef("shop", 1, TABLE)


class StoppedClock(datetime):
    """A second that does not end."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 1, 31, 23, 59, 59, tzinfo=tz)


def test_two_uploads_in_one_second_are_two_snapshots(bench, monkeypatch):
    monkeypatch.setattr(claims, "datetime", StoppedClock)
    for n in range(3):
        assert isinstance(bench.take(f"{n}.csv", make_csv(n * 10)), LoadCurated)
    assert bench.snapshots() == ["20260131T235959Z", "20260201T000000Z", "20260201T000001Z"]
    assert sorted(bench.files("raw/")) == sorted(make_csv(n * 10) for n in range(3))


def test_a_clock_that_goes_back_does_not_put_a_new_file_before_an_old_one(bench):
    bench.lake.store.put(clock_key(ORDERS), b"20991231T235959Z")
    assert bench.take("a.csv", make_csv()).receipt.load_timestamp == "21000101T000000Z"


def test_past_a_thousand_objects_none_is_forgotten(tmp_path, engine):
    # Claims are what a restart goes by; with more of them than fit one page, all must be found.
    store = open_memory(tmp_path, engine).lake.store
    for n in range(1_010):
        claims.announce_file(store, TableRef("shop", 1, f"t{n}"), "a.csv", "ann")
    assert len(list(claims.open_claims(store))) == 1_010


def test_past_a_thousand_loads_the_next_one_costs_no_listing(tmp_path, engine):
    listed = []
    bench = open_folders(tmp_path / "lake", engine)

    class CountingStore(type(bench.lake.store)):
        def list(self, prefix):
            listed.append(prefix)
            return super().list(prefix)

    bench.register()
    store = CountingStore(bench.root)
    bench.lake = type(bench.lake)(store, engine, type(bench.lake.catalogue)(store))
    bench.take("a.csv", make_csv())
    bench.take("bad.csv", b"id\nx\n")
    assert listed == []


def test_an_upload_for_version_ten_is_not_taken_for_version_one_or_zero(bench):
    load = LoadId(TableRef("shop", 10, TABLE), "20260131T235959Z")
    key = file_key("landing", load, "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1")
    bench.lake.store.put(key, make_csv())
    receipt = bench.ingest(key).receipt
    assert (receipt.major, receipt.status) == (10, LoadStatus.FAILED)
    assert bench.snapshots() == []


@pytest.mark.parametrize("value", ["1e3", "1.5", " 7", "0x1F", "2147483648", "oops"])
def test_a_value_that_cannot_be_cast_keeps_the_file_out_of_raw(bench, value):
    # There, it failed after the file had left landing: in neither raw's tables nor fail.
    data = make_csv() + f"{value},Ann,1.00\n".encode()
    outcome = bench.take("a.csv", data)
    assert isinstance(outcome, FileRefused)
    assert bench.files("fail/") == [data]
    assert bench.keys("raw/") == bench.snapshots() == []


@pytest.mark.parametrize("fault", [b"x,Ann,1.00\n", b"1,Ann\n", b'1,"Ann\n', b"1,A\xffn,1.00\n"])
def test_the_end_of_a_large_file_is_checked_like_its_beginning(tmp_path, engine, fault):
    # There, only the first 1.5 MB were validated.
    bench = open_folders(tmp_path / "lake", engine)
    bench.register()
    data = make_csv(rows=70_000)
    assert len(data) > 2_000_000
    outcome = bench.take("a.csv", data + fault)
    assert isinstance(outcome, FileRefused)
    assert outcome.receipt.errors.total == 1
    assert outcome.receipt.errors.first.startswith("line 70002")


def test_the_load_timestamp_is_utc(bench):
    before = format_stamp(datetime.now(UTC))
    assert bench.take("a.csv", make_csv()).receipt.load_timestamp >= before

"""The way of one file: landing, raw or fail, curated, and what its receipt says."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from blake3 import blake3

from daap.errors import InvalidName
from daap.model.events import FileArchived, FileRefused, LoadCurated, NothingToDo
from daap.model.keys import annotated_key, file_key, report_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.model.stamps import format_stamp
from tests.support.lakes import BAD, PAPERS, TABLE, drain_lake, make_csv, make_product, open_folders

FILE_ID = "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1"
OTHER_ID = "5c0cf1a9-64f9-4f0e-9a45-fd7a3bb6a1a2"


def upload_key(
    file_id: str = FILE_ID, table: str = TABLE, stamp: str = "20260131T235959Z", extension: str = "csv", major: int = 1
) -> str:
    return file_key("landing", LoadId(TableRef("shop", major, table), stamp), file_id, extension)


class TestGoodFiles:
    def test_a_good_file_becomes_a_snapshot(self, bench):
        outcome = bench.take("orders.csv", make_csv(rows=5))
        assert isinstance(outcome, LoadCurated)
        assert outcome.receipt.status is LoadStatus.CURATED
        assert bench.snapshots() == [outcome.receipt.load_timestamp]

    def test_raw_keeps_the_file_byte_for_byte_under_its_load(self, bench):
        data = b"\xef\xbb\xbf" + make_csv().replace(b"\n", b"\r\n")
        receipt = bench.take("orders.csv", data).receipt
        key = file_key("raw", receipt.load, receipt.file_id)
        assert bench.keys("raw/") == [key]
        assert bench.read(key) == data

    def test_landing_and_fail_are_empty_behind_it_and_no_claim_is_open(self, bench):
        bench.take("orders.csv", make_csv())
        assert bench.keys("landing/") == bench.keys("fail/") == bench.claims() == []

    def test_the_receipt_says_what_came_and_what_became_of_it(self, bench):
        data = make_csv(rows=4)
        receipt = bench.take("My orders – März.CSV", data).receipt
        assert bench.lake.ledger.get(receipt.load) == receipt
        assert (receipt.product, receipt.major, receipt.table) == ("shop", 1, TABLE)
        assert (receipt.actor, receipt.source_name, receipt.extension) == ("ann", "My orders – März.CSV", "csv")
        assert (receipt.kind, receipt.schema_version, receipt.bytes) == ("table", "v1.0", len(data))
        assert receipt.content_hash.endswith(blake3(data).hexdigest())
        assert receipt.rows_read == receipt.rows_written == 4
        assert receipt.errors is None
        assert (receipt.engine.name, receipt.engine.path) == ("duckdb", "direct")
        assert receipt.engine.version == bench.lake.engine.version

    def test_the_receipt_says_when_each_status_was_reached_and_how_long_each_stage_took(self, bench):
        receipt = bench.take("orders.csv", make_csv()).receipt
        order = [LoadStatus.LANDED, LoadStatus.CHECKED, LoadStatus.ARCHIVED, LoadStatus.CURATED]
        assert list(receipt.reached) == order
        assert sorted(receipt.reached.values()) == list(receipt.reached.values())
        assert set(receipt.timings) == {"check", "archive", "curate"}
        assert all(seconds >= 0 for seconds in receipt.timings.values())

    def test_the_receipt_lists_the_files_of_the_snapshot(self, folders):
        receipt = folders.take("orders.csv", make_csv(rows=4)).receipt
        (file,) = receipt.output_files
        assert file.rows == 4
        assert file.key.startswith(f"curated/shop/v1/orders/load_timestamp={receipt.load_timestamp}/")
        assert folders.lake.store.stat(file.key).size == file.bytes

    def test_the_rows_can_be_queried_with_the_one_column_added(self, folders):
        receipt = folders.take("orders.csv", make_csv(first=7, rows=1)).receipt
        (row,) = folders.query("SELECT * FROM shop_v1.orders")
        assert {name: str(value) for name, value in row.items()} == {
            "id": "7", "customer": "Customer 7", "amount": "7.50", "load_timestamp": receipt.load_timestamp,
        }  # fmt: skip

    def test_the_load_timestamp_is_now(self, bench):
        before = format_stamp(datetime.now(UTC))
        stamp = bench.take("orders.csv", make_csv()).receipt.load_timestamp
        assert before <= stamp <= format_stamp(datetime.now(UTC) + timedelta(seconds=1))

    def test_a_file_of_a_header_alone_is_a_snapshot_of_no_rows(self, bench):
        outcome = bench.take("orders.csv", b"id,customer,amount\n")
        assert isinstance(outcome, LoadCurated)
        assert (outcome.receipt.rows_read, outcome.receipt.rows_written) == (0, 0)
        assert len(bench.snapshots()) == 1

    def test_a_file_on_the_careful_path_goes_the_same_way(self, bench):
        data = b'id,customer,amount\n1,"Ann\nof two lines",1.00\r\n'
        outcome = bench.take("orders.csv", data)
        assert isinstance(outcome, LoadCurated)
        assert bench.files("raw/") == [data]

    def test_nothing_is_left_in_staging(self, folders):
        folders.take("orders.csv", make_csv())
        folders.take("bad.csv", BAD)
        assert list(folders.root.rglob(".staging/*")) == []
        assert list(folders.root.rglob(".daap-*")) == []

    def test_raw_is_read_only(self, folders):
        folders.take("orders.csv", make_csv())
        (path,) = (folders.root / "raw").rglob("*.csv")
        assert path.stat().st_mode & 0o222 == 0


class TestRefusedFiles:
    def test_a_refused_file_lies_in_fail_byte_for_byte_and_nowhere_else(self, bench):
        outcome = bench.take("bad.csv", BAD)
        assert isinstance(outcome, FileRefused)
        receipt = outcome.receipt
        assert bench.read(file_key("fail", receipt.load, receipt.file_id)) == BAD
        assert bench.keys("landing/") == bench.keys("raw/") == bench.keys("curated/") == bench.claims() == []
        assert bench.snapshots() == []

    def test_its_receipt_counts_the_errors_and_says_where_they_are(self, bench):
        receipt = bench.take("bad.csv", BAD).receipt
        assert receipt.status is LoadStatus.FAILED
        assert list(receipt.reached) == [LoadStatus.LANDED, LoadStatus.FAILED]
        errors = receipt.errors
        assert (errors.total, errors.by_code) == (2, {"type_error": 2})
        assert errors.first.startswith("line 3, column id: type_error")
        assert errors.report == report_key(receipt.load, receipt.file_id)
        assert errors.annotated == annotated_key(receipt.load, receipt.file_id)
        assert (receipt.bytes, receipt.rows_read, receipt.rows_written) == (len(BAD), 2, None)
        assert receipt.content_hash.endswith(blake3(BAD).hexdigest())

    def test_its_report_names_line_column_value_and_expectation(self, bench):
        receipt = bench.take("bad.csv", BAD).receipt
        report = json.loads(bench.read(receipt.errors.report))
        assert (report["load"], report["file"]) == (str(receipt.load), "bad.csv")
        assert (report["total"], report["kept"], report["byCode"]) == (2, 2, {"type_error": 2})
        told = [(e["line"], e["column"], e["code"], e["value"]) for e in report["errors"]]
        assert told == [(3, "id", "type_error", "two"), (3, "amount", "type_error", "oops")]
        assert all(e["expected"] for e in report["errors"])

    def test_its_annotated_csv_has_the_errors_beside_the_rows(self, bench):
        receipt = bench.take("bad.csv", BAD).receipt
        text = bench.read(receipt.errors.annotated).decode("utf-8-sig")
        header, good, bad = csv.reader(io.StringIO(text))
        assert header == ["daap_line", "daap_error", "id", "customer", "amount"]
        assert good == ["2", "", "1", "Ann", "1.00"]
        assert bad[0] == "3"
        assert "id" in bad[1]
        assert "amount" in bad[1]
        assert bad[2:] == ["two", "Bob", "oops"]

    def test_a_later_good_file_goes_through(self, bench):
        bench.take("bad.csv", BAD)
        outcome = bench.take("bad.csv", make_csv())
        assert isinstance(outcome, LoadCurated)
        assert bench.snapshots() == [outcome.receipt.load_timestamp]
        assert [receipt.status for receipt in bench.receipts()] == [LoadStatus.FAILED, LoadStatus.CURATED]

    @pytest.mark.parametrize(
        ("table", "product"), [("nowhere", "shop"), (TABLE, "nobody"), ("ORDERS", "shop")], ids=str
    )
    def test_what_is_not_registered_is_refused_with_the_command_that_registers(self, bench, table, product):
        outcome = bench.take("a.csv", make_csv(), table, product)
        assert isinstance(outcome, FileRefused)
        assert outcome.receipt.errors.by_code == {"not_registered": 1}
        assert "daap-local register" in outcome.receipt.errors.first
        assert f"{product}/v1/{table}" in outcome.receipt.errors.first
        assert outcome.receipt.errors.annotated is None
        assert bench.files("fail/") == [make_csv()]

    @pytest.mark.parametrize("name", ["orders.xlsx", "orders", "orders.csv.gz", "orders.", ".csv", "orders.ćsv"])
    def test_a_file_that_is_not_called_csv_is_refused_by_its_name(self, bench, name):
        outcome = bench.take(name, make_csv()) if name != ".csv" else bench.take("x.tsv", make_csv())
        assert isinstance(outcome, FileRefused)
        assert outcome.receipt.errors.by_code == {"not_csv": 1}
        assert bench.files("fail/") == [make_csv()]

    def test_an_empty_file_is_refused(self, bench):
        receipt = bench.take("orders.csv", b"").receipt
        assert receipt.errors.by_code == {"empty_file": 1}
        assert bench.files("fail/") == [b""]

    def test_more_than_a_thousand_errors_are_counted_and_the_first_thousand_kept(self, bench):
        data = b"id,customer,amount\n" + b"x,Ann,1.00\n" * 1_500
        receipt = bench.take("bad.csv", data).receipt
        report = json.loads(bench.read(receipt.errors.report))
        assert (receipt.errors.total, report["total"], report["kept"], len(report["errors"])) == (
            1500,
            1500,
            1000,
            1000,
        )


class TestFilesComponents:
    def test_a_file_of_a_files_component_is_kept_as_it_came(self, bench):
        outcome = bench.take("Scan – 1.PDF", b"%PDF \0\xff", PAPERS)
        assert isinstance(outcome, FileArchived)
        receipt = outcome.receipt
        assert (receipt.status, receipt.kind, receipt.is_final) == (LoadStatus.ARCHIVED, "file", True)
        assert bench.read(file_key("raw", receipt.load, receipt.file_id, "pdf")) == b"%PDF \0\xff"
        assert bench.keys("landing/") == bench.claims() == bench.snapshots(PAPERS) == []

    @pytest.mark.parametrize(
        ("name", "extension"), [("a", "bin"), ("a.x y", "bin"), ("b.tar.gz", "gz"), ("c.csv", "csv")]
    )
    def test_its_extension_is_kept_where_it_is_one(self, bench, name, extension):
        receipt = bench.take(name, b"x", PAPERS).receipt
        assert (receipt.status, receipt.extension) == (LoadStatus.ARCHIVED, extension)

    def test_its_receipt_has_its_hash_and_size(self, bench):
        receipt = bench.take("a.txt", b"12345", PAPERS).receipt
        assert (receipt.bytes, receipt.rows_read) == (5, None)
        assert receipt.content_hash.endswith(blake3(b"12345").hexdigest())


class TestFullLayout:
    def test_an_upload_keeps_its_own_timestamp_and_id(self, bench):
        bench.lake.store.put(upload_key(), make_csv())
        receipt = bench.ingest(upload_key()).receipt
        assert (receipt.load_timestamp, receipt.file_id) == ("20260131T235959Z", FILE_ID)
        assert bench.keys("raw/") == [upload_key().replace("landing/", "raw/")]
        assert bench.snapshots() == ["20260131T235959Z"]

    def test_two_uploads_that_claim_one_timestamp_get_two(self, bench):
        for file_id in (FILE_ID, OTHER_ID):
            bench.lake.store.put(upload_key(file_id), make_csv())
        stamps = [bench.ingest(upload_key(file_id)).receipt.load_timestamp for file_id in (FILE_ID, OTHER_ID)]
        assert stamps[0] == "20260131T235959Z" != stamps[1]
        assert bench.snapshots() == sorted(stamps)
        assert bench.keys("landing/") == bench.claims() == []

    def test_a_drop_does_not_take_the_timestamp_of_an_upload(self, bench):
        # Uploads that name this second and those to come; the drop is allotted one of them.
        stamps = [format_stamp(datetime.now(UTC) + timedelta(seconds=n)) for n in range(10)]
        ids = [FILE_ID[:-1] + str(n) for n in range(10)]
        for file_id, stamp in zip(ids, stamps, strict=True):
            bench.lake.store.put(upload_key(file_id, stamp=stamp), make_csv())
            assert isinstance(bench.ingest(upload_key(file_id, stamp=stamp)), LoadCurated)
        outcome = bench.take("orders.csv", make_csv(first=50))
        assert isinstance(outcome, LoadCurated)
        assert len(bench.snapshots()) == 11

    def test_an_upload_for_another_major_version_is_not_taken_by_the_current_one(self, bench):
        key = upload_key(major=10)
        bench.lake.store.put(key, make_csv())
        outcome = bench.ingest(key)
        assert isinstance(outcome, FileRefused)
        assert "shop/v10/orders" in outcome.receipt.errors.first
        assert bench.files("fail/") == [make_csv()]

    def test_an_upload_of_a_files_component(self, bench):
        key = upload_key(table=PAPERS, extension="pdf")
        bench.lake.store.put(key, b"x")
        assert bench.ingest(key).receipt.status is LoadStatus.ARCHIVED
        assert bench.keys("raw/") == [key.replace("landing/", "raw/")]

    @pytest.mark.parametrize("again", [make_csv(), make_csv(first=100)], ids=["the same", "another"])
    def test_a_used_key_that_comes_again_neither_loses_the_file_nor_waits_for_ever(self, folders, again):
        # A client that repeats its upload, since it never heard of the first one's success.
        for data in (make_csv(), again):
            folders.lake.store.put(upload_key(), data)
            drain_lake(folders.lake, folders.root / "landing")
        assert folders.keys("landing/") == []
        kept = folders.files("raw/") + folders.files("fail/")
        assert {make_csv(), again} <= set(kept)


class TestPlaces:
    @pytest.mark.parametrize(
        "key",
        [
            "landing/../shop/orders/a.csv", "landing/shop/../a.csv", "landing/shop/orders/..", "landing/a.csv",
            "landing/shop/a.csv", "landing/shop/orders/deep/a.csv", "landing/Shop/orders/a.csv",
            "landing/shop/1orders/a.csv", "landing/shop/orders/a\nb.csv", "landing//orders/a.csv",
            "raw/shop/orders/a.csv",
            "landing/shop/v1/orders/load_timestamp=20261331T000000Z/" + FILE_ID + ".csv",
            "landing/shop/v0/orders/load_timestamp=20260131T000000Z/" + FILE_ID + ".csv",
            "landing/shop/v1/orders/load_timestamp=20260131T000000Z/plain.csv",
        ],
    )  # fmt: skip
    def test_a_file_out_of_place_is_an_error_and_touches_nothing(self, bench, key):
        before = bench.keys("metadata/")
        with pytest.raises(InvalidName):
            bench.ingest(key)
        assert bench.keys("metadata/") == before

    def test_a_name_that_climbs_never_leaves_landing(self, folders):
        outside = folders.root / "x" / "orders" / "a.csv"
        outside.parent.mkdir(parents=True)
        outside.write_bytes(make_csv())
        with pytest.raises(InvalidName):
            folders.ingest("landing/../x/orders/a.csv")
        assert outside.read_bytes() == make_csv()
        assert folders.keys("raw/") == []

    def test_an_event_without_its_file_is_nothing_to_do(self, bench):
        assert bench.ingest("landing/shop/orders/gone.csv") == NothingToDo("landing/shop/orders/gone.csv")
        assert bench.claims() == bench.receipts() == []

    def test_the_root_may_have_any_plain_name(self, tmp_path, engine):
        bench = open_folders(tmp_path / 'it\'s – a "lake" {1}; DROP', engine)
        bench.register(make_product())
        assert isinstance(bench.take("o'rders – (1)*?[a].csv", make_csv()), LoadCurated)
        assert len(bench.query("SELECT * FROM shop_v1.orders_latest")) == 3
        assert isinstance(bench.take("bad.csv", BAD), FileRefused)
        assert not list(Path(bench.root).rglob(".staging/*"))

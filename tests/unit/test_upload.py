"""Uploads by a signed form: what is given out, for what, and what is told of the file afterwards."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from daap.errors import InvalidName, NotRegistered, ObjectConflict, UnknownLoad
from daap.model.keys import claim_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.pipeline import arrive
from daap.pipeline.resync import resync_product
from daap.pipeline.retention import enforce_retention
from daap.pipeline.upload import (
    MAX_BYTES,
    MAX_FORM_BYTES,
    MAX_PARTS,
    UploadId,
    abort_parts,
    find_upload,
    finish_parts,
    parse_upload,
    request_form,
    request_parts,
    stored_file,
)
from daap.ports.presigner import PartedUpload, Presigner, UploadForm
from tests.support.lakes import BAD, ID, PAPERS, PRODUCT, TABLE, Bench, make_csv

MD5_SUM = hashlib.md5(b"x", usedforsecurity=False)
MD5 = base64.b64encode(MD5_SUM.digest()).decode()
FILE_ID = "0b8a7a52-9f0e-4a25-8f7b-1f4a53c9e9d1"


class NotingPresigner(Presigner):
    """Notes what it signs, and keeps multipart uploads in memory: a part is there once it is put in `parts`."""

    def __init__(self) -> None:
        self.signed: list[tuple[str, str, int, timedelta]] = []
        self.begun: dict[str, tuple[str, int]] = {}

    def sign_form(self, key: str, content_md5: str, max_bytes: int, lifetime: timedelta) -> UploadForm:
        self.signed.append((key, content_md5, max_bytes, lifetime))
        return UploadForm("http://127.0.0.1/uploads", {"key": key})

    def start_parts(self, key: str, parts: int, lifetime: timedelta) -> PartedUpload:  # noqa: ARG002 - the port's
        handle = uuid.uuid4().hex
        self.begun[handle] = (key, parts)
        return PartedUpload(handle, tuple(f"http://127.0.0.1/{handle}/{n}" for n in range(1, parts + 1)))

    def finish_parts(self, key: str, handle: str, etags: Sequence[str]) -> None:
        if self.begun[handle] != (key, len(etags)):
            raise ObjectConflict("another upload")
        del self.begun[handle]

    def abort_parts(self, key: str, handle: str) -> None:
        if self.begun.get(handle, ("",))[0] == key:
            del self.begun[handle]


@pytest.fixture
def presigner() -> NotingPresigner:
    return NotingPresigner()


def ask(
    bench: Bench, presigner: Presigner, filename: str = "orders.csv", table: str = TABLE, md5: str = MD5
) -> UploadId:
    upload, _ = request_form(bench.lake, presigner, PRODUCT, table, filename, md5, "bob")
    return upload


def send(bench: Bench, upload: UploadId, data: bytes) -> object:
    """What the client and the watcher do."""
    key = f"landing/{upload.load.ref}/load_timestamp={upload.load.stamp}/{upload.file_id}.csv"
    bench.lake.store.put(key, data)
    return bench.ingest(key, "somebody")


class TestForms:
    def test_a_form_is_bound_to_its_key_the_md5_and_5_gb_and_lives_shortly(self, bench, presigner):
        upload = ask(bench, presigner)
        ((key, md5, most, lifetime),) = presigner.signed
        assert key == f"landing/shop/v1/orders/load_timestamp={upload.load.stamp}/{upload.file_id}.csv"
        assert (md5, most) == (MD5, MAX_FORM_BYTES)
        assert most == 5_000_000_000
        assert timedelta(minutes=1) <= lifetime <= timedelta(hours=1)

    def test_each_form_is_for_a_load_of_its_own(self, bench, presigner):
        uploads = [ask(bench, presigner) for _ in range(5)]
        assert len({upload.load.stamp for upload in uploads}) == len({upload.file_id for upload in uploads}) == 5
        assert bench.claims() == ["orders.csv"] * 5

    def test_it_is_for_the_major_of_now(self, bench, presigner):
        bench.change(ID)
        assert ask(bench, presigner).load.ref == TableRef(PRODUCT, 2, TABLE)

    def test_a_files_component_takes_files_of_any_kind(self, bench, presigner):
        for name in ("plan.pdf", "noextension", "x.tar.gz", "Größe.PDF", "a b (1).xlsx"):
            ask(bench, presigner, name, PAPERS)
        assert [key.rpartition(".")[2] for key, *_ in presigner.signed] == ["pdf", "bin", "gz", "pdf", "xlsx"]

    @pytest.mark.parametrize(
        "name", ["orders.CSV", "a.b.csv", "ünïcode – 東京.csv", "a b&c'd\"e;f$g%41.csv", "x" * 251 + ".csv"]
    )
    def test_a_csv_may_be_called_almost_anything(self, bench, presigner, name):
        upload = ask(bench, presigner, name)
        send(bench, upload, make_csv())
        assert [(receipt.source_name, receipt.status) for receipt in bench.receipts()] == [(name, LoadStatus.CURATED)]

    @pytest.mark.parametrize("name", ["orders.txt", "orders", ".csv", "orders.csv.gz", "csv", "orders.csv "])
    def test_another_extension_is_refused(self, bench, presigner, name):
        with pytest.raises(InvalidName, match=r"\.csv"):
            ask(bench, presigner, name)

    @pytest.mark.parametrize(
        "name",
        ["", "a/b.csv", "../x.csv", "a\\b.csv", "a\0.csv", "a\n.csv", "a\r\nX: y.csv", "\x7f.csv", "x" * 252 + ".csv"],
    )
    def test_what_is_no_file_name_is_refused(self, bench, presigner, name):
        with pytest.raises(InvalidName, match="no file name"):
            ask(bench, presigner, name)

    @pytest.mark.parametrize(
        "md5", ["", "x", "ä", MD5_SUM.hexdigest(), MD5[:-2], MD5 + "AA==", MD5 + "\n", "*" * 24, " " + MD5]
    )
    def test_what_is_no_md5_is_refused(self, bench, presigner, md5):
        with pytest.raises(InvalidName, match="MD5"):
            ask(bench, presigner, md5=md5)

    @pytest.mark.parametrize(
        ("product", "table"),
        [("nobody", TABLE), (PRODUCT, "nothing"), (PRODUCT, "Orders"), ("../x", TABLE), (PRODUCT, "../../raw")],
    )
    def test_what_is_not_registered_is_refused(self, bench, presigner, product, table):
        with pytest.raises((NotRegistered, InvalidName)):
            request_form(bench.lake, presigner, product, table, "x.csv", MD5, "bob")

    def test_what_is_refused_leaves_no_trace(self, bench, presigner):
        before = bench.contents("metadata/")
        for options in ({"filename": "x.txt"}, {"md5": "x"}, {"table": "nothing"}, {"filename": "a/b.csv"}):
            with pytest.raises((InvalidName, NotRegistered)):
                ask(bench, presigner, **options)
        assert bench.contents("metadata/") == before
        assert presigner.signed == bench.claims() == []

    def test_the_audit_log_tells_who_asked(self, bench, presigner):
        upload = ask(bench, presigner)
        (event,) = [event for event in bench.events() if event["stage"] == "announced"]
        assert (event["actor"], event["load"], event["fileId"]) == ("bob", str(upload.load), upload.file_id)


class TestWhatBecameOfIt:
    def test_before_the_file_has_come_it_is_waited_for(self, bench, presigner):
        assert find_upload(bench.lake, ask(bench, presigner)) == ("waiting", None)

    def test_a_good_file_is_curated_under_the_name_and_by_the_person_announced(self, bench, presigner):
        upload = ask(bench, presigner, "my orders.csv")
        send(bench, upload, make_csv())
        status, receipt = find_upload(bench.lake, upload)
        assert (status, receipt.source_name, receipt.actor) == (LoadStatus.CURATED, "my orders.csv", "bob")
        assert receipt.load == upload.load
        assert bench.claims() == []

    def test_a_bad_one_is_failed(self, bench, presigner):
        upload = ask(bench, presigner)
        send(bench, upload, BAD)
        status, receipt = find_upload(bench.lake, upload)
        assert (status, receipt.errors.total) == (LoadStatus.FAILED, 2)

    def test_one_that_never_came_is_gone_after_a_day(self, bench, presigner, monkeypatch):
        upload = ask(bench, presigner)
        monkeypatch.setattr(arrive, "_ANNOUNCED", -arrive._ANNOUNCED)
        bench.lake.store.put(f"landing/shop/{TABLE}/other.csv", make_csv())
        list(resync_product(bench.lake, PRODUCT, "bob"))
        assert find_upload(bench.lake, upload) == ("gone", None)

    def test_one_that_expired_is_expired(self, bench, presigner):
        upload = ask(bench, presigner)
        send(bench, upload, make_csv())
        list(enforce_retention(bench.lake, PRODUCT, "ann", datetime.now(UTC) + timedelta(days=31)))
        assert find_upload(bench.lake, upload)[0] == LoadStatus.EXPIRED

    def test_an_upload_nobody_announced_is_gone(self, bench):
        load = LoadId(TableRef(PRODUCT, 1, TABLE), "20260101T000000Z")
        assert find_upload(bench.lake, UploadId(load, FILE_ID)) == ("gone", None)

    def test_the_load_of_another_file_is_not_told(self, bench, presigner):
        upload = ask(bench, presigner)
        send(bench, upload, make_csv())
        assert find_upload(bench.lake, UploadId(upload.load, FILE_ID)) == ("gone", None)

    def test_an_upload_is_not_told_under_another_table_s_name(self, bench, presigner):
        upload = ask(bench, presigner)
        other = UploadId(LoadId(TableRef(PRODUCT, 1, "sales"), upload.load.stamp), upload.file_id)
        assert find_upload(bench.lake, other) == ("gone", None)
        send(bench, upload, make_csv())
        assert find_upload(bench.lake, other) == ("gone", None)

    def test_one_whose_load_timestamp_was_taken_is_still_found_while_it_is_on_its_way(self, bench, presigner):
        upload = ask(bench, presigner)
        key = claim_key(upload.file_id)
        claim = json.loads(bench.read(key))
        bench.lake.store.put(key, json.dumps(claim | {"stamp": "20300101T000000Z"}).encode())
        assert find_upload(bench.lake, upload) == ("waiting", None)

    def test_the_file_is_kept_where_it_is_said_to_be(self, bench, presigner):
        for data in (make_csv(), BAD):
            upload = ask(bench, presigner)
            send(bench, upload, data)
            _, receipt = find_upload(bench.lake, upload)
            assert bench.read(stored_file(receipt)) == data


class TestIds:
    def test_an_id_says_its_load_and_file(self, bench, presigner):
        upload = ask(bench, presigner)
        assert parse_upload(PRODUCT, TABLE, str(upload)) == upload

    @pytest.mark.parametrize(
        "text",
        ["", "x", f"v1-20260101T000000Z-{FILE_ID.upper()}", f"v0-20260101T000000Z-{FILE_ID}",
         f"1-20260101T000000Z-{FILE_ID}",
         f"v1-20261301T000000Z-{FILE_ID}", f"v1-20260101T000000Z-{FILE_ID}\n", f"v1-20260101T000000Z-{FILE_ID}/../x",
         f"v9999999-20260101T000000Z-{FILE_ID}", f"v\u0661-20260101T000000Z-{FILE_ID}"],
    )  # fmt: skip
    def test_what_is_none_is_refused(self, text):
        with pytest.raises(InvalidName):
            parse_upload(PRODUCT, TABLE, text)

    @pytest.mark.parametrize(("product", "table"), [("../x", TABLE), (PRODUCT, "a/b"), ("", TABLE), (PRODUCT, "")])
    def test_nor_is_one_of_a_table_that_cannot_be(self, product, table):
        with pytest.raises(InvalidName):
            parse_upload(product, table, f"v1-20260101T000000Z-{FILE_ID}")


class TestParts:
    @pytest.mark.parametrize(
        ("size", "parts"),
        [
            (1, 1),
            (100 << 20, 1),
            ((100 << 20) + 1, 2),
            (5_000_000_001, 48),
            (10_000 * (100 << 20), 10_000),
            (10_000 * (100 << 20) + 1, 10_000),
            (MAX_BYTES, 10_000),
        ],
    )
    def test_there_are_as_many_as_the_size_needs_and_never_too_many(self, bench, presigner, size, parts):
        _, upload, part_bytes = request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.csv", size, "bob")
        assert len(upload.urls) <= min(parts, MAX_PARTS)
        assert part_bytes * (len(upload.urls) - 1) < size <= part_bytes * len(upload.urls)
        assert 5 << 20 <= part_bytes <= 5 << 30

    @pytest.mark.parametrize("size", [0, -1, MAX_BYTES + 1])
    def test_a_size_that_cannot_be_is_refused(self, bench, presigner, size):
        with pytest.raises(InvalidName, match="bytes"):
            request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.csv", size, "bob")
        assert bench.claims() == []

    def test_another_extension_and_another_table_are_refused(self, bench, presigner):
        with pytest.raises(InvalidName):
            request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.txt", 5, "bob")
        with pytest.raises(NotRegistered):
            request_parts(bench.lake, presigner, PRODUCT, "nothing", "x.csv", 5, "bob")

    def test_an_upload_is_put_together_under_the_key_of_its_load(self, bench, presigner):
        upload, parted, _ = request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.csv", 5, "bob")
        finish_parts(bench.lake, presigner, upload, parted.handle, ["etag"])
        assert presigner.begun == {}
        send(bench, upload, make_csv())
        assert find_upload(bench.lake, upload)[0] == LoadStatus.CURATED

    def test_one_that_is_given_up_is_gone(self, bench, presigner):
        upload, parted, _ = request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.csv", 5, "bob")
        abort_parts(bench.lake, presigner, upload, parted.handle)
        assert presigner.begun == {}
        assert find_upload(bench.lake, upload) == ("gone", None)
        assert bench.claims() == []

    def test_an_upload_of_another_table_can_neither_be_finished_nor_given_up(self, bench, presigner):
        upload, parted, _ = request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.csv", 5, "bob")
        other = UploadId(LoadId(TableRef(PRODUCT, 1, "sales"), upload.load.stamp), upload.file_id)
        with pytest.raises(UnknownLoad):
            finish_parts(bench.lake, presigner, other, parted.handle, ["etag"])
        with pytest.raises(UnknownLoad):
            abort_parts(bench.lake, presigner, other, parted.handle)
        assert bench.claims() == ["x.csv"]

    def test_a_handle_of_another_upload_is_not_taken_for_its_own(self, bench, presigner):
        first, *_ = request_parts(bench.lake, presigner, PRODUCT, TABLE, "x.csv", 5, "bob")
        _, second, _ = request_parts(bench.lake, presigner, PRODUCT, "sales", "y.csv", 5, "ann")
        with pytest.raises(ObjectConflict):
            finish_parts(bench.lake, presigner, first, second.handle, ["etag"])
        abort_parts(bench.lake, presigner, first, second.handle)
        assert second.handle in presigner.begun

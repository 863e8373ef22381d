"""Uploads over the API: by a form, in parts, and what became of them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daap.pipeline.upload import MAX_BYTES, PART_BYTES
from tests.api.site import BAD, BASE, GOOD, HOME, PAYMENTS, Site, digest, make_metadata, make_schema, message_of

UPLOAD = f"{PAYMENTS}/upload"
PARTS = f"{UPLOAD}/multipart"
UNKNOWN = "v1-20260131T235959Z-7c1c62a1-6c1b-4f0e-9a52-6d5c0e1e9a3b"


def ask_form(site: Site, data: bytes = GOOD, name: str = "march.csv", path: str = UPLOAD) -> dict:
    answer = site.admin.post(path, {"filename": name, "contentMD5": digest(data)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask_parts(site: Site, size: int, name: str = "large.csv") -> dict:
    answer = site.admin.post(PARTS, {"filename": name, "contentLength": size})
    assert answer.status_code == 200, answer.text
    return answer.json()


def status_of(site: Site, upload: str, path: str = UPLOAD) -> dict:
    answer = site.admin.get(f"{path}/{upload}")
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestForms:
    def test_a_form_is_answered_with_an_id(self, site):
        found = ask_form(site)
        assert list(found) == ["URL", "uploadId"]
        assert found["URL"]["url"] == f"{BASE}/uploads/landing"
        fields = found["URL"]["fields"]
        assert fields["Content-MD5"] == digest(GOOD)
        assert fields["key"].startswith("spend/v1/payments/load_timestamp=")
        assert {"policy", "x-amz-signature", "x-amz-credential", "x-amz-date", "x-amz-algorithm"} <= fields.keys()

    def test_the_whole_way_of_a_file(self, site):
        asked = ask_form(site)
        upload = asked["uploadId"]
        assert status_of(site, upload) == {"uploadId": upload, "status": "waiting", "load": None}
        assert site.admin.send_form(asked, GOOD).status_code == 204
        site.drain()
        found = status_of(site, upload)
        assert found["status"] == "curated"
        assert found["load"]["sourceName"] == "march.csv"
        assert found["load"] == site.admin.get(f"{PAYMENTS}/loads").json()["loads"][0]
        stamp = found["load"]["loadTimestamp"]
        assert stamp in upload
        assert f"| Lantern | 12.50 | {stamp} |" in site.admin.get(f"{PAYMENTS}/preview").text
        assert site.admin.get(f"{PAYMENTS}/loads/{stamp}/file").content == GOOD

    def test_the_log_names_who_asked_for_the_form(self, site):
        sender = site.client("upload:spend", name="loader")
        asked = sender.post(UPLOAD, {"filename": "a.csv", "contentMD5": digest(GOOD)}).json()
        sender.send_form(asked, GOOD)
        site.drain()
        assert site.admin.get(f"{PAYMENTS}/loads").json()["loads"][0]["actor"] == "loader"

    def test_a_refused_file_is_told_with_its_errors(self, site):
        asked = ask_form(site, BAD)
        site.admin.send_form(asked, BAD)
        site.drain()
        found = status_of(site, asked["uploadId"])
        assert (found["status"], found["load"]["errors"]["total"]) == ("failed", 2)

    def test_a_name_in_capitals_is_a_csv_file_too(self, site):
        assert ask_form(site, name="MARCH.CSV")

    def test_two_forms_at_once_are_two_uploads(self, site):
        asked = [ask_form(site), ask_form(site)]
        for one in asked:
            site.admin.send_form(one, GOOD)
        site.drain()
        stamps = [status_of(site, one["uploadId"])["load"]["loadTimestamp"] for one in asked]
        assert len(set(stamps)) == 2

    def test_a_form_sent_twice_is_one_upload(self, site):
        asked = ask_form(site)
        for _ in range(2):
            assert site.admin.send_form(asked, GOOD).status_code == 204
            site.drain()
        assert len(site.admin.get(f"{PAYMENTS}/loads").json()["loads"]) == 1

    def test_another_file_than_announced_is_refused(self, site):
        asked = ask_form(site)
        before = site.snapshot()
        assert site.admin.send_form(asked, GOOD + b"x,1\n").status_code == 400
        assert site.snapshot() == before
        assert status_of(site, asked["uploadId"])["status"] == "waiting"

    def test_a_form_that_was_changed_is_refused(self, site):
        asked = ask_form(site)
        before = site.snapshot()
        for field in ("key", "Content-MD5", "policy", "x-amz-signature"):
            fields = asked["URL"]["fields"]
            changed = {"URL": {"url": asked["URL"]["url"], "fields": fields | {field: fields[field][:-2] + "xx"}}}
            assert site.admin.send_form(changed, GOOD).status_code == 403
        assert site.snapshot() == before

    def test_any_file_goes_to_a_files_component(self, empty):
        files = {"papers": {"description": "Contracts"}}
        assert empty.admin.post("/data-product/register", {"metadata": make_metadata(), "files": files}).is_success
        path = f"{HOME}/table/papers/upload"
        asked = ask_form(empty, b"%PDF", "contract.pdf", path)
        empty.admin.send_form(asked, b"%PDF")
        empty.drain()
        assert status_of(empty, asked["uploadId"], path)["status"] == "archived"

    @pytest.mark.parametrize("name", [
        "a.xlsx", "a", "csv", "a.csv.gz", "a.csv ", "", "../a.csv", "a/b.csv", "a\\b.csv", "a\n.csv", "a\r\nX: y.csv",
        "a\0.csv", "x" * 252 + ".csv", "a\x7f.csv", "a\x1b[31m.csv",
    ])  # fmt: skip
    def test_another_name_is_refused(self, still, name):
        said = message_of(still.admin.post(UPLOAD, {"filename": name, "contentMD5": digest(GOOD)}), 400)
        assert "\n" not in said

    @pytest.mark.parametrize(
        "md5", ["", "x", "0" * 32, digest(GOOD)[:-1], digest(GOOD) + "=", "é", " " + digest(GOOD), 1, None]
    )
    def test_what_is_no_md5_is_refused(self, still, md5):
        message_of(still.admin.post(UPLOAD, {"filename": "a.csv", "contentMD5": md5}), 400)

    @pytest.mark.parametrize("path", ["/data-product/nothing/table/payments/upload", f"{HOME}/table/nothing/upload"])
    def test_of_what_is_not_registered(self, still, path):
        message_of(still.admin.post(path, {"filename": "a.csv", "contentMD5": digest(GOOD)}), 404)

    @pytest.mark.parametrize("body", [{}, {"filename": "a.csv"}, {"contentMD5": digest(GOOD)}, None, []])
    def test_a_body_without_its_fields_is_refused(self, still, body):
        message_of(still.admin.post(UPLOAD, body), 400)


class TestStatus:
    @pytest.mark.parametrize(("upload", "status"), [
        ("x", 400), ("multipart", 400), (UNKNOWN.upper(), 400), (UNKNOWN.replace("0131", "9931"), 400),
        (f"{UNKNOWN}%0a", 400),
    ])  # fmt: skip
    def test_what_is_no_id_is_refused(self, still, upload, status):
        message_of(still.admin.get(f"{UPLOAD}/{upload}"), status)

    def test_an_upload_that_nobody_announced_is_gone(self, still):
        assert status_of(still, UNKNOWN) == {"uploadId": UNKNOWN, "status": "gone", "load": None}

    def test_of_an_unknown_product(self, still):
        message_of(still.admin.get(f"/data-product/nothing/table/payments/upload/{UNKNOWN}"), 404)

    def test_an_upload_of_somebody_else_is_not_told_by_its_id(self, site):
        """Whose id somebody might have got from a log, or a mail."""
        site.register("other")
        site.add_table(product="other")
        asked = ask_form(site, path="/data-product/other/table/payments/upload")
        site.admin.send_form(asked, GOOD)
        sender = site.client("upload:spend")
        assert sender.get(f"{UPLOAD}/{asked['uploadId']}").json()["status"] == "gone"

    def test_a_finished_upload_of_somebody_else_is_not_told(self, site):
        site.register("other")
        site.add_table(product="other")
        path = "/data-product/other/table/payments/upload"
        asked = ask_form(site, path=path)
        site.admin.send_form(asked, GOOD)
        site.drain()
        assert status_of(site, asked["uploadId"], path)["status"] == "curated"
        found = site.client("upload:spend").get(f"{UPLOAD}/{asked['uploadId']}").json()
        assert (found["status"], found["load"]) == ("gone", None)

    def test_a_form_that_is_never_used_is_gone_after_a_day(self, site):
        asked = ask_form(site)
        (claim,) = (site.root / "metadata" / "load-claims").glob("*.json")
        _age(claim, timedelta(days=2))
        site.drain()
        assert status_of(site, asked["uploadId"])["status"] == "gone"

    def test_waiting_for_a_file_logs_nothing_again_and_again(self, site):
        ask_form(site)
        before = site.logged()
        for _ in range(3):
            site.drain()
        assert site.logged() == before

    def test_an_upload_for_a_major_version_that_has_passed_is_refused_in_words(self, site):
        asked = ask_form(site)
        site.admin.put(f"{PAYMENTS}/schema", {"schema": make_schema(("supplier", "string"))})
        assert site.admin.send_form(asked, GOOD).status_code == 204
        site.drain()
        found = status_of(site, asked["uploadId"])
        assert found["status"] == "failed"
        assert "Begin a new one" in found["load"]["errors"]["first"]


def _age(path: Path, by: timedelta) -> None:
    moment = (datetime.now(UTC) - by).timestamp()
    os.utime(path, (moment, moment))


class TestParts:
    def test_the_whole_way_of_a_file_in_one_part(self, site):
        asked = ask_parts(site, len(GOOD))
        assert list(asked) == ["uploadId", "handle", "partBytes", "urls"]
        assert (asked["partBytes"], len(asked["urls"])) == (PART_BYTES, 1)
        answer = site.admin.call("PUT", asked["urls"][0], content=GOOD)
        assert answer.status_code == 200
        body = {"handle": asked["handle"], "etags": [answer.headers["ETag"]]}
        done = site.admin.post(f"{PARTS}/{asked['uploadId']}/complete", body)
        assert (done.status_code, done.json()) == (200, {"message": f"upload {asked['uploadId']} is complete"})
        site.drain()
        found = status_of(site, asked["uploadId"])
        assert (found["status"], found["load"]["sourceName"]) == ("curated", "large.csv")
        stamp = found["load"]["loadTimestamp"]
        assert site.admin.get(f"{PAYMENTS}/loads/{stamp}/file").content == GOOD

    def test_parts_are_put_together_in_their_order(self, site):
        pieces = [b"supplier,amount\n", b"Lantern,1\n", b"Moss,2\n"]
        asked = ask_parts(site, 2 * PART_BYTES + 1)
        assert len(asked["urls"]) == 3
        etags = {
            number: site.admin.call("PUT", asked["urls"][number], content=pieces[number]).headers["ETag"]
            for number in (2, 0, 1)
        }
        body = {"handle": asked["handle"], "etags": [etags[number] for number in range(3)]}
        assert site.admin.post(f"{PARTS}/{asked['uploadId']}/complete", body).status_code == 200
        site.drain()
        assert "| Moss | 2.00 |" in site.admin.get(f"{PAYMENTS}/preview").text

    @pytest.mark.parametrize(("size", "count", "part"), [
        (1, 1, PART_BYTES), (PART_BYTES, 1, PART_BYTES), (PART_BYTES + 1, 2, PART_BYTES),
        (12_000_000_000, 115, PART_BYTES), (MAX_BYTES, 1_000, 5_000_000_000),
    ])  # fmt: skip
    def test_how_many_parts_there_are_follows_from_the_size(self, site, size, count, part):
        asked = ask_parts(site, size)
        assert (len(asked["urls"]), asked["partBytes"]) == (count, part)
        assert count * part >= size > (count - 1) * part

    @pytest.mark.parametrize("size", [0, -1, MAX_BYTES + 1, "10", 1.5, None, True, 10**300])
    def test_another_size_is_refused(self, still, size):
        message_of(still.admin.post(PARTS, {"filename": "a.csv", "contentLength": size}), 400)

    @pytest.mark.parametrize("etags", [[], [""], ["x"], ['"0"', '"1"'], ["é"], [1]])
    def test_other_etags_are_refused(self, site, etags):
        asked = ask_parts(site, len(GOOD))
        site.admin.call("PUT", asked["urls"][0], content=GOOD)
        before = site.snapshot()
        answer = site.admin.post(f"{PARTS}/{asked['uploadId']}/complete", {"handle": asked["handle"], "etags": etags})
        assert answer.status_code in (400, 409)
        message_of(answer, answer.status_code)
        assert site.snapshot() == before

    def test_a_part_that_never_came_is_named(self, site):
        asked = ask_parts(site, PART_BYTES + 1)
        etag = site.admin.call("PUT", asked["urls"][0], content=GOOD).headers["ETag"]
        body = {"handle": asked["handle"], "etags": [etag, etag]}
        assert "part 2" in message_of(site.admin.post(f"{PARTS}/{asked['uploadId']}/complete", body), 409)

    def test_the_handle_of_another_upload_is_refused(self, site):
        first, second = ask_parts(site, len(GOOD)), ask_parts(site, len(GOOD))
        etag = site.admin.call("PUT", first["urls"][0], content=GOOD).headers["ETag"]
        body = {"handle": first["handle"], "etags": [etag]}
        message_of(site.admin.post(f"{PARTS}/{second['uploadId']}/complete", body), 404)
        assert site.admin.post(f"{PARTS}/{first['uploadId']}/complete", body).status_code == 200

    @pytest.mark.parametrize("handle", ["x", "../../metadata", "0" * 32, "é", "x" * 2048])
    def test_an_unknown_handle_is_not_found(self, site, handle):
        asked = ask_parts(site, len(GOOD))
        body = {"handle": handle, "etags": ["x"]}
        message_of(site.admin.post(f"{PARTS}/{asked['uploadId']}/complete", body), 404)

    def test_an_upload_that_is_not_on_its_way_is_not_found(self, still):
        message_of(still.admin.post(f"{PARTS}/{UNKNOWN}/complete", {"handle": "x", "etags": ["x"]}), 404)
        message_of(still.admin.delete(f"{PARTS}/{UNKNOWN}", handle="x"), 404)

    def test_of_another_table_is_not_found(self, site):
        site.add_table(table="refunds")
        asked = ask_parts(site, len(GOOD))
        path = f"{HOME}/table/refunds/upload/multipart/{asked['uploadId']}"
        message_of(site.admin.post(f"{path}/complete", {"handle": asked["handle"], "etags": ["x"]}), 404)
        message_of(site.admin.delete(path, handle=asked["handle"]), 404)

    def test_can_be_given_up(self, site):
        before = {name for name in site.snapshot() if "clocks" not in name}
        asked = ask_parts(site, len(GOOD))
        site.admin.call("PUT", asked["urls"][0], content=GOOD)
        answer = site.admin.delete(f"{PARTS}/{asked['uploadId']}", handle=asked["handle"])
        assert (answer.status_code, answer.json()) == (200, {"message": f"upload {asked['uploadId']} is given up"})
        assert {name for name in site.snapshot() if "clocks" not in name} == before
        assert status_of(site, asked["uploadId"])["status"] == "gone"
        assert site.admin.call("PUT", asked["urls"][0], content=GOOD).status_code == 404

    def test_giving_up_needs_the_handle(self, still):
        assert "handle" in message_of(still.admin.delete(f"{PARTS}/{UNKNOWN}"), 400)

    def test_an_address_is_for_its_own_part_alone(self, site):
        asked = ask_parts(site, PART_BYTES + 1)
        other = asked["urls"][0].replace("/1?", "/2?")
        assert site.admin.call("PUT", other, content=GOOD).status_code == 403


def test_no_secret_of_a_form_is_kept_in_the_log(site):
    asked, parts = ask_form(site), ask_parts(site, len(GOOD))
    site.admin.send_form(asked, GOOD)
    site.drain()
    log = json.dumps(site.logged())
    for secret in (asked["URL"]["fields"]["x-amz-signature"], asked["URL"]["fields"]["policy"], parts["handle"]):
        assert secret not in log

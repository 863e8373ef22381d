"""Loads over the API: lists, one load, error reports, and files as they came."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote, urlencode

import httpx
import pytest

from daap.model.loads import LoadId, LoadStatus, Receipt, TableRef
from daap.ports.presigner import Presigner
from tests.api.site import BAD, GOOD, HOME, PAYMENTS, TABLE, Site, make_metadata, make_schema, message_of

LOADS = f"{PAYMENTS}/loads"
REF = TableRef("spend", 1, TABLE)
START = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)


def make_receipts(site: Site, *numbers: int) -> list[str]:
    """Receipts of loads so many minutes after a start; returns their load timestamps."""
    stamps = [f"{START + timedelta(minutes=number):%Y%m%dT%H%M%SZ}" for number in numbers]
    for stamp in stamps:
        site.lake.ledger.open(Receipt(
            product="spend", major=1, table=TABLE, load_timestamp=stamp, file_id="x", status=LoadStatus.LANDED,
            actor="ann", source_name="a.csv",
        ))  # fmt: skip
    return stamps


def list_stamps(loads: list[dict]) -> list[str]:
    return [load["loadTimestamp"] for load in loads]


class TestListing:
    def test_a_table_without_loads_has_an_empty_page(self, site):
        assert site.admin.get(LOADS).json() == {"loads": [], "next": None}

    def test_the_newest_comes_first(self, site):
        stamps = [site.take(name=f"{number}.csv") for number in range(3)]
        found = site.admin.get(LOADS).json()
        assert list_stamps(found["loads"]) == stamps[::-1]
        assert found["next"] is None

    @pytest.mark.parametrize("limit", [1, 2, 6, 7, 8, 1000])
    def test_pages_hold_every_load_once(self, site, limit):
        stamps = make_receipts(site, *range(7))
        assert list_stamps(site.admin.page(LOADS, "loads", limit=limit)) == stamps[::-1]

    def test_loads_that_come_meanwhile_neither_hide_nor_double_others(self, site):
        stamps = make_receipts(site, *range(7))
        fresh = itertools.count(100)
        found = site.admin.page(LOADS, "loads", lambda: make_receipts(site, next(fresh)), limit=2)
        assert list_stamps(found) == stamps[::-1]

    def test_a_load_is_told_with_status_rows_and_timings(self, site):
        stamp = site.take(name="märz.csv")
        (found,) = site.admin.get(LOADS).json()["loads"]
        timings, reached = found.pop("timings"), found.pop("reached")
        assert timings
        assert all(seconds >= 0 for seconds in timings.values())
        assert list(reached) == ["landed", "checked", "archived", "curated"]
        assert list(reached.values()) == sorted(reached.values())
        assert found.pop("contentHash")
        assert found.pop("engine")["name"] == "duckdb"
        assert found == {
            "load": f"spend/v1/payments/{stamp}", "loadTimestamp": stamp, "status": "curated", "actor": "ann",
            "sourceName": "märz.csv", "bytes": len(GOOD), "rowsRead": 2, "rowsWritten": 2, "schemaVersion": "v1.0",
            "errors": None, "carriedFrom": None, "rebuilt": None, "curatedBy": None,
        }  # fmt: skip

    def test_a_refused_load_tells_its_errors_in_short(self, site):
        site.take(BAD)
        (found,) = site.admin.get(LOADS).json()["loads"]
        assert (found["status"], found["rowsWritten"]) == ("failed", None)
        assert found["errors"]["total"] == 2
        assert found["errors"]["byCode"] == {"type_error": 2}
        assert "line 3" in found["errors"]["first"]

    def test_one_load_is_told_as_in_the_list(self, still):
        for load in still.admin.get(LOADS).json()["loads"]:
            assert still.admin.get(f"{LOADS}/{load['loadTimestamp']}").json() == load

    def test_of_an_earlier_major_version(self, site):
        stamp = site.take()
        site.admin.put(f"{PAYMENTS}/schema", {"schema": make_schema(("supplier", "string"))})
        (old,) = site.admin.get(LOADS, major=1).json()["loads"]
        (new,) = site.admin.get(LOADS).json()["loads"]
        assert (old["load"], old["carriedFrom"]) == (f"spend/v1/payments/{stamp}", None)
        assert (new["load"], new["carriedFrom"]) == (f"spend/v2/payments/{stamp}", f"spend/v1/payments/{stamp}")
        assert site.admin.get(f"{LOADS}/{stamp}", major=1).json() == old

    def test_of_a_files_component(self, still):
        (found,) = still.admin.get(f"{HOME}/table/papers/loads").json()["loads"]
        assert (found["status"], found["sourceName"], found["rowsRead"]) == ("archived", "contract.pdf", None)

    def test_of_a_files_component_in_an_earlier_major_version(self, empty):
        body = {"tables": {TABLE: make_schema()}, "files": {"papers": {"description": "As they come"}}}
        empty.admin.post("/data-product/register", {"metadata": make_metadata(), **body})
        empty.take(b"%PDF", "contract.pdf", "papers")
        empty.admin.put(f"{PAYMENTS}/schema", {"schema": make_schema(("supplier", "string"))})
        answer = empty.admin.get(f"{HOME}/table/papers/loads", major=1)
        assert answer.status_code == 200
        assert len(answer.json()["loads"]) == 1

    @pytest.mark.parametrize(("path", "status"), [
        ("/data-product/nothing/table/payments/loads", 404), (f"{HOME}/table/nothing/loads", 404),
        (f"{LOADS}?major=2", 404), (f"{LOADS}?major=0", 400), (f"{LOADS}?limit=0", 400), (f"{LOADS}?limit=1001", 400),
        (f"{LOADS}/20260131T235959Z", 404), (f"{LOADS}/20260131T235959Z/errors", 404),
        (f"{LOADS}/20260131T235959Z/file", 404), (f"{LOADS}/20261399T235959Z", 400), (f"{LOADS}/latest", 400),
        (f"{LOADS}/20260131T235959Z%0a", 400), (f"{LOADS}/20260131T235959Z/errors?format=xml", 400),
    ])  # fmt: skip
    def test_what_is_not_there(self, still, path, status):
        message_of(still.admin.get(path), status)


class TestErrorReport:
    def test_as_json_tells_every_error_with_its_place(self, site):
        stamp = site.take(BAD, "second.csv")
        answer = site.admin.get(f"{LOADS}/{stamp}/errors")
        assert answer.headers["content-type"] == "application/json"
        found = answer.json()
        errors = [
            (one.pop("line"), one.pop("column"), one.pop("value"), one.pop("code")) for one in found.pop("errors")
        ]
        assert errors == [(3, "amount", "much", "type_error"), (4, "amount", "more", "type_error")]
        assert found == {
            "load": f"spend/v1/payments/{stamp}", "file": "second.csv", "total": 2, "kept": 2,
            "byCode": {"type_error": 2},
        }  # fmt: skip

    def test_as_csv_is_the_file_with_its_errors_in_a_column(self, site):
        stamp = site.take(BAD, "second.csv")
        answer = site.admin.get(f"{LOADS}/{stamp}/errors", format="csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert rows[0] == ["daap_line", "daap_error", "supplier", "amount"]
        assert [(row[0], bool(row[1]), *row[2:]) for row in rows[1:]] == [
            ("2", False, "Lantern", "12.50"), ("3", True, "Moss", "much"), ("4", True, "Fern", "more"),
        ]  # fmt: skip

    def test_an_accepted_load_has_none(self, site):
        stamp = site.take()
        for form in ("json", "csv"):
            assert "no errors" in message_of(site.admin.get(f"{LOADS}/{stamp}/errors", format=form), 404)

    def test_without_errors_in_lines_there_is_json_alone(self, site):
        stamp = site.take(b"")
        assert site.admin.get(f"{LOADS}/{stamp}/errors").json()["total"] == 1
        assert "json" in message_of(site.admin.get(f"{LOADS}/{stamp}/errors", format="csv"), 404)

    def test_personal_values_are_masked(self, site):
        schema = make_schema()
        schema["columns"][1]["personal"] = True
        site.admin.put(f"{PAYMENTS}/schema", {"schema": schema})
        stamp = site.take(BAD)
        assert "much" not in site.admin.get(f"{LOADS}/{stamp}/errors").text

    def test_is_for_those_who_upload_too(self, site):
        stamp = site.take(BAD)
        sender = site.client("upload:spend")
        assert sender.get(f"{LOADS}/{stamp}/errors").status_code == 200
        assert sender.get(f"{LOADS}/{stamp}/errors", format="csv").status_code == 200
        message_of(sender.get(f"{LOADS}/{stamp}/file"), 403)


ODD_NAMES = [
    "a.csv", "with space.csv", 'quo"te.csv', "quo'te.csv", "semi;colon.csv", "back`tick.csv", "per%41cent.csv",
    "märz 🎉.csv", "a=b, c.csv", "\u202egnp.csv", "utf-8''x.csv", "<script>.csv", "$(x).csv", "x" * 200 + ".csv",
]  # fmt: skip


class TestRawFile:
    @pytest.mark.parametrize("data", [
        GOOD, BAD, b"", b"\xff\xfe\x00garbage\r\n\r", b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\r\n", b"\r"),
        b"supplier,amount\n" + b"x,1\n" * 600_000,
    ], ids=["good", "bad", "empty", "garbage", "mark", "cr", "large"])  # fmt: skip
    def test_is_the_file_byte_for_byte_whether_it_was_taken_or_refused(self, site, data):
        stamp = site.take(data)
        answer = site.admin.get(f"{LOADS}/{stamp}/file")
        assert answer.status_code == 200
        assert answer.content == data
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_is_called_as_its_producer_called_it(self, site, name):
        stamp = site.take(name=name)
        found = site.admin.get(f"{LOADS}/{stamp}/file").headers["content-disposition"]
        before, _, quoted = found.partition("attachment; filename*=UTF-8''")
        assert (before, unquote(quoted)) == ("", name)
        assert quoted.isascii()
        assert not set(quoted) & set(" \"';,<>\\")

    def test_an_error_report_is_called_after_it(self, site):
        stamp = site.take(BAD, 'quo"te.csv')
        answer = site.admin.get(f"{LOADS}/{stamp}/errors", format="csv")
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''errors-quo%22te.csv"

    def test_of_a_files_component(self, still):
        path = f"{HOME}/table/papers/loads"
        (found,) = still.admin.get(path).json()["loads"]
        assert still.admin.get(f"{path}/{found['loadTimestamp']}/file").content == b"%PDF"

    def test_of_a_carried_load_is_that_of_its_origin(self, site):
        stamp = site.take()
        site.admin.put(f"{PAYMENTS}/schema", {"schema": make_schema(("supplier", "string"))})
        assert site.admin.get(f"{LOADS}/{stamp}/file").content == GOOD

    def test_of_a_load_that_is_on_its_way_is_not_there_yet(self, site):
        (stamp,) = make_receipts(site, 0)
        message_of(site.admin.get(f"{LOADS}/{stamp}/file"), 404)
        message_of(site.admin.get(f"{LOADS}/{stamp}/errors"), 404)

    def test_that_retention_deleted_is_gone(self, site):
        stamp = site.take(BAD)
        site.lake.ledger.amend(LoadId(REF, stamp), status=LoadStatus.EXPIRED)
        for path in (site.root / "fail").rglob("*.*"):
            path.unlink()
        for what in ("file", "errors", "errors?format=csv"):
            message_of(site.admin.get(f"{LOADS}/{stamp}/{what}"), 404)


class Lender(Presigner):
    """A presigner whose store hands out files itself; it signs nothing else."""

    sign_form = start_parts = finish_parts = abort_parts = NotImplemented

    def sign_download(self, key: str, name: str, media_type: str, lifetime: timedelta) -> str:
        return f"https://store.test/{quote(key)}?{urlencode({'name': name, 'type': media_type, 's': lifetime.seconds})}"


class TestLentFile:
    @pytest.fixture
    def lending(self, site) -> Site:
        site.app.state.backend = replace(site.app.state.backend, presigner=Lender())
        return site

    def test_a_file_is_answered_by_its_address_in_the_store(self, lending):
        stamp = lending.take(name="märz &1.csv")
        answer = lending.admin.get(f"{LOADS}/{stamp}/file")
        assert (answer.status_code, answer.content) == (307, b"")
        assert answer.headers["cache-control"] == "no-store"
        found = httpx.URL(answer.headers["location"])
        assert found.path.startswith(f"/raw/spend/v1/payments/load_timestamp={stamp}/")
        assert dict(found.params) == {"name": "märz &1.csv", "type": "application/octet-stream", "s": "300"}

    def test_an_error_report_is_so_too(self, lending):
        stamp = lending.take(BAD)
        answer = lending.admin.get(f"{LOADS}/{stamp}/errors", format="csv")
        assert answer.status_code == 307
        found = httpx.URL(answer.headers["location"])
        assert found.path.startswith("/fail/")
        assert found.params["name"] == "errors-a.csv"
        assert lending.admin.get(f"{LOADS}/{stamp}/errors").json()["total"] == 2

    def test_a_file_that_is_not_there_is_told_of_at_once(self, lending):
        (stamp,) = make_receipts(lending, 0)
        message_of(lending.admin.get(f"{LOADS}/{stamp}/file"), 404)

    def test_who_may_not_read_gets_no_address(self, lending):
        stamp = lending.take()
        answer = lending.client("read:other").get(f"{LOADS}/{stamp}/file")
        message_of(answer, 403)
        assert "location" not in answer.headers

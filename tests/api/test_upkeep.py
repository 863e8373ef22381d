"""Upkeep over the API: reload, resync, retention, and whether the service is there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daap import __version__
from daap.model.loads import LoadId, TableRef
from daap.ports.deferral import Deferral, Task
from tests.api.site import BAD, GOOD, HOME, PAYMENTS, TABLE, Site, make_schema, message_of

PREVIEW = f"{PAYMENTS}/preview"


def take_old(site: Site, days: int, data: bytes = GOOD) -> str:
    """Takes in a file that says it was uploaded so many days ago; returns its load timestamp."""
    stamp = f"{datetime.now(UTC) - timedelta(days=days):%Y%m%dT%H%M%SZ}"
    name = f"7c1c62a1-6c1b-4f0e-9a52-{days:012d}.csv"
    site.lake.store.put(f"landing/spend/v1/payments/load_timestamp={stamp}/{name}", data)
    site.drain()
    assert site.lake.ledger.get(LoadId(TableRef("spend", 1, TABLE), stamp)).is_final
    return stamp


class TestReload:
    def test_makes_curated_anew_from_raw(self, site):
        stamps = [site.take(name=f"{number}.csv") for number in range(2)]
        site.take(BAD)
        before = site.admin.get(PREVIEW).text
        shutil.rmtree(site.root / "curated" / "spend" / "v1" / TABLE / f"load_timestamp={stamps[1]}")
        answer = site.admin.post(f"{HOME}/reload")
        assert answer.status_code == 200
        assert answer.json() == {"loads": [
            {"load": f"spend/v1/payments/{stamps[0]}", "rows": 2, "wasMissing": False, "error": None},
            {"load": f"spend/v1/payments/{stamps[1]}", "rows": 2, "wasMissing": True, "error": None},
        ]}  # fmt: skip
        assert site.admin.get(PREVIEW).text == before
        assert site.admin.get(f"{PAYMENTS}/loads/{stamps[0]}").json()["rebuilt"]

    def test_may_be_for_one_table(self, site):
        site.add_table(table="refunds")
        site.take()
        site.take(table="refunds")
        found = site.admin.post(f"{HOME}/reload", table="refunds").json()["loads"]
        assert [load["load"].split("/")[2] for load in found] == ["refunds"]

    def test_of_all_major_versions(self, site):
        stamp = site.take()
        site.admin.put(f"{PAYMENTS}/schema", {"schema": make_schema(("supplier", "string"))})
        found = site.admin.post(f"{HOME}/reload").json()["loads"]
        assert [load["load"] for load in found] == [f"spend/v{major}/payments/{stamp}" for major in (1, 2)]

    def test_raw_that_has_changed_is_told_and_its_snapshot_stays(self, site):
        site.take()
        (path,) = (site.root / "raw").rglob("*.csv")
        path.chmod(0o644)
        path.write_bytes(BAD)
        before = site.snapshot()
        (told,) = site.admin.post(f"{HOME}/reload").json()["loads"]
        assert told["error"].startswith("raw/spend/v1/payments/")
        assert "does not pass" in told["error"]
        assert site.snapshot() == before

    @pytest.mark.parametrize(("path", "status"), [
        ("/data-product/nothing/reload", 404), (f"{HOME}/reload?table=nothing", 404),
        (f"{HOME}/reload?table=papers", 404), (f"{HOME}/reload?table=../x", 400), (f"{HOME}/reload?table=", 400),
    ])  # fmt: skip
    def test_of_what_is_not_there(self, still, path, status):
        message_of(still.admin.post(path), status)


class Handed(Deferral):
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def start(self, task: Task) -> None:
        self.tasks.append(task)


@pytest.fixture
def handed(site) -> Handed:
    """A site whose long work is handed over."""
    deferral = Handed()
    site.app.state.backend = replace(site.app.state.backend, deferral=deferral)
    return deferral


class TestDeferral:
    @pytest.mark.parametrize(("path", "task"), [
        (f"{HOME}/reload", Task("reload", "spend", "root")),
        (f"{HOME}/reload?table={TABLE}", Task("reload", "spend", "root", TABLE)),
        (f"{HOME}/resync", Task("resync", "spend", "root")),
    ])  # fmt: skip
    def test_hands_long_work_over_and_says_that_it_has_begun(self, site, handed, path, task):
        site.take()
        before = site.snapshot()
        answer = site.admin.post(path)
        assert (answer.status_code, answer.json()) == (202, {"message": f"the {task.work} of spend has begun"})
        assert handed.tasks == [task]
        assert site.snapshot() == before

    @pytest.mark.parametrize("path", [
        "/data-product/nothing/reload", f"{HOME}/reload?table=nothing", "/data-product/nothing/resync",
    ])  # fmt: skip
    def test_hands_nothing_over_for_what_is_not_there(self, site, handed, path):
        message_of(site.admin.post(path), 404)
        assert handed.tasks == []


class TestResync:
    def test_finds_nothing_where_all_is_well(self, site):
        site.take()
        before = site.snapshot()
        answer = site.admin.post(f"{HOME}/resync")
        assert (answer.status_code, answer.json()) == (200, {"mended": []})
        assert site.snapshot() == before

    def test_brings_back_a_snapshot_that_is_lost(self, site):
        stamp = site.take()
        before = site.admin.get(PREVIEW).text
        shutil.rmtree(site.root / "curated" / "spend" / "v1" / TABLE / f"load_timestamp={stamp}")
        found = site.admin.post(f"{HOME}/resync").json()
        assert found == {"mended": [{"found": "unpublished", "what": f"spend/v1/payments/{stamp}", "error": None}]}
        assert site.admin.get(PREVIEW).text == before

    def test_tells_what_it_cannot_mend(self, site):
        stamp = site.take()
        shutil.rmtree(site.root / "curated" / "spend" / "v1" / TABLE / f"load_timestamp={stamp}")
        (path,) = (site.root / "raw").rglob("*.csv")
        path.chmod(0o644)
        path.write_bytes(BAD)
        (found,) = site.admin.post(f"{HOME}/resync").json()["mended"]
        assert found["what"] == f"spend/v1/payments/{stamp}"
        assert found["error"].startswith(f"raw/spend/v1/payments/load_timestamp={stamp}/")

    def test_of_an_unknown_product(self, still):
        message_of(still.admin.post("/data-product/nothing/resync"), 404)


class TestRetention:
    def test_by_default_only_tells_what_would_go(self, site):
        site.admin.put(HOME, {"metadata": {"retentionPeriod": 30}})
        stamp = take_old(site, 400)
        site.take()
        before = site.snapshot()
        answer = site.admin.post(f"{HOME}/retention")
        name = f"7c1c62a1-6c1b-4f0e-9a52-{400:012d}.csv"
        assert answer.json() == {
            "dryRun": True, "legalHold": False,
            "expired": [{"load": f"spend/v1/payments/{stamp}", "sourceName": name, "days": 400}],
        }  # fmt: skip
        assert site.snapshot() == before

    def test_deletes_from_every_zone_and_keeps_a_record(self, site):
        site.admin.put(HOME, {"metadata": {"retentionPeriod": 30}})
        stamps = [take_old(site, 400), take_old(site, 300, BAD)]
        site.take()
        found = site.admin.post(f"{HOME}/retention", dryRun="false").json()
        assert (found["dryRun"], len(found["expired"])) == (False, 2)
        gone = [name for name in site.snapshot() if any(f"load_timestamp={stamp}" in name for stamp in stamps)]
        assert gone == []
        for stamp in stamps:
            assert site.admin.get(f"{PAYMENTS}/loads/{stamp}").json()["status"] == "expired"
            message_of(site.admin.get(f"{PAYMENTS}/loads/{stamp}/file"), 404)
        assert "Lantern" in site.admin.get(PREVIEW).text
        assert len([event for event in site.logged() if event["stage"] == "expired"]) == 2
        assert site.admin.post(f"{HOME}/retention", dryRun="false").json()["expired"] == []

    def test_deletes_nothing_under_legal_hold(self, site):
        site.admin.put(HOME, {"metadata": {"retentionPeriod": 30}})
        take_old(site, 400)
        site.admin.put(f"{HOME}/legal-hold", {"reason": "why"})
        before = site.snapshot()
        found = site.admin.post(f"{HOME}/retention", dryRun="false").json()
        assert found == {"dryRun": False, "legalHold": True, "expired": []}
        assert site.snapshot() == before

    @pytest.mark.parametrize(("path", "status"), [
        ("/data-product/nothing/retention", 404), (f"{HOME}/retention?dryRun=maybe", 400),
        (f"{HOME}/retention?dryRun=", 400),
    ])  # fmt: skip
    def test_of_what_is_not_there(self, still, path, status):
        message_of(still.admin.post(path), status)


def test_the_service_is_well_and_asks_for_no_token(still):
    answer = still.bearer(None).get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


def test_health_is_asked_by_get_alone(still):
    answer = still.bearer(None).post("/health")
    assert answer.headers["allow"] == "GET"
    message_of(answer, 405)

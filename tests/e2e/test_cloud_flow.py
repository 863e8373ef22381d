"""The deployed system from end to end, on an emulator: API, uploads, events, Lambdas, Glue and Athena."""

from __future__ import annotations

import csv
import io
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from daap.model.loads import LoadStatus
from tests.api.site import BAD, GOOD, make_metadata, make_schema, message_of
from tests.support.cloud import AT_ONCE, Cloud, running_cloud, wait_for
from tests.support.emulator import emulator_name
from tests.support.localstack import running_localstack

TABLE = "payments"
ROWS = 500_000
UPLOADS = int(os.environ.get("DAAP_E2E_UPLOADS", "20"))
"""How many files are sent at once; `make e2e` sends 200."""
CLOUDS = {"ministack": running_cloud, "localstack": running_localstack}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    with CLOUDS[emulator_name()](tmp_path_factory.mktemp("athena")) as cloud:
        yield cloud


@pytest.fixture
def product(cloud, request) -> Iterator[str]:
    """A product of this test's own, with one table."""
    name = request.node.name.partition("[")[0].removeprefix("test_")[:60]
    register(cloud, name)
    yield name
    if cloud.call("GET", f"/data-product/{name}").status_code == 200:
        assert cloud.call("DELETE", f"/data-product/{name}").status_code == 200


def register(cloud: Cloud, name: str) -> None:
    assert cloud.call("POST", "/data-product/register", json={"metadata": make_metadata(name)}).status_code == 201
    path = f"/data-product/{name}/table/{TABLE}/schema"
    assert cloud.call("POST", path, json={"schema": make_schema()}).status_code == 200


def make_payments(number: int) -> bytes:
    return f"supplier,amount\nLantern {number},{number}.50\nMoss,7.00\n".encode()


def test_a_file_comes_from_the_api_to_the_preview(cloud, product):
    upload = cloud.upload(product, TABLE, GOOD, "march.csv")
    (receipt,) = cloud.await_loads(product, 1)
    assert (receipt.status, receipt.source_name, receipt.actor) == (LoadStatus.CURATED, "march.csv", "admin")
    assert (receipt.rows_read, receipt.rows_written) == (2, 2)
    assert receipt.curated_by
    assert receipt.curated_by.name == "athena"
    status = cloud.call("GET", f"/data-product/{product}/table/{TABLE}/upload/{upload}").json()
    assert status["status"] == "curated"
    preview = cloud.call("GET", f"/data-product/{product}/table/{TABLE}/preview")
    assert preview.status_code == 200
    assert "| Lantern" in preview.text
    (raw,) = cloud.keys(f"raw/{product}/")
    assert cloud.deployment.store.read(raw)[0] == GOOD
    assert cloud.keys(f"landing/{product}/") == []
    sql = f'SELECT supplier, amount FROM "{product}_v1"."{TABLE}_latest" ORDER BY 1'
    rows = cloud.deployment.query.query(sql).read_all().to_pylist()
    assert [(row["supplier"], str(row["amount"])) for row in rows] == [("Lantern", "12.50"), ("Moss", "7.00")]


def test_what_happened_is_a_table(cloud, product):
    cloud.upload(product, TABLE, GOOD)
    cloud.await_loads(product, 1)
    sql = f"SELECT stage FROM daap_logs.events WHERE product = '{product}' ORDER BY time"

    def told() -> list[str]:
        return [row["stage"] for row in cloud.deployment.query.query(sql).read_all().to_pylist()]

    wait_for(lambda: "curated" in told())
    assert {"registered", "announced", "landed", "checked", "archived", "curated"} <= set(told())


def test_a_bad_file_is_kept_in_fail_with_its_report(cloud, product):
    cloud.upload(product, TABLE, BAD)
    (receipt,) = cloud.await_loads(product, 1)
    assert receipt.status is LoadStatus.FAILED
    assert receipt.errors
    assert receipt.errors.total == 2
    (kept,) = (key for key in cloud.keys(f"fail/{product}/") if ".errors." not in key)
    assert cloud.deployment.store.read(kept)[0] == BAD
    path = f"/data-product/{product}/table/{TABLE}/loads/{receipt.load_timestamp}/errors"
    report = cloud.call("GET", path).json()
    assert [(error["line"], error["column"], error["value"]) for error in report["errors"]] == [
        (3, "amount", "much"), (4, "amount", "more"),
    ]  # fmt: skip
    annotated = cloud.deployment.store.read(receipt.errors.annotated or "")[0].decode()
    assert len(list(csv.reader(io.StringIO(annotated)))) == 4
    assert cloud.snapshots(product, TABLE) == []


def test_a_file_may_be_dropped_into_the_bucket(cloud, product):
    cloud.deployment.store.put(f"landing/{product}/{TABLE}/april.csv", GOOD)
    (receipt,) = cloud.await_loads(product, 1)
    assert (receipt.status, receipt.source_name) == (LoadStatus.CURATED, "april.csv")
    assert cloud.keys(f"landing/{product}/") == []


def test_an_event_may_come_ten_times(cloud, product):
    cloud.upload(product, TABLE, GOOD)
    (receipt,) = cloud.await_loads(product, 1)
    (raw,) = cloud.keys(f"raw/{product}/")
    landing = raw.replace("raw/", "landing/", 1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        calls = [("landing-to-raw", landing), ("athena-load", raw)] * 10
        answers = list(pool.map(lambda call: cloud.invoke(call[0], cloud.event_of(call[1])), calls))
    assert {answer["outcome"] for answer in answers} == {"nothing_to_do"}
    assert cloud.snapshots(product, TABLE) == [receipt.load_timestamp]
    assert cloud.receipts(product) == [receipt]
    assert cloud.keys(f"raw/{product}/") == [raw]


def test_many_files_come_at_once(cloud, product):
    cloud.upload_many(product, TABLE, [make_payments(number) for number in range(UPLOADS)])
    receipts = cloud.await_loads(product, UPLOADS, patience=30 + UPLOADS * 4)
    assert [receipt.status for receipt in receipts] == [LoadStatus.CURATED] * UPLOADS
    stamps = [receipt.load_timestamp for receipt in receipts]
    assert len(set(stamps)) == UPLOADS
    assert cloud.snapshots(product, TABLE) == sorted(stamps)
    kept = sorted(cloud.deployment.store.read(key)[0] for key in cloud.keys(f"raw/{product}/"))
    assert kept == sorted(make_payments(number) for number in range(UPLOADS))
    sql = f'SELECT DISTINCT load_timestamp AS stamp FROM "{product}_v1"."{TABLE}_latest"'
    wait_for(lambda: cloud.deployment.query.query(sql).read_all().to_pylist() == [{"stamp": max(stamps)}])
    wait_for(lambda: cloud.claims(product) == [])


@pytest.mark.parametrize("half", ["landing-to-raw", "athena-load"])
def test_a_lambda_may_be_killed_in_the_middle(cloud, product, half):
    data = b"supplier,amount\n" + b"".join(b"Lantern %d,%d.25\n" % (n, n) for n in range(ROWS))
    cloud.upload(product, TABLE, data)
    begun = LoadStatus.LANDED if half == "landing-to-raw" else LoadStatus.ARCHIVED
    wait_for(lambda: [receipt.status for receipt in cloud.receipts(product)] == [begun], pause=0.01)
    workers = cloud.workers(half)
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    (receipt,) = cloud.await_loads(product, 1)
    assert (receipt.status, receipt.rows_written) == (LoadStatus.CURATED, ROWS)
    (raw,) = cloud.keys(f"raw/{product}/")
    assert cloud.deployment.store.read(raw)[0] == data
    assert cloud.snapshots(product, TABLE) == [receipt.load_timestamp]
    wait_for(lambda: cloud.claims(product) == [])


def test_who_has_no_token_or_none_for_this_is_stopped_at_the_gate(cloud, product):
    reader = cloud.make_token("read:other")
    path = f"/data-product/{product}"
    assert cloud.call("GET", "/health", "").status_code == 200
    assert cloud.call("GET", path, "").status_code == 401
    assert cloud.call("GET", path, "daap_nobody").status_code == 401
    message_of(cloud.call("GET", path, reader), 403)
    assert cloud.call("GET", "/data-product", reader).json()["products"] == []


def test_a_product_that_is_deleted_leaves_nothing(cloud, product):
    cloud.upload(product, TABLE, GOOD)
    cloud.upload(product, TABLE, BAD)
    cloud.await_loads(product, 2)
    wait_for(lambda: cloud.claims(product) == [])
    assert cloud.call("DELETE", f"/data-product/{product}").status_code == 200
    left = [key for zone in ("landing", "raw", "curated", "fail", "metadata") for key in cloud.keys(f"{zone}/")]
    assert [key for key in left if product in key] == []
    databases = cloud.clients.glue.get_databases()["DatabaseList"]
    tables = [
        table["Name"] for database in databases if database["Name"].startswith(product)
        for table in cloud.clients.glue.get_tables(DatabaseName=database["Name"])["TableList"]
    ]  # fmt: skip
    assert tables == []
    assert cloud.call("GET", f"/data-product/{product}").status_code == 404


def test_curated_is_made_anew_from_raw(cloud, product):
    cloud.upload(product, TABLE, GOOD)
    cloud.await_loads(product, 1)
    answer = cloud.call("POST", f"/data-product/{product}/reload")
    assert (answer.status_code, answer.json()) == (202, {"message": f"the reload of {product} has begun"})
    wait_for(lambda: cloud.receipts(product)[0].rebuilt is not None)
    assert "| Lantern" in cloud.call("GET", f"/data-product/{product}/table/{TABLE}/preview").text


def test_a_reconciler_finds_what_no_event_came_for(cloud, product):
    cloud.upload(product, TABLE, GOOD)
    (receipt,) = cloud.await_loads(product, 1)
    cloud.deployment.catalogue.withdraw(receipt.load)
    answer = cloud.invoke("resync", {"product": product})
    assert (answer["done"], answer["failed"]) == (1, [])
    assert cloud.snapshots(product, TABLE) == [receipt.load_timestamp]

"""What is done less often with a deployed lake, by the API through API Gateway: each Lambda has the rights it needs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import requests

from daap.model.keys import receipt_key
from daap.model.loads import LoadStatus, Receipt
from tests.api.site import BAD, GOOD, make_metadata, make_schema, message_of
from tests.support.cloud import Cloud, running_cloud, wait_for

pytestmark = pytest.mark.slow

TABLE = "payments"
CHANGED = make_schema(("supplier", "string"), ("amount", "double"))
LARGE = b"supplier,amount\n" + b"".join(b"Lantern %d,%d.25\n" % (number, number) for number in range(400_000))
"""More than a Lambda may answer with."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("athena"), "--parameter", "Engine=duckdb") as cloud:
        yield cloud


@pytest.fixture
def home(cloud, request) -> Iterator[str]:
    """The path of a product of this test's own, with a table and a files component."""
    name = request.node.name.partition("[")[0].removeprefix("test_")[:60]
    spec = {"tables": {TABLE: make_schema()}, "files": {"papers": {"description": "As they come"}}}
    answer = cloud.call("POST", "/data-product/register", json={"metadata": make_metadata(name), **spec})
    assert answer.status_code == 201, answer.text
    yield f"/data-product/{name}"
    assert cloud.call("DELETE", f"/data-product/{name}").status_code == 200
    left = [key for zone in ("landing", "raw", "curated", "fail", "metadata") for key in cloud.keys(f"{zone}/")]
    assert [key for key in left if name in key] == []


def take(cloud: Cloud, home: str, data: bytes, name: str = "a.csv", table: str = TABLE) -> Receipt:
    """Uploads a file; returns the receipt of its load once that has come to its end."""
    product = home.rpartition("/")[2]
    before = {receipt.load for receipt in cloud.receipts(product)}
    cloud.upload(product, table, data, name)
    found: list[Receipt] = []

    def is_done() -> bool:
        found[:] = [one for one in cloud.receipts(product) if one.load not in before and one.is_final]
        return bool(found)

    wait_for(is_done)
    wait_for(lambda: cloud.claims(product) == [])
    return found[0]


def loads_of(home: str, receipt: Receipt) -> str:
    return f"{home}/table/{receipt.table}/loads/{receipt.load_timestamp}"


@pytest.mark.parametrize(("data", "name", "table"), [
    (b"%PDF\xff\x00\xfe", "contract 1+2.pdf", "papers"), (BAD, "märz.csv", TABLE), (LARGE, "large.csv", TABLE),
], ids=["bytes", "refused", "large"])  # fmt: skip
def test_a_file_comes_back_byte_for_byte(cloud, home, data, name, table):
    receipt = take(cloud, home, data, name, table)
    answer = cloud.call("GET", f"{loads_of(home, receipt)}/file", allow_redirects=False)
    assert answer.status_code == 307, answer.text
    found = requests.get(answer.headers["Location"], timeout=60)
    assert (found.status_code, found.content) == (200, data)
    if receipt.status is LoadStatus.FAILED:
        report = cloud.call("GET", f"{loads_of(home, receipt)}/errors?format=csv")
        assert report.headers["content-type"] == "text/csv; charset=utf-8"
        assert report.text.count("type_error") == 2
    message_of(cloud.call("GET", f"{loads_of(home, receipt)}/file", cloud.make_token("upload:*")), 403)


def test_a_changed_type_carries_the_newest_snapshot(cloud, home):
    receipt = take(cloud, home, GOOD)
    table = f"{home}/table/{TABLE}"
    assert cloud.call("POST", f"{table}/schema/rehearse", json={"schema": CHANGED}).json()["refused"] == []
    answer = cloud.call("PUT", f"{table}/schema", json={"schema": CHANGED})
    assert (answer.status_code, answer.json()["version"]) == (200, "v2.0")
    assert answer.json()["carried"] == {TABLE: str(receipt.load)}
    previews = [cloud.call("GET", f"{table}/preview", params={"major": major}) for major in (1, 2)]
    assert [preview.status_code for preview in previews] == [200, 200]
    assert all("| Lantern | 12.5" in preview.text for preview in previews)
    assert cloud.call("DELETE", table).json()["message"].endswith("v3.0 now")
    assert cloud.call("GET", f"{table}/loads", params={"major": 1}).json()["loads"] == []
    assert [key for zone in ("raw", "curated") for key in cloud.keys(f"{zone}/{receipt.product}/")] == []


def test_a_large_file_goes_up_in_parts(cloud, home):
    product, table = home.rpartition("/")[2], f"{home}/table/{TABLE}"
    begun = cloud.call("POST", f"{table}/upload/multipart", json={"filename": "l.csv", "contentLength": len(LARGE)})
    (url,), path = begun.json()["urls"], f"{table}/upload/multipart/{begun.json()['uploadId']}"
    etag = requests.put(url, data=LARGE, timeout=60).headers["ETag"]
    ended = cloud.call("POST", f"{path}/complete", json={"handle": begun.json()["handle"], "etags": [etag]})
    assert ended.status_code == 200, ended.text
    (receipt,) = cloud.await_loads(product, 1)
    assert (receipt.status, receipt.rows_written) == (LoadStatus.CURATED, 400_000)
    other = cloud.call("POST", f"{table}/upload/multipart", json={"filename": "l.csv", "contentLength": 5_000_000_000})
    path = f"{table}/upload/multipart/{other.json()['uploadId']}"
    assert cloud.call("DELETE", path, params={"handle": other.json()["handle"]}).status_code == 200
    wait_for(lambda: cloud.claims(product) == [])


def test_what_is_held_stays_and_what_is_old_goes(cloud, home):
    product, old = home.rpartition("/")[2], "20100101T000000Z"
    receipt = take(cloud, home, GOOD)
    cloud.deployment.store.put(f"landing/{product}/v1/{TABLE}/load_timestamp={old}/{uuid.uuid4()}.csv", GOOD)
    cloud.await_loads(product, 2)
    wait_for(lambda: cloud.claims(product) == [])
    assert cloud.call("PUT", f"{home}/legal-hold", json={"reason": "inquiry"}).status_code == 200
    message_of(cloud.call("DELETE", home), 409)
    cloud.invoke("retention", {"product": None, "actor": "schedule"})
    assert cloud.snapshots(product, TABLE) == [old, receipt.load_timestamp]
    assert cloud.call("DELETE", f"{home}/legal-hold").status_code == 200
    answer = cloud.invoke("retention", {"product": None, "actor": "schedule"})
    assert (answer["done"], answer["failed"]) == (1, [])
    assert cloud.snapshots(product, TABLE) == [receipt.load_timestamp]
    assert [key for zone in ("raw", "curated") for key in cloud.keys(f"{zone}/{product}/") if old in key] == []
    assert cloud.call("POST", f"{home}/retention", params={"dryRun": False}).json()["expired"] == []


def test_a_lost_receipt_is_written_again(cloud, home):
    receipt = take(cloud, home, GOOD)
    cloud.deployment.store.delete(receipt_key(receipt.load))
    answer = cloud.invoke("resync", {"product": None, "actor": "schedule"})
    assert (answer["done"], answer["failed"]) == (1, [])
    assert cloud.receipt(receipt.load).status is LoadStatus.CURATED
    assert cloud.snapshots(receipt.product, TABLE) == [receipt.load_timestamp]


def test_the_gateway_changes_no_bytes(cloud):
    latin = make_metadata("latin", description="Caf\xe9")
    body = str(latin).replace("'", '"').replace("False", "false").encode("latin-1")
    sent = {"data": b'{"metadata": %s}' % body, "params": {"a": ["1", "2"]}}
    message_of(cloud.call("POST", "/data-product/register", **sent), 400)
    icon = requests.get(f"{cloud.outputs['ApiUrl']}/docs/files/favicon-32x32.png", timeout=60)
    assert (icon.status_code, icon.content[:4]) == (200, b"\x89PNG")
    for method, path, status in [
        ("GET", "/data-product/a%2Fb", 404), ("GET", "/data-product/sp%C3%A9nd", 400),
        ("PATCH", "/data-product/x", 405), ("GET", "/data-product/nothing", 404), ("GET", "/docs/nothing", 404),
    ]:  # fmt: skip
        message_of(cloud.call(method, path), status)

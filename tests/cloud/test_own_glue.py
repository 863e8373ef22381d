"""An emulator without Glue, without authorisers and with another address outside than inside, as LocalStack is.

Run on ministack, which has all of it: what is told to be elsewhere is asked for there and nowhere else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property

import pytest
import requests

from daap.model.loads import LoadStatus
from daap_cloud.clients import Clients
from daap_cloud.deploy.release import Release
from daap_cloud.deploy.stack import Stack
from daap_local.cloud.children import running
from daap_local.cloud.deployment import deploy_lake, open_emulator
from daap_local.cloud.probe import athena_request
from tests.api.site import GOOD, make_metadata, make_schema
from tests.support.cloud import Cloud
from tests.support.emulator import CREDENTIALS, cloud_clients, running_emulator
from tests.support.sockets import take_port

pytestmark = pytest.mark.slow

_STACK, _TABLE = "lake", "payments"
_TIMEOUT = 60


class _Elsewhere(Cloud):
    """A cloud whose Glue is where its Athena is."""

    @cached_property
    def clients(self) -> Clients:
        """See Cloud."""
        return cloud_clients(self.url, athena=self.athena, glue=self.athena, **{"lambda": self.url})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("athena")
    with take_port() as listener:
        port = listener.getsockname()[1]
    athena = f"http://127.0.0.1:{port}"
    with running_emulator() as url:
        words = ("athena", "--port", str(port), "--allow-host", "athena", "--s3-endpoint", url)
        command = (sys.executable, "daap_local", "--root", str(folder / "lake"), *words)
        with running("athena", command, {"PATH": "", **CREDENTIALS}, folder) as child:
            child.await_answer(athena_request(athena))
            public = url.replace("127.0.0.1", "localhost")
            release = Release(
                as_zip=True, athena=athena, glue=athena, public=public, parameters={"UseAuthorizer": "false"}
            )
            lake = deploy_lake(url, _STACK, release, lambda _: None)
            outputs = Stack(open_emulator(url).formation, _STACK).outputs()
            yield _Elsewhere(url, athena, outputs, lake.token)


def test_a_file_comes_from_the_api_to_the_preview(cloud):
    name = "elsewhere"
    assert cloud.call("POST", "/data-product/register", json={"metadata": make_metadata(name)}).status_code == 201
    path = f"/data-product/{name}/table/{_TABLE}"
    assert cloud.call("POST", f"{path}/schema", json={"schema": make_schema()}).status_code == 200
    cloud.upload(name, _TABLE, GOOD)
    (receipt,) = cloud.await_loads(name, 1)
    assert (receipt.status, receipt.rows_written) == (LoadStatus.CURATED, 2)
    assert "| Lantern" in cloud.call("GET", f"{path}/preview").text
    databases = {one["Name"] for one in cloud.clients.glue.get_databases()["DatabaseList"]}
    assert {f"{name}_v1", "daap_logs", "daap_work"} <= databases
    emulated = open_emulator(cloud.url).clients.glue
    assert f"{name}_v1" not in {one["Name"] for one in emulated.get_databases()["DatabaseList"]}
    assert cloud.call("DELETE", f"/data-product/{name}").status_code == 200
    assert f"{name}_v1" not in {one["Name"] for one in cloud.clients.glue.get_databases()["DatabaseList"]}


def test_what_is_handed_out_bears_the_address_outside(cloud):
    name = "outside"
    assert cloud.call("POST", "/data-product/register", json={"metadata": make_metadata(name)}).status_code == 201
    path = f"/data-product/{name}/table/{_TABLE}"
    assert cloud.call("POST", f"{path}/schema", json={"schema": make_schema()}).status_code == 200
    body = {"filename": "a.csv", "contentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    form = cloud.call("POST", f"{path}/upload", json=body).json()["URL"]
    public = cloud.url.replace("127.0.0.1", "localhost")
    assert form["url"].startswith(f"{public}/")
    assert cloud.outputs["ApiUrl"].startswith(f"{public}/restapis/")


def test_without_an_authoriser_the_api_itself_asks_for_tokens(cloud):
    assert cloud.call("GET", "/health").json()["status"] == "ok"
    assert cloud.call("GET", "/data-product", token="").status_code == 401
    assert cloud.call("GET", "/data-product", token="daap_somebody_else").status_code == 401  # noqa: S106 - nobody's
    assert cloud.call("GET", "/data-product").status_code == 200
    assert cloud.call("GET", "/data-product", token=cloud.make_token("read:nothing")).json()["products"] == []


def test_athena_answers_to_the_name_it_was_given_and_to_no_other(cloud):
    headers = {"X-Amz-Target": "AmazonAthena.ListWorkGroups"}

    def ask(host: str) -> int:
        return requests.post(cloud.athena, "{}", headers={**headers, "Host": host}, timeout=_TIMEOUT).status_code

    assert ask("athena:4568") == 200
    assert ask("127.0.0.1:4568") == 200
    assert ask("elsewhere.example:4568") == 403

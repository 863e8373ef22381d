"""A deployed lake with OpenMetadata: it follows what is done by the API, and makes nobody wait when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import boto3
import pytest
from starlette.responses import JSONResponse

from tests.api.site import make_metadata, make_schema
from tests.support.cloud import STACK, Cloud, running_cloud, wait_for
from tests.support.emulator import CREDENTIALS
from tests.support.openmetadata import TOKEN, OpenMetadata, running_openmetadata
from tests.support.processes import PROJECT

pytestmark = pytest.mark.slow

HOME = "/data-product/spend"


@pytest.fixture(scope="module")
def service() -> Iterator[OpenMetadata]:
    with running_openmetadata() as service:
        yield service


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("athena")) as cloud:
        yield cloud


def _keep_secret(cloud: Cloud) -> str:
    """The token as a secret; its ARN."""
    secrets = boto3.client(
        "secretsmanager", endpoint_url=cloud.url, region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    return secrets.create_secret(Name="openmetadata", SecretString=TOKEN)["ARN"]


def _choose(cloud: Cloud, **chosen: str) -> None:
    """Gives a stack that is there another catalogue."""
    given = [word for name, value in chosen.items() for word in ("--parameter", f"{name}={value}")]
    command = [sys.executable, "-m", "daap_cloud.deploy", "up", "--stack", STACK, "--endpoint-url", cloud.url, *given]
    done = subprocess.run(  # noqa: S603 - our own
        command, env={**os.environ, **CREDENTIALS}, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def state(cloud: Cloud) -> dict:
    return cloud.call("GET", HOME).json()["catalogue"] or {}


def test_it_follows_and_is_mended(cloud, service):
    arn = _keep_secret(cloud)
    _choose(cloud, CataloguePublisher="openmetadata", OpenMetadataUrl=service.url, OpenMetadataTokenSecretArn=arn)
    assert cloud.call("POST", "/data-product/register", json={"metadata": make_metadata("spend")}).status_code == 201
    schema = {"schema": make_schema()}
    assert cloud.call("POST", f"{HOME}/table/payments/schema", json=schema).status_code == 200
    wait_for(lambda: "daap.spend.spend_v1.payments" in service.names("tables"))
    wait_for(lambda: state(cloud).get("state") == "published")

    service.rubbish = JSONResponse({"message": "down"}, 400)
    began = time.monotonic()
    changed = {"metadata": {"name": "spend", "description": "Other words"}}
    assert cloud.call("PUT", HOME, json=changed).json() == {"version": "v1.1"}
    assert time.monotonic() - began < 10
    wait_for(lambda: state(cloud).get("state") == "failed")
    assert "down" in state(cloud)["error"]

    service.rubbish = None
    cloud.invoke("resync", {})
    wait_for(lambda: state(cloud).get("state") == "published")
    assert service.held["databases"]["daap.spend"]["description"].startswith("Other words")

    assert cloud.call("DELETE", HOME).status_code == 200
    wait_for(lambda: not service.names("databases"))
    wait_for(lambda: not cloud.keys("metadata/catalogue-pushes/"))


def test_pages_are_written_by_the_lambda(cloud):
    _choose(cloud, CataloguePublisher="files")
    assert cloud.call("POST", "/data-product/register", json={"metadata": make_metadata("spend")}).status_code == 201
    wait_for(lambda: state(cloud).get("state") == "published")
    assert "metadata/catalogue-pages/products/spend.html" in cloud.keys("metadata/catalogue-pages/")
    assert cloud.call("DELETE", HOME).status_code == 200
    wait_for(lambda: cloud.keys("metadata/catalogue-pages/") == ["metadata/catalogue-pages/index.html"])

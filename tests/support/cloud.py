"""A whole deployment on this machine: an emulator, Athena beside it, the stack, and clients of its API."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import requests

from daap.access.grants import parse_grant
from daap.access.tokens import TokenStore
from daap.model.loads import LoadId, Receipt, TableRef
from daap.pipeline.claims import open_claims
from daap_cloud.clients import Clients
from daap_cloud.settings import Settings
from daap_cloud.wiring import Deployment
from tests.support.emulator import CREDENTIALS, MINISTACK_EVENTS, cloud_clients, running_emulator
from tests.support.processes import PROJECT, make_command

STACK = "lake"
_TIMEOUT = 60
AT_ONCE = 4
"""How many files are checked, and how many loads curated, at once: each takes a process of this machine."""
_PATIENCE = 120.0
_FORMS, _FILES = 4, 50
"""How many calls of the API and how many uploads are under way at once: each call may start a process here."""
_URL = re.compile(r"http://127\.0\.0\.1:[0-9]+")
_ZONES = ("landing", "data", "metadata", "logs", "results")


@dataclass
class Cloud:
    """A deployment: the emulator's address and Athena's, what the stack tells of itself, and a token for everything."""

    url: str
    athena: str
    outputs: dict[str, str]
    token: str

    quotes: ClassVar[bool] = False
    """Whether events have objects' names with percent signs, unlike in AWS."""

    @cached_property
    def clients(self) -> Clients:
        """AWS clients."""
        return cloud_clients(self.url, athena=self.athena, **{"lambda": self.url})

    @cached_property
    def deployment(self) -> Deployment:
        """The deployed lake, seen from here."""
        buckets = {f"{zone}_bucket": self.outputs[f"{zone.title()}Bucket"] for zone in _ZONES}
        return Deployment(Settings.model_validate({**buckets, "work_group": self.outputs["WorkGroup"]}), self.clients)

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """A call of the API; with no token if it is empty."""
        given = self.token if token is None else token
        headers = {"authorizationToken": given} if given else {}
        return requests.request(method, self.outputs["ApiUrl"] + path, headers=headers, timeout=_TIMEOUT, **options)

    def make_token(self, grant: str) -> str:
        """A token for somebody with one grant."""
        return TokenStore(self.deployment.store).create("somebody", [parse_grant(grant)])[0]

    def upload(self, product: str, table: str, data: bytes, name: str = "a.csv") -> str:
        """Sends a file by a form of the API; returns the upload's id."""
        answer = self.get_form(product, table, data, name)
        _send_file(answer["URL"], data, name)
        return str(answer["uploadId"])

    def upload_many(self, product: str, table: str, files: list[bytes]) -> None:
        """Sends files at once, when there is a form for each."""
        with ThreadPoolExecutor(_FORMS) as pool:
            answers = list(pool.map(lambda data: self.get_form(product, table, data, "a.csv"), files))
        with ThreadPoolExecutor(_FILES) as pool:
            list(pool.map(lambda answer, data: _send_file(answer["URL"], data, "a.csv"), answers, files))

    def get_form(self, product: str, table: str, data: bytes, name: str) -> dict[str, Any]:
        """What the API answers to who wants to upload a file."""
        md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        path = f"/data-product/{product}/table/{table}/upload"
        answer = self.call("POST", path, json={"filename": name, "contentMD5": md5})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def receipt(self, load: LoadId) -> Receipt:
        """The receipt of a load; raises UnknownLoad."""
        return self.deployment.lake.ledger.get(load)

    def receipts(self, product: str) -> list[Receipt]:
        """All receipts of a product."""
        return list(self.deployment.lake.ledger.list(product))

    def await_loads(self, product: str, number: int, patience: float = _PATIENCE) -> list[Receipt]:
        """The receipts of a product, once so many loads have come to their end."""
        wait_for(lambda: sum(one.is_final for one in self.receipts(product)) >= number, patience)
        return self.receipts(product)

    def claims(self, product: str) -> list[str]:
        """The names of a product's files that are on their way."""
        return [claim.name for claim in open_claims(self.deployment.store) if claim.product == product]

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix."""
        return [info.key for info in self.deployment.store.list(prefix)]

    def snapshots(self, product: str, table: str, major: int = 1) -> list[str]:
        """The load timestamps of a table's snapshots."""
        return list(self.deployment.catalogue.snapshots(TableRef(product, major, table)))

    def function(self, name: str) -> str:
        """The name of a Lambda."""
        return f"{STACK}-{name}"

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Calls a Lambda and waits for its answer; fails if that is an error."""
        answer = self.clients.functions.invoke(FunctionName=self.function(name), Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def send(self, name: str, event: dict[str, Any]) -> None:
        """Calls a Lambda as EventBridge does, which waits for nothing and tries again."""
        self.clients.functions.invoke(
            FunctionName=self.function(name), InvocationType="Event", Payload=json.dumps(event).encode()
        )

    def workers(self, name: str) -> list[int]:
        """The processes in which the emulator runs a Lambda."""
        marks = (
            f"AWS_LAMBDA_FUNCTION_NAME={self.function(name)}\0".encode(),
            f"AWS_ENDPOINT_URL={self.url}\0".encode(),
        )
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended, or is none of ours
                environment = (folder / "environ").read_bytes() + b"\0"
                if all(mark in environment for mark in marks):
                    found.append(int(folder.name))
        return found

    def event_of(self, key: str) -> dict[str, Any]:
        """What EventBridge tells of a new object."""
        bucket, name = self.deployment.store.place(key)
        name = quote(name) if self.quotes else name
        return {
            "version": "0", "detail-type": "Object Created", "source": "aws.s3",
            "detail": {"bucket": {"name": bucket}, "object": {"key": name}, "reason": "PutObject"},
        }  # fmt: skip


def _send_file(form: dict[str, Any], data: bytes, name: str) -> None:
    sent = requests.post(form["url"], data=form["fields"], files={"file": (name, data)}, timeout=_TIMEOUT)
    assert sent.status_code == 204, sent.text


def wait_for(holds: Callable[[], bool], patience: float = _PATIENCE, pause: float = 0.2) -> None:
    """Looks every `pause` seconds until something holds; fails if it does not in `patience` seconds."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(pause)


@contextmanager
def running_cloud(folder: Path, *options: str, **environment: str) -> Iterator[Cloud]:
    """Deploys to a fresh emulator; `options` are those of the deployment, `environment` the emulator's."""
    with running_emulator(MINISTACK_EVENTS, **environment) as url, running_athena(folder, url) as athena:
        outputs = deploy(url, "up", "--stack", STACK, "--athena-endpoint", athena, *options)
        token = deploy(url, "token", "--stack", STACK)
        cloud = Cloud(url, athena, dict(line.split("=", 1) for line in outputs.splitlines()), token.strip())
        _limit_functions(cloud)
        yield cloud


def _limit_functions(cloud: Cloud) -> None:
    """As the template's LandingConcurrency and LoadConcurrency, which ministack's CloudFormation passes over."""
    for name in ("landing-to-raw", "athena-load"):
        cloud.clients.functions.put_function_concurrency(
            FunctionName=cloud.function(name), ReservedConcurrentExecutions=AT_ONCE
        )


@contextmanager
def running_athena(folder: Path, url: str, *, own_glue: bool = False) -> Iterator[str]:
    """Our Athena over an emulator's S3 and Glue, or with a Glue of its own."""
    glue = () if own_glue else ("--glue-endpoint", url)
    command = make_command(folder, "athena", "--port", "0", "--s3-endpoint", url, *glue)
    environment = {**os.environ, **CREDENTIALS}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout
            found = next((one[0] for line in process.stdout if (one := _URL.search(line))), None)
            assert found, "Athena does not start"
            yield found
        finally:
            process.terminate()


def deploy(url: str, command: str, *words: str) -> str:
    """Runs `python -m daap_cloud.deploy`; returns what it prints."""
    whole = [sys.executable, "-m", "daap_cloud.deploy", command, *words, "--endpoint-url", url]
    environment = {**os.environ, **CREDENTIALS}
    done = subprocess.run(whole, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout

"""AWS on this machine: an emulator as a process of its own, and clients for it."""

from __future__ import annotations

import atexit
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import boto3
import botocore.loaders
import botocore.session
import pytest

from daap_cloud.clients import Clients
from daap_cloud.settings import Settings
from tests.support.sockets import take_port

PROJECT = Path(__file__).parents[2]
REGION = "eu-west-2"
KEY_ID = SECRET = "test"  # noqa: S105 - what emulators take
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION}
"""The environment of a program that talks to an emulator, but for its address (AWS_ENDPOINT_URL)."""

_TRIES = 3
_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Emulator:
    """How one is started: where its virtual environment is and who makes it, its module, a page that tells it is up."""

    folder: str
    target: str
    module: str
    page: str
    settings: Mapping[str, str]
    """Its environment; `{port}` is where it is to listen."""


MINISTACK = Emulator(
    ".venv-ministack",
    "make test",
    "ministack",
    "/_ministack/health",
    {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": "{port}",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",  # checks signatures, those of forms included, and policies
        "IOT_MTLS_ENABLED": "0",  # these two listen on ports of their own
        "SFTP_ENABLED": "0",
    },
)
LOCALSTACK = Emulator(
    ".venv-localstack",
    "make localstack",
    "localstack.runtime.main",
    "/_localstack/health",
    {
        "GATEWAY_LISTEN": "127.0.0.1:{port}",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",  # it tells nobody that it runs
        "DNS_ADDRESS": "0",
    },
)
_RUNNERS = {"PYTHONPATH": str(PROJECT / "tests" / "emulators")}
MINISTACK_EVENTS = replace(MINISTACK, module="run_ministack", settings={**MINISTACK.settings, **_RUNNERS})
"""ministack whose EventBridge loses no event."""
LOCALSTACK_FUNCTIONS = replace(LOCALSTACK, module="run_localstack", settings={**LOCALSTACK.settings, **_RUNNERS})
"""LocalStack that keeps Lambda's functions, and does not run them."""


@contextmanager
def running_emulator(kind: Emulator = MINISTACK, **environment: str) -> Iterator[str]:
    """Starts an emulator on a free port, with what `environment` adds; gives its address, and ends it with the block.

    It ends with this process too, however that ends.
    """
    with tempfile.TemporaryDirectory(prefix="daap-emulator-", ignore_cleanup_errors=True) as folder:
        process, url = _start(kind, Path(folder), environment)
        try:
            yield url
        finally:
            _end(process)


def _start(kind: Emulator, folder: Path, environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(_TRIES):  # another program may take the port before the emulator does
        port = _free_port()
        url, log = f"http://127.0.0.1:{port}", folder / f"{port}.log"
        process = _launch(kind, port, folder, log, environment)
        if _answers(process, url + kind.page):
            return process, url
        _end(process)
    pytest.fail(f"{kind.module} does not start:\n{log.read_text(errors='replace')[-3000:]}", pytrace=False)


def _launch(
    kind: Emulator, port: int, folder: Path, log: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    known = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {name: value.replace("{port}", str(port)) for name, value in kind.settings.items()}
    given = {**known, "HOME": str(folder), "TMPDIR": str(folder), **CREDENTIALS, **own, **environment}
    command = [_interpreter(kind), PROJECT / "local" / "daap_local" / "cloud" / "leash.py", kind.module]
    with log.open("wb") as out:
        return subprocess.Popen(  # noqa: S603 - our own words
            command, cwd=folder, env=given, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
        )


def _interpreter(kind: Emulator) -> Path:
    python = PROJECT / kind.folder / "bin" / "python"
    if not python.exists():
        pytest.fail(f"there is no {kind.folder}: `{kind.target}` makes it", pytrace=False)
    return python


def _free_port() -> int:
    with take_port() as listener:
        return int(listener.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], page: str) -> bool:
    end = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(page, timeout=_SECONDS):  # noqa: S310 - a page of our own machine
                return True
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()
    process.wait()


def emulator_name() -> str:
    """Which emulator the tests share: ministack, unless DAAP_EMULATOR says localstack."""
    return os.environ.get("DAAP_EMULATOR", "ministack")


@cache
def shared_emulator() -> str:
    """The address of the one that all tests of this process share; each test makes buckets of its own."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(running_emulator({"ministack": MINISTACK, "localstack": LOCALSTACK}[emulator_name()]))


@cache
def cloud_clients(url: str, **others: str) -> Clients:
    """Clients of an emulator, made once; `others` are addresses of services that are elsewhere (`athena=...`)."""
    return new_clients(url, **others)


def new_clients(url: str, **others: str) -> Clients:
    """As cloud_clients, for who wants to change them."""
    return Clients(make_session(), {"s3": url, "glue": url, "athena": url, **others})


def make_session(key_id: str = KEY_ID) -> boto3.session.Session:
    """A session of its own; AWS's descriptions of the services, which take long to read, are read once for all."""
    session = botocore.session.Session()
    session.register_component("data_loader", _shared_loader())
    return boto3.session.Session(
        botocore_session=session, aws_access_key_id=key_id, aws_secret_access_key=SECRET, region_name=REGION
    )


@cache
def _shared_loader() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()


def make_settings(clients: Clients, *, keep_versions: bool = False, **changed: object) -> Settings:
    """Settings with new buckets, which are made."""
    stem = f"daap-{uuid.uuid4().hex[:12]}"
    names = {f"{name}_bucket": f"{stem}-{name}" for name in ("landing", "data", "metadata", "logs", "results")}
    for bucket in names.values():
        clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        if keep_versions:
            clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return Settings.model_validate({**names, **changed})


@pytest.fixture(scope="session")
def emulator() -> str:
    """The address of this process's emulator; import it into a module of tests to use it."""
    return shared_emulator()

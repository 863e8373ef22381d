"""The emulator and Athena, started as plain processes of this machine."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daap.errors import StoreUnavailable
from daap_local.cloud.children import Child, running
from daap_local.cloud.probe import athena_request

HOST = "127.0.0.1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-2"}
"""What the emulator takes; whatever else the environment names is left aside."""
_KEPT = ("PATH", "LANG", "LC_ALL")


@dataclass(frozen=True, slots=True)
class Wish:
    """How the cloud is to be: an interpreter that has ministack and daap, and ports; 0 takes a free one."""

    python: Path
    port: int = 4566
    athena_port: int = 4568


@dataclass(frozen=True, slots=True)
class Services:
    """What runs: the emulator's address, Athena's, the two programs, and the folder that goes with them."""

    url: str
    athena: str
    children: tuple[Child, ...]
    folder: Path


@contextmanager
def running_services(wish: Wish) -> Iterator[Services]:
    """Starts both, and ends them with the block; all that they keep is gone then. Raises StoreUnavailable."""
    if not wish.python.exists():
        raise StoreUnavailable(
            f"there is no {wish.python}; `make cloud-up` makes it, or name an interpreter by --python"
        )
    port, athena_port = _take(wish.port, "--port"), _take(wish.athena_port, "--athena-port")
    url, athena = f"http://{HOST}:{port}", f"http://{HOST}:{athena_port}"
    with tempfile.TemporaryDirectory(prefix="daap-cloud-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        emulator_words = (wish.python.absolute(), "ministack")
        with running("ministack", emulator_words, _emulator_environment(port, folder), folder) as emulator:
            emulator.await_answer(urllib.request.Request(f"{url}/_ministack/health"))  # noqa: S310 - our own address
            words = ("--root", folder / "lake", "athena", "--port", athena_port, "--s3-endpoint", url)
            command = (sys.executable, "daap_local", *map(str, words), "--glue-endpoint", url)
            with running("athena", command, _environment(folder), folder) as queries:
                queries.await_answer(athena_request(athena))
                yield Services(url, athena, (emulator, queries), folder)


def _take(port: int, option: str) -> int:
    """The port, or a free one for 0; raises StoreUnavailable where it is taken."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            raise StoreUnavailable(f"port {port} is taken; name another by {option}, or 0 for a free one") from None
        return int(listener.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    known = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**known, "HOME": str(folder), "TMPDIR": str(folder), **CREDENTIALS}


def _emulator_environment(port: int, folder: Path) -> dict[str, str]:
    own = {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": CREDENTIALS["AWS_DEFAULT_REGION"],
        "AUTH": "true",  # checks signatures, those of forms included, and policies
        "IOT_MTLS_ENABLED": "0",  # these two listen on ports of their own
        "SFTP_ENABLED": "0",
    }
    return _environment(folder) | own

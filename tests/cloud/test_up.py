"""`python -m daap_local.cloud`: the whole cloud as processes of this machine, which leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.support.processes import PROJECT
from tests.support.sockets import take_port

_TIMEOUT = 60
_PATIENCE = 90.0
_READY = "Ctrl-C ends"


@contextmanager
def _up(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command while the cloud is up, and what it printed."""
    told = folder / "told.txt"
    command = [sys.executable, "-m", "daap_local.cloud", "up", *_ports(words), *words]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    with told.open("w") as out:
        process = subprocess.Popen(  # noqa: S603 - our own words
            command, cwd=PROJECT, env=environment, stdout=out, stderr=out, text=True, start_new_session=True
        )
    try:
        end = time.monotonic() + _PATIENCE
        while _READY not in told.read_text():
            assert process.poll() is None, told.read_text()
            assert time.monotonic() < end, told.read_text()
            time.sleep(0.1)
        yield process, told.read_text()
    finally:
        process.kill()
        process.wait()


def _ports(words: tuple[str, ...]) -> list[str]:
    return [word for option in ("--port", "--athena-port") if option not in words for word in (option, "0")]


def _left(folder: Path) -> list[int]:
    """The processes whose temporary files lie below a folder: all that the command started, however deep."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended, or is none of ours
            if f"TMPDIR={folder}/daap-cloud-".encode() in (one / "environ").read_bytes():
                found.append(int(one.name))
    return found


def _wait_gone(folder: Path) -> list[int]:
    end = time.monotonic() + 15
    while (left := _left(folder)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def _find(pattern: str, told: str) -> str:
    match = re.search(pattern, told)
    assert match, told
    return match[1]


def test_the_cloud_comes_up_answers_and_leaves_nothing(tmp_path):
    with _up(tmp_path) as (process, told):
        api, token = _find(r"API:\s+(\S+)", told), _find(r"Token:\s+(daap_\S+)", told)
        assert requests.get(f"{api}/health", timeout=_TIMEOUT).json()["status"] == "ok"
        products = requests.get(f"{api}/data-product", headers={"authorizationToken": token}, timeout=_TIMEOUT)
        assert products.json()["products"] == []
        assert requests.get(f"{api}/data-product", timeout=_TIMEOUT).status_code == 401
        assert len(_left(tmp_path)) > 2  # the emulator, Athena, and Lambdas that have answered
        process.send_signal(signal.SIGINT)
        assert process.wait(_TIMEOUT) == 0
    assert _wait_gone(tmp_path) == []
    assert [one.name for one in tmp_path.iterdir()] == ["told.txt"]
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{api}/health", timeout=_TIMEOUT)


@pytest.mark.slow
def test_nothing_outlives_a_command_that_is_killed(tmp_path):
    with _up(tmp_path) as (process, told):
        api = _find(r"API:\s+(\S+)", told)
        assert requests.get(f"{api}/health", timeout=_TIMEOUT).status_code == 200
        process.kill()
        process.wait()
        assert _wait_gone(tmp_path) == []


@pytest.mark.slow
def test_it_ends_when_one_of_its_programs_does(tmp_path):
    with _up(tmp_path) as (process, _told):
        (athena,) = [pid for pid in _left(tmp_path) if b"--s3-endpoint" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(athena, signal.SIGKILL)
        assert process.wait(_TIMEOUT) == 3
    assert "Error: athena has ended with code -9" in (tmp_path / "told.txt").read_text()
    assert _wait_gone(tmp_path) == []


def test_a_port_that_is_taken_is_told_of(tmp_path):
    with take_port() as listener:
        port = str(listener.getsockname()[1])
        command = [sys.executable, "-m", "daap_local.cloud", "up", "--athena-port", "0", "--port", port]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 3
    assert done.stderr == f"Error: port {port} is taken; name another by --port, or 0 for a free one\n"
    assert _left(tmp_path) == []


def test_an_interpreter_that_is_not_there_is_told_of():
    command = [sys.executable, "-m", "daap_local.cloud", "up", "--python", "nowhere/python"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 3
    assert "there is no nowhere/python" in done.stderr

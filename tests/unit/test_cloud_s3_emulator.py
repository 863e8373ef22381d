"""The emulator that the tests start: it leaves nothing behind, and says what it lacks."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.support.emulator import MINISTACK, PROJECT, running_emulator
from tests.support.processes import wait_until

START = """
import sys
from tests.support.emulator import shared_emulator
print(shared_emulator(), flush=True)
sys.stdin.read()
"""


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + MINISTACK.page, timeout=10):  # noqa: S310 - of this machine
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def test_it_runs_for_the_block():
    with running_emulator() as url:
        assert is_up(url)
    assert not is_up(url)


@pytest.mark.parametrize("end", ["kill", "terminate", "close"])
def test_it_ends_with_the_process_that_started_it(end, tmp_path):
    command, pipes = [sys.executable, "-c", START], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    own = {**os.environ, "TMPDIR": str(tmp_path)}  # where a killed one leaves its files
    with subprocess.Popen(command, cwd=PROJECT, env=own, **pipes) as process:  # noqa: S603 - our own words
        url = process.stdout.readline().strip()
        assert is_up(url)
        process.stdin.close() if end == "close" else getattr(process, end)()
    wait_until(lambda: not is_up(url))


def test_without_its_environment_it_says_how_to_make_it():
    missing = dataclasses.replace(MINISTACK, folder=".venv-never-made")
    with (
        pytest.raises(pytest.fail.Exception, match=r"no \.venv-never-made: `make test` makes it"),
        running_emulator(missing),
    ):
        pass

"""A server as a person starts it, and the environment that leads clients to it.

The clients pin versions of their own, so they live in virtual environments apart from the project's:
`DAAP_LOCAL` names the project's command.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_START_SECONDS = 30


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """The address of a server over an empty lake; the environment leads to it as long as it runs."""
    command = os.environ.get("DAAP_LOCAL", str(Path(__file__).parents[2] / ".venv" / "bin" / "daap-local"))
    root = tmp_path_factory.mktemp("lake")
    process = subprocess.Popen(  # noqa: S603 - the project's own command
        [command, "--root", str(root), "athena", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    with pytest.MonkeyPatch.context() as patch:
        try:
            address = process.stdout.readline().partition(" at ")[2].split()[0]
            patch.setenv("AWS_ENDPOINT_URL", address)
            patch.setenv("AWS_ACCESS_KEY_ID", "any")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            yield address
        finally:
            process.terminate()
            process.wait(_START_SECONDS)

"""A Lambda loads nothing heavy that it does not use: what it loads is what a cold start waits for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.cold import STARTS

HEAVY = {"boto3", "duckdb", "fastapi", "httpx", "numpy", "pyarrow", "pandas", "uvicorn"}
USED = {
    "landing_to_raw": {"boto3"},
    "athena_load": {"boto3"},
    "api": {"boto3", "fastapi"},
    "authorizer": {"boto3"},
    "reload": {"boto3"},
}


@pytest.mark.parametrize("handler", USED)
def test_a_handler_loads_what_it_uses(handler):
    code = f"{STARTS[handler]}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert HEAVY & set(json.loads(done.stdout.splitlines()[-1])) == USED[handler]


def test_importing_the_handlers_reads_no_environment():
    """Nor opens a client: with nothing set, each of these would fail."""
    code = (
        "import daap_cloud.handlers, sys; assert 'boto3.session' in sys.modules; assert not sys.modules.get('duckdb')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={}, capture_output=True)  # noqa: S603

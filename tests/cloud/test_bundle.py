"""The zip file of the code: the same bytes for the same code, and all that a function imports."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

from daap_cloud.deploy.bundle import pack_code
from tests.cloud.template import functions


def test_the_same_code_gives_the_same_bytes(tmp_path, monkeypatch):
    first = pack_code()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert pack_code() == first


def test_it_holds_code_and_nothing_else():
    with zipfile.ZipFile(io.BytesIO(pack_code())) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    assert {name.split("/")[0] for name in names} == {"daap", "daap_cloud"}
    assert "daap_cloud/handlers.py" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("daap_cloud/deploy/")]


def test_the_handlers_are_found_in_it(tmp_path):
    """By a Python that has the libraries, but daap itself from nowhere else."""
    with zipfile.ZipFile(io.BytesIO(pack_code())) as archive:
        archive.extractall(tmp_path)
    wanted = ", ".join(sorted(functions()))
    code = f"import daap_cloud.handlers; print(daap_cloud.handlers.__file__); from daap_cloud.handlers import {wanted}"
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "daap_cloud" / "handlers.py")

"""A dbt project, run twice: seed, view, table, incremental model, tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def project(endpoint, tmp_path_factory):  # noqa: ARG001 - the environment leads there
    folder = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(Path(__file__).parent / "project", folder)
    return folder


def run_dbt(folder, *words):
    command = [str(Path(sys.executable).with_name("dbt")), *words, "--project-dir", ".", "--profiles-dir", "."]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-4_000:]
    return done.stdout


def test_a_project_is_built_and_built_again(project):
    for _ in range(2):
        assert "ERROR=0" in run_dbt(project, "build")


def test_its_docs_are_made(project):
    run_dbt(project, "docs", "generate")
    assert (project / "target" / "catalog.json").is_file()

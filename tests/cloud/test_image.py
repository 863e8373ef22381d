"""The functions' image: what is in it; how it is built and pushed, by a docker that only notes what it is told."""

from __future__ import annotations

import re
import stat
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from daap_cloud.deploy.faults import DeployFailed
from daap_cloud.deploy.image import provide_image
from daap_cloud.deploy.target import Target, find_target
from tests.support.emulator import CREDENTIALS, REGION, running_emulator

ROOT = Path(__file__).parents[2]
_LAMBDA = {
    "python_version": "3.13", "python_full_version": "3.13.5", "implementation_name": "cpython",
    "platform_python_implementation": "CPython", "sys_platform": "linux",
}  # fmt: skip

_DOCKER = """\
#!{python}
import os, sys
import boto3

with open({notes!r}, "a") as notes:
    notes.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "login":
    assert sys.stdin.read()
elif {fails!r}:
    sys.exit("no space left on device")
else:
    repository, _, tag = sys.argv[sys.argv.index("--tag") + 1].rpartition(":")
    manifest = '{{"schemaVersion": 2, "tag": "%s"}}' % tag
    ecr = boto3.client("ecr", endpoint_url={url!r})
    ecr.put_image(repositoryName=repository.partition("/")[2], imageManifest=manifest, imageTag=tag)
"""


@pytest.fixture
def target(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with running_emulator() as url:
        yield find_target(REGION, url)


@pytest.fixture
def docker(tmp_path, monkeypatch, target):
    """Puts a docker on the path; gives a function that makes it, and what it was told."""

    def make(*, fails: bool = False) -> Path:
        notes = tmp_path / "notes.txt"
        notes.touch()
        script = tmp_path / "docker"
        python = ROOT / ".venv" / "bin" / "python"
        script.write_text(_DOCKER.format(python=python, notes=str(notes), fails=fails, url=target.endpoint))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return notes

    monkeypatch.setenv("PATH", str(tmp_path))
    return make


def _provide(target: Target, architecture: str = "arm64") -> str:
    return provide_image(target, architecture, lambda _: None)


def test_it_is_built_for_the_processor_pushed_and_named_by_its_digest(target, docker):
    notes = docker()
    found = _provide(target)
    assert re.fullmatch(r".*/daap@sha256:[0-9a-f]{64}", found)
    login, build = notes.read_text().splitlines()
    assert login.startswith("login --username AWS --password-stdin ")
    assert "--platform linux/arm64" in build
    assert "--provenance=false" in build
    assert "--push --file cloud/Dockerfile ." in build
    tag = build.split("--tag ")[1].split()[0].rpartition(":")[2]
    assert re.fullmatch(r"[0-9][0-9.]*-[0-9a-f]{16}-arm64", tag)


def test_the_same_code_is_not_built_again(target, docker):
    notes = docker()
    first = _provide(target)
    before = notes.read_text()
    assert _provide(target) == first
    assert notes.read_text() == before
    assert _provide(target, "x86_64") != first
    assert "--platform linux/amd64" in notes.read_text()


def test_what_docker_says_when_it_fails_is_told(target, docker):
    docker(fails=True)
    with pytest.raises(DeployFailed, match=r"docker buildx fails:\s+no space left on device"):
        _provide(target)


def test_without_docker_it_says_what_to_do(target, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeployFailed, match=r"install it, or build the image elsewhere .* --image URI"):
        _provide(target)


def _closure(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """The names of all that a distribution needs on Lambda, as installed here."""
    found: set[str] = set()
    for requirement in map(Requirement, requires(name) or ()):
        marker = requirement.marker
        wanted = marker is None or any(marker.evaluate({**_LAMBDA, "extra": extra}) for extra in (*extras, ""))
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if wanted and key not in seen:
            seen.add(key)
            found |= {key[0]} | _closure(key[0], key[1], seen)
    return found


def _pins() -> dict[str, str]:
    lines = (ROOT / "cloud" / "requirements.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {str(canonicalize_name(name)): version for name, version in pairs}


def test_all_that_the_functions_need_is_pinned_and_nothing_else():
    assert set(_pins()) == {str(name) for name in _closure("daap", frozenset({"cloud"}), set())} - {"daap"}


def test_the_pins_are_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    pins = _pins()
    for requirement in map(Requirement, [*project["dependencies"], *extras["api"], *extras["cloud"]]):
        if requirement.name != "daap":
            assert pins[str(canonicalize_name(requirement.name))] in requirement.specifier


def test_the_image_takes_nothing_but_the_code_and_its_libraries():
    text = (ROOT / "cloud" / "Dockerfile").read_text()
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert copied == ["cloud/requirements.txt", "daap", "cloud/daap_cloud"]
    ignored = (ROOT / "cloud" / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    assert sorted(let_in) == sorted(copied)

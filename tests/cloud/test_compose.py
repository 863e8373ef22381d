"""docker-compose.yml and the images it builds, as data; no Docker engine is asked. `make template` validates both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from daap_local.athena.options import PORT
from daap_local.cli.main import main as daap_local
from daap_local.cloud.cli import main as cloud

ROOT = Path(__file__).parents[2]
_DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
_SERVICES: dict[str, dict[str, Any]] = _DOCUMENT["services"]
_LONG_RUNNING = sorted(set(_SERVICES) - {"libraries", "deploy", "ministack-deploy"})
_OURS = sorted(name for name, one in _SERVICES.items() if one.get("build"))
_RUNTIME = {"python_version": "3.13", "python_full_version": "3.13.5", "sys_platform": "linux", "extra": ""}


def _filled(text: str) -> str:
    """A text with the defaults of its variables."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def _words(name: str) -> list[str]:
    return [_filled(word) for word in _SERVICES[name]["command"]]


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_a_port_is_open_to_this_machine_alone(name):
    for port in _SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", _filled(port))


def test_no_port_is_asked_for_twice():
    ports = [_filled(port).split(":")[1] for one in _SERVICES.values() for port in one.get("ports", ())]
    assert len(ports) == len(set(ports)) == 4


def test_only_localstack_may_start_containers():
    with_socket = [name for name, one in _SERVICES.items() if "docker.sock" in str(one.get("volumes"))]
    assert with_socket == ["localstack"]
    assert not any(one.get("privileged") or one.get("cap_add") for one in _SERVICES.values())


@pytest.mark.parametrize("name", _OURS)
def test_what_we_build_can_do_little(name):
    service = _SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True


@pytest.mark.parametrize("name", _OURS)
def test_what_we_build_is_never_pulled(name):
    assert _SERVICES[name]["pull_policy"] == "build"


def test_libraries_are_copied_when_their_versions_change_and_not_under_running_functions(tmp_path):
    service = _SERVICES["libraries"]
    (script,) = service["command"]
    for given, place in (("/volume", "volume"), ("/opt/libraries", "libraries"), ("/tmp/requirements.txt", "pins")):  # noqa: S108
        assert given in script
        script = script.replace(given, str(tmp_path / place))
    (tmp_path / "volume").mkdir()
    (tmp_path / "libraries" / "duckdb").mkdir(parents=True)

    def run(version: str) -> None:
        (tmp_path / "pins").write_text(f"duckdb=={version}\n")
        (tmp_path / "libraries" / "duckdb" / "version.txt").write_text(version)
        command = [*service["entrypoint"], script.replace("$$", "$")]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - the file's own words

    run("1")
    (tmp_path / "volume" / ".mark").touch()
    run("1")
    assert (tmp_path / "volume" / ".mark").exists()
    run("2")
    assert not (tmp_path / "volume" / ".mark").exists()
    assert (tmp_path / "volume" / "duckdb" / "version.txt").read_text() == "2"


def test_versions_are_pinned():
    assert _filled(_SERVICES["localstack"]["image"]) == "localstack/localstack:4.14.0"
    for path in ("local/Dockerfile", "cloud/Dockerfile"):
        images = re.findall(r"^(?:FROM|ARG BASE=)\s*([a-z.]+\S*[/:]\S+)", (ROOT / path).read_text(), re.MULTILINE)
        assert images
        assert all(re.fullmatch(r"\S+:3\.13(-slim-bookworm)?", image) for image in images)
    assert "ministack==" in (ROOT / "tests" / "emulators" / "ministack.txt").read_text()


@pytest.mark.parametrize("name", _LONG_RUNNING)
def test_whether_it_is_well_can_be_told(name):
    check = _SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_it_waits_until_what_it_needs_is_well(name):
    for other, given in _SERVICES[name].get("depends_on", {}).items():
        expected = "service_healthy" if other in _LONG_RUNNING else "service_completed_successfully"
        assert given["condition"] == expected
        assert set(_SERVICES[other].get("profiles", ())) <= set(_SERVICES[name].get("profiles", ()))


@pytest.mark.parametrize("name", sorted(_SERVICES))
def test_it_waits_for_each_service_that_it_names(name):
    """By whatever way: `deploy` needs Athena, which needs LocalStack."""
    named = set(re.findall(r"http://([a-z-]+):", " ".join(map(str, _SERVICES[name].get("command", ())))))
    assert named <= set(_SERVICES[name].get("depends_on", {}))


@pytest.mark.parametrize(("group", "name"), [(cloud, "deploy"), (cloud, "ministack-deploy"), (daap_local, "athena"),
                                             (daap_local, "ministack-athena")])  # fmt: skip
def test_its_command_is_one(group, name):
    """Each word is taken by the command itself; nothing is run."""
    context = group.make_context("test", _words(name), resilient_parsing=True)
    words = [*context._protected_args, *context.args]
    command = group.get_command(context, words[0])
    assert command
    inner = command.make_context(words[0], words[1:], parent=context)
    assert inner.args == []
    assert isinstance(command, click.Command)


@pytest.mark.parametrize(("name", "mark"), [("athena", "localstack"), ("ministack-athena", "ministack")])
def test_athena_takes_calls_by_the_name_of_its_service(name, mark):
    words = _words(name)
    assert words[words.index("--allow-host") + 1] == name
    assert words[words.index("--s3-endpoint") + 1] == f"http://{mark}:4566"
    assert words[words.index("--port") + 1] == str(PORT)
    assert _filled(_SERVICES[name]["ports"][0]).endswith(f":{PORT}")
    assert ("--glue-endpoint" in words) == (mark == "ministack")  # LocalStack has none; Athena's service serves it


@pytest.mark.parametrize(("name", "emulator", "athena"), [
    ("deploy", "localstack", "athena"), ("ministack-deploy", "ministack", "ministack-athena"),
])  # fmt: skip
def test_what_is_deployed_leads_outside_to_the_ports_that_are_open(name, emulator, athena):
    words = _words(name)
    for option, service in (("--public-url", emulator), ("--public-athena-url", athena)):
        port = _filled(_SERVICES[service]["ports"][0]).rpartition(":")[0]
        assert words[words.index(option) + 1] == f"http://{port}"
    assert words[words.index("--endpoint-url") + 1] == f"http://{emulator}:4566"
    assert words[words.index("--athena-endpoint") + 1] == f"http://{athena}:{PORT}"


def test_functions_in_containers_find_the_network_and_the_libraries():
    environment = _SERVICES["localstack"]["environment"]
    assert environment["LAMBDA_DOCKER_NETWORK"] == _DOCUMENT["networks"]["daap"]["name"]
    volume = _DOCUMENT["volumes"]["libraries"]["name"]
    assert environment["LAMBDA_DOCKER_FLAGS"] == f"-v {volume}:/opt/python"
    assert environment["MAIN_CONTAINER_NAME"] == _SERVICES["localstack"]["container_name"]
    assert _SERVICES["libraries"]["volumes"] == ["libraries:/volume"]


@pytest.mark.parametrize("name", _OURS)
def test_it_is_built_from_a_stage_that_there_is(name):
    build = _SERVICES[name]["build"]
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / build["dockerfile"]).read_text(), re.MULTILINE)
    assert build["target"] in stages


def test_only_what_localstack_starts_functions_from_is_root():
    """Each stage of ours that is run ends as a user without rights; `libraries` only copies files."""
    stages = re.split(r"^FROM ", (ROOT / "local" / "Dockerfile").read_text(), flags=re.MULTILINE)
    users = {re.search(r"AS (\S+)", stage)[1]: re.findall(r"^USER (\S+)$", stage, re.MULTILINE) for stage in stages[1:]}
    assert users == {"base": [], "ministack": ["10001"], "daap": ["10001"]}


def _context(dockerfile: str) -> list[str]:
    """What the build sees, as its .dockerignore has it: `*`, then exceptions, then what goes all the same."""
    text = (ROOT / f"{dockerfile}.dockerignore").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert lines[0] == "*"
    assert all((ROOT / path).exists() for path in kept)
    return kept


def test_what_the_images_copy_is_sent_to_the_build():
    kept = _context("local/Dockerfile")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "local" / "Dockerfile").read_text(), re.MULTILINE)
    for path in " ".join(copied).split():
        assert any(path == one or path.startswith(f"{one}/") for one in kept)


def test_the_code_in_the_image_is_whole(tmp_path):
    """What the image's own check imports can be imported from what is copied into it, and packed for functions."""
    dockerfile = (ROOT / "local" / "Dockerfile").read_text()
    left_out = [line for line in (ROOT / "local" / "Dockerfile.dockerignore").read_text().splitlines()
                if line and line[0] not in "#*!"]  # fmt: skip
    for source, target in re.findall(r"^COPY (\S+) (/opt/daap/\S+)$", dockerfile, re.MULTILINE):
        place = tmp_path / target.removeprefix("/opt/daap/")
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, place)
    for pattern in left_out:
        shutil.rmtree(tmp_path / pattern, ignore_errors=True)
    (code,) = re.findall(r"python -c '([^']+)'", dockerfile)
    own = f"import sys; sys.path = [p for p in sys.path if not p.startswith({str(ROOT)!r}) or 'site-packages' in p]; "
    rest = "; from daap_cloud.deploy import template; print(template.find_template()); print(template.__file__)"
    (path,) = re.findall(r"^ENV PYTHONPATH=(\S+)$", dockerfile, re.MULTILINE)
    environment = {**os.environ, "PYTHONPATH": path.replace("/opt/daap", str(tmp_path))}
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", own + code + rest], cwd=tmp_path, env=environment, text=True, check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(tmp_path)) for line in done.stdout.splitlines())


def _closure(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    found: set[str] = set()
    for requirement in map(Requirement, requires(name) or ()):
        marker = requirement.marker
        wanted = marker is None or any(marker.evaluate({**_RUNTIME, "extra": extra}) for extra in (*extras, ""))
        key = (str(canonicalize_name(requirement.name)), frozenset(requirement.extras))
        if wanted and key not in seen:
            seen.add(key)
            found |= {key[0]} | _closure(key[0], key[1], seen)
    return found


def _pins(folder: str) -> dict[str, str]:
    lines = (ROOT / folder / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_all_that_the_image_needs_is_pinned_and_nothing_else():
    assert set(_pins("local")) == _closure("daap", frozenset({"local", "deploy"}), set()) - {"daap"}


def test_both_images_have_the_same_versions():
    local = _pins("local")
    assert {name: local[name] for name in _pins("cloud")} == _pins("cloud")

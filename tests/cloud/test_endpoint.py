"""`daap-local --endpoint`: the commands on a deployed lake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from click.testing import CliRunner

from daap.errors import InvalidName
from daap_local.cli.main import _COMMANDS, _FOLDERS_ONLY, main
from daap_local.deployed import find_endpoints, find_url
from tests.support.cloud import Cloud, running_cloud
from tests.support.emulator import CREDENTIALS
from tests.support.processes import PROJECT

_SPEC = PROJECT / "fixtures" / "spend" / "product.yaml"
_GOOD, _BAD = (PROJECT / "fixtures" / "spend" / f"march-{kind}.csv" for kind in ("good", "bad"))
_TIMEOUT = 120
_OURS = ("AWS_", "DAAP_", "LOCALSTACK_")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("athena")) as cloud:
        yield cloud


def _run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "daap_local", *map(str, words)], env={**known, **CREDENTIALS, **environment}, text=True,
        capture_output=True, check=False, timeout=_TIMEOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lake(cloud):
    """Runs a command on the lake; it has a product with a good load and a refused one."""

    def run(*words: str | Path) -> str:
        """In this process, since a new one takes longer to begin than most commands to end."""
        hidden = {name: None for name in os.environ if name.startswith(_OURS)}
        words = ("--endpoint", cloud.url, *map(str, words))
        done = CliRunner().invoke(main, words, env={**hidden, **CREDENTIALS}, catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    assert run("products") == "No data product is registered. Begin with: daap-local register SPEC.yaml\n"
    assert "Registered spend v1.0" in run("register", _SPEC)
    cloud.upload("spend", "march", _GOOD.read_bytes(), "march.csv")
    cloud.upload("spend", "march", _BAD.read_bytes(), "april.csv")
    cloud.await_loads("spend", 2)
    return run


@pytest.mark.slow
def test_what_is_there_can_be_listed(lake):
    assert [one["spec"]["name"] for one in json.loads(lake("products", "--format", "json"))] == ["spend"]
    loads = json.loads(lake("loads", "spend", "--format", "json"))
    assert sorted((one["sourceName"], one["status"]) for one in loads) == [
        ("april.csv", "failed"), ("march.csv", "curated"),
    ]  # fmt: skip
    assert [one["version"] for one in json.loads(lake("versions", "spend", "--format", "json"))] == ["v1.0"]
    assert lake("files") == "No files are kept.\n"


@pytest.mark.slow
def test_why_a_file_was_refused_is_shown_with_the_address_of_its_report(cloud, lake):
    told = lake("errors")
    assert "april.csv" in told
    assert f"Report: s3://{cloud.outputs['DataBucket']}/fail/spend/" in told


@pytest.mark.slow
def test_athena_answers_sql(lake, tmp_path):
    rows = json.loads(lake("sql", "SELECT count(*) AS n FROM spend_v1.march_latest", "--format", "json"))
    file = tmp_path / "rows.parquet"
    lake("sql", "SELECT * FROM spend_v1.march_latest", "--format", "parquet", "-o", file)
    import pyarrow.parquet as pq  # noqa: PLC0415 - for this test alone

    assert rows == [{"n": pq.read_metadata(file).num_rows}]
    assert rows[0]["n"] > 0


@pytest.mark.slow
def test_a_token_that_is_made_here_is_taken_by_the_api_until_it_is_revoked(cloud, lake):
    made = json.loads(lake("token", "create", "finance", "--grant", "read:spend", "--format", "json"))

    def ask() -> int:
        return requests.get(
            f"{cloud.outputs['ApiUrl']}/data-product/spend", headers={"authorizationToken": made["token"]},
            timeout=_TIMEOUT,
        ).status_code  # fmt: skip

    assert ask() == 200
    assert "finance" in lake("token", "list")
    lake("token", "revoke", made["id"])
    assert ask() in (401, 403)


@pytest.mark.slow
def test_a_product_is_amended_held_and_made_anew(lake, tmp_path):
    spec = yaml.safe_load(_SPEC.read_text())
    spec["description"] = "Every payment"
    changed = tmp_path / "product.yaml"
    changed.write_text(yaml.safe_dump(spec))
    assert "metadata (description), minor: v1.1" in lake("amend", changed)
    assert "spend is under legal hold" in lake("hold", "spend", "--reason", "an inquiry")
    assert "spend is under no legal hold" in lake("hold", "spend", "--lift")
    assert "rows" in lake("reload", "spend", "march")
    assert lake("resync", "spend") == "Everything is as it should be.\n"
    assert lake("retention", "spend") == "Nothing is older than its retention period.\n"
    assert "march" in lake("rehearse", changed)


@pytest.mark.slow
def test_a_product_is_deleted(lake, cloud, tmp_path):
    spec = yaml.safe_load(_SPEC.read_text()) | {"name": "passing"}
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(spec))
    assert "Registered passing v1.0" in lake("register", other)
    assert lake("delete", "passing", "--yes") == "Deleted product passing.\n"
    assert cloud.keys("metadata/passing/") == []


@pytest.mark.parametrize("name", sorted(_FOLDERS_ONLY))
def test_what_cannot_be_done_there_says_so(name, tmp_path):
    """Before anything is asked of the address, where nobody is."""
    words = {"watch": [tmp_path], "ingest": [_GOOD, "--product", "spend", "--table", "march"], "check": [_GOOD],
             "infer": [_GOOD], "parity": [_SPEC, _GOOD]}.get(name, [])  # fmt: skip
    done = _run("--endpoint", "http://127.0.0.1:1", name, *words)
    assert done.returncode == 2
    assert f"Error: {name} {_FOLDERS_ONLY[name]}; leave out --endpoint" in done.stderr


def test_each_command_works_there_or_says_why_not():
    working = {"register", "amend", "rehearse", "versions", "delete", "hold", "reload", "resync", "retention",
               "products", "loads", "errors", "files", "sql", "token"}  # fmt: skip
    assert set(_COMMANDS) - set(_FOLDERS_ONLY) == working


@pytest.mark.slow
def test_a_stack_that_is_not_there_is_told_of(cloud):
    done = _run("--endpoint", cloud.url, "--stack", "pond", "products")
    assert (done.returncode, done.stderr) == (
        2, f"Error: there is no stack pond at {cloud.url}; name another by --stack, or deploy it\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "code", "told"),
    [
        ({"AWS_DEFAULT_REGION": ""}, 2, "no AWS region is set; set AWS_REGION"),
        ({"AWS_PROFILE": "nobody"}, 3, "nobody"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 3, "there are no AWS credentials"),
    ],
)
def test_what_aws_needs_to_be_told_is_named(tmp_path, environment, code, told):
    """Nothing is sent: there is no account to send it to."""
    own = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", **environment}
    done = _run("--endpoint", "aws", "products", **own)
    assert (done.returncode, done.stderr.startswith("Error: "), "Traceback" in done.stderr) == (code, True, False)
    assert told in done.stderr


@pytest.mark.slow
def test_localstack_is_found_by_its_own_variable(cloud):
    done = _run("--endpoint", "localstack", "--stack", "pond", "products", LOCALSTACK_HOST=cloud.url.split("//")[1])
    assert f"there is no stack pond at {cloud.url}" in done.stderr


def test_folder_and_endpoint_exclude_each_other(tmp_path):
    done = _run("--endpoint", "http://127.0.0.1:1", "--root", tmp_path, "products")
    assert done.returncode == 2
    assert "give one of them" in done.stderr


@pytest.mark.slow
def test_the_command_line_goes_before_the_environment(cloud, lake, tmp_path):
    assert "spend" in _run("--endpoint", cloud.url, "products", DAAP_ROOT=str(tmp_path)).stdout
    assert "No data product" in _run("--root", tmp_path, "products", DAAP_ENDPOINT=cloud.url).stdout
    assert "spend" in lake("products")


def test_an_endpoint_is_an_address_or_one_of_two_words():
    assert find_url("aws") is None
    assert find_url("http://127.0.0.1:4566/") == "http://127.0.0.1:4566"
    with pytest.raises(InvalidName, match="'s3' is no endpoint"):
        find_url("s3")


def test_a_services_address_is_what_is_known_best():
    url = "http://127.0.0.1:4566"
    inside = {"EndpointUrl": "http://localstack:4566", "AthenaEndpointUrl": "http://athena:4568"}
    assert set(find_endpoints(url, inside, {}).values()) == {url}
    here = {"EndpointUrl": url, "AthenaEndpointUrl": "http://127.0.0.1:4568", "GlueEndpointUrl": ""}
    assert find_endpoints(url, here, {}) == {
        "s3": url, "glue": url, "lambda": url, "athena": "http://127.0.0.1:4568",
    }  # fmt: skip
    named = {"AWS_ENDPOINT_URL_GLUE": "http://127.0.0.1:1"}
    assert find_endpoints(url, here, named)["glue"] == "http://127.0.0.1:1"


def test_help_stays_quick():
    """boto3 is not imported before a deployed lake is opened."""
    code = (
        "import sys; from daap_local.cli.main import main; main(['--help'], standalone_mode=False); "
        "print('boto3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.endswith("False\n")

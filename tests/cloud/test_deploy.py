"""The template on an emulator: deployed, deployed again, changed, and deleted with all that was in it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from daap.access.tokens import TokenStore
from daap.errors import InvalidName, Unauthenticated
from daap_cloud.deploy.cli import main
from daap_cloud.deploy.faults import DeployFailed, StillInUse
from daap_cloud.deploy.release import Release, find_code, release_stack
from daap_cloud.deploy.stack import Stack
from daap_cloud.deploy.target import Target, find_target
from daap_cloud.deploy.teardown import delete_stack
from daap_cloud.deploy.tokens import open_store
from daap_cloud.deploy.workgroup import copy_workgroup
from tests.cloud.template import functions, template
from tests.support.cloud import running_athena
from tests.support.emulator import CREDENTIALS, REGION, running_emulator

STACK = "lake"


@dataclass(frozen=True)
class Site:
    """An emulator with the stack on it."""

    target: Target
    stack: Stack

    def release(self, **changed):
        """Deploys, and tells what was changed and said."""
        said: list[str] = []
        changes = release_stack(self.target, self.stack, Release(as_zip=True, **changed), lambda _: None, said.append)
        return changes, said

    def client(self, name):
        """A client of a service."""
        return self.target.session.client(name, endpoint_url=self.target.endpoint)


def _open(url: str, name: str = STACK) -> Site:
    target = find_target(REGION, url)
    return Site(target, Stack(target.formation, name, 0.1))


@pytest.fixture(scope="module")
def address():
    with pytest.MonkeyPatch.context() as patch, running_emulator() as url:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield url


@pytest.fixture(scope="module")
def site(address):
    site = _open(address)
    site.release(parameters={"Engine": "duckdb"})
    return site


def _run(*words: str) -> object:
    return CliRunner().invoke(main, list(words))


def test_everything_of_the_template_is_there(site):
    listed = site.target.formation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    made = {one["LogicalResourceId"] for page in listed for one in page["StackResourceSummaries"]}
    unwanted = {"ApiKey", "ApiKeyInPlan", "CatalogueSecretPolicy"}  # each has a condition that is not met here
    assert made == set(template()["Resources"]) - unwanted


def test_the_functions_run_what_was_packed(site):
    listed = {one["FunctionName"]: one for one in site.client("lambda").list_functions()["Functions"]}
    assert set(listed) == {f"{STACK}-{handler.replace('_', '-')}" for handler in functions()}
    assert len({one["CodeSha256"] for one in listed.values()}) == 1
    one = listed[f"{STACK}-landing-to-raw"]
    assert one["Handler"] == "daap_cloud.handlers.landing_to_raw"
    assert one["Environment"]["Variables"]["DAAP_ENGINE"] == "duckdb"
    assert one["Environment"]["Variables"]["AWS_ENDPOINT_URL"] == site.target.endpoint
    assert "AWS_ENDPOINT_URL_ATHENA" not in one["Environment"]["Variables"]


def test_the_buckets_tell_eventbridge_and_keep_versions(site):
    s3, found = site.target.clients.s3, site.stack.outputs()
    for name in ("LandingBucket", "DataBucket", "MetadataBucket"):
        assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=found[name])
        assert s3.get_bucket_versioning(Bucket=found[name])["Status"] == "Enabled"
    assert "Status" not in s3.get_bucket_versioning(Bucket=found["ResultsBucket"])
    for name in ("LandingBucket", "LogsBucket"):
        assert set(s3.get_public_access_block(Bucket=found[name])["PublicAccessBlockConfiguration"].values()) == {True}


def test_rules_lead_to_functions_and_to_dead_letters(site):
    events = site.client("events")
    for name in site.stack.resources("AWS::Events::Rule").values():
        (target,) = events.list_targets_by_rule(Rule=name.rpartition("/")[2])["Targets"]
        assert target["Arn"].rpartition(":")[2].startswith(f"{STACK}-")
        assert target["DeadLetterConfig"]["Arn"].endswith("-dead-letters")


def test_the_catalogue_and_the_work_group_are_there(site):
    names = {one["Name"] for one in site.target.clients.glue.get_databases()["DatabaseList"]}
    assert {"daap_logs", "daap_work"} <= names
    assert site.target.clients.glue.get_table(DatabaseName="daap_logs", Name="events")["Table"]["PartitionKeys"]
    group = site.target.clients.athena.get_work_group(WorkGroup=STACK)["WorkGroup"]["Configuration"]
    assert group["ResultConfiguration"]["OutputLocation"] == f"s3://{site.stack.outputs()['ResultsBucket']}/queries/"


def test_the_same_again_changes_nothing(site):
    before = site.client("lambda").get_function(FunctionName=f"{STACK}-api")["Configuration"]
    assert site.release() == (None, [])
    after = site.client("lambda").get_function(FunctionName=f"{STACK}-api")["Configuration"]
    assert after["RevisionId"] == before["RevisionId"]
    assert after["Environment"]["Variables"]["DAAP_ENGINE"] == "duckdb"  # what is not given stays


def test_a_parameter_changes_what_it_is_for(site):
    before = site.client("events").describe_rule(Name=_rule(site))["ScheduleExpression"]
    changes, said = site.release(parameters={"RetentionSchedule": "rate(2 days)"})
    assert ("RetentionRule", "Modify", False) in [(one.name, one.action, one.replaces) for one in changes]
    assert not [one for one in changes if one.replaces or one.action != "Modify"]
    assert said == [f"{STACK}: 0 to add, {len(changes)} to change, 0 to remove"]
    assert site.client("events").describe_rule(Name=_rule(site))["ScheduleExpression"] == "rate(2 days)"
    site.release(parameters={"RetentionSchedule": before})


def _rule(site: Site) -> str:
    return site.stack.resources("AWS::Events::Rule")["RetentionRule"].rpartition("/")[2]


def test_an_unknown_parameter_is_told_with_those_there_are(site):
    with pytest.raises(InvalidName, match=r"no parameter Colour; it has .*Engine, .*"):
        site.release(parameters={"Colour": "red"})


def test_a_wrong_value_is_refused_before_anything_changes(site):
    before = site.stack.find()["LastUpdatedTime"]
    done = _run("--stack", STACK, "--endpoint-url", site.target.endpoint, "--parameter", "Architecture=z80")
    assert done.exit_code == 3
    assert "Architecture" in done.stderr
    assert site.stack.find()["LastUpdatedTime"] == before


def test_what_fails_is_told_with_its_reason(address):
    """Another stack wants databases of the same names."""
    other = _open(address, "pond")
    told = []
    with pytest.raises(DeployFailed, match=r"(?s)pond is .*(Work|Logs)Database \(AWS::Glue::Database\): .*exists"):
        release_stack(other.target, other.stack, Release(as_zip=True), told.append, lambda _: None)
    assert any(event.is_failure for event in told)


def test_a_token_from_the_command_line_is_one(site):
    done = _run("token", "--stack", STACK, "--endpoint-url", site.target.endpoint, "--name", "root", "--days", "1")
    assert done.exit_code == 0, done.stderr
    tokens = TokenStore(open_store(site.target.clients.s3, site.stack.outputs()))
    principal = tokens.authenticate(done.stdout.strip())
    assert (principal.name, [str(grant) for grant in principal.grants]) == ("root", ["admin"])
    assert done.stdout.strip() not in done.stderr
    ended = done.stdout.split("_")[1]
    assert _run("token", "--stack", STACK, "--endpoint-url", site.target.endpoint, "--revoke", ended).exit_code == 0
    with pytest.raises(Unauthenticated):
        tokens.authenticate(done.stdout.strip())


def test_making_a_token_is_in_the_audit_log(site):
    _run("token", "--stack", STACK, "--endpoint-url", site.target.endpoint, "--name", "noted", "--grant", "read:*")
    s3, bucket = site.target.clients.s3, site.stack.outputs()["LogsBucket"]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="events/")["Contents"]]
    texts = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    events = [json.loads(line) for text in texts for line in text.splitlines()]
    assert any(one["stage"] == "token_created" and one["principal"] == "noted" for one in events)


def test_outputs_are_lines_for_programs(site):
    done = _run("outputs", "--stack", STACK, "--endpoint-url", site.target.endpoint)
    assert dict(line.split("=", 1) for line in done.stdout.splitlines()) == site.stack.outputs()


def test_a_stack_that_is_not_there_is_told(address):
    for command in ("outputs", "token"):
        done = _run(command, "--stack", "nowhere", "--endpoint-url", address)
        assert done.exit_code == 3
        assert "there is no stack nowhere" in done.stderr
    done = _run("delete", "--yes", "--stack", "nowhere", "--endpoint-url", address)
    assert "there is no stack nowhere" in done.stderr


@pytest.fixture
def pool():
    """A stack of its own emulator, to be deleted."""
    with pytest.MonkeyPatch.context() as patch, running_emulator() as url:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        site = _open(url)
        site.release()
        yield site


def test_an_empty_stack_is_deleted_with_everything(pool):
    done = _run("delete", "--yes", "--stack", STACK, "--endpoint-url", pool.target.endpoint)
    assert done.exit_code == 0, done.stderr
    _assert_gone(pool)


def test_a_stack_with_data_is_deleted_only_with_it(pool):
    s3, found = pool.target.clients.s3, pool.stack.outputs()
    s3.put_object(Bucket=found["DataBucket"], Key="raw/spend/v1/march/x.csv", Body=b"a\n1\n")
    s3.put_object(Bucket=found["DataBucket"], Key="raw/spend/v1/march/x.csv", Body=b"a\n2\n")
    s3.put_object(Bucket=found["ResultsBucket"], Key="queries/x.csv", Body=b"1")
    s3.delete_object(Bucket=found["DataBucket"], Key="raw/spend/v1/march/x.csv")  # of which the versions stay
    with pytest.raises(StillInUse, match=f"earlier versions of it:\n  DataBucket: {found['DataBucket']}$"):
        _delete(pool)
    assert pool.stack.find()["StackStatus"].endswith("_COMPLETE")
    s3.put_object(Bucket=found["MetadataBucket"], Key="product-heads/spend.json", Body=b"{}")
    for name in ("spend_v1", "spend_v12", "spend_v1_raw", "spending_v1", "spend_values"):
        pool.target.clients.glue.create_database(DatabaseInput={"Name": name})
    _delete(pool, with_data=True)
    assert {one["Name"] for one in pool.target.clients.glue.get_databases()["DatabaseList"]} == {
        "spending_v1", "spend_values"
    }  # fmt: skip
    _assert_gone(pool)


def _delete(site: Site, *, with_data: bool = False) -> None:
    delete_stack(site.target, site.stack, lambda _: None, lambda _: None, with_data=with_data)


def _assert_gone(site: Site) -> None:
    assert site.stack.find() is None
    assert site.client("lambda").list_functions()["Functions"] == []
    assert {one["Name"] for one in site.target.clients.s3.list_buckets()["Buckets"]} == {
        f"daap-artefacts-{site.target.account}-{REGION}"
    }
    assert site.client("sqs").list_queues().get("QueueUrls", []) == []
    assert site.client("events").list_rules()["Rules"] == []


def test_a_zip_file_is_not_for_aws(site):
    """To a target that is taken for AWS itself."""
    release = Release(as_zip=True)
    with pytest.raises(InvalidName, match="--zip is for emulators"):
        find_code(Target(site.target.session), release, "shelf", lambda _: None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stack", "1st"], "no stack's name"),
        (["--stack", "a" * 41], "no stack's name"),
        (["up"], "--stack"),
        (["--stack", "lake", "--parameter", "Engine"], "not NAME=VALUE"),
        (["token", "--stack", "lake", "--grant", "fly"], "fly"),
        (["--stack", "lake", "--engine", "spark"], "spark"),
    ],
)
def test_wrong_use_is_told(words, told):
    done = _run(*words)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["up", "--help"], ["token", "--help"], ["delete", "--help"]])
def test_help_helps(words):
    done = _run(*words)
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_the_work_group_is_where_queries_go(address, tmp_path):
    """Athena of an address of its own, which still knows the work group of an earlier stack with other buckets."""
    site = _open(address)
    with running_athena(tmp_path, address) as url:
        athena = site.target.athena_at(url)
        for bucket, cutoff in (("earlier-results", 10_000_000), ("later-results", 20_000_000)):
            copy_workgroup(site.target, "pool", bucket, cutoff, url)
            settings = athena.get_work_group(WorkGroup="pool")["WorkGroup"]["Configuration"]
            assert settings["ResultConfiguration"]["OutputLocation"] == f"s3://{bucket}/queries/"
            assert settings["BytesScannedCutoffPerQuery"] == cutoff
            assert settings["EnforceWorkGroupConfiguration"] is True

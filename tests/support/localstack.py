"""A whole deployment on LocalStack: its S3, EventBridge, SQS and CloudFormation, and beside it what it lacks.

Athena and Glue are daap's own server. Functions run as processes here (lambdas.py), as the stack on LocalStack
configures them; the stack's EventBridge rules are made to target their queues.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import boto3

from daap_cloud.clients import Clients
from tests.support.cloud import AT_ONCE, STACK, Cloud, deploy, running_athena
from tests.support.emulator import KEY_ID, LOCALSTACK_FUNCTIONS, REGION, SECRET, new_clients, running_emulator
from tests.support.gateway import Site, running_gateway
from tests.support.lambdas import Events, Function, Pool

_NAMES = {
    "api": 4, "authorizer": 2, "landing-to-raw": AT_ONCE, "athena-load": AT_ONCE,
    "push-to-catalogue": 1, "reload": 1, "resync": 1, "retention": 1,
}  # fmt: skip
"""The functions, and how many calls of each are done at once here."""
_AWAITED = {"api", "authorizer"}
"""These are only ever waited for, so that they have no queue."""


@dataclass
class LocalCloud(Cloud):
    """The deployment on LocalStack: the address of Lambda and the API, and the functions that run here."""

    front: str = ""
    pools: dict[str, Pool] = field(default_factory=dict)

    quotes: ClassVar[bool] = True

    @cached_property
    def clients(self) -> Clients:
        """See Cloud."""
        return new_clients(self.url, athena=self.athena, glue=self.athena, **{"lambda": self.front})

    def workers(self, name: str) -> list[int]:
        """See Cloud."""
        return self.pools[self.function(name)].processes()


@contextmanager
def running_localstack(folder: Path, *options: str) -> Iterator[LocalCloud]:
    """Deploys to a fresh LocalStack, and runs what it cannot run itself; `options` are those of the deployment."""
    sites: list[Site] = []
    with ExitStack() as stack:
        url = stack.enter_context(running_emulator(LOCALSTACK_FUNCTIONS))
        athena = stack.enter_context(running_athena(folder, url, own_glue=True))
        words = ("--athena-endpoint", athena, "--glue-endpoint", athena)
        given = ("--parameter", "UseAuthorizer=false", "--parameter", "QuotedEvents=true")
        printed = deploy(url, "up", "--stack", STACK, *words, *given, *options)
        outputs = dict(line.split("=", 1) for line in printed.splitlines())
        token = deploy(url, "token", "--stack", STACK).strip()
        front = stack.enter_context(running_gateway(lambda: sites[0]))
        aws = _Services(url)
        pools = {pool.function.name: pool for pool in _make_pools(aws, folder, front)}
        for pool in pools.values():
            stack.callback(pool.end)
        queues = {pool.function.name: Events(pool, aws.client("sqs")) for pool in _without(pools, _AWAITED)}
        for queue in queues.values():
            stack.callback(queue.end)
        _retarget(aws, queues)
        api, stage = outputs["ApiUrl"].split("/")[4:6]
        sites.append(Site(lambda name, event: pools[name].call(event), lambda name, event: queues[name].put(event),
                          STACK, api, stage))  # fmt: skip
        yield LocalCloud(url, athena, outputs | {"ApiUrl": f"{front}/{stage}"}, token, front, pools)


class _Services:
    """Clients of LocalStack's services."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = boto3.session.Session(
            aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET, region_name=REGION
        )

    def client(self, name: str) -> Any:
        """A client of a service."""
        return self._session.client(name, endpoint_url=self._url)


def _without(pools: dict[str, Pool], names: set[str]) -> list[Pool]:
    return [pool for name, pool in pools.items() if name.removeprefix(f"{STACK}-") not in names]


def _make_pools(aws: _Services, folder: Path, front: str) -> Iterator[Pool]:
    """Processes for each function that the stack has, with the code that was deployed."""
    code = _fetch_code(aws, folder / "code")
    found = {one["FunctionName"] for page in aws.client("lambda").get_paginator("list_functions").paginate()
             for one in page["Functions"]}  # fmt: skip
    assert found == {f"{STACK}-{name}" for name in _NAMES}
    for name, most in _NAMES.items():
        function = _read_function(aws, f"{STACK}-{name}", front)
        yield Pool(function, code, folder / f"{name}.log", most)


def _fetch_code(aws: _Services, folder: Path) -> Path:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    given = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    packed = aws.client("s3").get_object(Bucket=given["CodeBucket"], Key=given["CodeKey"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)
    return folder


def _read_function(aws: _Services, name: str, front: str) -> Function:
    """A function as it is configured; Lambda is where its functions run."""
    functions = aws.client("lambda")
    found = functions.get_function_configuration(FunctionName=name)
    environment = {**found["Environment"]["Variables"], "AWS_ENDPOINT_URL_LAMBDA": front}
    if name.removeprefix(f"{STACK}-") in _AWAITED:
        return Function(name, found["Handler"], environment, found["Timeout"])
    told = functions.get_function_event_invoke_config(FunctionName=name)
    letters = told["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2]
    queue = aws.client("sqs").get_queue_url(QueueName=letters)["QueueUrl"]
    return Function(name, found["Handler"], environment, found["Timeout"], told["MaximumRetryAttempts"] + 1, queue)


def _retarget(aws: _Services, queues: dict[str, Events]) -> None:
    """Lets the rules about objects target a function's queue where the template has the function."""
    events = aws.client("events")
    for rule in events.list_rules()["Rules"]:
        if "EventPattern" not in rule:
            continue
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            queue = queues[target["Arn"].rpartition(":")[2]]
            events.put_targets(Rule=rule["Name"], Targets=[{"Id": target["Id"], "Arn": queue.arn}])

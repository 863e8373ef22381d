"""Where a stack is deployed: an account and region of AWS, or an emulator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from daap.errors import InvalidName
from daap_cloud.clients import Clients
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_glue import GlueClient

_SERVICES = ("s3", "glue", "athena", "lambda")
_EMULATED = "test"
_REGION = "eu-west-2"


@dataclass(frozen=True)
class Target:
    """A session, and the emulator's address if it is one."""

    session: boto3.session.Session
    endpoint: str | None = None

    @property
    def is_emulated(self) -> bool:
        """Whether this is an emulator."""
        return self.endpoint is not None

    @property
    def region(self) -> str:
        """The region; raises InvalidName if there is none."""
        if not self.session.region_name:
            raise InvalidName("no AWS region is set; give --region, or set AWS_REGION")
        return self.session.region_name

    @cached_property
    def account(self) -> str:
        """The account's number."""
        with translated("ask AWS who is calling"):
            return self.session.client("sts", endpoint_url=self.endpoint).get_caller_identity()["Account"]

    @cached_property
    def clients(self) -> Clients:
        """S3, Glue, Athena and Lambda."""
        return Clients(self.session, dict.fromkeys(_SERVICES, self.endpoint) if self.endpoint else None)

    @cached_property
    def formation(self) -> CloudFormationClient:
        """CloudFormation."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint)

    @cached_property
    def events(self) -> Any:  # noqa: ANN401 - botocore's own
        """EventBridge."""
        return self.session.client("events", endpoint_url=self.endpoint)

    @cached_property
    def images(self) -> ECRClient:
        """ECR."""
        return self.session.client("ecr", endpoint_url=self.endpoint)

    def glue_at(self, url: str) -> GlueClient:
        """Glue at another address."""
        return self.session.client("glue", endpoint_url=url)

    def athena_at(self, url: str) -> AthenaClient:
        """Athena at another address."""
        return self.session.client("athena", endpoint_url=url)


def find_target(region: str | None, endpoint: str | None) -> Target:
    """The target that the environment names, as AWS's own tools read it; an emulator needs no credentials of yours."""
    session = boto3.session.Session(region_name=region)
    if endpoint:
        key = None if session.get_credentials() else _EMULATED
        session = boto3.session.Session(key, key, region_name=session.region_name or _REGION)
    return Target(session, endpoint.rstrip("/") if endpoint else None)

"""AWS clients, one of a kind. Their addresses come as AWS's own tools take them: AWS_ENDPOINT_URL and its like."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
)
_S3 = _CONFIG.merge(
    Config(
        signature_version="s3v4",  # the only one that presigned forms and addresses of every region take
        s3={"addressing_style": "path"},
    )
)


class Clients:
    """The clients of one process, each made when it is first asked for; boto3's clients may be used by many threads.

    `endpoints` are addresses by the name of the service, for those that are not to come from the environment.
    """

    def __init__(
        self, session: boto3.session.Session | None = None, endpoints: Mapping[str, str] | None = None
    ) -> None:
        self._session = session or boto3.session.Session()
        self._endpoints = endpoints or {}

    @cached_property
    def session(self) -> boto3.session.Session:
        """Where credentials and the region come from."""
        return self._session

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        return self._session.client("s3", endpoint_url=self._endpoints.get("s3"), config=_S3)

    def signing_s3(self, url: str) -> S3Client:
        """S3 at another address: for what is signed here and used elsewhere."""
        return self._session.client("s3", endpoint_url=url, config=_S3)

    @cached_property
    def glue(self) -> GlueClient:
        """The Glue data catalogue."""
        return self._session.client("glue", endpoint_url=self._endpoints.get("glue"), config=_CONFIG)

    @cached_property
    def athena(self) -> AthenaClient:
        """Athena."""
        return self._session.client("athena", endpoint_url=self._endpoints.get("athena"), config=_CONFIG)

    @cached_property
    def functions(self) -> LambdaClient:
        """Lambda."""
        return self._session.client("lambda", endpoint_url=self._endpoints.get("lambda"), config=_CONFIG)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Secrets Manager."""
        return self._session.client(
            "secretsmanager", endpoint_url=self._endpoints.get("secretsmanager"), config=_CONFIG
        )

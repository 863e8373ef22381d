"""AWS clients, one of a kind. Endpoints come as AWS's own tools take them: AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, ..."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    signature_version="s3v4",  # the only one that presigned forms and addresses of every region take
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
    s3={"addressing_style": "path"},
)


class Clients:
    """The clients of one process, each made when it is first asked for; boto3's clients may be used by many threads."""

    def __init__(self, session: boto3.session.Session | None = None) -> None:
        self._session = session or boto3.session.Session()

    @cached_property
    def session(self) -> boto3.session.Session:
        """Where credentials and the region come from."""
        return self._session

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        return self._session.client("s3", config=_CONFIG)

    @cached_property
    def glue(self) -> GlueClient:
        """The Glue data catalogue."""
        return self._session.client("glue", config=_CONFIG.merge(Config(signature_version=None)))

    @cached_property
    def athena(self) -> AthenaClient:
        """Athena."""
        return self._session.client("athena", config=_CONFIG.merge(Config(signature_version=None)))

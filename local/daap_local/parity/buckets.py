"""Buckets for one comparison, where nothing of daap's is deployed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daap.errors import StoreUnavailable
from daap_cloud.clients import Clients
from daap_cloud.faults import translated
from daap_cloud.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKETS = ("landing", "data", "metadata", "logs", "results")
"""What Settings name them by, with `_bucket` behind it."""

_PLAIN_REGION = "us-east-1"
"""The one that S3 does not take as a constraint."""


@contextmanager
def fresh_settings(clients: Clients, scratch: Path, memory: str | None = None) -> Iterator[Settings]:
    """Settings with buckets, and a database for Athena to work in, of their own; all are removed with the block.

    `memory` is what DuckDB may use.
    """
    own = uuid.uuid4().hex[:12]
    names = {f"{name}_bucket": f"daap-parity-{own}-{name}" for name in BUCKETS}
    names |= {"work_database": f"daap_parity_{own}", "scratch": str(scratch / "engine")}
    settings = Settings.model_validate(names | ({"memory": memory} if memory else {}))
    try:
        _make_all(clients, settings)
        yield settings
    except BaseException as error:
        try:
            _remove_all(clients, settings)
        except StoreUnavailable as left:  # what went wrong first is what is told first
            error.add_note(str(left))
        raise
    _remove_all(clients, settings)


def _names_of(settings: Settings) -> list[str]:
    return [getattr(settings, f"{name}_bucket") for name in BUCKETS]


def _make_all(clients: Clients, settings: Settings) -> None:
    region: Any = clients.s3.meta.region_name
    place: Any = {} if region == _PLAIN_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with translated("make buckets for the comparison"):
        for bucket in _names_of(settings):
            clients.s3.create_bucket(Bucket=bucket, **place)
        clients.glue.create_database(DatabaseInput={"Name": settings.work_database})


def _remove_all(clients: Clients, settings: Settings) -> None:
    for bucket in _names_of(settings):
        with translated(f"remove the bucket {bucket}"), suppress(clients.s3.exceptions.NoSuchBucket):
            _remove_bucket(clients.s3, bucket)
    with translated(f"remove {settings.work_database}"), suppress(clients.glue.exceptions.EntityNotFoundException):
        clients.glue.delete_database(Name=settings.work_database)


def _named(key: str) -> Any:  # noqa: ANN401 - as DeleteObjects takes it
    return {"Key": key}


def _remove_bucket(s3: S3Client, bucket: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        if found := [_named(one["Key"]) for one in page.get("Contents", ())]:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
    s3.delete_bucket(Bucket=bucket)

"""The end of a stack: what its buckets hold, and emptying them where that is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from daap_cloud.deploy.faults import DeployFailed, StillInUse
from daap_cloud.deploy.stack import Stack, Tell
from daap_cloud.deploy.target import Target
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BUCKET, _RULE = "AWS::S3::Bucket", "AWS::Events::Rule"
_HEADS = "product-heads/"
_RESULTS = "ResultsBucket"
_BATCH = 1_000  # keys that one DeleteObjects takes


def delete_stack(target: Target, stack: Stack, tell: Tell, say: Callable[[str], None], *, with_data: bool) -> None:
    """Deletes a stack. Raises StillInUse while its buckets hold anything, unless that is to be deleted `with_data`."""
    if stack.find() is None:
        raise DeployFailed(f"there is no stack {stack.name} here; look at the region and the account")
    buckets = stack.resources(_BUCKET)
    held = {name: bucket for name, bucket in buckets.items() if name != _RESULTS and _holds(target.clients.s3, bucket)}
    if held and not with_data:
        listed = "".join(f"\n  {name}: {bucket}" for name, bucket in sorted(held.items()))
        raise StillInUse(f"these buckets of {stack.name} hold data or earlier versions of it:{listed}")
    _silence(target, stack)
    if with_data and (metadata := buckets.get("MetadataBucket")):
        for database in list(_find_databases(target, metadata)):
            with translated(f"delete the database {database}"):
                target.clients.glue.delete_database(Name=database)
            say(f"deleted the database {database}")
    for bucket in buckets.values():
        if number := _empty(target.clients.s3, bucket):
            say(f"deleted {number} objects and earlier versions from {bucket}")
    stack.protect(on=False)
    stack.delete(tell)


def _holds(s3: S3Client, bucket: str) -> bool:
    with translated(f"look into {bucket}"):
        found = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    return bool(found.get("Versions") or found.get("DeleteMarkers"))


def _silence(target: Target, stack: Stack) -> None:
    """Switches the rules off: what is deleted would else wake functions that write to the buckets."""
    for rule in stack.resources(_RULE).values():
        with translated(f"switch off {rule}"):
            target.events.disable_rule(Name=rule.rpartition("/")[2])


def _find_databases(target: Target, metadata: str) -> Iterator[str]:
    """The Glue databases of the products that are registered."""
    pages = target.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=metadata, Prefix=_HEADS)
    with translated(f"list the products in {metadata}"):
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    products = {key.removeprefix(_HEADS).removesuffix(".json") for key in keys}
    with translated("list the databases"):
        for page in target.clients.glue.get_paginator("get_databases").paginate():
            for database in page["DatabaseList"]:
                match = re.fullmatch(r"(?P<product>[a-z0-9_]+)_v[1-9][0-9]*(?:_raw)?", database["Name"])
                if match and match["product"] in products:
                    yield database["Name"]


def _empty(s3: S3Client, bucket: str) -> int:
    """Deletes every object of a bucket with its versions; how many there were."""
    number = 0
    with translated(f"empty {bucket}"):
        for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": _BATCH}
        ):
            listed: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            number += len(listed)
            _delete_batch(s3, bucket, [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed])
    return number


def _delete_batch(s3: S3Client, bucket: str, objects: list[Any]) -> None:
    if not objects:
        return
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    if failed := answer.get("Errors"):
        first = failed[0]
        raise DeployFailed(f"{len(failed)} objects of {bucket} stay, {first.get('Key')} first: {first.get('Message')}")

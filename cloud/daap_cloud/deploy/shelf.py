"""The bucket of what a deployment uploads: templates and code, under names that tell their content."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from daap_cloud.deploy.target import Target
from daap_cloud.faults import code_of, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketRequestTypeDef

_PRIVATE = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
_OURS = frozenset({"BucketAlreadyOwnedByYou"})
_MISSING = frozenset({"404", "NoSuchBucket", "NotFound"})


def open_shelf(target: Target) -> str:
    """The name of the account's bucket for deployments, which is made if there is none yet."""
    bucket = f"daap-artefacts-{target.account}-{target.region}"
    with translated(f"make the bucket {bucket}"):
        if not _has_bucket(target, bucket):
            _make_bucket(target, bucket)
    return bucket


def _has_bucket(target: Target, bucket: str) -> bool:
    try:
        target.clients.s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=target.account)
    except ClientError as error:
        if code_of(error) in _MISSING:
            return False
        raise
    return True


def _make_bucket(target: Target, bucket: str) -> None:
    s3 = target.clients.s3
    wanted: CreateBucketRequestTypeDef = {"Bucket": bucket, "ObjectOwnership": "BucketOwnerEnforced"}
    if target.region != "us-east-1":  # which S3 does not take for a place: it is where buckets are by default
        wanted["CreateBucketConfiguration"] = {"LocationConstraint": target.region}  # type: ignore[typeddict-item]
    try:
        s3.create_bucket(**wanted)
    except ClientError as error:
        if code_of(error) not in _OURS:
            raise
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)  # type: ignore[arg-type]
    if not target.is_emulated:
        _ask_tls(s3, bucket)


def _ask_tls(s3: S3Client, bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def put_artefact(target: Target, bucket: str, data: bytes, folder: str, extension: str) -> str:
    """Uploads data unless it is there already; gives its key."""
    key = f"{folder}/{hashlib.sha256(data).hexdigest()}.{extension}"
    with translated(f"upload {key} to {bucket}"):
        try:
            target.clients.s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) not in _MISSING:
                raise
            target.clients.s3.put_object(Bucket=bucket, Key=key, Body=data)
    return key


def artefact_url(target: Target, bucket: str, key: str) -> str:
    """The address by which CloudFormation reads an artefact."""
    if target.endpoint:
        return f"{target.endpoint}/{bucket}/{key}"
    return f"https://{bucket}.s3.{target.region}.{_suffix(target)}/{key}"


def _suffix(target: Target) -> str:
    return "amazonaws.com.cn" if target.region.startswith("cn-") else "amazonaws.com"

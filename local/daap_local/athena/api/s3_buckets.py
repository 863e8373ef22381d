"""S3's operations on buckets, and the lists of what is in them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from daap.errors import DaapError
from daap_local.athena.api.s3_body import read_body
from daap_local.athena.api.s3_place import Call, Handler
from daap_local.athena.api.s3_xml import S3Fault, answer_xml, read_elements
from daap_local.athena.objects.faults import AccessRefused, KeyConflict
from daap_local.athena.objects.tree import KeyInfo

_MOST_KEYS = 1000
_OWNER = {"ID": "local", "DisplayName": "local"}


async def list_buckets(call: Call) -> Response:
    """ListBuckets."""
    found = await run_in_threadpool(call.store.buckets.buckets)
    listed = [{"Name": name, "CreationDate": made} for name, made in found]
    return answer_xml("ListAllMyBucketsResult", {"Owner": _OWNER, "Buckets": {"Bucket": listed}})


async def create_bucket(call: Call) -> Response:
    """CreateBucket; one that is there already is one's own."""
    await read_body(call.request)
    await run_in_threadpool(call.store.buckets.create_bucket, call.bucket)
    return Response(headers={"Location": f"/{call.bucket}"})


async def head_bucket(call: Call) -> Response:
    """HeadBucket."""
    _ = call.tree
    return Response(headers={"x-amz-bucket-region": "us-east-1"})


async def delete_bucket(call: Call) -> Response:
    """DeleteBucket."""
    try:
        await run_in_threadpool(call.store.buckets.delete_bucket, call.bucket)
    except KeyConflict as error:
        raise S3Fault("BucketNotEmpty", str(error), 409) from None
    return Response(status_code=204)


async def locate_bucket(call: Call) -> Response:
    """GetBucketLocation: the region that has no name."""
    _ = call.tree
    return answer_xml("LocationConstraint", {})


async def bucket_versioning(call: Call) -> Response:
    """GetBucketVersioning: never enabled."""
    _ = call.tree
    return answer_xml("VersioningConfiguration", {})


async def list_uploads(call: Call) -> Response:
    """ListMultipartUploads: those under way are not told of."""
    _ = call.tree
    return answer_xml("ListMultipartUploadsResult", {"Bucket": call.bucket, "IsTruncated": False})


async def list_objects(call: Call) -> Response:
    """ListObjects and ListObjectsV2."""
    return await run_in_threadpool(_list, call)


def _list(call: Call) -> Response:
    query, second = call.query, call.query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = _start(query) if second else query.get("marker", "")
    most = _most_keys(query)
    found, more = _take(_entries(call, prefix, delimiter, after), most)
    last = (found[-1] if isinstance(found[-1], str) else found[-1].key) if found else ""
    encode = quote if query.get("encoding-type") == "url" else str
    content: dict[str, Any] = {
        "Name": call.bucket, "Prefix": encode(prefix), "MaxKeys": most, "Delimiter": encode(delimiter) or None,
        "EncodingType": query.get("encoding-type"), "IsTruncated": more,
        "Contents": [_describe(call, one, encode(one.key)) for one in found if isinstance(one, KeyInfo)],
        "CommonPrefixes": [{"Prefix": encode(one)} for one in found if isinstance(one, str)],
    }  # fmt: skip
    content |= _second_form(query, len(found), last, more) if second else _first_form(query, encode(last), more)
    return answer_xml("ListBucketResult", content)


def _second_form(query: dict[str, str], count: int, last: str, more: bool) -> dict[str, Any]:
    return {
        "KeyCount": count, "ContinuationToken": query.get("continuation-token"), "StartAfter": query.get("start-after"),
        "NextContinuationToken": base64.urlsafe_b64encode(last.encode()).decode() if more else None,
    }  # fmt: skip


def _first_form(query: dict[str, str], last: str, more: bool) -> dict[str, Any]:
    return {"Marker": query.get("marker", ""), "NextMarker": last if more else None}


def _start(query: dict[str, str]) -> str:
    token = query.get("continuation-token")
    if not token:
        return query.get("start-after", "")
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise S3Fault("InvalidArgument", "The continuation token provided is incorrect") from None


def _most_keys(query: dict[str, str]) -> int:
    try:
        return max(0, min(int(query.get("max-keys", _MOST_KEYS)), _MOST_KEYS))
    except ValueError:
        raise S3Fault("InvalidArgument", "Argument max-keys must be an integer") from None


def _entries(call: Call, prefix: str, delimiter: str, after: str) -> Iterator[KeyInfo | str]:
    if delimiter == "/":
        return call.tree.children(prefix, after)
    if not delimiter:
        return call.tree.walk(prefix, after)
    return _grouped(call.tree.walk(prefix), prefix, delimiter, after)


def _grouped(found: Iterator[KeyInfo], prefix: str, delimiter: str, after: str) -> Iterator[KeyInfo | str]:
    """Keys with what stands before another delimiter than the slash taken together."""
    last = ""
    for info in found:
        head, mark, _ = info.key[len(prefix) :].partition(delimiter)
        group = f"{prefix}{head}{mark}"
        if not mark and info.key > after:
            yield info
        elif mark and group != last and group > after:
            last = group
            yield group


def _take(entries: Iterator[KeyInfo | str], most: int) -> tuple[list[KeyInfo | str], bool]:
    found: list[KeyInfo | str] = []
    for one in entries:
        if len(found) == most:
            return found, bool(most)
        found.append(one)
    return found, False


def _describe(call: Call, info: KeyInfo, key: str) -> dict[str, Any]:
    return {
        "Key": key, "LastModified": info.modified, "ETag": f'"{call.attributes(info).etag}"', "Size": info.size,
        "StorageClass": "STANDARD",
    }  # fmt: skip


async def delete_objects(call: Call) -> Response:
    """DeleteObjects."""
    body = await read_body(call.request)
    keys = [one["Key"] for one in read_elements(body, "Object") if one.get("Key")]
    quiet = b"<Quiet>true</Quiet>" in body
    return await run_in_threadpool(_delete_all, call, keys, quiet)


def _delete_all(call: Call, keys: list[str], quiet: bool) -> Response:
    tree = call.tree
    done, failed = [], []
    for key in keys:
        try:
            tree.delete(key)
            call.store.attributes.drop(call.bucket, key)
            done.append({"Key": key})
        except DaapError as error:
            code = "AccessDenied" if isinstance(error, AccessRefused) else "InternalError"
            failed.append({"Key": key, "Code": code, "Message": str(error)})
    return answer_xml("DeleteResult", {"Deleted": [] if quiet else done, "Error": failed})


ROUTES: dict[tuple[str, str, str], Handler] = {
    ("service", "GET", ""): list_buckets,
    ("bucket", "PUT", ""): create_bucket,
    ("bucket", "HEAD", ""): head_bucket,
    ("bucket", "DELETE", ""): delete_bucket,
    ("bucket", "GET", ""): list_objects,
    ("bucket", "GET", "location"): locate_bucket,
    ("bucket", "GET", "versioning"): bucket_versioning,
    ("bucket", "GET", "uploads"): list_uploads,
    ("bucket", "POST", "delete"): delete_objects,
}

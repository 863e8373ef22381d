"""S3's operations on objects: get, head, put, copy, delete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import format_datetime
from typing import BinaryIO
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from daap.errors import ObjectMissing
from daap_local.athena.api.s3_body import save_body
from daap_local.athena.api.s3_place import Call, Handler
from daap_local.athena.api.s3_xml import S3Fault, answer_xml
from daap_local.athena.objects.attributes import PLAIN_TYPE, Attributes
from daap_local.athena.objects.tree import KeyInfo, NewFile

_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)")
_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")


def _headers(info: KeyInfo, attributes: Attributes) -> dict[str, str]:
    meta = {f"x-amz-meta-{key}": value for key, value in attributes.metadata.items()}
    return {
        "ETag": f'"{attributes.etag}"', "Last-Modified": format_datetime(info.modified, usegmt=True),
        "Accept-Ranges": "bytes", "Content-Type": attributes.content_type, **attributes.headers, **meta,
    }  # fmt: skip


async def head_object(call: Call) -> Response:
    """HeadObject."""
    info = await run_in_threadpool(call.tree.stat, call.key)
    attributes = call.attributes(info)
    if stale := _check_conditions(call, attributes.etag):
        return stale
    start, end = _find_range(call, info.size)
    headers = {**_headers(info, attributes), "Content-Length": str(end - start)}
    return Response(status_code=200 if end - start == info.size else 206, headers=headers)


async def get_object(call: Call) -> Response:
    """GetObject, a range of it too. Size and content are those of one file, whatever is written meanwhile."""
    stream, info = await run_in_threadpool(call.tree.open_described, call.key)
    try:
        answer = _answer_get(call, stream, info)
    except BaseException:
        stream.close()
        raise
    if not isinstance(answer, StreamingResponse):
        stream.close()
    return answer


def _answer_get(call: Call, stream: BinaryIO, info: KeyInfo) -> Response:
    attributes = call.attributes(info)
    if stale := _check_conditions(call, attributes.etag):
        return stale
    start, end = _find_range(call, info.size)
    headers = {**_headers(info, attributes), "Content-Length": str(end - start)}
    partial = "range" in call.request.headers and info.size > 0
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
    return StreamingResponse(_blocks(stream, start, end), 206 if partial else 200, headers)


def _blocks(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    with stream:
        stream.seek(start)
        while start < end and (data := stream.read(min(_BLOCK, end - start))):
            start += len(data)
            yield data


def _check_conditions(call: Call, etag: str) -> Response | None:
    wanted, unwanted = call.request.headers.get("if-match"), call.request.headers.get("if-none-match")
    if wanted and wanted.strip('"') not in ("*", etag):
        raise S3Fault("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    if unwanted and unwanted.strip('"') in ("*", etag):
        return Response(status_code=304, headers={"ETag": f'"{etag}"'})
    return None


def _find_range(call: Call, size: int) -> tuple[int, int]:
    """First byte and the one after the last; a range that is none is passed over, as S3 does."""
    found = _RANGE.fullmatch(call.request.headers.get("range", ""))
    if not found or not size or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        return max(0, size - int(found[2])), size
    start, end = int(found[1]), int(found[2]) + 1 if found[2] else size
    if start >= size or end <= start:
        raise S3Fault("InvalidRange", "The requested range is not satisfiable", 416)
    return start, min(end, size)


async def put_object(call: Call) -> Response:
    """PutObject, and CopyObject where a source is named."""
    if source := call.request.headers.get("x-amz-copy-source"):
        return await run_in_threadpool(_copy, call, source)
    _check_new(call)
    stream = await run_in_threadpool(call.tree.create, call.key)
    try:
        digest = await save_body(call.request, stream)
    except BaseException:
        await run_in_threadpool(abandon, stream)
        raise
    return await run_in_threadpool(_finish_put, call, stream, digest)


def abandon(stream: BinaryIO) -> None:
    """Removes what was written of an object that is not to be."""
    if isinstance(stream, NewFile):
        stream.abandon()


def _check_new(call: Call) -> None:
    headers = call.request.headers
    if "if-none-match" not in headers and "if-match" not in headers:
        return
    try:
        etag = call.attributes(call.tree.stat(call.key)).etag
    except ObjectMissing:
        if "if-match" in headers:
            raise
        return
    if headers.get("if-none-match") == "*" or headers.get("if-match", f'"{etag}"').strip('"') != etag:
        raise S3Fault("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)


def _finish_put(call: Call, stream: BinaryIO, etag: str) -> Response:
    stream.close()
    keep(call, etag, attributes_of(call))
    return Response(headers={"ETag": f'"{etag}"'})


def attributes_of(call: Call) -> Attributes:
    """What a request says of the object it writes."""
    headers = call.request.headers
    meta = {name.removeprefix("x-amz-meta-"): text for name, text in headers.items() if name.startswith("x-amz-meta-")}
    kept = {name: headers[name] for name in _KEPT if name in headers}
    encodings = [part.strip() for part in kept.pop("content-encoding", "").split(",")]
    if own := ",".join(part for part in encodings if part and part != "aws-chunked"):
        kept["content-encoding"] = own
    return Attributes("", "", headers.get("content-type", PLAIN_TYPE), meta, kept)


def keep(call: Call, etag: str, given: Attributes) -> KeyInfo:
    """Puts attributes beside the object that was just written."""
    info = call.tree.stat(call.key)
    made = Attributes(info.version, etag, given.content_type, given.metadata, given.headers)
    call.store.attributes.put(call.bucket, call.key, made)
    return info


def read_source(call: Call, source: str) -> tuple[str, str]:
    """Bucket and key of a copy's source."""
    bucket, _, key = unquote(source.partition("?")[0]).removeprefix("/").partition("/")
    if not key:
        raise S3Fault("InvalidArgument", f"{source} is no source of a copy in {call.bucket}")
    return bucket, key


def _copy(call: Call, source: str) -> Response:
    import hashlib  # noqa: PLC0415 - beside its one use

    bucket, key = read_source(call, source)
    origin = call.store.buckets.tree(bucket)
    info = origin.stat(key)
    digest = hashlib.md5(usedforsecurity=False)
    with origin.open(key) as stream, call.tree.create(call.key) as target:
        while data := stream.read(_BLOCK):
            digest.update(data)
            target.write(data)
    replaced = call.request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
    given = attributes_of(call) if replaced else call.store.attributes.get(bucket, info)
    made = keep(call, digest.hexdigest(), given)
    return answer_xml("CopyObjectResult", {"LastModified": made.modified, "ETag": f'"{digest.hexdigest()}"'})


async def delete_object(call: Call) -> Response:
    """DeleteObject; one that is not there is no error."""
    await run_in_threadpool(call.tree.delete, call.key)
    await run_in_threadpool(call.store.attributes.drop, call.bucket, call.key)
    return Response(status_code=204)


async def object_tags(call: Call) -> Response:
    """GetObjectTagging: there are none."""
    await run_in_threadpool(call.tree.stat, call.key)
    return answer_xml("Tagging", {"TagSet": {}})


ROUTES: dict[tuple[str, str, str], Handler] = {
    ("object", "GET", ""): get_object,
    ("object", "HEAD", ""): head_object,
    ("object", "PUT", ""): put_object,
    ("object", "DELETE", ""): delete_object,
    ("object", "GET", "tagging"): object_tags,
}

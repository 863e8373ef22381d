"""S3's multipart uploads: the parts lie in a folder of their own until they are put together."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from daap_local.athena.api.s3_body import read_body, save_body
from daap_local.athena.api.s3_objects import attributes_of, keep, read_source
from daap_local.athena.api.s3_place import Call, Handler
from daap_local.athena.api.s3_xml import S3Fault, answer_xml, read_elements
from daap_local.athena.objects.attributes import Attributes
from daap_local.files import make_folder

_BLOCK = 1 << 20
_UPLOAD = re.compile(r"[0-9a-f]{32}")
_ABOUT = "about.json"
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)")


async def begin(call: Call) -> Response:
    """CreateMultipartUpload."""
    if not call.tree.writable:
        raise S3Fault("AccessDenied", f"{call.bucket} is not written to from here", 403)
    call.tree.path(call.key)
    upload = uuid.uuid4().hex
    folder = call.store.parts / upload
    given = attributes_of(call)
    about = {"key": call.key, "bucket": call.bucket, "type": given.content_type, "metadata": given.metadata,
             "headers": given.headers}  # fmt: skip
    make_folder(folder)
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    content = {"Bucket": call.bucket, "Key": call.key, "UploadId": upload}
    return answer_xml("InitiateMultipartUploadResult", content)


def _folder(call: Call) -> Path:
    upload = call.query["uploadId"]
    folder = call.store.parts / upload
    if not _UPLOAD.fullmatch(upload) or not (folder / _ABOUT).is_file():
        raise S3Fault("NoSuchUpload", "The specified multipart upload does not exist.", 404)
    return folder


def _part(call: Call, folder: Path) -> Path:
    number = call.query.get("partNumber", "")
    if not number.isdecimal() or not 1 <= int(number) <= 10_000:  # noqa: PLR2004 - S3's own limit
        raise S3Fault("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    return folder / f"{int(number):05d}"


async def put_part(call: Call) -> Response:
    """UploadPart, and UploadPartCopy where a source is named."""
    path = _part(call, _folder(call))
    if source := call.request.headers.get("x-amz-copy-source"):
        return await run_in_threadpool(_copy_part, call, source, path)
    with path.open("wb") as stream:
        digest = await save_body(call.request, stream)
    path.with_suffix(".md5").write_text(digest, encoding="ascii")
    return Response(headers={"ETag": f'"{digest}"'})


def _copy_part(call: Call, source: str, path: Path) -> Response:
    bucket, key = read_source(call, source)
    with call.store.buckets.tree(bucket).open(key) as stream:
        found = _RANGE.fullmatch(call.request.headers.get("x-amz-copy-source-range", ""))
        stream.seek(int(found[1]) if found else 0)
        data = stream.read(int(found[2]) - int(found[1]) + 1) if found else stream.read()
    path.write_bytes(data)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    path.with_suffix(".md5").write_text(digest, encoding="ascii")
    return answer_xml("CopyPartResult", {"ETag": f'"{digest}"'})


async def complete(call: Call) -> Response:
    """CompleteMultipartUpload."""
    body = await read_body(call.request)
    return await run_in_threadpool(_complete, call, body)


def _complete(call: Call, body: bytes) -> Response:
    folder = _folder(call)
    paths = [_named_part(folder, one) for one in read_elements(body, "Part")]
    if not paths:
        raise S3Fault("MalformedXML", "You must specify at least one part")
    digest = hashlib.md5(usedforsecurity=False)
    with call.tree.create(call.key) as target:
        for path in paths:
            digest.update(bytes.fromhex(path.with_suffix(".md5").read_text(encoding="ascii")))
            with path.open("rb") as stream:
                shutil.copyfileobj(stream, target, _BLOCK)
    etag = f"{digest.hexdigest()}-{len(paths)}"
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    keep(call, etag, Attributes("", "", about["type"], about["metadata"], about["headers"]))
    shutil.rmtree(folder, ignore_errors=True)
    content = {"Location": f"/{call.bucket}/{call.key}", "Bucket": call.bucket, "Key": call.key, "ETag": f'"{etag}"'}
    return answer_xml("CompleteMultipartUploadResult", content)


def _named_part(folder: Path, given: dict[str, str]) -> Path:
    number = given.get("PartNumber", "")
    path = folder / f"{int(number):05d}" if number.isdecimal() else folder / "none"
    known = path.with_suffix(".md5")
    asked = given.get("ETag", "").strip().strip('"')
    if not known.is_file() or asked != known.read_text(encoding="ascii"):
        raise S3Fault("InvalidPart", "One or more of the specified parts could not be found.")
    return path


async def abort(call: Call) -> Response:
    """AbortMultipartUpload."""
    await run_in_threadpool(shutil.rmtree, _folder(call), True)
    return Response(status_code=204)


async def list_parts(call: Call) -> Response:
    """ListParts."""
    folder = _folder(call)
    parts = [
        {"PartNumber": int(path.stem), "ETag": f'"{path.read_text(encoding="ascii")}"',
         "Size": path.with_suffix("").stat().st_size}
        for path in sorted(folder.glob("*.md5"))
    ]  # fmt: skip
    content = {"Bucket": call.bucket, "Key": call.key, "UploadId": folder.name, "IsTruncated": False, "Part": parts}
    return answer_xml("ListPartsResult", content)


ROUTES: dict[tuple[str, str, str], Handler] = {
    ("object", "POST", "uploads"): begin,
    ("object", "PUT", "uploadId"): put_part,
    ("object", "POST", "uploadId"): complete,
    ("object", "DELETE", "uploadId"): abort,
    ("object", "GET", "uploadId"): list_parts,
}

"""Uploads: forms to send a file with, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from daap.access.grants import Action
from daap.api.answers import Form, Message, PartsAnswer, UploadAnswer, UploadStatus, describe_load
from daap.api.backend import Call
from daap.api.bodies import FinishBody, PartsBody, ProductPath, TablePath, UploadBody
from daap.api.failures import fails
from daap.pipeline.upload import abort_parts, find_upload, finish_parts, parse_upload, request_form, request_parts

router = APIRouter(prefix="/data-product/{name}/table/{table}/upload", tags=["uploads"])

_EXAMPLE = "v1-20260131T235959Z-7c1c62a1-6c1b-4f0e-9a52-6d5c0e1e9a3b"
UploadPath = Annotated[
    str,
    Path(
        pattern="^v[1-9][0-9]{0,5}-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        description="What `uploadId` was.", examples=[_EXAMPLE],
    ),
]  # fmt: skip


@router.post("", responses=fails(404))
def get_form(name: ProductPath, table: TablePath, body: UploadBody, caller: Call) -> UploadAnswer:
    """A form to POST one file with; good for this file, of at most 5 GB, within 15 minutes."""
    caller.require(name, Action.UPLOAD)
    backend = caller.backend
    upload, form = request_form(
        caller.lake, backend.presigner, name, table, body.filename, body.content_md5, caller.name
    )
    return UploadAnswer(form=Form(url=form.url, fields=form.fields), upload_id=str(upload))


@router.get("/{upload_id}", responses=fails(404))
def get_status(name: ProductPath, table: TablePath, upload_id: UploadPath, caller: Call) -> UploadStatus:
    """What became of an upload."""
    caller.require(name, Action.UPLOAD, Action.READ)
    caller.lake.registry.get(name)
    status, receipt = find_upload(caller.lake, parse_upload(name, table, upload_id))
    return UploadStatus(upload_id=upload_id, status=status, load=describe_load(receipt) if receipt else None)


@router.post("/multipart", responses=fails(404))
def start_multipart(name: ProductPath, table: TablePath, body: PartsBody, caller: Call) -> PartsAnswer:
    """Begin to send a large file in parts, each by a PUT to its address, within 12 hours."""
    caller.require(name, Action.UPLOAD)
    upload, parts, part_bytes = request_parts(
        caller.lake, caller.backend.presigner, name, table, body.filename, body.content_length, caller.name
    )
    return PartsAnswer(upload_id=str(upload), handle=parts.handle, part_bytes=part_bytes, urls=list(parts.urls))


@router.post("/multipart/{upload_id}/complete", responses=fails(404, 409))
def complete_multipart(
    name: ProductPath, table: TablePath, upload_id: UploadPath, body: FinishBody, caller: Call
) -> Message:
    """Put the parts of a file together; then it is taken in."""
    caller.require(name, Action.UPLOAD)
    upload = parse_upload(name, table, upload_id)
    finish_parts(caller.lake, caller.backend.presigner, upload, body.handle, body.etags)
    return Message(message=f"upload {upload_id} is complete")


@router.delete("/multipart/{upload_id}", responses=fails(404))
def abort_multipart(
    name: ProductPath, table: TablePath, upload_id: UploadPath, caller: Call,
    handle: Annotated[str, Query(min_length=1, max_length=2_048, description="What `handle` was.")],
) -> Message:  # fmt: skip
    """Give up a multipart upload; its parts are deleted."""
    caller.require(name, Action.UPLOAD)
    abort_parts(caller.lake, caller.backend.presigner, parse_upload(name, table, upload_id), handle)
    return Message(message=f"upload {upload_id} is given up")

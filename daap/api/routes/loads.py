"""Loads: how far they have come, what was wrong, and their files as they came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from daap.access.grants import Action
from daap.api.answers import ErrorReport, LoadAnswer, LoadPage, describe_load
from daap.api.backend import Call, Caller
from daap.api.bodies import AfterQuery, LimitQuery, MajorQuery, ProductPath, StampPath, TablePath
from daap.api.failures import fails
from daap.errors import UnknownLoad
from daap.model.loads import LoadId, Receipt
from daap.pipeline.rebuild import find_origin
from daap.pipeline.report import read_report
from daap.pipeline.upload import stored_file
from daap.ports.presigner import CanLend

router = APIRouter(prefix="/data-product/{name}/table/{table}/loads", tags=["loads"])

_CHUNK = 1 << 20
_SEEN = (Action.READ, Action.UPLOAD)
_PRIVATE = {"Cache-Control": "no-store"}
_LENT_FOR = timedelta(minutes=5)
_LENT: dict[int | str, dict[str, Any]] = {307: {"description": "The file is at the address in `Location`."}}
_CSV: dict[str, Any] = {"description": "The report.", "content": {"text/csv": {}}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file, byte for byte.", "content": {"application/octet-stream": {}}}
}
FormQuery = Annotated[
    str,
    Query(alias="format", pattern="^(json|csv)$", description="json, or csv: the file with its errors in a column."),
]


@router.get("", responses=fails(404))
def list_loads(
    name: ProductPath, table: TablePath, caller: Call, major: MajorQuery = None, limit: LimitQuery = 100,
    after: AfterQuery = "",
) -> LoadPage:  # fmt: skip
    """The loads of a table, the newest first."""
    caller.require(name, *_SEEN)
    ref, ledger = caller.lake.registry.find_ref(name, table, major), caller.lake.ledger
    stamps = [stamp for stamp in reversed(ledger.stamps(ref)) if not after or stamp < after]
    receipts = [ledger.get(LoadId(ref, stamp)) for stamp in stamps[:limit]]
    return LoadPage(
        loads=[describe_load(receipt) for receipt in receipts],
        next=receipts[-1].load_timestamp if len(stamps) > limit else None,
    )


@router.get("/{load_timestamp}", responses=fails(404))
def get_load(
    name: ProductPath, table: TablePath, load_timestamp: StampPath, caller: Call, major: MajorQuery = None
) -> LoadAnswer:
    """One load."""
    caller.require(name, *_SEEN)
    return describe_load(_find_receipt(caller, name, table, load_timestamp, major))


def _find_receipt(caller: Call, name: str, table: str, stamp: str, major: int | None) -> Receipt:
    return caller.lake.ledger.get(LoadId(caller.lake.registry.find_ref(name, table, major), stamp))


@router.get("/{load_timestamp}/errors", response_model=ErrorReport, responses={200: _CSV, **_LENT, **fails(404)})
def get_errors(
    name: ProductPath, table: TablePath, load_timestamp: StampPath, caller: Call, major: MajorQuery = None,
    form: FormQuery = "json",
) -> Response:  # fmt: skip
    """What was wrong with a refused file: as JSON, or as the file itself with its errors in a column."""
    caller.require(name, *_SEEN)
    receipt = _find_receipt(caller, name, table, load_timestamp, major)
    report = read_report(caller.lake.store, receipt)
    if form == "json":
        return JSONResponse(report)
    if receipt.errors is None or receipt.errors.annotated is None:
        raise UnknownLoad(f"load {receipt.load} has no errors in lines of its file; ask for them as json")
    return _hand_out(caller, receipt.errors.annotated, "text/csv; charset=utf-8", f"errors-{receipt.source_name}")


@router.get("/{load_timestamp}/file", response_class=StreamingResponse, responses={**_FILE, **_LENT, **fails(404)})
def get_file(
    name: ProductPath, table: TablePath, load_timestamp: StampPath, caller: Call, major: MajorQuery = None
) -> Response:
    """The file of a load as it came, accepted or refused.

    Where the store hands out files itself, the answer is its address, which is good for five minutes.
    """
    caller.require(name, Action.READ)
    receipt = find_origin(_find_receipt(caller, name, table, load_timestamp, major), caller.lake)
    return _hand_out(caller, stored_file(receipt), "application/octet-stream", receipt.source_name)


def _hand_out(caller: Caller, key: str, media_type: str, name: str) -> Response:
    """A file of any size: the store's own address of it if there is one, else its bytes. Raises ObjectMissing."""
    presigner = caller.backend.presigner
    if not isinstance(presigner, CanLend):
        return _send(caller.lake.store.open(key), media_type, name)
    caller.lake.store.stat(key)  # the address itself could tell of a missing file only in S3's words
    return RedirectResponse(presigner.sign_download(key, name, media_type, _LENT_FOR), headers=_PRIVATE)


def _send(stream: BinaryIO, media_type: str, name: str) -> StreamingResponse:
    # The name comes from a producer: quoted wholly, it can say nothing else in the header (RFC 6266, section 4.3).
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(_read_chunks(stream), media_type=media_type, headers=headers)


def _read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(_CHUNK):
            yield chunk

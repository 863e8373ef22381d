"""Uploads by a signed form: what a client is given, and what becomes of its file."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Literal

from daap.errors import InvalidName, NotRegistered, UnknownLoad
from daap.model.keys import file_key
from daap.model.loads import LoadId, LoadStatus, Receipt, TableRef
from daap.pipeline.audit import audited
from daap.pipeline.claims import Claim, announce_file, drop_claim, find_claim
from daap.pipeline.lake import Lake
from daap.ports.presigner import PartedUpload, Presigner, UploadForm

MAX_FORM_BYTES = 5_000_000_000
"""The largest file one POST may bring. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""

MAX_BYTES = 5_000_000_000_000
MAX_PARTS = 1_000
"""Their addresses have to fit one answer: in AWS, of 6 MB, and one that a role signs is of 1.5 KB."""

PART_BYTES = 100 << 20
FORM_LIFETIME = timedelta(minutes=15)
PARTS_LIFETIME = timedelta(hours=12)

_MD5_BYTES = 16
_ID = re.compile(
    r"v(?P<major>[1-9][0-9]{0,5})-(?P<stamp>[0-9]{8}T[0-9]{6}Z)-"
    r"(?P<file>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)
_FILE_NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,255}")


@dataclass(frozen=True, slots=True)
class UploadId:
    """Names an upload within its table: `v1-20260131T235959Z-{uuid}`."""

    load: LoadId
    file_id: str

    def __str__(self) -> str:
        return f"v{self.load.ref.major}-{self.load.stamp}-{self.file_id}"


def parse_upload(product: str, table: str, text: str) -> UploadId:
    """The upload that `text` names; raises InvalidName."""
    match = _ID.fullmatch(text)
    if not match:
        raise InvalidName(f"{text!r} is no upload id; one looks like v1-20260131T235959Z-<uuid>")
    return UploadId(LoadId(TableRef(product, int(match["major"]), table), match["stamp"]), match["file"])


def request_form(
    lake: Lake, presigner: Presigner, product: str, table: str, filename: str, content_md5: str, actor: str
) -> tuple[UploadId, UploadForm]:
    """A form to send one file with; raises NotRegistered, or InvalidName for a wrong name or MD5."""
    _check_md5(content_md5)
    claim = _announce(lake, product, table, filename, actor)
    form = presigner.sign_form(claim.landing, content_md5, MAX_FORM_BYTES, FORM_LIFETIME)
    return UploadId(claim.load, claim.file_id), form


def request_parts(
    lake: Lake, presigner: Presigner, product: str, table: str, filename: str, size: int, actor: str
) -> tuple[UploadId, PartedUpload, int]:
    """A multipart upload for `size` bytes, and the bytes of each part but the last; raises as request_form."""
    if not 0 < size <= MAX_BYTES:
        raise InvalidName(f"a file has 1 to {MAX_BYTES} bytes, not {size}")
    part_bytes = max(PART_BYTES, -(-size // MAX_PARTS))
    claim = _announce(lake, product, table, filename, actor)
    upload = presigner.start_parts(claim.landing, -(-size // part_bytes), PARTS_LIFETIME)
    return UploadId(claim.load, claim.file_id), upload, part_bytes


def finish_parts(lake: Lake, presigner: Presigner, upload: UploadId, handle: str, etags: Sequence[str]) -> None:
    """Puts a multipart upload together; raises UnknownLoad, or as Presigner.finish_parts."""
    presigner.finish_parts(_find_announced(lake, upload).landing, handle, etags)


def abort_parts(lake: Lake, presigner: Presigner, upload: UploadId, handle: str) -> None:
    """Gives a multipart upload up; raises UnknownLoad."""
    presigner.abort_parts(_find_announced(lake, upload).landing, handle)
    drop_claim(lake.store, upload.file_id)


def _find_announced(lake: Lake, upload: UploadId) -> Claim:
    claim = find_claim(lake.store, upload.file_id)
    if claim is None or claim.load != upload.load:
        raise UnknownLoad(f"no upload {upload} is on its way")
    return claim


def _announce(lake: Lake, product: str, table: str, filename: str, actor: str) -> Claim:
    registered = lake.registry.get(product)
    if not _FILE_NAME.fullmatch(filename):
        raise InvalidName(f"{filename!r} is no file name: at most 255 characters, no slash and no control character")
    if table in registered.product.tables:
        if PurePosixPath(filename).suffix.lower() != ".csv":
            raise InvalidName(f"{filename!r} is no CSV file: its name has to end in .csv")
    elif table not in registered.product.files:
        names = [*registered.product.tables, *registered.product.files]
        raise NotRegistered(f"product {product} has no table {table}; it has {', '.join(names) or 'none'}")
    with audited(lake.store, lake.console, product=product, table=table, actor=actor) as trail:
        claim = announce_file(lake.store, registered.ref(table), filename, actor)
        trail.info("announced", f"an upload of {filename}", load=str(claim.load), fileId=claim.file_id)
    return claim


def _check_md5(text: str) -> None:
    try:
        if len(base64.b64decode(text, validate=True)) == _MD5_BYTES:
            return
    except (binascii.Error, ValueError):
        pass
    raise InvalidName(f"{text!r} is no MD5: give the 16 bytes in base64, as in the header Content-MD5")


UploadState = Literal["waiting", "gone"] | LoadStatus
"""`waiting` for the file; `gone`: it never came; else how far its load has come."""


def find_upload(lake: Lake, upload: UploadId) -> tuple[UploadState, Receipt | None]:
    """What became of an upload, with the receipt once there is one."""
    claim = find_claim(lake.store, upload.file_id)
    if claim and claim.load.ref != upload.load.ref:
        return "gone", None  # an upload for another table is nobody's business here
    load = claim.load if claim else upload.load  # a claim may have got another load timestamp
    try:
        receipt = lake.ledger.get(load)
    except UnknownLoad:
        return ("waiting" if claim else "gone"), None
    if receipt.file_id != upload.file_id:
        return "gone", None
    return receipt.status, receipt


def stored_file(receipt: Receipt) -> str:
    """The key under which the file of a final load is kept, as it came."""
    zone: Literal["raw", "fail"] = "fail" if receipt.status is LoadStatus.FAILED else "raw"
    return file_key(zone, receipt.load, receipt.file_id, receipt.extension)

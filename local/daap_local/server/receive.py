"""Receiving: a form or a part is checked, streamed to a hidden file, checked again, and made visible.

Plain functions over an iterator of chunks: they know no server, and may block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daap.errors import ObjectConflict, ObjectMissing
from daap_local.files import translated
from daap_local.server.forms import read_form
from daap_local.server.policy import check_form, read_md5
from daap_local.server.presigner import LANDING, FolderPresigner, name_part
from daap_local.server.refusals import UploadRefused
from daap_local.server.signing import Signer
from daap_local.server.spool import Spool, open_spool, reveal_file, uploads_folder

_PART_FIELDS = ("X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in landing now: under which key, its MD5 in hex, and the status its form asked for."""

    key: str
    etag: str
    status: int


def receive_form(presigner: FolderPresigner, bucket: str, content_type: str, chunks: Iterable[bytes]) -> Stored:
    """Takes an S3 POST; a file that lies there already stays, for it has the same MD5 by the same form.

    Raises UploadRefused, or StoreUnavailable; nothing is left behind then.
    """
    if bucket != LANDING:
        raise UploadRefused("NoSuchBucket", f"there is no bucket {bucket!a} for uploads")
    fields, pieces = read_form(content_type, chunks)
    grant = check_form(presigner.signer, bucket, fields)
    target = presigner.store.path(grant.key)
    with translated(f"write {target}"), open_spool(uploads_folder(presigner.store.root)) as spool:
        spool.fill(pieces, grant.most)
        if spool.size < grant.least:
            raise UploadRefused("EntityTooSmall", f"the file is smaller than the {grant.least} bytes it must have")
        spool.compare(grant.md5)
        spool.flush()
        _reveal(spool, target)
        return Stored(grant.key, spool.digest.hex(), grant.status)


def _reveal(spool: Spool, target: Path) -> None:
    try:
        reveal_file(spool.path, target)
    except ObjectConflict as error:
        raise UploadRefused("PreconditionFailed", str(error)) from None


def receive_part(
    presigner: FolderPresigner,
    handle: str,
    number: str,
    query: Mapping[str, str],
    content_md5: str | None,
    chunks: Iterable[bytes],
) -> str:
    """Takes a part that was PUT to its address; returns its ETag, without quotes. Raises as receive_form."""
    try:
        key = presigner.parts.find(handle).key
        _check_part(presigner.signer, key, handle, number, query)
        md5 = None if content_md5 is None else read_md5(content_md5)
        return presigner.parts.save(handle, int(number), chunks, md5).hex()
    except ObjectMissing as error:
        raise UploadRefused("NoSuchUpload", str(error)) from None


def _check_part(signer: Signer, key: str, handle: str, number: str, query: Mapping[str, str]) -> None:
    stamp, seconds, signature = (query.get(name, "") for name in _PART_FIELDS)
    if not signer.is_signed(stamp[:8], name_part(key, handle, number, stamp, seconds), signature):
        raise UploadRefused("SignatureDoesNotMatch", "the signature is not the address's; use it as it was given")
    signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if signer.now() >= signed + timedelta(seconds=int(seconds)):
        raise UploadRefused("AccessDenied", "the address has expired; begin the upload again")

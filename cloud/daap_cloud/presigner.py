"""The presigner on S3: its forms and addresses lead to the landing bucket itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from daap.errors import InvalidName, ObjectConflict, ObjectMissing
from daap.ports.presigner import PartedUpload, Presigner, UploadForm
from daap_cloud.faults import code_of, translated
from daap_cloud.s3_store import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_PARTS = 10_000
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""

_HANDLE = re.compile(r"([1-9][0-9]{0,4})-([\x21-\x7e]{1,1024})")
_MARK = '"'
_KEPT = frozenset({"raw", "fail"})
_GONE = frozenset({"NoSuchUpload", "404"})
_WRONG = {
    "InvalidPart": "a part is missing, or another one than its ETag says; send it again",
    "InvalidPartOrder": "the parts are not in their order",
    "EntityTooSmall": "each part but the last must have 5 MiB at least; begin the upload again with fewer parts",
}
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"""


class S3Presigner(Presigner):
    """Signs with the credentials of its client; what it signs ends with them, if they end sooner.

    `signer` is a client whose endpoint is S3's address as users see it, where that is another one.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """

    def __init__(self, client: S3Client, store: S3Store, signer: S3Client | None = None) -> None:
        self._client, self._store, self._signer = client, store, signer or client

    def _place(self, key: str) -> dict[str, Any]:
        bucket, name = self._store.place(key)
        zone, _, path = key.partition("/")
        if zone != "landing" or any(part.startswith(".") for part in path.split("/")):
            raise InvalidName(f"{key!r} is no key for an upload; one looks like landing/spend/march/...")
        return {"Bucket": bucket, "Key": name}

    def sign_form(self, key: str, content_md5: str, max_bytes: int, lifetime: timedelta) -> UploadForm:
        """See Presigner. S3 compares the file with the MD5 as it comes.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
        """
        fields = {"Content-MD5": content_md5}
        conditions: list[Any] = [dict(fields), ["content-length-range", 1, max_bytes]]
        with translated(f"sign a form for {key}"):
            form = self._signer.generate_presigned_post(
                **self._place(key), Fields=fields, Conditions=conditions, ExpiresIn=_seconds(lifetime)
            )
        return UploadForm(form["url"], form["fields"])

    def start_parts(self, key: str, parts: int, lifetime: timedelta) -> PartedUpload:
        """See Presigner. Each part but the last must have 5 MiB at least: S3 says so when they are put together."""
        place = self._place(key)
        if not 1 <= parts <= MAX_PARTS:
            raise ValueError(f"{parts} parts; there must be 1 to {MAX_PARTS}")
        with translated(f"begin an upload to {key}"):
            upload = self._client.create_multipart_upload(**place)["UploadId"]
            urls = tuple(
                self._signer.generate_presigned_url(
                    "upload_part",
                    {**place, "UploadId": upload, "PartNumber": number},
                    ExpiresIn=_seconds(lifetime),
                )
                for number in range(1, parts + 1)
            )
        return PartedUpload(f"{parts}-{upload}", urls)

    def finish_parts(self, key: str, handle: str, etags: Sequence[str]) -> None:
        """See Presigner."""
        place, (parts, upload) = self._place(key), _read_handle(handle)
        if len(etags) != parts:
            raise ObjectConflict(f"the upload has {parts} parts, not {len(etags)}")
        if not all(etag.strip(_MARK) for etag in etags):
            raise ObjectConflict("a part has no ETag; give what the PUT of each part answered")
        listed: Any = [{"PartNumber": number, "ETag": _quote(etag)} for number, etag in enumerate(etags, 1)]
        with translated(f"finish the upload to {key}"), _told_of_parts(handle):
            self._client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": listed})

    def abort_parts(self, key: str, handle: str) -> None:
        """See Presigner."""
        place = self._place(key)
        with suppress(ObjectMissing), translated(f"drop the upload to {key}"), _told_of_parts(handle):
            self._client.abort_multipart_upload(**place, UploadId=_read_handle(handle)[1])

    def sign_download(self, key: str, name: str, media_type: str, lifetime: timedelta) -> str:
        """See CanLend. S3 sends the headers that are signed here with the file.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        if key.partition("/")[0] not in _KEPT:
            raise InvalidName(f"{key!r} is no file that was kept; one lies in raw or fail")
        bucket, place = self._store.place(key)
        # The name comes from a producer: quoted wholly, it can say nothing else (RFC 6266, section 4.3).
        shown = {
            "ResponseContentType": media_type,
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        }
        with translated(f"sign an address for {key}"):
            return self._signer.generate_presigned_url(
                "get_object", {"Bucket": bucket, "Key": place, **shown}, ExpiresIn=_seconds(lifetime)
            )


@contextmanager
def _told_of_parts(handle: str) -> Iterator[None]:
    """Raises what S3 says of a multipart upload, as the port has it."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _GONE:
            raise _no_upload(handle) from None
        if code in _WRONG:
            raise ObjectConflict(f"the parts cannot be put together: {_WRONG[code]}") from None
        raise


def _read_handle(handle: str) -> tuple[int, str]:
    """How many parts were begun, and S3's id of the upload; raises ObjectMissing.

    Who changes the number spoils his own upload alone.
    """
    found = _HANDLE.fullmatch(handle)
    if not found:
        raise _no_upload(handle)
    return int(found[1]), found[2]


def _no_upload(handle: str) -> ObjectMissing:
    return ObjectMissing(f"there is no multipart upload {handle!a}; it was finished, dropped, or has grown old")


def _quote(etag: str) -> str:
    return f'"{etag.strip(_MARK)}"'


def _seconds(lifetime: timedelta) -> int:
    return math.ceil(lifetime.total_seconds())

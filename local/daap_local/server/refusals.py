"""Why an upload is refused: S3's error codes, and the XML in which S3 says them.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree

from daap.errors import DaapError

_STATUSES: Final = MappingProxyType(
    {
        "AccessDenied": 403,
        "InvalidAccessKeyId": 403,
        "SignatureDoesNotMatch": 403,
        "NoSuchBucket": 404,
        "NoSuchUpload": 404,
        "PreconditionFailed": 412,
        "ServiceUnavailable": 503,
    }
)
_BAD_REQUEST = 400


class UploadRefused(DaapError):
    """An upload is not taken; `code` is one of S3's, and `status` the HTTP status that goes with it."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.status = _STATUSES.get(code, _BAD_REQUEST)
        super().__init__(message)


def make_xml(root: str, **texts: str) -> bytes:
    """A flat XML document, as S3 answers with; every text must be printable."""
    element = ElementTree.Element(root)
    for name, text in texts.items():
        ElementTree.SubElement(element, name).text = text
    body: bytes = ElementTree.tostring(element, encoding="utf-8", xml_declaration=True)
    return body

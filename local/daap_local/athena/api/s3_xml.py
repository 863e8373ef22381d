"""S3's XML: answers are built from plain Python values, requests are read into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from starlette.responses import Response

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_LARGEST = 4 << 20


class S3Fault(Exception):
    """An error answer of S3's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code, self.status = code, status
        super().__init__(message)


def answer_xml(name: str, content: Mapping[str, Any], status: int = 200) -> Response:
    """An answer whose root is `name`; lists become repeated elements, None leaves one out."""
    root = ET.Element(name, xmlns=_NAMESPACE)
    _fill(root, content)
    return Response(ET.tostring(root, encoding="utf-8", xml_declaration=True), status, media_type="application/xml")


def answer_fault(fault: S3Fault, resource: str, *, empty: bool = False) -> Response:
    """An error as S3 answers it; a HEAD request gets no body."""
    if empty:
        return Response(status_code=fault.status)
    root = ET.Element("Error")
    _fill(root, {"Code": fault.code, "Message": str(fault), "Resource": resource, "RequestId": "local"})
    return Response(
        ET.tostring(root, encoding="utf-8", xml_declaration=True), fault.status, media_type="application/xml"
    )


def _fill(parent: ET.Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                _add(parent, name, one)


def _add(parent: ET.Element, name: str, value: Any) -> None:  # noqa: ANN401 - any plain value
    child = ET.SubElement(parent, name)
    if isinstance(value, Mapping):
        _fill(child, value)
    else:
        child.text = _text(value)


def _text(value: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso_time(value) if isinstance(value, datetime) else str(value)


def iso_time(moment: datetime) -> str:
    """A time as S3 writes it in XML."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read_elements(body: bytes, name: str) -> Iterable[dict[str, str]]:
    """The children of each element `name`, as text by their names; raises S3Fault for what is no plain XML."""
    if len(body) > _LARGEST or b"<!" in body:  # no document types: entities could be blown up
        raise S3Fault("MalformedXML", "The XML you provided was not well-formed")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a document type there are no entities
    except ET.ParseError:
        raise S3Fault("MalformedXML", "The XML you provided was not well-formed") from None
    found = (element for element in root.iter() if _local(element.tag) == name)
    return [{_local(child.tag): child.text or "" for child in element} for element in found]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]

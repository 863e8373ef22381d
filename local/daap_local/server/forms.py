"""A multipart/form-data body as it comes: first its fields, then the file piece by piece.

Nothing is kept but the fields and one piece. Source: https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from daap_local.server.refusals import UploadRefused

MAX_FIELDS = 20_480
"""Bytes that the fields before the file may take, their headers included; as in S3."""

_FILE = "file"


def read_form(content_type: str, chunks: Iterable[bytes]) -> tuple[dict[str, str], Iterator[memoryview]]:
    """The fields before the file (names in lower case), and the file's content to be iterated once.

    Raises UploadRefused, here or while the content is iterated, if the body is not one form with one file at its end.
    """
    form = _Form(_find_boundary(content_type))
    source = iter(chunks)
    for chunk in source:
        form.feed(chunk)
        if form.has_file:
            return form.fields, _iterate_file(form, source)
    raise UploadRefused("InvalidArgument", "the form ends before its file; send the file last, in a field named file")


def _iterate_file(form: _Form, source: Iterator[bytes]) -> Iterator[memoryview]:
    yield from form.take()
    while not form.has_ended:
        chunk = next(source, None)
        if chunk is None:
            raise UploadRefused("IncompleteBody", "the body ends before the form does")
        form.feed(chunk)
        yield from form.take()


def _find_boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise UploadRefused("PreconditionFailed", "send the form as multipart/form-data")
    boundary = options.get(b"boundary")
    if not boundary:
        raise UploadRefused("MalformedPOSTRequest", "the Content-Type names no boundary")
    return boundary


class _Form:
    """Listens to the parser of one body."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.has_file = self.has_ended = False
        self._pieces: list[memoryview] = []
        self._weight = 0
        self._name = ""
        self._header, self._value, self._content = bytearray(), bytearray(), bytearray()
        try:
            self._parser = self._make_parser(boundary)
        except FormParserError as error:
            raise _malformed(error) from None

    def _make_parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._take_header,
                "on_header_value": self._take_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take_content,
                "on_part_end": self._end_part,
                "on_end": self._end_form,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Parses on."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(error) from None

    def take(self) -> list[memoryview]:
        """What has come of the file since the last time."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin_part(self) -> None:
        if self.has_file:
            raise UploadRefused("InvalidArgument", "something follows the file; send one file, after all the fields")
        self._name = ""
        self._content.clear()

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._gather(self._header, data[start:end])

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._gather(self._value, data[start:end])

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = _read_name(bytes(self._value))
        self._header.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        if not self._name:
            raise UploadRefused("MalformedPOSTRequest", "a part of the form has no name")
        if self._name in self.fields:
            raise UploadRefused("InvalidArgument", f"the form has the field {self._name!a} twice")
        self.has_file = self._name == _FILE

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        if self.has_file:
            self._pieces.append(memoryview(data)[start:end])
        else:
            self._gather(self._content, data[start:end])

    def _end_part(self) -> None:
        if not self.has_file:
            self.fields[self._name] = _decode(self._content)

    def _end_form(self) -> None:
        self.has_ended = True

    def _gather(self, into: bytearray, data: bytes) -> None:
        self._weight += len(data)
        if self._weight > MAX_FIELDS:
            raise UploadRefused("MaxPostPreDataLengthExceeded", f"the form has over {MAX_FIELDS} bytes before its file")
        into += data


def _read_name(disposition: bytes) -> str:
    """The name of a field in lower case, for S3 tells no `Key` from `key`."""
    kind, options = parse_options_header(disposition)
    return _decode(options.get(b"name", b"")).lower() if kind == b"form-data" else ""


def _decode(text: bytes | bytearray) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise UploadRefused("MalformedPOSTRequest", "a field of the form is not in UTF-8") from None


def _malformed(error: FormParserError) -> UploadRefused:
    return UploadRefused("MalformedPOSTRequest", f"the body is no well-formed multipart/form-data: {error}")

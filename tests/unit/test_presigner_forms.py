"""Reading multipart/form-data as it comes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daap_local.server.forms import MAX_FIELDS, read_form
from daap_local.server.refusals import UploadRefused

BOUNDARY = "--daap-7f3"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LINE = f"--{BOUNDARY}\r\n".encode()
END = f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture(autouse=True)
def quiet(caplog) -> None:
    """The parser warns of each malformed body; here they are malformed on purpose."""
    caplog.set_level(logging.ERROR, logger="python_multipart")


def part(name: str, content: bytes, extra: str = "") -> bytes:
    return LINE + f'Content-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + content + b"\r\n"


def form(content: bytes, **fields: str) -> bytes:
    named = b"".join(part(name, value.encode()) for name, value in fields.items())
    return named + part("file", content, '; filename="a.csv"') + END


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def read(body: bytes, size: int = 1 << 16, content_type: str = TYPE) -> tuple[dict[str, str], bytes]:
    fields, pieces = read_form(content_type, cut(body, size))
    return fields, b"".join(pieces)


def refuse(body: bytes, content_type: str = TYPE, size: int = 1 << 16) -> str:
    with pytest.raises(UploadRefused) as caught:
        read(body, size, content_type)
    return caught.value.code


_PIECES = st.sampled_from([
    b"\r", b"\n", b"\r\n", b"-", b"--", LINE[:-2], f"\r\n--{BOUNDARY[:-1]}".encode(), b"\r\n--", b"\r\r\n--", b"\0",
    b"x", BOUNDARY.encode(), b"\r\n--" + BOUNDARY[:-1].encode() + b"--\r\n",
])  # fmt: skip
_CONTENTS = st.one_of(st.binary(max_size=300), st.lists(_PIECES | st.binary(max_size=9), max_size=12).map(b"".join))


class TestReading:
    @given(content=_CONTENTS, size=st.integers(1, 80))
    @example(content=b"\r\n--" + BOUNDARY.encode() + b"x", size=1)
    @example(content=b"\r\n--" + BOUNDARY.encode()[:-1], size=2)
    def test_any_content_in_any_chunks_comes_out_as_it_was(self, content, size):
        if b"\r\n--" + BOUNDARY.encode() in b"\r\n" + content:
            content = content.replace(BOUNDARY.encode(), b"")  # what no client may send: it chooses another boundary
        assert read(form(content, key="k"), size) == ({"key": "k"}, content)

    @given(st.dictionaries(st.sampled_from(["a", "b", "c-d"]), st.text(max_size=50)), st.integers(1, 80))
    def test_any_text_is_a_fields_value(self, fields, size):
        if any(f"--{BOUNDARY}" in value for value in fields.values()):
            return
        assert read(form(b"x", **fields), size) == (fields, b"x")

    def test_names_of_fields_are_told_in_lower_case(self):
        assert read(form(b"x", Key="K"))[0] == {"key": "K"}

    def test_the_file_needs_no_name_of_its_own(self):
        assert read(part("file", b"x") + END)[1] == b"x"

    def test_what_surrounds_the_form_is_no_part_of_it(self):
        assert read(b"\r\n" + form(b"x") + b"and so on")[1] == b"x"

    def test_headers_that_say_nothing_are_passed_over(self):
        body = (
            LINE + b'content-type: text/csv\r\nCONTENT-DISPOSITION: form-data; name="file"\r\nX-A: b\r\n\r\nx\r\n' + END
        )
        assert read(body)[1] == b"x"

    def test_the_fields_are_there_before_the_file_is(self):
        body = form(b"x" * 1000, key="k")

        def chunks() -> Iterator[bytes]:
            yield body[:-900]
            pytest.fail("the rest was asked for too early")

        assert read_form(TYPE, chunks())[0] == {"key": "k"}

    def test_the_body_is_not_kept(self):
        """The pieces of one chunk are all that there is of the file."""
        _, pieces = read_form(TYPE, cut(form(b"x" * 100_000), 1000))
        assert max(map(len, pieces)) <= 1000


class TestRefusing:
    @pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/x-www-form-urlencoded", ";"])
    def test_another_type_of_body(self, kind):
        assert refuse(form(b"x"), kind) == "PreconditionFailed"

    @pytest.mark.parametrize(
        "options", ["", ";", "; boundary", "; boundary=", '; boundary=""', "; boundary=" + "x" * 999]
    )
    def test_no_boundary_that_could_be_one(self, options):
        assert refuse(form(b"x"), "multipart/form-data" + options) == "MalformedPOSTRequest"

    @pytest.mark.parametrize(
        "body",
        [
            b"key=value", b"{}", b"--another\r\n", LINE + b"no header\r\n\r\n", LINE + b"\r\nx\r\n" + END,
            LINE + b": empty\r\n\r\nx\r\n" + END, LINE + b"Content-Disposition: form-data\r\n\r\nx\r\n" + END,
            LINE + b'Content-Disposition: attachment; name="file"\r\n\r\nx\r\n' + END,
            LINE + b"A: b\r\n" * 9 + b"\r\nx\r\n" + END, LINE + b"A: " + b"b" * 5000 + b"\r\n\r\nx\r\n" + END,
            part("key", b"\xff") + END, LINE + b'Content-Disposition: form-data; name="\xff"\r\n\r\nx\r\n' + END,
        ],
        ids=lambda body: repr(body[:60]),
    )  # fmt: skip
    @pytest.mark.parametrize("size", [7, 1 << 16])
    def test_what_is_no_form(self, body, size):
        assert refuse(body, size=size) == "MalformedPOSTRequest"

    @pytest.mark.parametrize("body", [b"", END, part("key", b"k") + END, part("key", b"k")])
    def test_a_form_without_a_file(self, body):
        assert refuse(body) == "InvalidArgument"

    def test_a_field_that_is_there_twice(self):
        assert refuse(part("key", b"k") + part("Key", b"k") + form(b"x")) == "InvalidArgument"

    @pytest.mark.parametrize("name", ["key", "file"])
    @pytest.mark.parametrize("size", [7, 1 << 16])
    def test_anything_after_the_file(self, name, size):
        assert refuse(part("file", b"x") + part(name, b"y") + END, size=size) == "InvalidArgument"

    @pytest.mark.parametrize("left", [1, len(END), len(END) + 1, len(END) + 50])
    def test_a_body_that_breaks_off_in_the_file(self, left):
        body = form(b"x" * 100).removesuffix(b"--\r\n")
        assert refuse(body[: len(body) - left]) == "IncompleteBody"

    def test_a_file_with_no_end(self):
        assert refuse(part("file", b"x" * 10)) == "IncompleteBody"

    @pytest.mark.parametrize("size", [1000, 1 << 16])
    def test_a_field_of_any_size(self, size):
        assert refuse(form(b"x", key="k" * MAX_FIELDS), size=size) == "MaxPostPreDataLengthExceeded"

    def test_fields_of_any_number(self):
        fields = {f"f{number}": "" for number in range(5000)}
        assert refuse(form(b"x", **fields)) == "MaxPostPreDataLengthExceeded"

    def test_a_field_that_never_ends_is_not_gathered(self):
        def chunks() -> Iterator[bytes]:
            yield part("key", b"")[:-2]
            for _ in range(100):
                yield b"k" * 1000
            pytest.fail("it was read to its end")

        with pytest.raises(UploadRefused, match="before its file"):
            read_form(TYPE, chunks())

    @given(st.binary(max_size=200), st.integers(1, 50))
    def test_any_other_bytes(self, body, size):
        assert refuse(LINE + body, size=size)
        assert refuse(body, size=size)

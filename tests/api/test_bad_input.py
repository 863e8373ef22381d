"""Input that is wrong or meant to do harm: a clear answer of one form, and not a byte of the lake changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap import errors
from daap.api import failures
from daap.api.guard import MAX_BODY, MAX_QUERY, check_json
from daap.errors import InvalidName, SpecProblem
from tests.api.site import GOOD, HOME, PAYMENTS, Site, digest, make_metadata, make_schema, message_of

REGISTER, LIST = "/data-product/register", "/data-product"
JSON = (b"content-type", b"application/json")
WITH_BODY = [
    ("POST", REGISTER), ("PUT", HOME), ("PUT", f"{HOME}/legal-hold"), ("POST", f"{PAYMENTS}/schema"),
    ("PUT", f"{PAYMENTS}/schema"), ("POST", f"{PAYMENTS}/schema/rehearse"), ("POST", f"{PAYMENTS}/upload"),
    ("POST", f"{PAYMENTS}/upload/multipart"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def untouched(still: Site) -> Iterator[None]:
    """Whatever a test sends, the lake is as it was."""
    before = still.snapshot()
    yield
    assert still.snapshot() == before


def send(site: Site, body: bytes, method: str = "POST", path: str = REGISTER, kind: bytes = b"application/json") -> str:
    """The message with which a body is refused."""
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    return message_of(site.admin.send_raw(method, path, headers, [body]), 400)


class TestBodies:
    @pytest.mark.parametrize("body", [
        b"{", b"x", b'{"metadata": {}', b"{'metadata': {}}", b'{"metadata": {},}', b"\xff\xfe", b"\x00",
        b'{"a": "\x01"}', b"[1 2]", b'{"a": 1} {"b": 2}', b"{\"a\": '1'}", b'{"metadata": undefined}', b'{"a": 01}',
        b'{"a": .5}', b'"\xff"', b"\xc0\x80", b'\xed\xa0\x80"', b'{"a": "\\ud800"}', b'{"\\udfff": 1}',
        json.dumps({"metadata": make_metadata()}).encode("utf-16"),
    ])  # fmt: skip
    @pytest.mark.parametrize(("method", "path"), WITH_BODY[:3])
    def test_what_is_no_json_is_refused(self, still, method, path, body):
        assert "body" in send(still, body, method, path)

    @pytest.mark.parametrize("body", [b"null", b"true", b"1", b'"x"', b"[]", b"[{}]", b"{}", b""])
    @pytest.mark.parametrize(("method", "path"), WITH_BODY)
    def test_another_shape_is_refused(self, still, method, path, body):
        send(still, body, method, path)

    @pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "nan", "1e"])
    def test_numbers_that_are_none_are_refused(self, still, text):
        send(still, json.dumps({"metadata": make_metadata(retentionPeriod=1)}).replace(": 1}", f": {text}}}").encode())

    @pytest.mark.parametrize(
        "text", ["1e999", "-1e999", "9" * 4_000, "9" * 5_000, "1" + "0" * 100, "-1", "1.5", "1e2", "true"]
    )
    def test_numbers_that_are_too_much_are_refused(self, still, text):
        metadata = json.dumps({"metadata": make_metadata("fresh", retentionPeriod=7)})
        send(still, metadata.replace('"retentionPeriod": 7', f'"retentionPeriod": {text}').encode())

    @pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
    @pytest.mark.parametrize("depth", [33, 1_000, 100_000])
    def test_deep_nesting_is_refused(self, still, opening, depth):
        closing = opening.translate(bytes.maketrans(b"[{", b"]}"), b'"a:')[::-1]
        said = send(still, opening * depth + b"1" + closing * depth)
        assert "nested more than 32 deep" in said

    def test_a_key_that_stands_twice_is_refused(self, still):
        for body in (b'{"metadata": {}, "metadata": {}}', b'{"metadata": {"name": "a", "\\u006eame": "b"}}'):
            assert "twice" in send(still, body)

    @pytest.mark.parametrize("place", ["name", "description", "tags"])
    def test_a_nul_character_is_refused_wherever_it_stands(self, still, place):
        value = {"a\0": "b"} if place == "tags" else "a\0"
        assert "NUL" in send(still, json.dumps({"metadata": make_metadata() | {place: value}}).encode())

    @pytest.mark.parametrize("kind", [
        b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"application/xml",
        b"",
    ])  # fmt: skip
    def test_another_content_type_is_refused(self, still, kind):
        send(still, json.dumps({"metadata": make_metadata("fresh")}).encode(), kind=kind)

    def test_a_body_without_a_content_type_is_refused_or_read_as_json(self, still):
        answer = still.admin.send_raw("POST", REGISTER, (), [json.dumps({"metadata": make_metadata()}).encode()])
        message_of(answer, answer.status_code)
        assert answer.status_code in (400, 409)

    def test_a_body_where_none_belongs_is_no_harm(self, still):
        answer = still.admin.send_raw("GET", HOME, [JSON], [b'{"metadata": {}}'])
        assert answer.status_code == 200

    @given(st.binary(max_size=200))
    def test_any_bytes_are_json_or_refused_in_words(self, body):
        with suppress(InvalidName):
            check_json(body)
            json.loads(body)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ), max_leaves=10), st.booleans())  # fmt: skip
    def test_plain_json_is_let_through(self, data, plain):
        text = json.dumps(data, ensure_ascii=plain)
        if "\\u0000" not in json.dumps(data):
            check_json(text.encode())


class TestSizes:
    def test_a_body_that_says_it_is_too_large_is_refused_unread(self, still):
        def never() -> bytes:
            raise AssertionError("the body was read")

        class Unread(list):
            def __iter__(self):
                return iter(never, None)

        for size in (MAX_BODY + 1, 10**15, 10**30, int("9" * 4_000)):
            headers = [JSON, (b"content-length", str(size).encode())]
            answer = still.admin.send_raw("POST", REGISTER, headers, Unread([b""]))
            assert "8 MiB" in message_of(answer, 413)

    def test_a_body_that_turns_out_too_large_is_refused(self, still):
        chunks = [b"x" * (1 << 20)] * 9
        assert "8 MiB" in message_of(still.admin.send_raw("POST", REGISTER, [JSON], chunks), 413)

    @pytest.mark.parametrize("told", ["²", "-1", "x", "", "1" * 5_000, "0x10", "1_0", "+5"])
    def test_a_length_that_is_none_is_no_fault_of_the_server(self, still, told):
        answer = still.admin.send_raw("POST", REGISTER, [JSON, (b"content-length", told.encode("latin-1"))], [b"{}"])
        message_of(answer, 413 if len(told) == 5_000 else 400)

    def test_a_large_body_of_many_values_keeps_nobody_waiting(self, still):
        body = b"[" + b"0," * (MAX_BODY // 2 - 2) + b"0]"
        start = time.process_time()
        send(still, body)
        assert time.process_time() - start < 10

    @pytest.mark.parametrize("size", [MAX_QUERY + 1, 10_000_000])
    def test_an_enormous_query_is_refused(self, still, size):
        for path in (LIST, HOME, "/data-product/nothing"):
            assert "query" in message_of(still.admin.send_raw("GET", f"{path}?x={'a' * size}"), 400)

    def test_an_enormous_path_is_refused(self, still):
        for path in (
            f"/data-product/{'a' * 100_000}",
            "/data-product" + "/a" * 50_000,
            f"{PAYMENTS}/loads/{'9' * 100_000}",
        ):
            answer = still.admin.send_raw("GET", path)
            message_of(answer, answer.status_code)
            assert answer.status_code in (400, 404)

    def test_the_largest_schema_is_small_enough(self, empty):
        names = [f"{number:0128d}" for number in range(4096)]
        body = {"schema": make_schema(*((name, "string") for name in names))}
        assert len(json.dumps(body)) < MAX_BODY
        empty.register()
        assert empty.admin.post(f"{PAYMENTS}/schema", body).status_code == 200


NAMES = [
    "..", "%2e%2e", ".%2e", "%2e%2e%2f%2e%2e", "..%2f..%2fetc", "%2fetc%2fpasswd", "%00", "spend%00",
    "spend%00.json", "..%5c..%5c", "spend%5c..", "%5c%5chost", "spend%0a", "spend%0d%0aX-Evil:%201", "%ff",
    "%c0%ae%c0%ae", "%ed%a0%80", "*", "%2a", "spend;", "SPEND", "spend'--", "spend%22;drop%20table%20x",
    "1%20OR%201=1", "$(id)", "%60id%60", "%7b%7b7*7%7d%7d", "<script>", "~", "CON", "nul.json", "spend.json",
    ".locks", ".secrets", "%20", "spend%20", "%e2%80%ae", "%ef%bc%8e%ef%bc%8e", "a" * 300, "%25", "%252e%252e",
]  # fmt: skip


class TestPaths:
    @pytest.mark.parametrize("name", NAMES)
    def test_a_name_that_is_none_leads_nowhere(self, still, name):
        for method, path in (
            ("GET", f"/data-product/{name}"), ("DELETE", f"/data-product/{name}"), ("PUT", f"/data-product/{name}"),
            ("GET", f"/data-product/{name}/versions/v1.0"), ("GET", f"{HOME}/versions/{name}"),
            ("GET", f"{HOME}/table/{name}/schema"), ("POST", f"{HOME}/table/{name}/schema"),
            ("DELETE", f"{HOME}/table/{name}"), ("GET", f"{HOME}/table/{name}/preview"),
            ("POST", f"{HOME}/table/{name}/upload"), ("GET", f"{PAYMENTS}/upload/{name}"),
            ("DELETE", f"{PAYMENTS}/upload/multipart/{name}"), ("GET", f"{PAYMENTS}/loads/{name}"),
            ("GET", f"{PAYMENTS}/loads/{name}/file"), ("GET", f"{PAYMENTS}/loads/{name}/errors"),
            ("POST", f"/data-product/{name}/retention?dryRun=false"), ("POST", f"{HOME}/reload?table={name}"),
            ("GET", f"{PAYMENTS}/schema?version={name}"), ("GET", f"{PAYMENTS}/preview?major={name}"),
        ):  # fmt: skip
            answer = still.admin.send_raw(method, path, [JSON], [b"{}"])
            assert 400 <= answer.status_code < 500, (method, path, answer.text)
            message_of(answer, answer.status_code)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_name_in_a_query_finds_nothing_and_breaks_nothing(self, still, name):
        for path in (f"{LIST}?search={name}", f"{LIST}?after={name}", f"{PAYMENTS}/loads?after={name}"):
            answer = still.admin.send_raw("GET", path)
            assert answer.status_code in (200, 400), (path, answer.text)

    @pytest.mark.parametrize("name", [
        "../x", "..", "x/y", "x\\y", "x\n", "x\r\nSet-Cookie: a=b", "'; DROP TABLE x; --", "${jndi:ldap://x}",
        "x" * 129, ".", "-", "é", "\u202e", "\ufeffx", "x ", "X",
    ])  # fmt: skip
    def test_a_name_in_a_body_that_is_none_is_refused(self, still, name):
        for metadata in (make_metadata(name), make_metadata("fresh", email=name), make_metadata("fresh", status=name)):
            message_of(still.admin.post(REGISTER, {"metadata": metadata}), 400)
        body = {"metadata": make_metadata("fresh"), "tables": {name: make_schema()}}
        if name != "X":
            message_of(still.admin.post(REGISTER, body), 400)
            message_of(still.admin.post(REGISTER, body | {"tables": {}, "files": {name: {"description": "x"}}}), 400)
        message_of(still.admin.post(f"{HOME}/table/fresh/schema", {"schema": make_schema((name, "int"))}), 400)
        message_of(still.admin.post(f"{HOME}/table/fresh/schema", {"schema": make_schema(("ab", name))}), 400)

    @pytest.mark.parametrize(
        "method", ["PATCH", "OPTIONS", "TRACE", "CONNECT", "HEAD", "PROPFIND", "get", "X" * 1000, ""]
    )
    def test_an_unknown_method_is_refused(self, still, method):
        for path in (LIST, HOME, f"{PAYMENTS}/schema"):
            answer = still.admin.send_raw(method, path)
            assert answer.status_code == 405
            message_of(answer, 405)

    @pytest.mark.parametrize(("path", "methods"), [
        (LIST, "GET"), (HOME, "GET, PUT, DELETE"), (f"{PAYMENTS}/schema", "GET, POST, PUT"), (PAYMENTS, "DELETE"),
        (f"{HOME}/legal-hold", "PUT, DELETE"), (f"{PAYMENTS}/loads", "GET"), ("/uploads/landing", "POST"),
    ])  # fmt: skip
    def test_a_refused_method_is_told_which_are_for_the_path(self, still, path, methods):
        answer = still.admin.send_raw("PATCH", path)
        assert answer.headers["allow"] == methods
        message_of(answer, 405)

    @pytest.mark.parametrize(
        "path", ["/", "", "//", "/data-product/", f"{HOME}/", "/nothing", "*", "http://other/data-product"]
    )
    def test_an_unknown_path_is_not_found_and_leads_nowhere_else(self, still, path):
        answer = still.admin.send_raw("GET", path, [(b"host", b"evil.example")])
        message_of(answer, 404)
        assert "location" not in answer.headers


class TestHeaders:
    @pytest.mark.parametrize("token", [
        b"", b" ", b"x\r\nX-Evil: 1", b"x\nX-Evil: 1", b"\x00", b"\xff\xfe", b"Bearer", b"Bearer ",
        b"daap_" + b"a" * 16 + b"_", b"daap_../../../../x_y", b"daap_*_*", b"' OR 1=1 --", b"a.b.c", b"..",
        b"a" * 1_000_000,
    ])  # fmt: skip
    def test_a_strange_token_is_refused_and_comes_back_nowhere(self, still, token):
        answer = still.bearer(None).send_raw("GET", HOME, [(b"authorizationtoken", token)])
        message_of(answer, 401)
        assert "X-Evil" not in answer.text
        assert "x-evil" not in answer.headers
        assert len(answer.content) < 500

    def test_a_token_that_comes_twice_counts_once(self, still):
        good = still.admin.token.encode()
        answers = [
            still.bearer(None).send_raw("GET", HOME, [(b"authorizationtoken", one) for one in pair])
            for pair in ((good, b"wrong"), (b"wrong", good))
        ]
        assert {answer.status_code for answer in answers} <= {200, 401}

    @pytest.mark.parametrize("name", ["a\r\nX-Evil: 1.csv", "a\nb.csv", "a\u0000.csv", "a/../b.csv", "\ud800.csv"])
    def test_a_file_name_that_would_leave_its_header_is_refused(self, still, name):
        body = json.dumps({"filename": name, "contentMD5": digest(GOOD)}).encode()
        headers = [JSON]
        answer = still.admin.send_raw("POST", f"{PAYMENTS}/upload", headers, [body])
        message_of(answer, 400)

    @pytest.mark.parametrize("header", [
        (b"x-forwarded-host", b"evil.example"), (b"x-http-method-override", b"DELETE"), (b"x-original-url", b"/docs"),
        (b"range", b"bytes=0-0"), (b"if-match", b"*"), (b"accept", b"text/evil"), (b"accept-encoding", b"gzip"),
        (b"content-encoding", b"gzip"), (b"expect", b"100-continue"), (b"cookie", b"a=" + b"b" * 10_000),
    ])  # fmt: skip
    def test_other_headers_change_nothing(self, still, header):
        plain, other = still.admin.send_raw("GET", HOME), still.admin.send_raw("GET", HOME, [header])
        assert (plain.status_code, plain.content, plain.headers) == (other.status_code, other.content, other.headers)


class TestFailures:
    """How errors are answered."""

    def test_every_error_of_daap_has_a_status(self):
        kinds = [
            kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DaapError)
        ]
        assert [kind for kind in kinds if kind is not errors.DaapError and kind not in failures.STATUSES] == []

    def test_every_status_is_explained(self):
        for status in {*failures.STATUSES.values()}:
            assert failures.fails(status)[status]["description"]

    def test_text_that_no_utf_8_can_hold_is_answered_all_the_same(self):
        answer = failures.answer(400, "a\ud800b", problems=[{"path": "\udfff", "message": "x"}])
        assert json.loads(answer.body)["error"]["message"] == "a?b"

    def test_problems_keep_their_places(self):
        error = errors.InvalidSpec([SpecProblem("a.b", "is missing")])
        assert json.loads(failures.answer_error(error).body) == {
            "error": {"message": "a.b: is missing", "problems": [{"path": "a.b", "message": "is missing"}]}
        }

    @pytest.mark.parametrize(
        "error", [errors.StoreUnavailable("/secret/path: no"), errors.EngineFailed("/secret/path")]
    )
    def test_what_hinders_the_server_is_for_its_log(self, error, capsys):
        answer = failures.answer_error(error)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert b"/secret" not in answer.body
        assert "/secret" in capsys.readouterr().err

    def test_a_fault_of_ours_tells_nothing_of_our_insides(self, still, capsys):
        def break_down(_name: str) -> None:
            raise ZeroDivisionError("insides")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("daap.registry.products.Registry.get", lambda _self, name: break_down(name))
            answer = still.admin.get(HOME)
        assert "insides" not in message_of(answer, 500)
        said = capsys.readouterr().err
        assert "insides" in said
        assert still.admin.token not in said

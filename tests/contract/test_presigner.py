"""What every presigner does, held to the words of daap.ports.presigner: by its methods, and by HTTP as a client."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import pytest
from starlette.applications import Starlette

from daap.errors import InvalidName, ObjectConflict, ObjectMissing
from daap.ports.objects import ObjectStore
from daap.ports.presigner import CanLend, PartedUpload, Presigner, UploadForm
from daap_cloud.presigner import S3Presigner
from daap_cloud.s3_store import S3Store
from daap_local.folder_store import FolderStore
from daap_local.server.presigner import FolderPresigner
from daap_local.server.routes import routes
from daap_local.server.secret import load_secret
from tests.support.emulator import cloud_clients, emulator_name, make_settings, shared_emulator
from tests.support.sockets import name_base, serve_app, take_port


@dataclass
class Desk:
    """A presigner, the store behind it, and a client that reaches its addresses."""

    presigner: Presigner
    store: ObjectStore
    client: httpx.Client
    smallest: int = 1
    """Bytes that each part but the last must have."""

    def part(self, letter: bytes) -> bytes:
        """A part that another may follow."""
        return letter * self.smallest

    def sign(self, data: bytes, *, lifetime: timedelta = timedelta(minutes=5), most: int = 1 << 20) -> UploadForm:
        return self.presigner.sign_form(KEY, md5(data), most, lifetime)

    def post(self, form: UploadForm, data: bytes, **changed: str) -> httpx.Response:
        """Sends a form with some fields changed or added (`Content_MD5` for Content-MD5)."""
        fields = form.fields | {name.replace("_", "-"): value for name, value in changed.items()}
        return self.client.post(form.url, data=fields, files={"file": ("orders.csv", data)})

    def put(self, upload: PartedUpload, *parts: bytes) -> list[str]:
        answers = [self.client.put(url, content=part) for url, part in zip(upload.urls, parts, strict=False)]
        assert {answer.status_code for answer in answers} <= {200}
        return [answer.headers["ETag"] for answer in answers]

    def landed(self) -> dict[str, bytes]:
        """All that lies in landing."""
        return {info.key: self.store.read(info.key)[0] for info in self.store.list("landing/")}


@contextmanager
def open_folder_desk(folder: Path) -> Iterator[Desk]:
    listener, store = take_port(), FolderStore(folder)
    presigner = FolderPresigner(store, name_base(listener), load_secret(folder))
    with serve_app(Starlette(routes=routes(presigner)), listener), httpx.Client() as client:
        yield Desk(presigner, store, client)


@contextmanager
def open_s3_desk(_folder: Path) -> Iterator[Desk]:
    clients = cloud_clients(shared_emulator())
    store = S3Store(clients.s3, make_settings(clients).zones)
    with httpx.Client() as client:
        # Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
        yield Desk(S3Presigner(clients.s3, store), store, client, smallest=5 << 20)


PRESIGNERS: dict[str, Callable[[Path], AbstractContextManager[Desk]]] = {
    "folder": open_folder_desk,
    "s3": open_s3_desk,
}
"""A presigner joins the suite by one line: how to open a desk, given a folder it may use."""

NO_MD5 = "it does not compare a form's file with its Content-MD5"
NO_CHECK = "it checks neither signatures nor policies of forms"
LACKING: dict[str, dict[str, str]] = {
    # S3 does: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
    "ministack": {
        "test_a_file_that_is_not_the_one_announced_is_refused[s3-another]": NO_MD5,
        "test_a_form_that_was_used_takes_no_other_file[s3]": NO_MD5,
    },
    "localstack": {
        "test_a_file_that_is_not_the_one_announced_is_refused[s3-another]": NO_MD5,
        "test_a_form_that_was_used_takes_no_other_file[s3]": NO_MD5,
        "test_the_policy_of_another_form_does_not_fit[s3]": NO_CHECK,
        "test_a_form_that_was_changed_is_refused": NO_CHECK,
        "test_a_form_that_lacks_a_field_is_refused": NO_CHECK,
    },
}
"""What an emulator of S3 cannot do: by test, with its parameters where it can do some."""

KEY = "landing/spend/v1/march/load_timestamp=20260131T235959Z/3f0e7a52-8a5c-4b52-9a6e-0d3c5c1f2b10.csv"
DATA = b"id,amount\r\n1,2.50\r\n"
NOT_OF_LANDING = [
    "",
    "landing",
    "landing/",
    "landing/../raw/a.csv",
    "landing//a.csv",
    "landing/a\nb",
    "raw/spend/a.csv",
]


def mark_lacking(request: pytest.FixtureRequest) -> None:
    lacking = LACKING[emulator_name()]
    for name, strict in ((request.node.name, True), (request.node.originalname, False)):
        if name in lacking:
            request.applymarker(pytest.mark.xfail(reason=lacking[name], strict=strict))


@pytest.fixture(params=PRESIGNERS)
def desk(request, tmp_path) -> Iterator[Desk]:
    if request.param == "s3":
        mark_lacking(request)
    with PRESIGNERS[request.param](tmp_path / "lake") as desk:
        yield desk


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def error_code(answer: httpx.Response) -> str:
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - from the server under test
    assert root.tag == "Error"
    assert root.findtext("Message")
    return root.findtext("Code") or ""


def read_policy(form: UploadForm) -> dict[str, object]:
    policy: dict[str, object] = json.loads(base64.b64decode(form.fields["policy"]))
    return policy


class TestForms:
    def test_a_form_has_the_fields_of_a_presigned_post(self, desk):
        form = desk.sign(DATA)
        assert form.fields.keys() >= {
            "key", "Content-MD5", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "policy", "x-amz-signature",
        }  # fmt: skip
        assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
        assert KEY.endswith(form.fields["key"])

    def test_the_policy_binds_key_md5_size_and_time(self, desk):
        form = desk.sign(DATA, lifetime=timedelta(minutes=5), most=1000)
        policy = read_policy(form)
        expires = datetime.fromisoformat(str(policy["expiration"])) - datetime.now(UTC)
        assert timedelta(minutes=4) < expires <= timedelta(minutes=5)
        assert ["content-length-range", 1, 1000] in policy["conditions"]
        for name in ("key", "Content-MD5"):
            bound = ({name: form.fields[name]}, ["eq", f"${name}", form.fields[name]])
            assert any(condition in policy["conditions"] for condition in bound)

    def test_a_file_that_is_posted_lies_under_its_key(self, desk):
        assert desk.post(desk.sign(DATA), DATA).status_code == 204
        assert desk.landed() == {KEY: DATA}

    def test_nothing_lies_there_before(self, desk):
        desk.sign(DATA)
        assert desk.landed() == {}

    def test_the_answer_tells_the_md5_as_the_etag(self, desk):
        answer = desk.post(desk.sign(DATA), DATA)
        assert answer.headers["ETag"] == f'"{hashlib.md5(DATA, usedforsecurity=False).hexdigest()}"'

    def test_names_outside_ascii_are_kept(self, desk):
        key = "landing/spend/march/Zürich – 東京 a+b%20&c.csv"
        form = desk.presigner.sign_form(key, md5(DATA), 100, timedelta(minutes=1))
        assert desk.post(form, DATA).status_code == 204
        assert desk.landed() == {key: DATA}

    def test_a_file_of_just_the_largest_size_is_taken(self, desk):
        assert desk.post(desk.sign(DATA, most=len(DATA)), DATA).status_code == 204

    @pytest.mark.parametrize(
        ("most", "data", "code"),
        [(len(DATA) - 1, DATA, "EntityTooLarge"), (100, b"", "EntityTooSmall"), (100, DATA + b"!", "BadDigest")],
        ids=["larger", "empty", "another"],
    )
    def test_a_file_that_is_not_the_one_announced_is_refused(self, desk, most, data, code):
        form = desk.sign(data if code == "EntityTooSmall" else DATA, most=most)
        answer = desk.post(form, data)
        assert (answer.status_code, error_code(answer)) == (400, code)
        assert desk.landed() == {}

    def test_an_expired_form_is_refused(self, desk):
        answer = desk.post(desk.sign(DATA, lifetime=timedelta(seconds=-1)), DATA)
        assert (answer.status_code, error_code(answer)) == (403, "AccessDenied")
        assert desk.landed() == {}

    @pytest.mark.parametrize(
        "changed",
        [
            {"key": "spend/march/other.csv"}, {"key": "../raw/a.csv"}, {"Content_MD5": md5(b"other")},
            {"x-amz-date": "20200101T000000Z"}, {"x-amz-algorithm": "none"}, {"x-amz-signature": "0" * 64},
            {"x-amz-signature": ""}, {"x-amz-signature": "ü"},
            {"x-amz-credential": "someone/20260101/x/s3/aws4_request"},
            {"policy": "e30="}, {"policy": ""}, {"policy": "no base64"}, {"acl": "public-read"},
            {"Content-Type": "text/csv"}, {"success_action_redirect": "https://example.com"},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_form_that_was_changed_is_refused(self, desk, changed):
        answer = desk.post(desk.sign(DATA), DATA, **changed)
        # Which one S3 tells depends on what it looks at first.
        # Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        assert (answer.status_code, error_code(answer)) in {
            (403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (403, "InvalidAccessKeyId"),
            (400, "InvalidArgument"), (400, "InvalidPolicyDocument"),
        }  # fmt: skip
        assert desk.landed() == {}

    @pytest.mark.parametrize("name", ["key", "Content-MD5", "policy", "x-amz-signature", "x-amz-credential"])
    def test_a_form_that_lacks_a_field_is_refused(self, desk, name):
        form = desk.sign(DATA)
        del form.fields[name]
        answer = desk.post(form, DATA)
        assert answer.status_code in {400, 403}
        assert desk.landed() == {}

    def test_the_policy_of_another_form_does_not_fit(self, desk):
        form, other = desk.sign(DATA), desk.sign(DATA, most=5)
        answer = desk.post(form, DATA, policy=other.fields["policy"])
        assert error_code(answer) == "SignatureDoesNotMatch"

    def test_fields_that_are_to_be_ignored_are(self, desk):
        form = desk.sign(DATA)
        assert desk.post(UploadForm(form.url, form.fields | {"x-ignore-note": "hi"}), DATA).status_code == 204

    def test_the_same_form_again_changes_nothing(self, desk):
        form = desk.sign(DATA)
        assert desk.post(form, DATA).status_code == 204
        assert desk.post(form, DATA).status_code == 204
        assert desk.landed() == {KEY: DATA}

    def test_a_form_works_again_once_its_file_has_moved_on(self, desk):
        form = desk.sign(DATA)
        desk.post(form, DATA)
        desk.store.move(KEY, KEY.replace("landing", "raw", 1))
        assert desk.post(form, DATA).status_code == 204
        assert desk.landed() == {KEY: DATA}

    def test_a_form_that_was_used_takes_no_other_file(self, desk):
        form = desk.sign(DATA)
        desk.post(form, DATA)
        assert error_code(desk.post(form, DATA[::-1])) == "BadDigest"
        assert desk.landed() == {KEY: DATA}

    @pytest.mark.parametrize("key", NOT_OF_LANDING)
    def test_only_keys_in_landing_are_signed(self, desk, key):
        with pytest.raises(InvalidName):
            desk.presigner.sign_form(key, md5(DATA), 100, timedelta(minutes=1))


class TestParts:
    LIFETIME = timedelta(hours=1)

    def test_parts_are_put_together_in_their_order(self, desk):
        parts = [desk.part(b"1"), desk.part(b"2"), b"three"]
        upload = desk.presigner.start_parts(KEY, 3, self.LIFETIME)
        etags = desk.put(PartedUpload(upload.handle, upload.urls[::-1]), *parts[::-1])[::-1]
        assert desk.landed() == {}
        desk.presigner.finish_parts(KEY, upload.handle, etags)
        assert desk.landed() == {KEY: b"".join(parts)}

    def test_each_part_has_an_address_of_its_own(self, desk):
        upload = desk.presigner.start_parts(KEY, 10_000, self.LIFETIME)
        assert len(set(upload.urls)) == 10_000

    def test_the_etag_is_the_md5(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        assert desk.put(upload, DATA) == [f'"{hashlib.md5(DATA, usedforsecurity=False).hexdigest()}"']

    def test_etags_may_come_without_their_quotes(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        desk.presigner.finish_parts(KEY, upload.handle, [etag.strip('"') for etag in desk.put(upload, DATA)])
        assert desk.landed() == {KEY: DATA}

    def test_a_part_that_is_sent_again_replaces_the_first(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        (old,), (new,) = desk.put(upload, b"old"), desk.put(upload, b"new")
        with pytest.raises(ObjectConflict):
            desk.presigner.finish_parts(KEY, upload.handle, [old])
        desk.presigner.finish_parts(KEY, upload.handle, [new])
        assert desk.landed() == {KEY: b"new"}

    def test_a_part_with_another_md5_than_it_says_is_refused(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        answer = desk.client.put(upload.urls[0], content=DATA, headers={"Content-MD5": md5(b"other")})
        assert (answer.status_code, error_code(answer)) == (400, "BadDigest")
        assert desk.client.put(upload.urls[0], content=DATA, headers={"Content-MD5": md5(DATA)}).status_code == 200

    def test_an_upload_with_a_part_missing_is_not_finished(self, desk):
        upload = desk.presigner.start_parts(KEY, 2, self.LIFETIME)
        (etag,) = desk.put(upload, b"one")
        for etags in ([etag], [etag, etag], [etag, ""], []):
            with pytest.raises(ObjectConflict):
                desk.presigner.finish_parts(KEY, upload.handle, etags)
        assert desk.landed() == {}

    def test_an_upload_that_could_not_be_finished_can_be_later(self, desk):
        upload = desk.presigner.start_parts(KEY, 2, self.LIFETIME)
        etags = desk.put(upload, desk.part(b"1"), b"two")
        with pytest.raises(ObjectConflict):
            desk.presigner.finish_parts(KEY, upload.handle, etags[::-1])
        desk.presigner.finish_parts(KEY, upload.handle, etags)
        assert desk.landed() == {KEY: desk.part(b"1") + b"two"}

    def test_an_upload_that_was_dropped_is_gone(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        etags = desk.put(upload, DATA)
        desk.presigner.abort_parts(KEY, upload.handle)
        answer = desk.client.put(upload.urls[0], content=DATA)
        assert (answer.status_code, error_code(answer)) == (404, "NoSuchUpload")
        with pytest.raises(ObjectMissing):
            desk.presigner.finish_parts(KEY, upload.handle, etags)
        assert desk.landed() == {}

    def test_dropping_what_is_not_there_is_no_error(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        desk.presigner.abort_parts(KEY, upload.handle)
        desk.presigner.abort_parts(KEY, upload.handle)
        desk.presigner.abort_parts(KEY, "never-begun")

    @pytest.mark.parametrize("handle", ["never-begun", "", "..", "../../landing", "a" * 32])
    def test_an_upload_that_never_began_is_missing(self, desk, handle):
        with pytest.raises(ObjectMissing):
            desk.presigner.finish_parts(KEY, handle, ['"0"'])

    def test_an_upload_belongs_to_its_key(self, desk):
        other = KEY.replace("march", "april")
        upload = desk.presigner.start_parts(KEY, 1, self.LIFETIME)
        etags = desk.put(upload, DATA)
        with pytest.raises(ObjectMissing):
            desk.presigner.finish_parts(other, upload.handle, etags)
        desk.presigner.abort_parts(other, upload.handle)
        desk.presigner.finish_parts(KEY, upload.handle, etags)
        assert desk.landed() == {KEY: DATA}

    def test_the_address_of_one_part_is_no_other_parts(self, desk):
        first, second = (httpx.URL(url) for url in desk.presigner.start_parts(KEY, 2, self.LIFETIME).urls)
        swapped = first.copy_set_param("X-Amz-Signature", second.params["X-Amz-Signature"])
        answer = desk.client.put(swapped, content=DATA)
        assert (answer.status_code, error_code(answer)) == (403, "SignatureDoesNotMatch")

    def test_an_expired_address_is_refused(self, desk):
        upload = desk.presigner.start_parts(KEY, 1, timedelta(seconds=1))
        time.sleep(2.1)  # S3 takes no lifetime of less than a second
        answer = desk.client.put(upload.urls[0], content=DATA)
        assert (answer.status_code, error_code(answer)) == (403, "AccessDenied")

    @pytest.mark.parametrize("key", NOT_OF_LANDING)
    def test_only_keys_in_landing_are_taken(self, desk, key):
        with pytest.raises(InvalidName):
            desk.presigner.start_parts(key, 1, self.LIFETIME)
        with pytest.raises(InvalidName):
            desk.presigner.finish_parts(key, "a" * 32, [])
        with pytest.raises(InvalidName):
            desk.presigner.abort_parts(key, "a" * 32)


class TestLending:
    """Of presigners that hand files out themselves."""

    KEPT = "raw/spend/v1/orders/load_timestamp=20260131T235959Z/a b+c.csv"

    @pytest.fixture
    def desk(self, tmp_path) -> Iterator[Desk]:
        with open_s3_desk(tmp_path) as desk:
            desk.store.put(self.KEPT, DATA)
            yield desk

    def lend(self, desk: Desk, name: str = "a.csv", lifetime: timedelta = timedelta(minutes=5)) -> httpx.URL:
        assert isinstance(desk.presigner, CanLend)
        return httpx.URL(desk.presigner.sign_download(self.KEPT, name, "application/octet-stream", lifetime))

    def test_the_file_comes_byte_for_byte(self, desk):
        answer = desk.client.get(self.lend(desk))
        assert (answer.status_code, answer.content) == (200, DATA)
        assert answer.headers["content-type"] == "application/octet-stream"

    @pytest.mark.parametrize("name", ["a.csv", "März 1+2.csv", "quo\"te'; filename=b.exe", "a%0d%0ab.csv"])
    def test_it_is_called_as_its_producer_called_it(self, desk, name):
        found = desk.client.get(self.lend(desk, name)).headers["content-disposition"]
        assert found == f"attachment; filename*=UTF-8''{quote(name, safe='')}"

    def test_the_address_is_good_for_nothing_else(self, desk):
        address, other = self.lend(desk), self.KEPT.replace("a b+c", "other")
        desk.store.put(other, DATA)
        wrong = address.copy_with(path=address.path.replace("a b+c", "other"))
        for answer in (
            desk.client.get(wrong), desk.client.put(address, content=b"x"), desk.client.delete(address),
            desk.client.get(address.copy_set_param("response-content-disposition", "inline")),
        ):  # fmt: skip
            assert (answer.status_code, error_code(answer)) == (403, "SignatureDoesNotMatch")
        assert desk.store.read(self.KEPT)[0] == DATA

    def test_an_expired_address_is_refused(self, desk):
        address = self.lend(desk, lifetime=timedelta(seconds=1))
        time.sleep(2.1)
        answer = desk.client.get(address)
        assert (answer.status_code, error_code(answer)) == (403, "AccessDenied")

    @pytest.mark.parametrize("key", ["metadata/tokens/a.json", "logs/a.jsonl", "curated/spend/a.parquet", KEY])
    def test_only_files_that_were_kept_are_lent(self, desk, key):
        with pytest.raises(InvalidName, match="raw or fail"):
            desk.presigner.sign_download(key, "a.csv", "text/csv", timedelta(minutes=5))

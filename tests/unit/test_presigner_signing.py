"""The lake's secret, and the signatures made with it."""

from __future__ import annotations

import base64
import json
import multiprocessing
import stat
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daap.errors import StoreUnavailable
from daap_local.server.policy import check_form, sign_fields
from daap_local.server.refusals import UploadRefused
from daap_local.server.secret import load_secret
from daap_local.server.signing import ACCESS_KEY, Signer, format_amz, name_credential, read_credential

NOW = datetime(2026, 1, 31, 23, 59, 59, 250_000, tzinfo=UTC)
MD5 = base64.b64encode(b"0123456789abcdef").decode()
HOUR = timedelta(hours=1)


@pytest.fixture
def signer() -> Signer:
    return Signer(bytes(range(32)), lambda: NOW)


def sign(signer: Signer, lifetime: timedelta = HOUR, **more: str) -> dict[str, str]:
    """The fields of a form as they come: names in lower case."""
    fields = sign_fields(signer, "landing", {"key": "spend/a.csv", "Content-MD5": MD5, **more}, 100, lifetime)
    return {name.lower(): value for name, value in fields.items()}


class TestSecret:
    def test_it_is_random_and_stays(self, tmp_path):
        secret = load_secret(tmp_path / "a")
        assert len(secret) == 32
        assert load_secret(tmp_path / "a") == secret
        assert load_secret(tmp_path / "b") != secret

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
    def test_only_its_owner_reads_it(self, tmp_path):
        load_secret(tmp_path)
        path = tmp_path / ".secrets" / "uploads.key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert list(path.parent.iterdir()) == [path]

    def test_threads_agree_on_one(self, tmp_path):
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(load_secret, [tmp_path] * 8))) == 1

    def test_processes_agree_on_one(self, tmp_path):
        with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
            assert len(set(pool.map(load_secret, [tmp_path] * 8))) == 1

    @pytest.mark.parametrize("content", [b"", b"short"])
    def test_a_damaged_one_is_told_of(self, tmp_path, content):
        load_secret(tmp_path)
        (tmp_path / ".secrets" / "uploads.key").write_bytes(content)
        with pytest.raises(StoreUnavailable, match="delete it"):
            load_secret(tmp_path)

    def test_where_none_can_be_written_there_is_none(self, tmp_path):
        (tmp_path / ".secrets").write_bytes(b"no folder")
        with pytest.raises(StoreUnavailable):
            load_secret(tmp_path)

    def test_it_is_not_shown(self, signer):
        shown = repr(signer) + str(signer)
        assert "secret" not in shown
        assert "\\x01" not in shown

    def test_the_credential_tells_nothing_of_it(self, signer):
        assert sign(signer)["x-amz-credential"] == f"{ACCESS_KEY}/20260131/local/s3/aws4_request"


class TestSigning:
    def test_a_policy_is_signed_as_amazons_library_does(self, signer, monkeypatch):
        fields = sign(signer)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None))
        request = AWSRequest("POST", "http://lake.test")
        policy = json.loads(base64.b64decode(fields["policy"]))
        conditions = [
            c for c in policy["conditions"] if not (isinstance(c, dict) and next(iter(c)).startswith("x-amz"))
        ]
        request.context["s3-presign-post-policy"] = policy | {"conditions": conditions}
        request.context["s3-presign-post-fields"] = {}
        S3SigV4PostAuth(Credentials(ACCESS_KEY, signer.secret.hex()), "s3", "local").add_auth(request)
        theirs = request.context["s3-presign-post-fields"]
        assert theirs.keys() <= fields.keys()
        assert signer.is_signed("20260131", theirs["policy"], theirs["x-amz-signature"])
        assert {name: fields[name] for name in theirs if name not in ("policy", "x-amz-signature")} == {
            name: value for name, value in theirs.items() if name not in ("policy", "x-amz-signature")
        }

    def test_another_text_day_or_secret_has_another_signature(self, signer):
        signature = signer.sign("20260131", "text")
        assert signer.is_signed("20260131", "text", signature)
        assert not signer.is_signed("20260131", "text ", signature)
        assert not signer.is_signed("20260130", "text", signature)
        assert not Signer(bytes(32)).is_signed("20260131", "text", signature)
        assert not signer.is_signed("20260131", "text", signature + "é")

    def test_times_are_told_in_utc(self):
        assert format_amz(NOW) == "20260131T235959Z"

    @pytest.mark.parametrize("text", ["", "/", "x", "a/b/c/d/e", "daap-local/20260131/eu-west-2/s3/aws4_request"])
    def test_a_credential_of_another_kind_is_none_of_ours(self, text):
        assert read_credential(text) is None
        assert read_credential(name_credential("20260131")) == "20260131"


class TestPolicies:
    def test_a_form_as_it_was_signed_holds(self, signer):
        grant = check_form(signer, "landing", sign(signer))
        assert (grant.key, grant.md5) == ("landing/spend/a.csv", b"0123456789abcdef")
        assert (grant.least, grant.most, grant.status) == (1, 100, 204)

    @pytest.mark.parametrize(("status", "answer"), [("200", 200), ("201", 201), ("204", 204), ("302", 204), ("x", 204)])
    def test_the_status_to_answer_may_be_signed_too(self, signer, status, answer):
        assert check_form(signer, "landing", sign(signer, success_action_status=status)).status == answer

    def test_a_status_that_was_not_signed_is_refused(self, signer):
        with pytest.raises(UploadRefused, match="success_action_status"):
            check_form(signer, "landing", sign(signer) | {"success_action_status": "201"})

    def test_a_form_holds_until_it_expires(self, signer):
        fields = sign(signer)
        last = Signer(signer.secret, lambda: NOW + HOUR - timedelta(milliseconds=1))
        assert check_form(last, "landing", fields)
        with pytest.raises(UploadRefused, match="expired"):
            check_form(Signer(signer.secret, lambda: NOW + HOUR), "landing", fields)

    def test_a_form_holds_over_midnight(self, signer):
        tomorrow = Signer(signer.secret, lambda: NOW + timedelta(minutes=30))
        assert check_form(tomorrow, "landing", sign(signer))

    def test_a_form_for_one_bucket_is_for_no_other(self, signer):
        with pytest.raises(UploadRefused, match="bucket"):
            check_form(signer, "raw", sign(signer))

    def test_the_bucket_cannot_be_given_as_a_field(self, signer):
        with pytest.raises(UploadRefused, match="bucket"):
            check_form(signer, "raw", sign(signer) | {"bucket": "landing"})

    def test_a_day_that_is_not_the_signatures_is_refused(self, signer):
        with pytest.raises(UploadRefused, match="signature"):
            check_form(signer, "landing", sign(signer) | {"x-amz-credential": name_credential("20260130")})

    @pytest.mark.parametrize("md5", ["", "x", "AAAA", MD5[:-1], MD5 + "=", MD5.replace("=", "\n"), "ü" * 24])
    def test_what_is_no_md5_is_refused(self, signer, md5):
        fields = sign_fields(signer, "landing", {"key": "spend/a.csv", "content-md5": md5}, 100, HOUR)
        with pytest.raises(UploadRefused) as caught:
            check_form(signer, "landing", fields)
        assert caught.value.code == "InvalidDigest"

    def test_every_field_that_is_signed_must_come_back(self, signer):
        fields = sign(signer)
        for name in fields:
            with pytest.raises(UploadRefused):
                check_form(signer, "landing", {other: fields[other] for other in fields if other != name})

    def test_a_message_shows_a_strange_name_safely(self, signer):
        with pytest.raises(UploadRefused, match=r"\\x00\\u2028") as caught:
            check_form(signer, "landing", sign(signer) | {"\0\u2028": "x"})
        assert str(caught.value).isprintable()


def test_the_secret_lies_where_nothing_is_an_object(tmp_path: Path):
    load_secret(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {".secrets", ".locks"}

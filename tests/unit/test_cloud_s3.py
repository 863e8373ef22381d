"""The S3 store beyond the contract: what it asks S3 for, large objects, and what others do meanwhile."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from daap.errors import InvalidName, ObjectConflict
from daap.ports.objects import ABSENT
from daap_cloud import copies, parts
from daap_cloud.s3_store import Place, S3Store
from tests.support.emulator import make_settings, new_clients, shared_emulator

KEY, OTHER = "landing/spend/v1/march/a.csv", "raw/spend/v1/march/a.csv"
MEBIBYTE = 1 << 20


class Watched:
    """A store over real HTTP, the requests that it makes, and what is to happen in their midst."""

    def __init__(self, *, keep_versions: bool = False) -> None:
        clients = new_clients(shared_emulator())
        self.settings = make_settings(clients, keep_versions=keep_versions)
        self.client = clients.s3
        self.store = S3Store(self.client, self.settings.zones)
        self.asked: list[str] = []
        self.headers: dict[str, dict[str, str]] = {}
        self.client.meta.events.register("before-send.s3", self.note)

    def note(self, request, event_name, **_others) -> None:
        operation = event_name.rpartition(".")[2]
        self.asked.append(operation)
        told = {name.lower(): value for name, value in request.headers.items()}
        self.headers[operation] = {k: v.decode() if isinstance(v, bytes) else v for k, v in told.items()}

    def during(self, operation: str, act: Callable[[], object]) -> None:
        """Does something once, just before a request goes out."""

        def interrupt(**_given) -> None:
            self.client.meta.events.unregister(f"before-call.s3.{operation}", interrupt)
            act()

        self.client.meta.events.register(f"before-call.s3.{operation}", interrupt)

    def requests(self, act: Callable[[], object]) -> list[str]:
        self.asked.clear()
        act()
        return self.asked

    def put_plain(self, key: str, data: bytes) -> None:
        """Writes as another program does."""
        bucket, name = self.store.place(key)
        self.client.put_object(Bucket=bucket, Key=name, Body=data)

    def begun(self) -> list[str]:
        """Multipart uploads that were left."""
        listed = self.client.list_multipart_uploads(Bucket=self.settings.data_bucket)
        return [upload["Key"] for upload in listed.get("Uploads", [])]


@pytest.fixture(params=[False, True], ids=["plain", "versions"])
def watched(request) -> Watched:
    return Watched(keep_versions=request.param)


@pytest.fixture
def small_parts(monkeypatch) -> None:
    """S3's smallest parts, so that a few MiB make several."""
    monkeypatch.setattr(parts, "PART_BYTES", 5 * MEBIBYTE)
    monkeypatch.setattr(parts, "COPY_BYTES", 5 * MEBIBYTE)
    monkeypatch.setattr(copies, "MAX_COPY", 6 * MEBIBYTE)


class TestRequests:
    """As few as correctness allows: each is paid for, and waited for."""

    def test_each_simple_call_is_one_request(self, watched):
        store = watched.store
        assert watched.requests(lambda: store.put(KEY, b"x")) == ["PutObject"]
        assert watched.requests(lambda: store.put(OTHER, b"x", ABSENT)) == ["PutObject"]
        assert watched.requests(lambda: store.stat(KEY)) == ["HeadObject"]
        assert watched.requests(lambda: store.read(KEY)) == ["GetObject"]
        assert watched.requests(lambda: store.open(KEY).close()) == ["GetObject"]
        assert watched.requests(lambda: list(store.list("landing/"))) == ["ListObjectsV2"]
        assert watched.requests(lambda: store.delete(KEY)) == ["DeleteObject"]

    def test_an_update_looks_at_the_mark_that_the_condition_does_not_know(self, watched):
        version = watched.store.put(KEY, b"first")
        asked = watched.requests(lambda: watched.store.put(KEY, b"second", version))
        assert asked == ["HeadObject", "PutObject"]

    def test_a_move_is_four_each_with_its_condition(self, watched):
        watched.store.put(KEY, b"x")
        watched.store.put("raw/spend/b.csv", b"y")  # else it is asked once whether the bucket is there at all
        etag = watched.client.head_object(Bucket=watched.settings.landing_bucket, Key="spend/v1/march/a.csv")["ETag"]
        assert watched.requests(lambda: watched.store.move(KEY, OTHER)) == [
            "HeadObject", "HeadObject", "CopyObject", "DeleteObject",
        ]  # fmt: skip
        copy, deletion = watched.headers["CopyObject"], watched.headers["DeleteObject"]
        assert (copy["x-amz-copy-source-if-match"], copy["if-none-match"]) == (etag, "*")
        assert deletion["if-match"] == etag

    def test_a_sweep_is_two_whatever_lies_there(self, watched):
        for n in range(7):
            watched.store.put(f"raw/spend/{n}.csv", b"x")
        assert watched.requests(lambda: watched.store.sweep("raw/spend/")) == ["ListObjectsV2", "DeleteObjects"]

    def test_what_is_no_key_is_refused_before_any_request(self, watched):
        def ask() -> None:
            for key in ("raw/../landing/a.csv", "raw//a", "elsewhere/a", "raw/" + "ü" * 100 + "/x" * 450):
                for act in (watched.store.stat, watched.store.read, watched.store.delete, watched.store.locate):
                    with pytest.raises(InvalidName):
                        act(key)
                with pytest.raises(InvalidName):
                    watched.store.move(KEY, key)

        assert watched.requests(ask) == []


class TestVersions:
    def test_a_move_keeps_the_version(self, watched):
        version = watched.store.put(KEY, b"x")
        watched.store.move(KEY, OTHER)
        assert watched.store.stat(OTHER).version == version

    def test_a_move_keeps_the_version_of_what_others_wrote(self, watched):
        watched.put_plain(KEY, b"x")
        version = watched.store.stat(KEY).version
        watched.store.move(KEY, OTHER)
        assert watched.store.stat(OTHER).version == watched.store.read(OTHER)[1] == version

    def test_what_others_copy_metadata_and_all_is_another_object(self, watched):
        watched.store.put(OTHER, b"x")
        (bucket, name), source = watched.store.place(KEY), watched.store.place(OTHER)
        watched.client.copy_object(Bucket=bucket, Key=name, CopySource="/".join(source))
        assert watched.store.stat(KEY).version != watched.store.stat(OTHER).version

    def test_equal_files_of_two_senders_have_different_versions(self, watched):
        watched.put_plain(KEY, b"x")
        watched.put_plain(OTHER, b"x")
        assert watched.store.stat(KEY).version != watched.store.stat(OTHER).version

    def test_a_bucket_that_keeps_versions_tells_equal_files_of_one_second_apart(self):
        watched = Watched(keep_versions=True)
        watched.put_plain(KEY, b"x")
        first = watched.store.stat(KEY).version
        watched.put_plain(KEY, b"x")
        assert watched.store.stat(KEY).version != first


class TestMoving:
    def test_what_comes_behind_the_copy_stays(self, watched):
        watched.store.put(KEY, b"first")
        watched.during("DeleteObject", lambda: watched.put_plain(KEY, b"second"))
        watched.store.move(KEY, OTHER)
        assert (watched.store.read(OTHER)[0], watched.store.read(KEY)[0]) == (b"first", b"second")

    def test_what_comes_before_the_copy_is_moved_whole(self, watched):
        watched.store.put(KEY, b"first")
        watched.during("CopyObject", lambda: watched.put_plain(KEY, b"second"))
        watched.store.move(KEY, OTHER)
        assert watched.store.read(OTHER)[0] == b"second"
        assert list(watched.store.list("landing/")) == []

    def test_a_move_that_was_cut_short_goes_on(self, watched):
        def die() -> None:
            raise KeyboardInterrupt

        watched.store.put(KEY, b"x")
        watched.during("DeleteObject", die)
        with pytest.raises(KeyboardInterrupt):
            watched.store.move(KEY, OTHER)
        assert watched.requests(lambda: watched.store.move(KEY, OTHER)) == ["HeadObject", "HeadObject", "DeleteObject"]
        assert list(watched.store.list("landing/")) == []
        assert watched.store.read(OTHER)[0] == b"x"

    def test_a_source_that_someone_else_removed_is_no_error_once_it_is_copied(self, watched):
        watched.store.put(KEY, b"x")
        watched.during("DeleteObject", lambda: watched.store.delete(KEY))
        watched.store.move(KEY, OTHER)
        assert watched.store.read(OTHER)[0] == b"x"

    def test_content_headers_and_metadata_move_too(self, watched):
        (bucket, name), (to_bucket, to_name) = watched.store.place(KEY), watched.store.place(OTHER)
        given = {"ContentType": "text/csv", "ContentEncoding": "identity", "Metadata": {"sender": "finance"}}
        watched.client.put_object(Bucket=bucket, Key=name, Body=b"x", **given)
        watched.store.move(KEY, OTHER)
        found = watched.client.head_object(Bucket=to_bucket, Key=to_name)
        assert (found["ContentType"], found["ContentEncoding"]) == ("text/csv", "identity")
        assert found["Metadata"]["sender"] == "finance"


@pytest.mark.usefixtures("small_parts")
class TestLarge:
    def test_a_large_stream_goes_up_in_parts(self, watched):
        data = os.urandom(12 * MEBIBYTE + 7)
        asked = watched.requests(lambda: watched.store.put(OTHER, io.BytesIO(data)))
        assert asked == ["CreateMultipartUpload", *["UploadPart"] * 3, "CompleteMultipartUpload"]
        assert watched.store.read(OTHER)[0] == data

    def test_a_stream_of_just_one_part_needs_no_second(self, watched):
        data = os.urandom(5 * MEBIBYTE)
        version = watched.store.put(OTHER, io.BytesIO(data))
        assert watched.store.read(OTHER) == (data, version)

    def test_a_condition_holds_for_parts_too(self, watched):
        version = watched.store.put(OTHER, b"first")
        for expect in (ABSENT, f'"{"0" * 32}"|old'):
            with pytest.raises(ObjectConflict):
                watched.store.put(OTHER, io.BytesIO(bytes(6 * MEBIBYTE)), expect)
        assert watched.store.read(OTHER) == (b"first", version)
        assert watched.begun() == []

    def test_a_stream_that_breaks_off_behind_its_first_part_leaves_nothing(self, watched):
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if data := super().read(size):
                    return data
                raise OSError("the line went dead")

        with pytest.raises(OSError, match="line went dead"):
            watched.store.put(OTHER, Broken(bytes(6 * MEBIBYTE)))
        assert list(watched.store.list("raw/")) == []
        assert watched.begun() == []

    def test_a_large_object_is_copied_in_parts(self, watched):
        data = os.urandom(11 * MEBIBYTE + 3)
        watched.put_plain(KEY, data)
        asked = watched.requests(lambda: watched.store.move(KEY, OTHER))
        assert asked.count("UploadPartCopy") == 3
        assert watched.store.read(OTHER)[0] == data
        assert list(watched.store.list("landing/")) == []

    def test_a_large_object_that_is_rewritten_meanwhile_is_not_mixed(self, watched):
        old, new = (os.urandom(11 * MEBIBYTE) for _ in range(2))
        watched.put_plain(KEY, old)
        watched.during("CompleteMultipartUpload", lambda: watched.put_plain(KEY, new))
        watched.store.move(KEY, OTHER)
        assert (watched.store.read(OTHER)[0], watched.store.read(KEY)[0]) == (old, new)
        watched.store.delete(OTHER)
        watched.during("UploadPartCopy", lambda: watched.put_plain(KEY, old))
        watched.store.move(KEY, OTHER)
        assert watched.store.read(OTHER)[0] == old
        assert watched.begun() == []


class TestNames:
    @pytest.fixture
    def store(self) -> S3Store:
        zones = {"landing": Place("in"), "raw": Place("data", "raw/"), "fail": Place("data", "fail/")}
        return S3Store(new_clients("http://127.0.0.1:9").s3, zones)

    @pytest.mark.parametrize("key", ["landing/spend/march/a b+%41.csv", "raw/spend/ü.csv", "fail/raw/x"])
    def test_a_key_is_told_by_where_its_object_lies(self, store, key):
        assert store.key_of(*store.place(key)) == key

    @pytest.mark.parametrize(
        ("bucket", "name"),
        [("elsewhere", "a"), ("data", "spend/a"), ("data", "raw/"), ("data", "raw"), ("in", "a/../b"), ("in", "")],
    )
    def test_what_lies_in_no_zone_has_no_key(self, store, bucket, name):
        with pytest.raises(InvalidName):
            store.key_of(bucket, name)


def test_folders_that_the_console_makes_are_no_objects(watched):
    watched.store.put(OTHER, b"x")
    watched.client.put_object(Bucket=watched.settings.data_bucket, Key="raw/spend/v1/", Body=b"")
    assert [info.key for info in watched.store.list("raw/")] == [OTHER]
    watched.store.sweep("raw/spend/")
    with pytest.raises(ClientError):
        watched.client.head_object(Bucket=watched.settings.data_bucket, Key="raw/spend/v1/")

"""Receiving forms and parts: what is refused leaves nothing, and what is taken is there as a whole."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.errors import ObjectConflict, ObjectMissing, StoreUnavailable
from daap_local.folder_store import FolderStore
from daap_local.server import parts as parts_module
from daap_local.server import spool as spool_module
from daap_local.server.parts import sweep_uploads
from daap_local.server.presigner import FolderPresigner
from daap_local.server.receive import Stored, receive_form, receive_part
from daap_local.server.refusals import UploadRefused
from daap_local.server.spool import uploads_folder

KEY = "landing/spend/march/a.csv"
DATA = b"id,amount\r\n1,2.50\r\n"
TYPE = "multipart/form-data; boundary=b0undary"
HOUR = timedelta(hours=1)
DAY_AGO = time.time() - 25 * 3600


class Lake:
    """A presigner over a folder, with a client's side of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FolderStore(root)
        self.presigner = FolderPresigner(self.store, "http://lake.test/", b"s" * 32)

    def write_form(self, data: bytes, key: str = KEY, *, claimed: bytes | None = None, most: int = 1 << 20) -> bytes:
        """The body of a form for `data`, signed for what is `claimed`."""
        digest = hashlib.md5(data if claimed is None else claimed, usedforsecurity=False).digest()
        fields = self.presigner.sign_form(key, base64.b64encode(digest).decode(), most, HOUR).fields
        parts = [f'--b0undary\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
        head = "".join(parts) + '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        return head.encode() + data + b"\r\n--b0undary--\r\n"

    def post(self, body: bytes, size: int = 64) -> Stored:
        return receive_form(self.presigner, "landing", TYPE, cut(body, size))

    def begin(self, number: int) -> str:
        return self.presigner.start_parts(KEY, number, HOUR).handle

    def save(self, handle: str, number: int, data: bytes) -> str:
        return self.presigner.parts.save(handle, number, [data], None).hex()

    def files(self) -> dict[str, bytes]:
        """Every file of the lake, hidden ones too, but for the locks."""
        found = (path for path in self.root.rglob("*") if path.is_file() and ".locks" not in path.parts)
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def refusal(lake: Lake, body: bytes) -> str:
    with pytest.raises(UploadRefused) as caught:
        lake.post(body)
    return caught.value.code


class TestForms:
    @given(data=st.binary(min_size=1, max_size=400), size=st.integers(1, 100))
    def test_any_content_arrives_byte_for_byte(self, tmp_path_factory, data, size):
        if b"--b0undary" in data:
            return
        lake = Lake(tmp_path_factory.mktemp("lake"))
        lake.post(lake.write_form(data), size)
        assert lake.files() == {KEY: data}

    def test_it_tells_where_the_file_lies(self, lake):
        digest = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
        assert lake.post(lake.write_form(DATA)) == Stored(KEY, digest, 204)

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"data": b""}, "EntityTooSmall"),
            ({"data": DATA, "most": len(DATA) - 1}, "EntityTooLarge"),
            ({"data": DATA, "claimed": b"other"}, "BadDigest"),
        ],
    )
    def test_a_refused_file_leaves_nothing(self, lake, given, code):
        assert refusal(lake, lake.write_form(**given)) == code
        assert lake.files() == {}

    def test_a_file_that_breaks_off_leaves_nothing(self, lake):
        for left in range(1, 120, 7):
            assert refusal(lake, lake.write_form(DATA * 20)[: -left - 4]) == "IncompleteBody"
        assert lake.files() == {}

    def test_a_file_that_is_too_large_is_not_read_to_its_end(self, lake):
        body = lake.write_form(DATA, most=1000)

        def chunks() -> Iterator[bytes]:
            yield body.partition(DATA)[0]
            yield from [b"x" * 600] * 2
            pytest.fail("it went on reading")

        with pytest.raises(UploadRefused, match="1000 bytes"):
            receive_form(lake.presigner, "landing", TYPE, chunks())
        assert lake.files() == {}

    def test_nothing_is_written_before_the_fields_are_checked(self, lake):
        body = lake.write_form(DATA).replace(b"landing", b"raw/ing").replace(b"spend", b"other")

        def chunks() -> Iterator[bytes]:
            yield body.partition(DATA)[0] + DATA
            pytest.fail("it went on reading")

        with pytest.raises(UploadRefused, match="key"):
            receive_form(lake.presigner, "landing", TYPE, chunks())
        assert not lake.root.exists()

    def test_a_client_that_goes_away_leaves_nothing(self, lake):
        def chunks() -> Iterator[bytes]:
            yield lake.write_form(DATA * 10)[:-60]
            assert len(lake.files()) == 1, "the file is on its way"
            raise UploadRefused("IncompleteBody", "the client went away")

        with pytest.raises(UploadRefused):
            receive_form(lake.presigner, "landing", TYPE, chunks())
        assert lake.files() == {}

    def test_a_file_on_its_way_is_no_object(self, lake):
        def chunks() -> Iterator[bytes]:
            yield lake.write_form(DATA)[:-20]
            assert not (lake.root / "landing").exists()
            yield lake.write_form(DATA)[-20:]

        receive_form(lake.presigner, "landing", TYPE, chunks())
        assert lake.files() == {KEY: DATA}

    @pytest.mark.parametrize("bucket", ["raw", "curated", "metadata", "", ".."])
    def test_no_other_zone_takes_uploads(self, lake, bucket):
        with pytest.raises(UploadRefused) as caught:
            receive_form(lake.presigner, bucket, TYPE, [lake.write_form(DATA)])
        assert caught.value.code == "NoSuchBucket"

    def test_the_same_file_again_is_as_good(self, lake):
        body = lake.write_form(DATA)
        lake.post(body)
        before = lake.store.stat(KEY)
        lake.post(body)
        assert lake.store.stat(KEY) == before
        assert lake.files() == {KEY: DATA}

    def test_another_file_is_never_written_over(self, lake):
        lake.store.put(KEY, b"precious")
        assert refusal(lake, lake.write_form(DATA)) == "PreconditionFailed"
        assert lake.files() == {KEY: b"precious"}

    def test_a_folder_or_link_in_its_place_is_no_file_of_the_same_content(self, lake, tmp_path):
        (tmp_path / "same").write_bytes(DATA)
        (lake.root / KEY).parent.mkdir(parents=True)
        (lake.root / KEY).symlink_to(tmp_path / "same")
        assert refusal(lake, lake.write_form(DATA)) == "PreconditionFailed"
        (lake.root / KEY).unlink()
        (lake.root / KEY).mkdir()
        assert refusal(lake, lake.write_form(DATA)) == "PreconditionFailed"
        assert lake.files() == {}

    def test_where_it_cannot_be_written_the_store_is_unavailable(self, lake):
        (lake.root / "landing").mkdir(parents=True)
        (lake.root / "landing" / "spend").write_bytes(b"no folder")
        with pytest.raises(StoreUnavailable):
            lake.post(lake.write_form(DATA))
        assert lake.files() == {"landing/spend": b"no folder"}

    def test_many_posts_of_one_form_leave_one_file(self, lake):
        body = lake.write_form(DATA * 1000)
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(lake.post, [body] * 8))) == 1
        assert lake.files() == {KEY: DATA * 1000}

    @pytest.mark.parametrize("reason", [errno.EXDEV, errno.EPERM])
    def test_landing_may_lie_where_there_are_no_links(self, lake, monkeypatch, reason):
        def link(source: Path, target: Path, **_: bool) -> None:
            if ".scratch" in Path(source).parts:
                raise OSError(reason, os.strerror(reason))
            real(source, target)

        real = os.link
        monkeypatch.setattr(spool_module.os, "link", link)
        body = lake.write_form(DATA)
        lake.post(body)
        lake.post(body)
        assert lake.files() == {KEY: DATA}

    def test_a_file_that_is_taken_in_meanwhile_comes_once_more(self, lake, monkeypatch):
        lake.post(lake.write_form(DATA))
        looked = spool_module.is_plain_file

        def take_away(path: Path) -> bool:
            path.unlink()
            monkeypatch.setattr(spool_module, "is_plain_file", looked)
            return True

        monkeypatch.setattr(spool_module, "is_plain_file", take_away)
        lake.post(lake.write_form(DATA))
        assert lake.files() == {KEY: DATA}


class TestParts:
    @given(parts=st.lists(st.binary(max_size=50), min_size=1, max_size=6))
    def test_any_parts_are_put_together_byte_for_byte(self, tmp_path_factory, parts):
        lake = Lake(tmp_path_factory.mktemp("lake"))
        handle = lake.begin(len(parts))
        etags = [lake.save(handle, number, part) for number, part in enumerate(parts, 1)]
        lake.presigner.finish_parts(KEY, handle, etags)
        assert lake.files() == {KEY: b"".join(parts)}

    def test_parts_are_put_together_where_the_kernel_cannot(self, lake, monkeypatch):
        def refuse(*_: int) -> int:
            raise OSError(errno.EXDEV, "another file system")

        monkeypatch.setattr(parts_module.os, "copy_file_range", refuse, raising=False)
        handle = lake.begin(2)
        lake.presigner.finish_parts(KEY, handle, [lake.save(handle, 1, b"one"), lake.save(handle, 2, b"two")])
        assert lake.files() == {KEY: b"onetwo"}

    def test_parts_are_put_together_where_the_kernel_stops_midway(self, lake, monkeypatch):
        real, calls = os.copy_file_range, iter([2])

        def copy_some(source: int, target: int, size: int) -> int:
            if some := next(calls, 0):
                return real(source, target, min(some, size))
            raise OSError(errno.EIO, "no more")

        monkeypatch.setattr(parts_module.os, "copy_file_range", copy_some, raising=False)
        handle = lake.begin(2)
        lake.presigner.finish_parts(KEY, handle, [lake.save(handle, 1, b"three"), lake.save(handle, 2, b"four")])
        assert lake.files() == {KEY: b"threefour"}

    def test_a_part_that_is_too_large_leaves_nothing(self, lake, monkeypatch):
        monkeypatch.setattr(parts_module, "MAX_PART", 10)
        handle = lake.begin(1)
        before = lake.files()
        with pytest.raises(UploadRefused) as caught:
            lake.save(handle, 1, b"x" * 11)
        assert caught.value.code == "EntityTooLarge"
        assert lake.files() == before

    def test_a_part_for_an_upload_dropped_meanwhile_is_told_so(self, lake):
        handle = lake.begin(1)

        def pieces() -> Iterator[bytes]:
            yield b"one"
            lake.presigner.abort_parts(KEY, handle)

        with pytest.raises(ObjectMissing):
            lake.presigner.parts.save(handle, 1, pieces(), None)
        assert lake.files() == {}

    def test_an_upload_does_not_write_over_another_file(self, lake):
        handle = lake.begin(1)
        etag = lake.save(handle, 1, DATA)
        lake.store.put(KEY, b"precious")
        with pytest.raises(ObjectConflict):
            lake.presigner.finish_parts(KEY, handle, [etag])
        assert lake.store.read(KEY)[0] == b"precious"

    def test_finishing_again_after_a_crash_is_fine(self, lake):
        handle = lake.begin(1)
        etag = lake.save(handle, 1, DATA)
        lake.store.put(KEY, DATA)  # as a process leaves it that dies before the parts are removed
        lake.presigner.finish_parts(KEY, handle, [etag])
        assert lake.files() == {KEY: DATA}

    def test_of_many_that_finish_all_leave_one_whole_file(self, lake):
        handle = lake.begin(3)
        etags = [lake.save(handle, number, DATA * 1000) for number in (1, 2, 3)]

        def finish(_: int) -> bool:
            try:
                lake.presigner.finish_parts(KEY, handle, etags)
            except ObjectMissing:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert any(pool.map(finish, range(6)))
        assert lake.files() == {KEY: DATA * 3000}

    @pytest.mark.parametrize("number", ["", "0", "x", "1" * 5000, "../../x", "²"])
    def test_a_number_that_was_not_signed_is_refused(self, lake, number):
        query = {"X-Amz-Date": "20260131T235959Z", "X-Amz-Expires": "9" * 5000, "X-Amz-Signature": "0"}
        with pytest.raises(UploadRefused) as caught:
            receive_part(lake.presigner, lake.begin(1), number, query, None, [DATA])
        assert caught.value.code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("number", [0, 10_001])
    def test_an_upload_has_1_to_10000_parts(self, lake, number):
        with pytest.raises(ValueError, match="10000"):
            lake.begin(number)


class TestSweeping:
    def test_what_is_a_day_old_goes_and_the_rest_stays(self, lake):
        old, new = lake.begin(1), lake.begin(1)
        etag = lake.save(new, 1, DATA)
        folder = uploads_folder(lake.root)
        for name in (".daap-left", ".daap-growing"):
            (folder / name).write_bytes(b"x")
        for path in (folder / old, folder / ".daap-left"):
            os.utime(path, (DAY_AGO, DAY_AGO))
        sweep_uploads(lake.root)
        assert sorted(path.name for path in folder.iterdir()) == sorted([new, ".daap-growing"])
        lake.presigner.finish_parts(KEY, new, [etag])

    def test_an_upload_that_goes_on_does_not_grow_old(self, lake):
        handle = lake.begin(2)
        os.utime(uploads_folder(lake.root) / handle, (DAY_AGO, DAY_AGO))
        lake.save(handle, 1, DATA)
        sweep_uploads(lake.root)
        lake.save(handle, 2, DATA)

    def test_there_may_be_nothing_to_sweep(self, lake):
        sweep_uploads(lake.root)
        assert not lake.root.exists()

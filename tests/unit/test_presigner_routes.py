"""The HTTP side of uploads, in-process."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import anyio
import anyio.to_thread
import pytest
from starlette.applications import Starlette

from daap_local.folder_store import FolderStore
from daap_local.server import body
from daap_local.server.policy import sign_fields
from daap_local.server.presigner import FolderPresigner
from daap_local.server.routes import routes

KEY = "landing/spend/march/a b.csv"
DATA = b"id,amount\r\n1,2.50\r\n"
HOUR = timedelta(hours=1)
END = b"\r\n--b0undary--\r\n"
Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def send(self, message: dict[str, Any]) -> None:
        """What the app calls with its answer."""
        self.status = message.get("status", self.status)
        self.headers |= {name.decode(): value.decode() for name, value in message.get("headers", ())}
        self.body += message.get("body", b"")

    @property
    def code(self) -> str | None:
        """The code of an error."""
        return ElementTree.fromstring(self.body).findtext("Code")  # noqa: S314 - from the app under test


class Site:
    """The routes over a lake, called as a server calls them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.presigner = FolderPresigner(FolderStore(root), lambda: "http://lake.test/base/", b"s" * 32)
        self.app = Starlette(routes=routes(self.presigner))

    def write_form(self, data: bytes = DATA, **more: str) -> bytes:
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
        named = {"key": KEY.partition("/")[2], "Content-MD5": digest, **more}
        fields = sign_fields(self.presigner.signer, "landing", named, 1000, HOUR)
        parts = [f'--b0undary\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
        head = "".join(parts) + '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        return head.encode() + data + END

    async def call(
        self, receive: Receive, path: str = "/uploads/landing", method: str = "POST", **headers: str
    ) -> Answer:
        answer = Answer()
        named = {"content_type": "multipart/form-data; boundary=b0undary"} | headers
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http", "server": ("lake.test", 80),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip
        await self.app(scope, receive, answer.send)
        return answer

    def post(self, *chunks: bytes, path: str = "/uploads/landing", method: str = "POST", **headers: str) -> Answer:
        return anyio.run(lambda: self.call(send_all(*chunks), path, method, **headers))

    def files(self) -> list[str]:
        found = (path for path in self.root.rglob("*") if path.is_file() and ".locks" not in path.parts)
        return [path.relative_to(self.root).as_posix() for path in found]


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path / "lake")


def send_all(*chunks: bytes, then: dict[str, Any] | None = None) -> Receive:
    """A client that sends these chunks; `then` is what comes instead of the body's end."""
    messages = iter([{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks])
    end = then or {"type": "http.request", "body": b"", "more_body": False}

    async def receive() -> dict[str, Any]:
        return next(messages, end)

    return receive


def send_then_stall(*chunks: bytes) -> Receive:
    """A client that sends these chunks, and then nothing."""
    receive = send_all(*chunks, then={"type": "stall"})

    async def wait_after() -> dict[str, Any]:
        message = await receive()
        if message["type"] == "stall":
            await anyio.sleep_forever()
        return message

    return wait_after


class TestAnswers:
    def test_a_file_that_is_taken_is_answered_without_a_word(self, site):
        answer = site.post(site.write_form())
        assert (answer.status, answer.body) == (204, b"")
        assert answer.headers["location"] == "http://lake.test/base/uploads/landing/spend/march/a%20b.csv"
        assert answer.headers["etag"] == f'"{hashlib.md5(DATA, usedforsecurity=False).hexdigest()}"'

    def test_no_other_site_is_let_in(self, site):
        answer = site.post(site.write_form(), origin="https://example.com")
        assert not [name for name in answer.headers if name.startswith("access-control")]

    def test_a_form_may_ask_for_200(self, site):
        answer = site.post(site.write_form(success_action_status="200"))
        assert (answer.status, answer.body) == (200, b"")

    def test_a_form_may_ask_for_201_and_is_told_the_place(self, site):
        answer = site.post(site.write_form(success_action_status="201"))
        told = ElementTree.fromstring(answer.body)  # noqa: S314 - from the app under test
        assert (answer.status, told.tag) == (201, "PostResponse")
        assert (told.findtext("Bucket"), told.findtext("Key")) == ("landing", "spend/march/a b.csv")
        assert told.findtext("Location") == answer.headers["location"]
        assert told.findtext("ETag") == answer.headers["etag"]

    def test_an_error_is_told_in_xml(self, site):
        answer = site.post(b"{}", content_type="application/json")
        assert (answer.status, answer.code) == (412, "PreconditionFailed")
        assert answer.headers["content-type"].startswith("application/xml")

    @pytest.mark.parametrize("bucket", ["raw", "%2e%2e", "landing%00"])
    def test_there_is_no_other_bucket(self, site, bucket):
        answer = site.post(site.write_form(), path=f"/uploads/{bucket}")
        assert (answer.status, answer.code) == (404, "NoSuchBucket")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    def test_nothing_else_can_be_done_there(self, site, method):
        assert site.post(path="/uploads/landing", method=method).status == 405

    def test_a_store_that_cannot_write_is_told_of(self, site):
        site.root.mkdir()
        (site.root / "landing").write_bytes(b"no folder")
        answer = site.post(site.write_form())
        assert (answer.status, answer.code) == (503, "ServiceUnavailable")

    @pytest.mark.parametrize("number", ["2", "x", "-1", "1" * 5000, "²"])
    def test_a_part_that_was_not_asked_for_is_refused(self, site, number):
        url = site.presigner.start_parts(KEY, 1, HOUR).urls[0]
        path = "/uploads/" + url.partition("/uploads/")[2].replace("/1?", f"/{number}?")
        answer = site.post(DATA, path=path, method="PUT")
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")

    @pytest.mark.parametrize("query", ["", "X-Amz-Date=x", "X-Amz-Expires=" + "9" * 5000, "X-Amz-Signature=%ff%00"])
    def test_an_address_without_its_signature_is_refused(self, site, query):
        handle = site.presigner.start_parts(KEY, 1, HOUR).handle
        assert site.post(DATA, path=f"/uploads/parts/{handle}/1?{query}", method="PUT").status == 403


class TestClients:
    def test_a_client_that_goes_away_leaves_nothing(self, site):
        receive = send_all(site.write_form()[:-30], then={"type": "http.disconnect"})
        answer = anyio.run(lambda: site.call(receive))
        assert answer.code == "IncompleteBody"
        assert site.files() == []

    def test_a_client_is_not_asked_for_a_part_that_is_not_permitted(self, site):
        async def receive() -> dict[str, Any]:
            pytest.fail("the body was asked for")

        handle = site.presigner.start_parts(KEY, 1, HOUR).handle
        answer = anyio.run(lambda: site.call(receive, f"/uploads/parts/{handle}/1", "PUT"))
        assert answer.status == 403

    def test_a_body_is_read_ahead_only_so_far(self, site):
        asked = 0
        receive = send_all(site.write_form()[:-30], *[b"x"] * 500)

        async def count() -> dict[str, Any]:
            nonlocal asked
            asked += 1
            return await receive()

        async def read_one() -> int:
            pump = body.BodyPump(count)
            async with anyio.create_task_group() as group:
                group.start_soon(pump.fill)
                await anyio.to_thread.run_sync(next, pump.chunks())
                await anyio.sleep(0.1)
                group.cancel_scope.cancel()
            return asked

        assert anyio.run(read_one) == 8

    def test_a_client_that_stalls_is_given_up(self, site, monkeypatch):
        monkeypatch.setattr(body, "IDLE_SECONDS", 0.1)
        answer = anyio.run(lambda: site.call(send_then_stall(site.write_form()[:-30])))
        assert (answer.status, answer.code) == (400, "RequestTimeout")
        assert site.files() == []

    def test_a_slow_client_is_waited_for(self, site, monkeypatch):
        monkeypatch.setattr(body, "IDLE_SECONDS", 0.5)
        form = site.write_form()
        receive = send_all(*(form[start : start + 100] for start in range(0, len(form), 100)))

        async def receive_slowly() -> dict[str, Any]:
            await anyio.sleep(0.05)
            return await receive()

        assert anyio.run(lambda: site.call(receive_slowly)).status == 204

    def test_a_server_that_ends_leaves_nothing_half_done(self, site):
        async def stop_early() -> None:
            with anyio.move_on_after(0.3):
                await site.call(send_then_stall(site.write_form()[:-30]))

        anyio.run(stop_early)
        assert site.files() == []

    def test_uploads_that_stall_keep_no_other_work_waiting(self, site):
        async def stall_many() -> bool:
            async with anyio.create_task_group() as group:
                for _ in range(50):  # more than the threads that the other routes share
                    group.start_soon(site.call, send_then_stall(site.write_form()[:-30]))
                await anyio.sleep(0.3)
                with anyio.fail_after(5):
                    done = await anyio.to_thread.run_sync(lambda: True)
                group.cancel_scope.cancel()
            return done

        assert anyio.run(stall_many)
        assert site.files() == []

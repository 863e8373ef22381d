"""What goes wrong on the way to S3 is told so that a person can act on it, and no write is doubled or lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import boto3
import httpx
import pytest
import stamina
from botocore.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from daap.errors import ObjectConflict, ObjectMissing, StoreUnavailable
from daap.ports.objects import ABSENT
from daap_cloud.presigner import S3Presigner
from daap_cloud.s3_store import Place, S3Store
from tests.support.emulator import REGION, cloud_clients, make_session, make_settings, shared_emulator
from tests.support.sockets import name_base, serve_app, take_port

KEY, OTHER = "landing/spend/v1/march/a.csv", "raw/spend/v1/march/a.csv"
HOUR = timedelta(hours=1)
HURRY = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=20)


class Line:
    """The line between a client and the emulator; answers can be spoilt on the way."""

    def __init__(self) -> None:
        self.spoil: Callable[[Request, httpx.Response], Response | None] = lambda _request, _answer: None
        self.before: Callable[[Request], Response | None] = lambda _request: None

    async def carry(self, request: Request) -> Response:
        body = await request.body()
        if spoilt := self.before(request):
            return spoilt
        query = request.scope["query_string"]
        path = request.scope["raw_path"] + (b"?" + query if query else b"")
        url = httpx.URL(shared_emulator()).copy_with(raw_path=path)
        async with httpx.AsyncClient() as client:
            headers = request.headers.raw  # Host among them, for it is signed
            answer = await client.request(request.method, url, headers=headers, content=body)
        return self.spoil(request, answer) or Response(answer.content, answer.status_code, dict(answer.headers))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def store(line) -> Iterator[S3Store]:
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    app, listener = Starlette(routes=[Route("/{path:path}", line.carry, methods=methods)]), take_port()
    zones = make_settings(cloud_clients(shared_emulator())).zones
    with serve_app(app, listener):
        yield S3Store(make_client(name_base(listener)), zones)


def make_client(url: str, **options: float):
    return make_session().client(
        "s3", endpoint_url=url, config=HURRY.merge(Config(s3={"addressing_style": "path"}, **options))
    )


def once(act: Callable[..., Response | None]) -> Callable[..., Response | None]:
    """What does as `act` the first time, and nothing from then on."""
    left = [act]

    def do(*given: object) -> Response | None:
        return left.pop()(*given) if left else None

    return do


def fail(status: int, code: str, message: str = "no words") -> Response:
    return Response(f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", status)


class TestTelling:
    @pytest.mark.parametrize(
        ("status", "code", "words"),
        [
            (403, "AccessDenied", "access is denied; give the role"),
            (400, "ExpiredToken", "credentials have expired"),
            (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
            (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
            (503, "SlowDown", "no more requests now; try again"),
            (500, "InternalError", "a fault of its own; try again"),
            (400, "KMS.DisabledException", "no words"),
        ],
    )
    def test_what_s3_refuses_is_told_in_words(self, line, store, status, code, words):
        line.before = lambda _request: fail(status, code)
        for act in (lambda: store.read(KEY), lambda: store.put(KEY, b"x"), lambda: list(store.list("landing/"))):
            with pytest.raises(StoreUnavailable, match=words) as caught:
                act()
            assert code in str(caught.value)
            assert "landing/" in str(caught.value)

    @pytest.mark.parametrize("verb", ["stat", "read", "open", "delete"])
    def test_a_bucket_that_is_not_there_is_no_missing_object(self, verb):
        clients = cloud_clients(shared_emulator())
        store = S3Store(clients.s3, {"landing": Place("daap-never-made")})
        with pytest.raises(StoreUnavailable, match=r"no bucket daap-never-made; look at the DAAP_..._BUCKET settings"):
            getattr(store, verb)(KEY)
        for act in (
            lambda: store.put(KEY, b"x"),
            lambda: list(store.list("landing/")),
            lambda: store.sweep("landing/"),
        ):
            with pytest.raises(StoreUnavailable, match=r"no (such )?bucket"):
                act()

    def test_nobody_at_the_address(self):
        with take_port() as listener:
            store = S3Store(make_client(name_base(listener)), {"landing": Place("bucket")})
            with pytest.raises(StoreUnavailable, match=r"read landing/.*look at the network, and at AWS_ENDPOINT_URL"):
                store.read(KEY)

    def test_no_answer_in_time(self):
        async def dawdle(_request: Request) -> Response:
            await asyncio.sleep(1)
            return Response()

        app, listener = Starlette(routes=[Route("/{path:path}", dawdle)]), take_port()
        with serve_app(app, listener):
            slow = S3Store(make_client(name_base(listener), read_timeout=0.3), {"landing": Place("bucket")})
            with pytest.raises(StoreUnavailable, match="no answer came in time"):
                slow.read(KEY)

    def test_no_credentials(self, monkeypatch, tmp_path):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        client = boto3.session.Session(region_name=REGION).client("s3")
        with pytest.raises(StoreUnavailable, match="there are no AWS credentials; set AWS_ACCESS_KEY_ID"):
            S3Store(client, {"landing": Place("bucket")}).read(KEY)

    def test_a_body_that_breaks_off(self, line, store):
        async def half() -> AsyncIterator[bytes]:
            yield b"half"
            raise ConnectionResetError

        store.put(KEY, b"half and half")
        line.spoil = lambda _request, answer: StreamingResponse(half(), 200, dict(answer.headers))
        with store.open(KEY) as stream, pytest.raises(StoreUnavailable, match="read landing/"):
            stream.read()
        with pytest.raises(StoreUnavailable, match="read landing/"):
            store.read(KEY)


class TestSendingAgain:
    def test_a_fault_that_passes_is_not_seen(self, line, store):
        line.before = once(lambda _request: fail(503, "SlowDown"))
        store.put(KEY, b"x", ABSENT)
        assert store.read(KEY)[0] == b"x"

    @pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
    def test_a_clash_of_two_requests_is_tried_again(self, line, store, code):
        line.before = once(lambda _request: fail(409, code))
        version = store.put(KEY, b"x", ABSENT)
        line.before = once(lambda request: fail(409, code) if request.method == "PUT" else None)
        store.move(KEY, OTHER)
        assert store.read(OTHER) == (b"x", version)

    def test_clashes_without_end_are_told(self, line, store):
        line.before = lambda _request: fail(409, "ConditionalRequestConflict")
        with stamina.set_testing(True, attempts=2), pytest.raises(StoreUnavailable, match="came at the same moment"):
            store.put(KEY, b"x", ABSENT)

    @pytest.mark.parametrize("expect", ["absent", "version"])
    def test_a_write_whose_answer_was_lost_has_happened_once(self, line, store, expect):
        wanted = ABSENT if expect == "absent" else store.put(KEY, b"before")
        line.spoil = once(lambda _request, _answer: fail(500, "InternalError"))
        version = store.put(KEY, b"mine", wanted)
        assert store.read(KEY) == (b"mine", version)

    def test_the_write_of_another_is_not_taken_for_ones_own(self, line, store):
        store.put(KEY, b"theirs")
        line.spoil = once(lambda _request, _answer: fail(500, "InternalError"))
        with pytest.raises(ObjectConflict):
            store.put(KEY, b"mine", ABSENT)

    def test_a_move_whose_copy_was_not_answered_goes_on(self, line, store):
        store.put(KEY, b"x")
        copied = once(lambda _request, _answer: fail(500, "InternalError"))
        line.spoil = lambda request, answer: copied(request, answer) if request.method == "PUT" else None
        store.move(KEY, OTHER)
        assert [info.key for zone in ("landing/", "raw/") for info in store.list(zone)] == [OTHER]

    def test_a_sweep_tells_what_it_could_not_remove(self, line, store):
        store.put(KEY, b"x")
        kept = b"<DeleteResult><Error><Key>spend/a.csv</Key><Code>AccessDenied</Code></Error></DeleteResult>"
        line.before = lambda request: Response(kept) if request.method == "POST" else None
        with pytest.raises(StoreUnavailable, match=r"1 objects below landing/: spend/a\.csv \(AccessDenied\)"):
            store.sweep("landing/")


class TestParts:
    @pytest.mark.parametrize(
        ("status", "code", "kind", "words"),
        [
            (400, "EntityTooSmall", ObjectConflict, "5 MiB at least"),
            (400, "InvalidPart", ObjectConflict, "send it again"),
            (400, "InvalidPartOrder", ObjectConflict, "not in their order"),
            (404, "NoSuchUpload", ObjectMissing, "no multipart upload"),
            (403, "AccessDenied", StoreUnavailable, "access is denied"),
        ],
    )
    def test_what_s3_says_of_parts_is_told(self, line, store, status, code, kind, words):
        presigner = S3Presigner(store._client, store)
        line.before = lambda _request: fail(status, code)
        with pytest.raises(kind, match=words):
            presigner.finish_parts(KEY, "1-upload", ['"etag"'])

    def test_addresses_lead_where_users_see_s3(self, store):
        seen = make_client("https://files.example.com")
        presigner = S3Presigner(store._client, store, seen)
        assert presigner.start_parts(KEY, 1, HOUR).urls[0].startswith("https://files.example.com/")
        assert presigner.sign_form(KEY, "1B2M2Y8AsgTpgAmY7PhCfg==", 10, HOUR).url.startswith("https://files.")
        assert presigner.sign_download("raw/a.csv", "a.csv", "text/csv", HOUR).startswith("https://files.")

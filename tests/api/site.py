"""A lake on folders with the API before it, and clients that call it in-process."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import httpx
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI

from daap.access.grants import parse_grant
from daap.access.tokens import TokenStore
from daap.model.events import FileLanded, NothingToDo
from daap.pipeline.ingest import ingest_file
from daap.pipeline.lake import Lake
from daap_local.bootstrap import open_lake, open_store
from daap_local.server.serve import build_app
from tests.support.lakes import drain_lake

BASE = "http://lake.test"
PRODUCT, TABLE = "spend", "payments"
HOME = f"/data-product/{PRODUCT}"
PAYMENTS = f"{HOME}/table/{TABLE}"
GOOD = b"supplier,amount\r\nLantern,12.50\r\nMoss,7.00\r\n"
BAD = b"supplier,amount\nLantern,12.50\nMoss,much\nFern,more\n"
"""Two errors, in lines 3 and 4."""


def make_metadata(name: str = PRODUCT, **changed: Any) -> dict[str, Any]:
    """The metadata of a product."""
    return {
        "name": name, "description": f"All about {name}", "domain": "finance", "dataProductOwner": "ann@example.org",
        "dataProductOwnerDisplayName": "Ann Owner", "email": "ann@example.org", "status": "published",
        "dpiaRequired": False, "retentionPeriod": 3650, **changed,
    }  # fmt: skip


def make_schema(*columns: tuple[str, str], described: str = "What was paid", **more: Any) -> dict[str, Any]:
    """A table's schema with these names and types: a supplier and an amount if none are given."""
    pairs = columns or (("supplier", "string"), ("amount", "decimal(18,2)"))
    listed = [{"name": name, "type": type_, "description": f"the {name}"} for name, type_ in pairs]
    return {"tableDescription": described, "columns": listed, **more}


def digest(data: bytes) -> str:
    """The MD5 of a file as an upload tells it."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


class Client:
    """Calls an app as one principal; `token` is None for nobody."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, token: str | None) -> None:
        headers = {"authorizationToken": token} if token else {}
        # A fault of ours is seen as a client would see it: as 500.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        self._app, self._portal, self.token = app, portal, token or ""

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request."""
        answer: httpx.Response = self._portal.call(partial(self._http.request, method, path, **options))
        _check_documented(method, answer.request.url.path, answer.status_code)
        return answer

    def get(self, path: str, **params: Any) -> httpx.Response:
        """GET with query parameters."""
        return self.call("GET", path, params=params or None)

    def post(self, path: str, body: object = None, **params: Any) -> httpx.Response:
        """POST of a JSON body, or of none."""
        return self.call("POST", path, json=body, params=params or None)

    def put(self, path: str, body: object) -> httpx.Response:
        """PUT of a JSON body."""
        return self.call("PUT", path, json=body)

    def delete(self, path: str, **params: Any) -> httpx.Response:
        """DELETE."""
        return self.call("DELETE", path, params=params or None)

    def send_form(self, answer: dict[str, Any], data: bytes) -> httpx.Response:
        """Sends a file by the form that an upload was answered with."""
        form = answer["URL"]
        return self.call("POST", form["url"], data=form["fields"], files={"file": ("a.csv", data)})

    def send_raw(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]] = (), chunks: Sequence[bytes] = (b"",)
    ) -> httpx.Response:
        """A request as a server would hand it on, with what no client would send; it ends with its last chunk."""
        body = iter(chunks)
        left = len(chunks)
        start: dict[str, Any] = {}
        content = bytearray()

        async def receive() -> dict[str, Any]:
            nonlocal left
            left -= 1
            return {"type": "http.request", "body": next(body), "more_body": left > 0}

        async def send(message: dict[str, Any]) -> None:
            start.update(message) if message["type"] == "http.response.start" else content.extend(message["body"])

        whole, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(whole), "raw_path": whole.encode(), "query_string": query.encode("latin-1"),
            "root_path": "", "headers": [(b"authorizationtoken", self.token.encode()), *headers],
            "client": ("127.0.0.1", 1), "server": ("lake.test", 80),
        }  # fmt: skip
        self._portal.call(self._app, scope, receive, send)
        _check_documented(method, scope["path"], start["status"])
        return httpx.Response(start["status"], headers=start["headers"], content=bytes(content))

    def page(self, path: str, items: str, between: Callable[[], object] = lambda: None, **params: Any) -> list[Any]:
        """All items of a list, page by page; `between` is called after each page."""
        found, after = [], ""
        while after is not None:
            answer = self.get(path, **params, **({"after": after} if after else {})).json()
            assert len(answer[items]) <= params.get("limit", 100)
            found += answer[items]
            after = answer["next"]
            between()
        return found


@cache
def _list_documented() -> list[tuple[str, re.Pattern[str], set[int]]]:
    """The method, path and statuses of each call; the same for every app."""
    with TemporaryDirectory() as folder:
        document = build_app(Path(folder), BASE).openapi()
    return [
        (
            method.upper(),
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))),
            set(map(int, operation["responses"])),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _check_documented(method: str, path: str, status: int) -> None:
    """Fails if a call is answered with a status that the API's description does not tell of; 500 is a fault."""
    for known, pattern, statuses in _list_documented():
        if known == method and pattern.fullmatch(path):
            assert status in {*statuses, 500}, f"{method} {path} answers {status}"
            return


@dataclass
class Site:
    """The lake, the app, and who may call it."""

    root: Path
    lake: Lake
    app: FastAPI
    portal: BlockingPortal
    admin: Client

    @classmethod
    def open(cls, root: Path, portal: BlockingPortal) -> Site:
        """A site over the lake at `root`."""
        lake = open_lake(root)
        app = build_app(root, BASE, lake)
        token = TokenStore(open_store(root)).create_first("root")
        return cls(root, lake, app, portal, Client(app, portal, token))

    @property
    def tokens(self) -> TokenStore:
        """The tokens of the lake."""
        return TokenStore(open_store(self.root))

    def client(self, *grants: str, name: str = "bob", expires: datetime | None = None) -> Client:
        """A client with a token of its own."""
        token, _ = self.tokens.create(name, map(parse_grant, grants), expires)
        return self.bearer(token)

    def bearer(self, token: str | None) -> Client:
        """A client with any token, or none."""
        return Client(self.app, self.portal, token)

    def register(self, name: str = PRODUCT, **changed: Any) -> None:
        """Registers a product without tables."""
        answer = self.admin.post("/data-product/register", {"metadata": make_metadata(name, **changed)})
        assert answer.status_code == 201, answer.text

    def add_table(self, schema: dict[str, Any] | None = None, table: str = TABLE, product: str = PRODUCT) -> None:
        """Adds a table."""
        path = f"/data-product/{product}/table/{table}/schema"
        answer = self.admin.post(path, {"schema": schema or make_schema()})
        assert answer.status_code == 200, answer.text

    def take(self, data: bytes = GOOD, name: str = "a.csv", table: str = TABLE, product: str = PRODUCT) -> str:
        """Puts a file down in landing, and takes it in; returns its load timestamp."""
        key = f"landing/{product}/{table}/{name}"
        self.lake.store.put(key, data)
        outcome = ingest_file(FileLanded(key, "ann"), self.lake)
        assert not isinstance(outcome, NothingToDo)
        return outcome.receipt.load_timestamp

    def drain(self) -> None:
        """Takes in what lies in landing, as the watcher would."""
        drain_lake(self.lake, self.root / "landing")

    def snapshot(self) -> dict[str, bytes]:
        """Every file of the lake but for locks, the secret and the audit log."""
        return {name: path.read_bytes() for name, path in self._walk() if not name.startswith("logs/")}

    def logged(self) -> list[dict[str, Any]]:
        """The audit log."""
        logs = (path for name, path in self._walk() if name.startswith("logs/"))
        return [json.loads(line) for path in logs for line in path.read_text().splitlines()]

    def _walk(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not name.startswith((".locks/", ".secrets/")):
                yield name, path


def message_of(answer: httpx.Response, status: int) -> str:
    """The message of a failure, which has this status and the one form that failures have."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    message: str = body["error"]["message"]
    assert message
    return message

"""`daap-local serve` as a person runs it: over a real socket, from its first line to its last."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from daap.model.events import LoadCurated
from daap_local.bootstrap import open_lake
from daap_local.server import serve
from daap_local.watcher import Watcher
from tests.api.site import BAD, GOOD, PAYMENTS, TABLE, digest, make_metadata, make_schema
from tests.support.lakes import make_csv, make_product
from tests.support.processes import make_command, run_command, wait_until

TIMEOUT = 60
STOPPED = "Stopped. What was on its way goes on at the next start."
LARGE_ROWS = 2_000_000


@dataclass
class Server:
    """A server in a process of its own, with what it has printed so far."""

    process: subprocess.Popen[str]
    root: Path
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address that it told."""
        line = next(line for line in self.err if line.startswith("Serving "))
        return line.split(" at ", 1)[1].split(" ", 1)[0]

    @property
    def token(self) -> str:
        """The token that it printed, or is about to print on its other stream."""
        wait_until(lambda: any(line.startswith("daap_") for line in self.out), self.process)
        (token,) = (line for line in self.out if line.startswith("daap_"))
        return token

    def call(self, method: str, path: str, token: str = "", **options: Any) -> requests.Response:
        """A request with a token: the first one, if no other is given."""
        headers = {"authorizationToken": token or self.token}
        return requests.request(method, self.url + path, headers=headers, timeout=TIMEOUT, **options)

    def register(self, token: str = "") -> None:
        """The product spend with its table payments."""
        body = {"metadata": make_metadata(), "tables": {TABLE: make_schema()}}
        assert self.call("POST", "/data-product/register", token, json=body).status_code == 201

    def upload(self, data: bytes, token: str = "") -> str:
        """Sends a file by a form; returns its upload's id."""
        body = {"filename": "march.csv", "contentMD5": digest(data)}
        asked = self.call("POST", f"{PAYMENTS}/upload", token, json=body)
        assert asked.status_code == 200, asked.text
        form = asked.json()["URL"]
        sent = requests.post(form["url"], data=form["fields"], files={"file": data}, timeout=TIMEOUT)
        assert sent.status_code == 204, sent.text
        return asked.json()["uploadId"]

    def status(self, upload: str, token: str = "") -> str:
        """How far an upload has come."""
        return self.call("GET", f"{PAYMENTS}/upload/{upload}", token).json()["status"]

    def wait_for(self, upload: str, *statuses: str, token: str = "") -> None:
        """Waits until an upload has come so far."""
        wait_until(lambda: self.status(upload, token) in statuses, self.process)

    def end(self, by: signal.Signals = signal.SIGINT) -> int:
        """Ends it; returns its exit code once all that it printed is read."""
        self.process.send_signal(by)
        code = self.process.wait(TIMEOUT)
        for reader in threading.enumerate():
            if reader.name.startswith(f"server-{self.process.pid}-"):
                reader.join(TIMEOUT)
        return code


@contextmanager
def start(root: Path, *words: str) -> Iterator[Server]:
    """A server for the block, on a port that nobody else has."""
    root.mkdir(exist_ok=True)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(make_command(root, "serve", "--port", "0", *words), **pipes) as process:  # noqa: S603
        server = Server(process, root)
        for name, stream, lines in (("out", process.stdout, server.out), ("err", process.stderr, server.err)):
            threading.Thread(target=_read_lines, args=(stream, lines), name=f"server-{process.pid}-{name}").start()
        try:
            wait_until(lambda: any(line.startswith("Serving ") for line in server.err), process)
            yield server
        finally:
            process.kill()


def _read_lines(stream: Any, lines: list[str]) -> None:
    for line in stream:
        lines.append(line.removesuffix("\n"))  # noqa: PERF401 - others look at the list meanwhile


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def test_the_main_flow(root):
    with start(root) as server:
        assert requests.get(f"{server.url}/health", timeout=TIMEOUT).json()["status"] == "ok"
        body = {"metadata": make_metadata()}
        assert server.call("POST", "/data-product/register", json=body).status_code == 201
        assert server.call("POST", f"{PAYMENTS}/schema", json={"schema": make_schema()}).status_code == 200
        upload = server.upload(GOOD)
        server.wait_for(upload, "curated")
        lines = server.call("GET", f"{PAYMENTS}/preview").text.split("\n")
        assert [line.rsplit(" | ", 1)[0] for line in lines] == [
            "| supplier | amount",
            "| Lantern | 12.50",
            "| Moss | 7.00",
        ]
        stamp = server.call("GET", f"{PAYMENTS}/loads").json()["loads"][0]["loadTimestamp"]
        assert server.call("GET", f"{PAYMENTS}/loads/{stamp}/file").content == GOOD
        server.wait_for(server.upload(BAD), "failed")
        assert server.end() == 0
    assert server.err[-1] == STOPPED
    loads = [json.loads(line) for line in server.out if line.startswith("{")]
    assert [load["status"] for load in loads] == ["curated", "failed"]


def test_the_first_start_prints_a_token_once_and_later_ones_none(root):
    with start(root) as server:
        token = server.token
        assert server.call("GET", "/data-product").json() == {"products": [], "next": None}
        assert server.end() == 0
    assert server.out == [token]
    assert not any(token in line for line in server.err)
    with start(root) as again:
        assert again.call("GET", "/data-product", token).status_code == 200
        assert again.end() == 0
    assert again.out == []
    assert not any("first start" in line for line in again.err)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_word_and_no_trace(root, by):
    with start(root) as server:
        server.register()
        server.wait_for(server.upload(GOOD), "curated")
        assert server.end(by) == 0
    assert server.err[-1] == STOPPED
    assert not any("Traceback" in line for line in server.err)


def test_no_token_and_no_signature_is_printed_however_much_it_tells(root):
    with start(root, "--verbose") as server:
        server.register()
        server.wait_for(server.upload(GOOD), "curated")
        body = {"filename": "a.csv", "contentLength": len(GOOD)}
        asked = server.call("POST", f"{PAYMENTS}/upload/multipart", json=body).json()
        assert requests.put(asked["urls"][0], data=GOOD, timeout=TIMEOUT).status_code == 200
        path = f"{PAYMENTS}/upload/multipart/{asked['uploadId']}"
        assert server.call("DELETE", path, params={"handle": asked["handle"]}).status_code == 200
        for wrong in ("daap_wrong", server.token[:-1], "eyJhbGciOiJub25lIn0.e30.x"):
            assert server.call("GET", "/data-product", wrong).status_code == 401
        requests.get(f"{server.url}/data-product?token={server.token}", timeout=TIMEOUT)
        token = server.token
        assert server.end() == 0
    printed = "\n".join([*server.err, *(line for line in server.out if line != token)])
    assert '"PUT /uploads/parts/' in printed
    assert token[-43:] not in printed
    for secret in ("Signature=", "handle=", "daap_wrong", "eyJ", "policy"):
        assert secret not in printed
    assert all(line == token or json.loads(line) for line in server.out)


def test_two_servers_on_one_lake_do_each_load_once(root):
    with start(root) as one, start(root) as two:
        wait_until(lambda: bool(one.out + two.out))
        (token,) = one.out + two.out
        one.register(token)
        uploads = [server.upload(GOOD + b"x,%d\n" % number, token) for number in range(4) for server in (one, two)]
        for upload in uploads:
            two.wait_for(upload, "curated", token=token)
        loads = one.call("GET", f"{PAYMENTS}/loads", token).json()["loads"]
        assert len({load["loadTimestamp"] for load in loads}) == len(loads) == 8
        assert two.call("GET", "/data-product", token).json() == one.call("GET", "/data-product", token).json()
        assert [one.end(), two.end()] == [0, 0]
    told = [json.loads(line)["load"] for line in one.out + two.out if line.startswith("{")]
    assert len(told) == len(set(told)) == 8


def test_a_port_that_is_taken_is_told(root):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_command(root, "serve", "--port", port)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.1.1.1", "203.0.113.1"])
def test_a_host_that_is_not_this_machine_is_told(root, host):
    done = run_command(root, "serve", "--port", "0", "--host", host)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"cannot listen on {host}:0" in done.stderr


def make_large() -> bytes:
    """A file that takes a while."""
    return b"supplier,amount\n" + b"Lantern,12.50\n" * LARGE_ROWS


def test_ctrl_c_during_a_large_load_leaves_things_whole(root):
    data = make_large()
    with start(root) as server:
        token = server.token
        server.register()
        upload = server.upload(data)
        server.wait_for(upload, "landed", "checked", "archived", "curated")
        assert server.end() == 0
    assert not any("Traceback" in line for line in server.err)
    with start(root) as again:
        again.wait_for(upload, "curated", token=token)
        (load,) = again.call("GET", f"{PAYMENTS}/loads", token).json()["loads"]
        assert load["rowsWritten"] == LARGE_ROWS
        assert again.end() == 0


def test_a_kill_during_a_large_load_leaves_things_whole(root):
    data = make_large()
    with start(root) as server:
        token = server.token
        server.register()
        upload = server.upload(data)
        server.wait_for(upload, "landed", "checked", "archived", "curated")
        server.process.kill()
        server.process.wait(TIMEOUT)
    with start(root) as again:
        again.wait_for(upload, "curated", token=token)
        (load,) = again.call("GET", f"{PAYMENTS}/loads", token).json()["loads"]
        assert load["rowsWritten"] == LARGE_ROWS
        assert again.end() == 0


def test_a_file_in_the_landing_folder_is_taken_too(root):
    with start(root) as server:
        server.register()
        folder = root / "landing" / "spend" / TABLE
        folder.mkdir(parents=True)
        (folder / "april.csv").write_bytes(GOOD)
        loads: Callable[[], list[dict]] = lambda: server.call("GET", f"{PAYMENTS}/loads").json()["loads"]  # noqa: E731
        wait_until(lambda: [load["status"] for load in loads()] == ["curated"], server.process)
        assert loads()[0]["actor"] == "server"


def test_what_hinders_the_watcher_for_a_while_does_not_end_it(root, monkeypatch):
    watch, tries, heard = Watcher.watch, iter([OSError("no room for events")]), []

    def watch_later(self: Watcher) -> None:
        if error := next(tries, None):
            raise error
        watch(self)

    monkeypatch.setattr(Watcher, "watch", watch_later)
    monkeypatch.setattr(serve, "LOOK_SECONDS", 0.01)
    lake = open_lake(root)
    lake.registry.register(make_product())
    with serve.watching(lake, root, lambda _path, outcome: heard.append(outcome)):
        lake.store.put("landing/shop/orders/a.csv", make_csv())
        wait_until(lambda: len(heard) == 2)
    assert "no room for events" in str(heard[0])
    assert isinstance(heard[1], LoadCurated)


def test_without_watching_nothing_is_taken(root):
    with start(root, "--no-watch") as server:
        server.register()
        upload = server.upload(GOOD)
        assert server.status(upload) == "waiting"
        token = server.token
        assert server.end() == 0
    with start(root) as watching:
        watching.wait_for(upload, "curated", token=token)


def test_a_public_address_goes_into_the_forms(root):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start(root, "--public-url", "https://daap.example.org/x/", "--port", str(port)) as server:
        assert server.url == "https://daap.example.org/x/"
        behind = Server(server.process, root, server.out, [f"Serving it at http://127.0.0.1:{port} "])
        behind.register()
        body = {"filename": "a.csv", "contentMD5": digest(GOOD)}
        form = behind.call("POST", f"{PAYMENTS}/upload", json=body).json()["URL"]
        assert form["url"] == "https://daap.example.org/x/uploads/landing"


@pytest.mark.parametrize(("request_", "status"), [
    (b"nonsense\r\n\r\n", b" 400 "),
    (b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", b" 400 "),
    (b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nauthorizationToken: TOKEN\r\n\r\n", b" 413 "),
    (b"POST /data-product/register HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b" 400 "),
    (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b" 401 "),
    (b"GET /docs/../data-product HTTP/1.1\r\nHost: x\r\n\r\n", b" 404 "),
    (b"GET /data-product?x=" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b" 400 "),
    (b"GET /data-product HTTP/1.1\r\nHost: x\r\nauthorizationToken: a\x00b\r\n\r\n", b" 400 "),
    (b"GET /data-product HTTP/1.1\r\nHost: x\r\nauthorizationToken: TOKEN\r\n evil: folded\r\n\r\n", b" 4"),
])  # fmt: skip
def test_what_is_hardly_http_is_no_harm(served, request_, status):
    answer = send_bytes(served, request_.replace(b"TOKEN", served.token.encode()))
    assert status in answer.partition(b"\r\n")[0] + b" "
    assert b"Traceback" not in answer
    assert requests.get(f"{served.url}/health", timeout=TIMEOUT).status_code == 200


def test_a_body_that_is_too_large_gets_its_answer_while_it_is_sent(served):
    for token in (served.token, "wrong"):
        answer = served.call("POST", "/data-product/register", token, data=b"x" * (20 << 20))
        assert answer.status_code == (413 if token == served.token else 401)
        assert answer.json()["error"]["message"]
    chunks = iter([b"x" * (1 << 20)] * 20)
    assert served.call("POST", "/data-product/register", data=chunks).status_code == 413


def send_bytes(server: Server, data: bytes) -> bytes:
    """What a server answers, byte for byte, at least to the end of its headers."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), TIMEOUT) as line:
        line.sendall(data)
        answer = b""
        with suppress(ConnectionResetError):  # it has heard enough
            while b"\r\n\r\n" not in answer and (part := line.recv(65_536)):
                answer += part
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Server]:
    with start(tmp_path_factory.mktemp("served") / "lake", "--no-watch") as server:
        yield server
        assert server.end() == 0
        assert not any("Traceback" in line for line in server.err), "\n".join(server.err)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
def test_a_lake_that_cannot_be_written_is_told(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    done = run_command(blocked / "lake", "serve", "--port", "0")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert done.stdout == ""

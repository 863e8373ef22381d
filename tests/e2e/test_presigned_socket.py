"""Presigned uploads over a real socket, by clients that were written for S3."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from starlette.applications import Starlette

from daap.ports.presigner import UploadForm
from daap_local.folder_store import FolderStore
from daap_local.server.presigner import FolderPresigner
from daap_local.server.routes import routes
from daap_local.server.secret import load_secret
from tests.support.processes import wait_until
from tests.support.sockets import name_base, serve_app, take_port

KEY = "landing/spend/march/a.csv"
DATA = b"id,amount\r\n1,2.50\r\n" * 100
MB = 1 << 20
LARGE = 300
MOST_MEMORY = 64 * MB
"""What a server may grow by while files of any size come: some buffers, and what Python keeps of them."""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has taken")


class Site:
    """A lake, the server before it, and the presigner that it shares the secret with."""

    def __init__(self, root: Path, base: str) -> None:
        self.root, self.base = root, base
        self.presigner = FolderPresigner(FolderStore(root), base, load_secret(root))

    def sign(self, data: bytes = DATA, *, lifetime: timedelta = timedelta(minutes=5), most: int = MB) -> UploadForm:
        return self.sign_digest(hashlib.md5(data, usedforsecurity=False).digest(), lifetime, most)

    def sign_digest(self, digest: bytes, lifetime: timedelta = timedelta(minutes=5), most: int = 5 << 30) -> UploadForm:
        return self.presigner.sign_form(KEY, base64.b64encode(digest).decode(), most, lifetime)

    def files(self) -> dict[str, bytes]:
        """Every file of the lake, hidden ones too, but for locks and the secret."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        named = {path.relative_to(self.root).as_posix(): path for path in found}
        return {name: path.read_bytes() for name, path in named.items() if not name.startswith((".locks", ".secrets"))}


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    root, listener = tmp_path / "lake", take_port()
    site = Site(root, name_base(listener))
    with serve_app(Starlette(routes=routes(site.presigner)), listener):
        yield site


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(DATA)
    return path


def post(form: UploadForm, path: Path, **changed: str) -> requests.Response:
    """As the guides of S3 show it."""
    with path.open("rb") as stream:
        return requests.post(form.url, data=form.fields | changed, files={"file": stream}, timeout=60)


class TestClients:
    def test_requests_posts_a_form(self, site, path):
        answer = post(site.sign(), path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert site.files() == {KEY: DATA}

    @pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
    def test_curl_posts_a_form(self, site, tmp_path):
        path = tmp_path / "b.csv"
        path.write_bytes(data := os.urandom(3 * MB))  # large enough for curl to ask first whether it may send
        form = site.sign(data, most=len(data))
        words = [word for name, value in form.fields.items() for word in ("--form-string", f"{name}={value}")]
        command = ["curl", "-sS", "-w", "%{http_code}", *words, "-F", f"file=@{path}", form.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own words
        assert done.stdout == "204"
        assert site.files() == {KEY: data}

    def test_one_connection_serves_again_after_a_refusal(self, site):
        with requests.Session() as session:
            for data, status in ((b"other", 400), (DATA, 204), (b"other", 400), (DATA, 204)):
                form = site.sign()
                answer = session.post(form.url, data=form.fields, files={"file": data}, timeout=60)
                assert answer.status_code == status
        assert site.files() == {KEY: DATA}

    def test_a_large_file_that_is_refused_early_still_gets_its_answer(self, site):
        form = site.sign(most=MB)
        answer = requests.post(form.url, data=form.fields, files={"file": b"x" * 20 * MB}, timeout=60)
        assert answer.status_code == 400
        assert b"<Code>EntityTooLarge</Code>" in answer.content
        assert site.files() == {}

    def test_parts_are_put(self, site):
        upload = site.presigner.start_parts(KEY, 3, timedelta(minutes=5))
        parts = [os.urandom(MB), b"", os.urandom(3 * MB + 1)]
        answers = [requests.put(url, data=part, timeout=60) for url, part in zip(upload.urls, parts, strict=True)]
        site.presigner.finish_parts(KEY, upload.handle, [answer.headers["ETag"] for answer in answers])
        assert site.files() == {KEY: b"".join(parts)}


class TestRefusals:
    def test_an_expired_form(self, site, path):
        answer = post(site.sign(lifetime=timedelta(0)), path)
        assert (answer.status_code, b"<Code>AccessDenied</Code>" in answer.content) == (403, True)
        assert site.files() == {}

    @pytest.mark.parametrize("name", ["key", "policy", "Content-MD5", "x-amz-signature", "x-amz-credential", "new"])
    def test_a_form_that_was_changed(self, site, path, name):
        form = site.sign()
        answer = post(form, path, **{name: form.fields.get(name, "")[:-1] + "x"})
        assert answer.status_code == 403
        assert site.files() == {}

    @pytest.mark.parametrize(
        ("signed", "most", "code"), [(b"other", MB, "BadDigest"), (DATA, len(DATA) - 1, "EntityTooLarge")]
    )
    def test_another_file_than_announced(self, site, path, signed, most, code):
        answer = post(site.sign(signed, most=most), path)
        assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (400, True)
        assert site.files() == {}

    def test_the_form_once_more_changes_nothing(self, site, path):
        form = site.sign()
        assert post(form, path).status_code == 204
        before = site.presigner.store.stat(KEY)
        assert post(form, path).status_code == 204
        assert site.presigner.store.stat(KEY) == before

    def test_the_form_of_another_lake(self, site, path, tmp_path):
        other = Site(tmp_path / "other", site.base)
        assert post(other.sign(), path).status_code == 403
        assert site.files() == {}

    def test_a_client_that_hangs_up_leaves_nothing(self, site):
        request = requests.Request("POST", site.sign().url, data=site.sign().fields, files={"file": DATA}).prepare()
        assert isinstance(request.body, bytes)
        target = urlsplit(site.base)
        with socket.create_connection((target.hostname, target.port)) as line:
            head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            line.sendall(f"POST /uploads/landing HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + request.body[:-200])
            wait_until(lambda: bool(site.files()))
        wait_until(lambda: not site.files())
        assert post_again(site).status_code == 204


def post_again(site: Site) -> requests.Response:
    form = site.sign()
    return requests.post(form.url, data=form.fields, files={"file": DATA}, timeout=60)


SERVER = """
import socket, sys, uvicorn
from pathlib import Path
from starlette.applications import Starlette
from daap_local.folder_store import FolderStore
from daap_local.server.presigner import FolderPresigner
from daap_local.server.routes import routes
from daap_local.server.secret import load_secret

root, listener = Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
presigner = FolderPresigner(FolderStore(root), "", load_secret(root))
config = uvicorn.Config(Starlette(routes=routes(presigner)), log_level="critical", lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
"""


@contextmanager
def start_server(root: Path) -> Iterator[tuple[Site, int]]:
    """A server in a process of its own, with the process's id."""
    listener = take_port()
    listener.listen()
    command = [sys.executable, "-c", SERVER, str(root), str(listener.fileno())]
    with subprocess.Popen(command, pass_fds=[listener.fileno()]) as process:  # noqa: S603 - our own words
        try:
            yield Site(root, name_base(listener)), process.pid
        finally:
            process.terminate()
            listener.close()


def read_peak(pid: int) -> int:
    """The most memory, in bytes, that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def send_form(form: UploadForm, block: bytes, times: int) -> int:
    """Posts a file of a block repeated, without ever holding it; returns the status."""
    head = "".join(
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.fields.items()
    )
    head += '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    pieces = [head.encode(), *[block] * times, b"\r\n--b0undary--\r\n"]
    line = http.client.HTTPConnection(urlsplit(form.url).netloc, timeout=120)
    headers = {"Content-Type": "multipart/form-data; boundary=b0undary", "Content-Length": str(sum(map(len, pieces)))}
    line.request("POST", "/uploads/landing", iter(pieces), headers)
    with line.getresponse() as answer:
        answer.read()
    line.close()
    return answer.status


def digest_of(block: bytes, times: int) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(times):
        digest.update(block)
    return digest.digest()


@linux_only
def test_the_memory_of_a_server_does_not_grow_with_the_file(tmp_path):
    block = os.urandom(MB)
    with start_server(tmp_path / "lake") as (site, pid):
        assert post_again(site).status_code == 204
        (site.root / KEY).unlink()
        before = read_peak(pid)
        assert send_form(site.sign_digest(digest_of(block, LARGE)), block, LARGE) == 204
        assert read_peak(pid) - before < MOST_MEMORY
        assert (site.root / KEY).stat().st_size == LARGE * MB

"""The server: the API and the uploads over a lake, and a watcher that takes in what they bring."""

from __future__ import annotations

import copy
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG

from daap.access.authenticator import Authenticator, chain
from daap.access.oidc import OidcVerifier, read_settings
from daap.access.tokens import TokenStore
from daap.api.app import create_app
from daap.api.backend import Backend
from daap.errors import StoreUnavailable
from daap.pipeline.lake import Lake
from daap.registry.directory import Directory
from daap_local.bootstrap import open_lake, open_store
from daap_local.files import translated
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.query import FolderQuery
from daap_local.server.parts import sweep_uploads
from daap_local.server.presigner import FolderPresigner
from daap_local.server.routes import routes
from daap_local.server.secret import load_secret
from daap_local.watcher import LOOK_SECONDS, Report, Watcher

ACTOR = "server"
"""Who the audit log names for a file that lies in landing without an upload of its own."""

_BACKLOG = 512


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket; raises StoreUnavailable if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio switches Nagle's algorithm off only then, and each answer would wait 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        return listening
    except OSError as error:
        listening.close()
        told = f"cannot listen on {host}:{port}: {error.strerror}"
        raise StoreUnavailable(f"{told}. Choose another port with --port") from None


def build_app(root: Path, base_url: str, lake: Lake | None = None) -> FastAPI:
    """The app over the lake at `root`; `base_url` is where clients reach it."""
    store = open_store(root)
    presigner = FolderPresigner(store, base_url, load_secret(root))
    sweep_uploads(root)
    backend = Backend(
        lake=lake or open_lake(root), query=FolderQuery(store, FolderCatalogue(store)), presigner=presigner,
        authenticator=find_authenticator(TokenStore(store)), directory=Directory(store),
    )  # fmt: skip
    return create_app(backend, routes(presigner), ("/uploads/",))


def find_authenticator(tokens: TokenStore) -> Authenticator:
    """daap's own tokens, and an identity provider's where the environment names one."""
    settings = read_settings(os.environ)
    return chain(tokens, OidcVerifier(settings) if settings else None)


def run_server(app: FastAPI, listening: socket.socket, *, verbose: bool) -> None:
    """Serves until it is interrupted; requests that are on their way are answered first."""
    config = uvicorn.Config(
        app, log_level="info" if verbose else "warning", access_log=verbose, server_header=False, lifespan="off",
        timeout_graceful_shutdown=30, log_config=_plan_logs(),
    )  # fmt: skip
    with suppress(KeyboardInterrupt), _ending_on_terminate():  # raised again once everything is answered
        uvicorn.Server(config).run(sockets=[listening])


def _plan_logs() -> dict[str, Any]:
    """uvicorn's own, but all to standard error: standard output is for loads."""
    plan = copy.deepcopy(LOGGING_CONFIG)
    plan["handlers"]["access"] |= {"stream": "ext://sys.stderr", "filters": ["queries"]}
    plan["filters"] = {"queries": {"()": lambda: _hide_query}}
    return plan


def _hide_query(record: logging.LogRecord) -> bool:
    """Keeps what may be a secret, such as the signature of an address for a part, out of the log."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
    return True


@contextmanager
def _ending_on_terminate() -> Iterator[None]:
    """Makes SIGTERM end the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def watching(lake: Lake, root: Path, report: Report) -> Iterator[None]:
    """Takes files in beside the block; at its end, the file on its way is still finished."""
    landing = root / "landing"
    with translated(f"write {landing}"):
        landing.mkdir(parents=True, exist_ok=True)
    watcher, ended = Watcher(lake, landing, ACTOR, report), threading.Event()
    thread = threading.Thread(
        target=_keep_watching, args=(watcher, landing, report, ended), name="daap-watch", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        watcher.stop()
        thread.join()


def _keep_watching(watcher: Watcher, landing: Path, report: Report, ended: threading.Event) -> None:
    """Watches until the end: what hinders a look now must not leave later files lying."""
    while True:
        try:
            watcher.watch()
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            with suppress(OSError):  # nobody reads our output any more
                report(landing, StoreUnavailable(f"cannot watch {landing}: {error}; this is tried again"))
        if ended.wait(LOOK_SECONDS):
            return

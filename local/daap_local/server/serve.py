"""The server: the API and the uploads over a lake, and a watcher that takes in what they bring."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI

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
from daap_local.watcher import Report, Watcher

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
        timeout_graceful_shutdown=30,
    )  # fmt: skip
    with suppress(KeyboardInterrupt):  # raised again once everything is answered
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def watching(lake: Lake, root: Path, report: Report) -> Iterator[None]:
    """Takes files in beside the block; at its end, the file on its way is still finished."""
    landing = root / "landing"
    with translated(f"write {landing}"):
        landing.mkdir(parents=True, exist_ok=True)
    watcher = Watcher(lake, landing, ACTOR, report)
    thread = threading.Thread(target=watcher.watch, name="daap-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watcher.stop()
        thread.join()

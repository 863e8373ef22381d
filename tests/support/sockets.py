"""A server on a real socket, in a thread of the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


def take_port() -> socket.socket:
    """A socket bound to a port of this machine that nobody else has."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    return listener


def name_base(listener: socket.socket) -> str:
    """The address of a server that listens there."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def serve_app(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serves an app for the block; a request in the block waits until the server is up."""
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    listener.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listener.close()

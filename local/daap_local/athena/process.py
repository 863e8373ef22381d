"""Runs the server in this process until it is told to end."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvicorn

from daap.errors import StoreUnavailable
from daap_local.athena.execution.memory import cap_memory
from daap_local.athena.options import HOST, Options
from daap_local.athena.server import build_app
from daap_local.athena.wiring import Parts, build

_BACKLOG = 256
_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 5
_SLACK = 2 << 30
"""Room for threads' stacks, Arrow's buffers and what allocators keep for later."""


def serve(options: Options, ready: Callable[[int], None]) -> None:
    """Serves until SIGINT or SIGTERM; calls `ready` with the port once requests are taken."""
    with bind(options.port, options.host) as listener:
        parts = build(options)
        server = make_server(parts, options.names)
        cap_memory(options.memory * 3 // 2 + _SLACK)
        ready(listener.getsockname()[1])
        threading.Thread(target=_warm_up, args=(parts,), name="athena-warm", daemon=True).start()
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def make_server(parts: Parts, names: Sequence[str] = ()) -> uvicorn.Server:
    """A server that is not yet running; `names` are those it goes by besides this machine's own."""
    config = uvicorn.Config(
        build_app(parts, names), log_level="warning", access_log=False, lifespan="on", ws="none",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=_GRACE_SECONDS, server_header=False,
    )  # fmt: skip
    return uvicorn.Server(config)


def bind(port: int, host: str = HOST) -> socket.socket:
    """A listening socket, on this machine's own address by default; raises StoreUnavailable where the port is taken."""
    # With its protocol named, or else asyncio leaves small answers waiting for the last one's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = "the port is taken; name another with --port" if error.errno == errno.EADDRINUSE else error.strerror
        raise StoreUnavailable(f"cannot listen on {host}:{port}: {reason}") from error
    return listener


def _warm_up(parts: Parts) -> None:
    """Loads what the first request needs, while nobody waits for it."""
    from daap_local.athena.api.protocol import load_model  # noqa: PLC0415 - that is the point
    from daap_local.athena.hive import parse_statement  # noqa: PLC0415 - as above

    load_model("athena")
    parse_statement("SELECT 1")
    parts.warm()

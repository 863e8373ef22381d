"""Before any route: who calls, and whether the body is fit to be read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daap.access.authenticator import Authenticator
from daap.api.backend import PRINCIPAL
from daap.api.failures import answer, answer_error
from daap.errors import DaapError, InvalidName, Unauthenticated

HEADER = "authorizationToken"
MAX_BODY = 8 << 20
"""Bytes of a request's body; a spec with the most columns has about a third of that."""

MAX_QUERY = 16_384
"""Bytes of what follows the question mark."""

MAX_DEPTH = 32
_MAX_TOKEN = 16_384
_THREADS = 8
_MAX_DIGITS = 18


class Guard:
    """Lets in who has a token, with a body that is plain JSON of a modest size and depth.

    Paths that begin with one of `open_paths` are let through as they are.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, open_paths: Iterable[str]) -> None:
        self._app, self._authenticator, self._open = app, authenticator, tuple(open_paths)
        # Threads of their own: who waits for a long load must not keep others from being let in.
        self._limiter = CapacityLimiter(_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(self._open):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            scope[PRINCIPAL] = await to_thread.run_sync(
                self._authenticator.authenticate, _find_token(headers), limiter=self._limiter
            )
        except DaapError as error:
            await answer_error(error)(scope, receive, send)
            return
        body = await _read_body(headers, receive)
        if body is None:
            await answer(413, f"the body is larger than {MAX_BODY >> 20} MiB")(scope, receive, send)
            return
        try:
            _check_query(scope["query_string"])
            if body:
                await run_in_threadpool(check_json, body)  # a large one takes a while; others need not wait for it
        except InvalidName as error:
            await answer(400, str(error))(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


def _find_token(headers: Headers) -> str:
    """The token of a request: the header of this API, or the usual one."""
    text = headers.get(HEADER) or headers.get("authorization", "")
    text = text.removeprefix("Bearer ").strip()
    if not text or len(text) > _MAX_TOKEN:
        raise Unauthenticated(f"there is no valid token: give one in the header {HEADER}")
    return text


async def _read_body(headers: Headers, receive: Receive) -> bytes | None:
    """The body; None if it is too large."""
    told = headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:_MAX_DIGITS]) > MAX_BODY:
        return None
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > MAX_BODY:
            return None
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _check_query(query: bytes) -> None:
    if len(query) > MAX_QUERY:
        raise InvalidName(f"the query is longer than {MAX_QUERY} bytes")


def check_json(body: bytes) -> None:
    """Raises InvalidName unless the body is JSON in UTF-8 that every reader takes for the same.

    Refused are keys that stand twice, NaN and the like, texts that are no Unicode, and deep nesting.
    Source: https://www.rfc-editor.org/rfc/rfc8259#section-4 and #section-8.2
    """
    try:
        data = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_distinct, parse_constant=_refuse_constant)
        json.dumps(data, ensure_ascii=False).encode()
    except (RecursionError, MemoryError):
        raise InvalidName(f"the body is nested more than {MAX_DEPTH} deep") from None
    except UnicodeError:
        raise InvalidName("the body holds text that is no Unicode") from None
    except ValueError as error:
        raise InvalidName(f"the body is no JSON: {error}") from None
    _check_nodes(data, MAX_DEPTH)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _check_nodes(data: object, left: int) -> None:
    if left < 0:
        raise InvalidName(f"the body is nested more than {MAX_DEPTH} deep")
    if isinstance(data, str) and "\0" in data:
        raise InvalidName("the body holds a text with a NUL character")
    inner = (*data, *data.values()) if isinstance(data, dict) else data if isinstance(data, list) else ()
    for item in inner:
        _check_nodes(item, left - 1)

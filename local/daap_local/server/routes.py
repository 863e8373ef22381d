"""The HTTP side of uploads: bodies are streamed, and answers are S3's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from daap.errors import StoreUnavailable
from daap_local.server.presigner import FolderPresigner
from daap_local.server.receive import Stored, receive_form, receive_part
from daap_local.server.refusals import UploadRefused, make_xml

IDLE_SECONDS = 60.0
"""How long a client may send nothing before its upload is given up."""

_MOST_AT_ONCE = 64
"""Uploads at once; further ones wait, and keep no other route waiting."""

T = TypeVar("T")


def routes(presigner: FolderPresigner) -> list[Route]:
    """`POST /uploads/landing` for forms, and the addresses to PUT parts to.

    They need no token: the signature is the permission.
    """
    uploads = _Uploads(presigner)
    return [
        Route("/uploads/parts/{handle}/{number}", uploads.put_part, methods=["PUT"]),
        Route("/uploads/{bucket}", uploads.post_form, methods=["POST"]),
    ]


class _Uploads:
    """Gives each upload a thread, which asks the event loop for the next chunk of the body."""

    def __init__(self, presigner: FolderPresigner) -> None:
        self._presigner = presigner
        self._limiter = CapacityLimiter(_MOST_AT_ONCE)

    async def post_form(self, request: Request) -> Response:
        bucket, content_type = request.path_params["bucket"], request.headers.get("content-type", "")
        chunks = _iterate_body(request.receive)
        receive = partial(receive_form, self._presigner, bucket, content_type, chunks)
        return await self._answer(receive, partial(_say_stored, self._presigner.form_address))

    async def put_part(self, request: Request) -> Response:
        handle, number = request.path_params["handle"], request.path_params["number"]
        md5, chunks = request.headers.get("content-md5"), _iterate_body(request.receive)
        receive = partial(receive_part, self._presigner, handle, number, request.query_params, md5, chunks)
        return await self._answer(receive, lambda etag: Response(headers={"ETag": f'"{etag}"'}))

    async def _answer(self, receive: Callable[[], T], respond: Callable[[T], Response]) -> Response:
        try:
            return respond(await to_thread.run_sync(receive, limiter=self._limiter))
        except UploadRefused as refused:
            return _say_error(refused)
        except StoreUnavailable as error:
            return _say_error(UploadRefused("ServiceUnavailable", str(error)))


def _iterate_body(receive: Receive) -> Iterator[bytes]:
    """The body's chunks, for a thread that anyio started."""
    while True:
        message = from_thread.run(_next_message, receive)
        if message["type"] == "http.disconnect":
            raise UploadRefused("IncompleteBody", "the client went away")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _next_message(receive: Receive) -> Message:
    try:
        with anyio.fail_after(IDLE_SECONDS):
            return await receive()
    except TimeoutError:
        raise UploadRefused("RequestTimeout", f"nothing came for {IDLE_SECONDS:.0f} seconds") from None


def _say_stored(url: str, stored: Stored) -> Response:
    bucket, _, key = stored.key.partition("/")
    location = f"{url}/{quote(key)}"
    headers = {"ETag": f'"{stored.etag}"', "Location": location}
    if stored.status != 201:  # noqa: PLR2004 - Created: the only one with a body
        return Response(status_code=stored.status, headers=headers)
    body = make_xml("PostResponse", Location=location, Bucket=bucket, Key=key, ETag=headers["ETag"])
    return Response(body, stored.status, headers, media_type="application/xml")


def _say_error(refused: UploadRefused) -> Response:
    body = make_xml("Error", Code=refused.code, Message=str(refused))
    return Response(body, refused.status, media_type="application/xml")

"""The HTTP side of uploads: bodies are streamed, and answers are S3's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daap.errors import StoreUnavailable
from daap_local.server.body import BodyPump
from daap_local.server.presigner import FolderPresigner
from daap_local.server.receive import Stored, receive_form, receive_part
from daap_local.server.refusals import UploadRefused, make_xml

_MOST_AT_ONCE = 64
"""Uploads at once; further ones wait, and keep no other route waiting."""

_LOG = logging.getLogger(__name__)

T = TypeVar("T")
Respond = Callable[[T], Response]


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
    """Gives each upload a thread, which may block, and a task that reads its body ahead."""

    def __init__(self, presigner: FolderPresigner) -> None:
        self._presigner = presigner
        self._limiter = CapacityLimiter(_MOST_AT_ONCE)

    async def post_form(self, request: Request) -> Response:
        bucket, content_type = request.path_params["bucket"], request.headers.get("content-type", "")
        return await self._answer(
            request,
            lambda chunks: receive_form(self._presigner, bucket, content_type, chunks),
            partial(_say_stored, self._presigner.form_address),
        )

    async def put_part(self, request: Request) -> Response:
        handle, number = request.path_params["handle"], request.path_params["number"]
        query, md5 = request.query_params, request.headers.get("content-md5")
        return await self._answer(
            request,
            lambda chunks: receive_part(self._presigner, handle, number, query, md5, chunks),
            lambda etag: Response(headers={"ETag": f'"{etag}"'}),
        )

    async def _answer(self, request: Request, take: Callable[[Iterator[bytes]], T], respond: Respond[T]) -> Response:
        pump = BodyPump(request.receive)
        async with anyio.create_task_group() as group:
            group.start_soon(pump.fill)
            response = await self._take(partial(take, pump.chunks()), respond)
            group.cancel_scope.cancel()  # a body that nobody reads any more
        return response

    async def _take(self, take: Callable[[], T], respond: Respond[T]) -> Response:
        try:
            return respond(await to_thread.run_sync(take, limiter=self._limiter))
        except UploadRefused as refused:
            return _say_error(refused)
        except StoreUnavailable as error:
            return _say_hindered(error)


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


def _say_hindered(error: StoreUnavailable) -> Response:
    """The log has the reason, which may name the server's own paths."""
    _LOG.warning("an upload was not taken: %s", error)
    return _say_error(UploadRefused("ServiceUnavailable", "the file cannot be kept now; try again"))

"""The process: one port for Athena's API and, where no other endpoint is asked for them, Glue's and S3's.

Requests are told apart as AWS's clients make them: JSON services by their X-Amz-Target header, STS by its form,
everything else is S3. Signatures are not checked: the server listens on this machine alone, or in a closed network.
So that no web page can use it through a browser, requests that a browser made for another site, or to the name of
another host, are refused.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daap_local.athena.api.protocol import Service
from daap_local.athena.api.s3 import S3
from daap_local.athena.api.sts import answer_sts
from daap_local.athena.wiring import Parts

_HOSTS = ("127.0.0.1", "localhost", "[::1]", "testserver")
_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"]
_JSON = "application/x-amz-json-1.1"
_LARGEST_CALL = 16 << 20


def build_app(parts: Parts, names: Sequence[str] = ()) -> Starlette:
    """The ASGI application over the server's parts; `names` are those it goes by besides this machine's own."""
    hosts = frozenset((*_HOSTS, *names))
    services = {"AmazonAthena": parts.athena}
    if parts.glue:
        services["AWSGlue"] = parts.glue
    s3 = S3(parts.buckets) if parts.buckets else None

    async def handle(request: Request) -> Response:
        if refusal := _refuse_foreign(request, hosts):
            return refusal
        target = request.headers.get("x-amz-target", "")
        if target:
            return await _call(services, target, request)
        if _is_form(request):
            return answer_sts(await request.body())
        if s3 is None:
            return Response("S3 is at its own endpoint, not here", 404)
        return await s3.answer(request)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(parts.close)

    return Starlette(routes=[Route("/{path:path}", handle, methods=_METHODS)], lifespan=lifespan)


def _refuse_foreign(request: Request, hosts: frozenset[str]) -> Response | None:
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    own = host in hosts or host.endswith((".localhost", ".127.0.0.1"))
    if (
        not own
        or "origin" in request.headers
        or request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    ):
        return Response("this server answers programs of this machine, not web pages", 403)
    return None


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return request.method == "POST" and request.url.path == "/" and kind.startswith("application/x-www-form-urlencoded")


async def _call(services: dict[str, Service], target: str, request: Request) -> Response:
    prefix, _, operation = target.partition(".")
    service = services.get(prefix)
    if service is None:
        body = {"__type": "UnknownOperationException", "message": f"{prefix} is not served here"}
        return _json(400, body)
    data = await request.body()
    if len(data) > _LARGEST_CALL:
        return _json(413, {"__type": "RequestEntityTooLargeException", "message": "the request is too large"})
    status, answer = await run_in_threadpool(service.answer, operation, data)
    return _json(status, answer)


def _json(status: int, body: object) -> Response:
    headers = {"x-amzn-requestid": str(uuid.uuid4())}
    return Response(json.dumps(body, ensure_ascii=False), status, headers, media_type=_JSON)

"""How what goes wrong is answered: the status of each error, and one body for all."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from daap import errors
from daap.model.verdict import DataError

STATUSES: dict[type[errors.DaapError], int] = {
    errors.InvalidName: 400,
    errors.InvalidSpec: 400,
    errors.InvalidChange: 400,
    errors.InvalidQuery: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TableExists: 403,
    errors.NotRegistered: 404,
    errors.UnknownLoad: 404,
    errors.ObjectMissing: 404,
    errors.AlreadyRegistered: 409,
    errors.VersionConflict: 409,
    errors.UnderLegalHold: 409,
    errors.ObjectConflict: 409,
    errors.Busy: 503,
    errors.StoreUnavailable: 503,
    errors.EngineFailed: 503,
    errors.Cancelled: 503,
}
"""Tests hold that every error of daap is here, itself or by a base."""

_MEANINGS = {
    400: "The request is wrong; the message says where.",
    401: "There is no token, or it is not valid.",
    403: "The token does not permit this.",
    404: "There is no such thing.",
    405: "The path has no such method.",
    409: "Another change came first, or the name is taken.",
    413: "The body is too large.",
    503: "It cannot be done now; try again.",
}
_ALWAYS = (400, 401, 403, 405, 413, 503)
_RETRY_SECONDS = "5"
_METHODS = ("GET", "POST", "PUT", "DELETE")


class Problem(BaseModel):
    """One wrong field."""

    path: str = Field(examples=["email"])
    message: str = Field(examples=["is missing"])


class Failure(BaseModel):
    """What is wrong, where, and what to do.

    `version` is the one that won, where another change came first; `problems` are the fields of a wrong
    body; `errors` are values in a file that stand against a change.
    """

    message: str = Field(examples=["product spend is not registered"])
    version: str | None = None
    problems: list[Problem] | None = None
    errors: list[dict[str, Any]] | None = None


class FailureBody(BaseModel):
    """The body of every answer that is no success."""

    error: Failure


def fails(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures of a path for its OpenAPI: these, and those that every path has."""
    return {
        status: {"model": FailureBody, "description": _MEANINGS[status]} for status in sorted({*_ALWAYS, *statuses})
    }


def answer(status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:  # noqa: ANN401
    """A failure as a response. Lone surrogates, which no UTF-8 can hold, are written as question marks."""
    body = json.dumps({"error": {"message": message, **more}}, ensure_ascii=False, separators=(",", ":"))
    return Response(body.encode(errors="replace"), status, dict(headers or {}), media_type="application/json")


def find_status(error: errors.DaapError) -> int:
    """The HTTP status of an error, by its class or the nearest base."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def answer_error(error: errors.DaapError) -> Response:
    """An error of daap as a response."""
    status, more = find_status(error), {}
    if isinstance(error, errors.InvalidSpec):
        more["problems"] = [{"path": problem.path, "message": problem.message} for problem in error.problems]
    if isinstance(error, errors.VersionConflict):
        return answer(status, str(error), version=error.version)
    if isinstance(error, errors.InvalidChange) and error.errors:
        more["errors"] = [found.dump() for found in error.errors if isinstance(found, DataError)]
    if status == 503:  # noqa: PLR2004
        return _answer_hindered(error)
    headers = {"WWW-Authenticate": "authorizationToken"} if status == 401 else {}  # noqa: PLR2004
    return answer(status, str(error), headers, **more)


def _answer_hindered(error: errors.DaapError) -> Response:
    """The log has the reason, which may name the server's own paths; the caller learns that nothing is lost."""
    sys.stderr.write(f"{type(error).__name__}: {error}\n")
    shown = str(error) if isinstance(error, errors.Busy) else "this cannot be done now, and nothing is lost"
    return answer(503, f"{shown}; try again", {"Retry-After": _RETRY_SECONDS})


def install(app: FastAPI) -> None:
    """Makes the app answer all that goes wrong in this way."""
    app.add_exception_handler(errors.DaapError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_wrong_request)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_surprise)


async def _on_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.DaapError)  # noqa: S101 - registered for nothing else
    return answer_error(error)


async def _on_wrong_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    problems = [
        {"path": _path(detail["loc"]), "message": str(detail["msg"]).removeprefix("Value error, ")}
        for detail in error.errors()
    ]
    message = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
    return answer(400, message, problems=problems)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "path", "query")) or "body"


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    if error.status_code == 404:  # noqa: PLR2004
        return answer(404, "there is no such path; see /docs")
    if error.status_code == 405:  # noqa: PLR2004
        return answer(405, f"{request.method} is not for this path", {"Allow": ", ".join(_list_methods(request))})
    return answer(error.status_code, str(error.detail), error.headers)


def _list_methods(request: Request) -> list[str]:
    """What a path may be called by: all of it, where the router would name the first that it finds."""
    asked = [(method, {**request.scope, "method": method}) for method in _METHODS]
    routes = request.app.routes
    return [method for method, scope in asked if any(route.matches(scope)[0] is Match.FULL for route in routes)]


async def _on_surprise(_request: Request, error: Exception) -> Response:
    """A fault of ours: the caller learns nothing of our insides, the server's log everything but the request."""
    traceback.print_exception(error, file=sys.stderr)
    return answer(500, "something went wrong in the server; its log has the details")

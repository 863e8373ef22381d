"""OpenMetadata's REST API as far as daap uses it, on a real socket: it keeps entities by name, and treats a bot as one.

Written from OpenMetadata's documentation: parents have to be there; a bot's PUT leaves a description, a display name,
owners and domains that are set, and adds tags; a DELETE of what has children needs `recursive`.
Its own models check what was sent: see `tests/openmetadata_models`.
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.support.sockets import name_base, serve_app

TOKEN = "jwt.of.the-bot"  # noqa: S105 - nobody else's

Entity = dict[str, Any]

SERVICES = "services/databaseServices"
_PARENTS = {
    "databases": ("service", SERVICES), "databaseSchemas": ("database", "databases"),
    "tables": ("databaseSchema", "databaseSchemas"), "tags": ("classification", "classifications"),
}  # fmt: skip
_KINDS = {"databases": "database", "databaseSchemas": "databaseSchema", "tables": "table", "domains": "domain",
          "dataProducts": "dataProduct"}  # fmt: skip
_COLLECTIONS = (SERVICES, *_PARENTS, "classifications", "domains", "dataProducts", "users", "teams")
_KEPT = ("description", "displayName", "owners", "domains")
_BUILT_IN = {"PII.Sensitive"}
_PAGE = 2


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class OpenMetadata:
    """What it holds, what it was sent, and what is wrong with it."""

    url: str
    held: dict[str, dict[str, Entity]] = field(default_factory=lambda: {name: {} for name in _COLLECTIONS})
    sent: list[Entity] = field(default_factory=list)
    faults: list[Response] = field(default_factory=list)
    """The next answers, whatever is asked."""
    rubbish: Response | None = None
    """The answer to everything."""
    hang: float = 0.0

    def names(self, collection: str) -> list[str]:
        return sorted(self.held[collection])

    def hold(self, collection: str, fqn: str, **more: Any) -> Entity:
        """Puts something there as a person would."""
        name = fqn.rpartition(".")[2]
        entity = {"id": str(uuid.uuid4()), "name": name, "fullyQualifiedName": fqn, **more}
        self.held[collection][fqn] = entity
        return entity

    # What it answers.

    def answer(self, collection: str, request: Request, body: Any) -> Response:
        try:
            return self._route(collection, request, body)
        except Refused as refused:
            return JSONResponse({"code": refused.status, "message": str(refused)}, refused.status)

    def _route(self, collection: str, request: Request, body: Any) -> Response:
        name, identity = request.path_params.get("fqn"), request.path_params.get("id")
        if name is not None:
            return JSONResponse(self._find(collection, name))
        if request.method == "PUT":
            return JSONResponse(self._put(collection, body))
        if request.method == "PATCH":
            return JSONResponse(self._patch(self._find_id(collection, identity), body))
        if request.method == "DELETE":
            return self._delete(collection, identity, request.query_params.get("recursive") == "true")
        return self._list(collection, request)

    def _find(self, collection: str, fqn: str) -> Entity:
        if fqn not in self.held[collection]:
            raise Refused(404, f"{collection} instance for {fqn} not found")
        return self.held[collection][fqn]

    def _find_id(self, collection: str, identity: str | None) -> Entity:
        for entity in self.held[collection].values():
            if entity["id"] == identity:
                return entity
        raise Refused(404, f"{collection} instance for {identity} not found")

    def _put(self, collection: str, body: Entity) -> Entity:
        fqn = self._name(collection, body)
        asked = dict(body) | {"domains": [self._refer("domains", one) for one in body.get("domains", ())]}
        if "dataProducts" in body:
            asked["dataProducts"] = [self._refer("dataProducts", one) for one in body["dataProducts"]]
        self._check_tags(body)
        before = self.held[collection].get(fqn, {})
        columns = {column["name"]: column for column in before.get("columns", ())}
        for column in asked.get("columns", ()):
            self._check_tags(column)
            _merge(columns.get(column["name"], {}), column)
        found = _merge(before, asked) | {"fullyQualifiedName": fqn, "id": before.get("id", str(uuid.uuid4()))}
        self.held[collection][fqn] = found
        return found

    def _name(self, collection: str, body: Entity) -> str:
        name = f'"{body["name"]}"' if "." in body["name"] else body["name"]
        if collection not in _PARENTS:
            return name
        key, parents = _PARENTS[collection]
        return f"{self._find(parents, body[key])['fullyQualifiedName']}.{name}"

    def _refer(self, collection: str, fqn: str) -> Entity:
        found = self._find(collection, fqn)
        return {"id": found["id"], "type": _KINDS[collection], "name": found["name"], "fullyQualifiedName": fqn}

    def _check_tags(self, body: Entity) -> None:
        for one in body.get("tags", ()):
            if one["tagFQN"] not in _BUILT_IN:
                self._find("tags", one["tagFQN"])

    def _patch(self, entity: Entity, operations: list[Entity]) -> Entity:
        for operation in operations:
            *way, last = operation["path"].strip("/").split("/")
            place: Any = entity
            for step in way:
                place = place[int(step) if isinstance(place, list) else step]
            if operation["op"] == "remove":
                del place[last]
            else:
                place[last] = operation["value"]
        return entity

    def _delete(self, collection: str, identity: str | None, recursive: bool) -> Response:
        fqn = self._find_id(collection, identity)["fullyQualifiedName"]
        below = [(kind, name) for kind in _PARENTS for name in self.held[kind] if name.startswith(f"{fqn}.")]
        if below and not recursive:
            raise Refused(400, f"{collection} {fqn} is not empty")
        for kind, name in [*below, (collection, fqn)]:
            del self.held[kind][name]
        for entity in [one for kind in self.held.values() for one in kind.values()]:
            if "dataProducts" in entity:
                entity["dataProducts"] = [one for one in entity["dataProducts"] if one["id"] != identity]
        return JSONResponse({"fullyQualifiedName": fqn, "deleted": True})

    def _list(self, collection: str, request: Request) -> Response:
        key, _ = _PARENTS[collection]
        parent, start = request.query_params.get(key, ""), int(request.query_params.get("after", "0"))
        found = [one for fqn, one in sorted(self.held[collection].items()) if fqn.startswith(f"{parent}.")]
        paging = {"total": len(found)} | ({"after": str(start + _PAGE)} if len(found) > start + _PAGE else {})
        return JSONResponse({"data": found[start : start + _PAGE], "paging": paging})


def _merge(before: Entity, asked: Entity) -> Entity:
    """What a bot's PUT makes of an entity; changes `asked` too, which is how columns are merged."""
    for name in _KEPT:
        if before.get(name):
            asked[name] = before[name]
    old = before.get("tags") or []
    new = [one for one in asked.get("tags") or [] if one["tagFQN"] not in {have["tagFQN"] for have in old}]
    asked["tags"] = [*old, *new]
    return before | asked


@contextmanager
def running_openmetadata() -> Iterator[OpenMetadata]:
    """One of its own, for the block."""
    # With its protocol named: asyncio switches Nagle's algorithm off only then, and each answer would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    service = OpenMetadata(name_base(listener))
    with serve_app(_make_app(service), listener):
        yield service
        service.hang = 0.0


def _make_app(service: OpenMetadata) -> Starlette:
    def make_route(collection: str, path: str, methods: list[str]) -> Route:
        async def take(request: Request) -> Response:
            data = await request.body()
            return await _run(service, collection, request, data)

        return Route(f"/api/v1/{collection}{path}", take, methods=methods)

    routes = []
    for collection in _COLLECTIONS:
        routes += [make_route(collection, "/name/{fqn:path}", ["GET"]), make_route(collection, "", ["PUT", "GET"]),
                   make_route(collection, "/{id}", ["PATCH", "DELETE"])]  # fmt: skip
    return Starlette(routes=routes)


async def _run(service: OpenMetadata, collection: str, request: Request, data: bytes) -> Response:
    until = time.monotonic() + service.hang
    while time.monotonic() < until and service.hang:
        await anyio.sleep(0.02)
    body = json.loads(data) if data else None
    fields = request.query_params.get("fields", "")
    service.sent.append({"method": request.method, "collection": collection, "body": body, "fields": fields})
    if service.faults:
        return service.faults.pop(0)
    if service.rubbish:
        return service.rubbish
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return JSONResponse({"code": 401, "message": "Token is invalid"}, 401)
    if request.method == "PATCH" and request.headers["Content-Type"] != "application/json-patch+json":
        return HTMLResponse("Unsupported Media Type", 415)
    return service.answer(collection, request, body)

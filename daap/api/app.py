"""The app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import APIKeyHeader
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from daap import __version__
from daap.api import failures
from daap.api.backend import Backend
from daap.api.described import add_docs
from daap.api.guard import HEADER, Guard
from daap.api.routes import loads, products, tables, upkeep, uploads

OPEN_PATHS = ("/health", "/docs", "/openapi.json")
"""What needs no token."""

_ABOUT = """\
Register data products, upload CSV files, and see what became of them.

Every call needs a token in the header `authorizationToken`. Whatever is wrong is answered with
`{"error": {"message": ...}}`.
"""


class _Api(FastAPI):
    """FastAPI, whose description of itself leaves out what never happens here."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            for operation in (one for path in document["paths"].values() for one in path.values()):
                operation["responses"].pop("422", None)  # FastAPI's own answer to a wrong request; ours is 400
            for unused in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(unused, None)
        return self.openapi_schema or {}


def create_app(backend: Backend, extra: Sequence[BaseRoute] = (), extra_paths: Sequence[str] = ()) -> FastAPI:
    """The API over a backend; `extra` routes, below `extra_paths`, see to their own permissions."""
    app = _Api(
        title="daap", version=__version__, description=_ABOUT, docs_url=None, redoc_url=None,
        routes=list(extra),
        redirect_slashes=False,  # it would send a client wherever its Host header says
        middleware=[Middleware(Guard, authenticator=backend.authenticator, open_paths=(*OPEN_PATHS, *extra_paths))],
    )  # fmt: skip
    app.state.backend = backend
    failures.install(app)
    for router in (products.router, tables.router, uploads.router, loads.router, upkeep.router):
        _include(app, router)
    app.include_router(upkeep.open_router)
    add_docs(app)
    return app


def _include(app: FastAPI, router: APIRouter) -> None:
    # The guard has looked at the token already; this tells of it in the OpenAPI.
    token = APIKeyHeader(name=HEADER, auto_error=False, description="Made by `daap-local token create`.")
    app.include_router(router, dependencies=[Depends(token)])

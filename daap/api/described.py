"""The page that describes the API, from files of our own: it works without the internet."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_FILES = "docs/files"


def add_docs(app: FastAPI) -> None:
    """Serves Swagger UI at `/docs`. Its addresses are relative, since a stage of API Gateway has a path of its own."""
    page = get_swagger_ui_html(
        title=app.title,
        openapi_url="openapi.json",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon-32x32.png",
    )

    async def show_docs() -> HTMLResponse:
        return page

    app.mount(f"/{_FILES}", StaticFiles(packages=[("fastapi_swagger", "resources")]), name="docs")
    app.add_api_route("/docs", show_docs, include_in_schema=False)

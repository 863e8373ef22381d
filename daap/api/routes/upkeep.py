"""Upkeep of a product: reload, resync, retention; and whether the service is well."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from daap import __version__
from daap.access.grants import Action
from daap.api.answers import (
    Health,
    Message,
    ReloadAnswer,
    ResyncAnswer,
    RetentionAnswer,
    describe_expired,
    describe_mended,
    describe_rebuilt,
)
from daap.api.backend import Call
from daap.api.bodies import ProductPath, TableQuery
from daap.api.failures import FailureBody, fails
from daap.model.keys import ZONES
from daap.pipeline.lake import Lake
from daap.pipeline.reload import Rebuilt, reload_tables, select_tables
from daap.pipeline.resync import Mended, resync_product
from daap.pipeline.retention import enforce_retention, find_expired
from daap.ports.deferral import Deferral, Task

router = APIRouter(tags=["upkeep"])
Told = TypeVar("Told", Mended, Rebuilt)
open_router = APIRouter(tags=["upkeep"])
"""What needs no token."""

_BEGUN: dict[int | str, dict[str, Any]] = {
    202: {"model": Message, "description": "It has begun, where calls may not take long; the loads tell of it."}
}


@router.post("/data-product/{name}/reload", responses={**_BEGUN, **fails(404)}, response_model=ReloadAnswer)
def reload(name: ProductPath, caller: Call, table: TableQuery = None) -> ReloadAnswer | JSONResponse:
    """Make curated anew from raw, for all tables or one."""
    caller.require(name, Action.MANAGE)
    refs = select_tables(caller.lake, name, table)
    if deferral := caller.backend.deferral:
        return _defer(deferral, Task("reload", name, caller.name, table))
    rebuilt = reload_tables(caller.lake, refs, caller.name)
    return ReloadAnswer(loads=[describe_rebuilt(_hide_folders(caller.lake, one)) for one in rebuilt])


def _defer(deferral: Deferral, task: Task) -> JSONResponse:
    deferral.start(task)
    return JSONResponse(Message(message=f"the {task.work} of {task.product} has begun").model_dump(), 202)


@router.post("/data-product/{name}/resync", responses={**_BEGUN, **fails(404)}, response_model=ResyncAnswer)
def resync(name: ProductPath, caller: Call) -> ResyncAnswer | JSONResponse:
    """Find what no event came for or what was cut short, and bring it to its end."""
    caller.require(name, Action.MANAGE)
    if deferral := caller.backend.deferral:
        caller.lake.registry.get(name)
        return _defer(deferral, Task("resync", name, caller.name))
    mended = resync_product(caller.lake, name, caller.name)
    return ResyncAnswer(mended=[describe_mended(_hide_folders(caller.lake, one)) for one in mended])


def _hide_folders(lake: Lake, told: Told) -> Told:
    """Says keys where an error names the server's own paths."""
    error = told.error or ""
    for zone in ZONES:
        error = error.replace(lake.locate(f"{zone}/").rstrip("/"), zone)
    return replace(told, error=error or None)


@router.post("/data-product/{name}/retention", responses=fails(404))
def retention(
    name: ProductPath, caller: Call,
    dry_run: Annotated[bool, Query(alias="dryRun", description="Only tell what would be deleted.")] = True,
) -> RetentionAnswer:  # fmt: skip
    """Delete what is older than the retention period; by default, only tell what that is."""
    caller.require(name, Action.MANAGE)
    held = caller.lake.registry.get(name).legal_hold is not None
    expired = find_expired(caller.lake, name) if dry_run else enforce_retention(caller.lake, name, caller.name)
    return RetentionAnswer(dry_run=dry_run, legal_hold=held, expired=[describe_expired(one) for one in expired])


@open_router.get("/health", responses={405: {"model": FailureBody}})
async def health() -> Health:
    """Whether the service is there; needs no token."""
    return Health(status="ok", version=__version__)

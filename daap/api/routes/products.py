"""Products: register, list, amend, delete; their versions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from daap.access.grants import Action
from daap.api.answers import (
    CatalogueState,
    Message,
    ProductAnswer,
    ProductPage,
    VersionAnswer,
    VersionDetail,
    VersionPage,
    describe_catalogue,
    describe_product,
    describe_version,
    summarise_product,
)
from daap.api.backend import Call
from daap.api.bodies import (
    AfterQuery,
    AmendBody,
    HoldBody,
    LimitQuery,
    ProductPath,
    RegisterBody,
    VersionPath,
    VersionQuery,
)
from daap.api.failures import fails
from daap.errors import AlreadyRegistered, InvalidSpec, SpecProblem, StoreUnavailable
from daap.model.keys import record_key
from daap.model.product import Product
from daap.model.versions import parse_version
from daap.pipeline.lake import Lake
from daap.pipeline.manage import amend_product, register_product, set_hold
from daap.pipeline.publish import read_push
from daap.pipeline.remove import delete_product
from daap.registry.changes import compare_products
from daap.registry.directory import find_record, list_records, read_record
from daap.registry.heads import Registered
from daap.registry.spec import build_product

router = APIRouter(tags=["products"])

_SEEN = (Action.READ, Action.UPLOAD)


@router.post("/data-product/register", status_code=201, responses=fails(409))
def register(body: RegisterBody, caller: Call) -> Message:
    """Register a new data product."""
    product = _read_product(body)
    caller.require_new(product.metadata)
    try:
        register_product(caller.lake, product, caller.name)
    except AlreadyRegistered:
        if caller.may(product.name, *_SEEN):
            raise
        raise AlreadyRegistered(f"the name {product.name} is taken; choose another") from None
    caller.backend.directory.forget()
    return Message(message=f"{product.name} registered in the data platform")


def _read_product(body: RegisterBody) -> Product:
    given: dict[str, Any] = {"tables": body.tables, "files": body.files}
    if misplaced := sorted(given.keys() & body.metadata.keys()):
        raise InvalidSpec([SpecProblem(f"metadata.{key}", f"stands beside metadata, as {key}") for key in misplaced])
    return build_product(body.metadata | {key: value for key, value in given.items() if value})


@router.get("/data-product", responses=fails())
def list_products(
    caller: Call,
    search: Annotated[str, Query(max_length=256, description="Words that all have to occur in the product.")] = "",
    limit: LimitQuery = 100,
    after: AfterQuery = "",
) -> ProductPage:
    """List the data products that you may see, by name.

    `search` looks in names, descriptions, owners, domains, tags, tables and columns.
    """
    found, more = caller.backend.directory.find(search, caller.sees, after, limit)
    return ProductPage(
        products=[summarise_product(registered) for registered in found],
        next=found[-1].product.name if more else None,
    )


@router.get("/data-product/{name}", responses=fails(404))
def get_product(name: ProductPath, caller: Call) -> ProductAnswer:
    """One data product with its tables, versions and owners."""
    caller.require(name, *_SEEN)
    registered = caller.lake.registry.get(name)
    return describe_product(registered, _find_catalogue(caller.lake, registered))


def _find_catalogue(lake: Lake, registered: Registered) -> CatalogueState | None:
    if lake.publisher is None:
        return None
    try:
        push = read_push(lake.store, registered.product.name)
    except StoreUnavailable:  # no reason to keep the product itself from who asks for it
        return None
    return describe_catalogue(registered, lake.publisher.name, push)


@router.put("/data-product/{name}", responses=fails(404, 409))
def amend(name: ProductPath, body: AmendBody, caller: Call) -> VersionAnswer:
    """Change metadata, as the next minor version."""
    caller.require(name, Action.MANAGE)
    caller.require_owner(name, body.metadata.get("dataProductOwner"))
    registered = amend_product(caller.lake, name, body.metadata, caller.name)
    caller.backend.directory.forget()
    return VersionAnswer(version=str(registered.version))


@router.delete("/data-product/{name}", responses=fails(404, 409))
def delete(name: ProductPath, caller: Call) -> Message:
    """Delete a data product with every trace of it but the audit log."""
    caller.require(name, Action.MANAGE)
    delete_product(caller.lake, name, caller.name)
    caller.backend.directory.forget()
    return Message(message=f"{name} deleted from the data platform")


@router.get("/data-product/{name}/versions", responses=fails(404))
def list_versions(
    name: ProductPath, caller: Call, limit: LimitQuery = 100,
    after: Annotated[VersionQuery | None, Query(description="The `next` of the page before.")] = None,
) -> VersionPage:  # fmt: skip
    """The versions of a data product, the newest first: who made each, when, and what changed."""
    caller.require(name, *_SEEN)
    caller.lake.registry.get(name)
    limit_key = record_key(name, parse_version(after)) if after else "~"
    keys = [key for key in reversed(list_records(caller.lake.store, name)) if key < limit_key]
    found = [read_record(caller.lake.store, key) for key in keys[:limit]]
    return VersionPage(
        versions=[describe_version(registered) for registered in found],
        next=str(found[-1].version) if len(keys) > limit else None,
    )


@router.get("/data-product/{name}/versions/compare", responses=fails(404))
def compare_versions(
    name: ProductPath, caller: Call, older: Annotated[VersionQuery, Query(alias="from")],
    newer: Annotated[VersionQuery, Query(alias="to")],
) -> dict[str, Any]:  # fmt: skip
    """What changed from one version to another: metadata fields with both values, tables and columns."""
    caller.require(name, *_SEEN)
    caller.lake.registry.get(name)
    specs = (find_record(caller.lake.store, name, version).product.dump() for version in (older, newer))
    return compare_products(*specs)


@router.get("/data-product/{name}/versions/{version}", responses=fails(404))
def get_version(name: ProductPath, version: VersionPath, caller: Call) -> VersionDetail:
    """One version of a data product, as it was made."""
    caller.require(name, *_SEEN)
    caller.lake.registry.get(name)
    registered = find_record(caller.lake.store, name, version)
    return VersionDetail(**describe_version(registered).model_dump(), spec=registered.product.dump())


@router.put("/data-product/{name}/legal-hold", responses=fails(404))
def place_hold(name: ProductPath, body: HoldBody, caller: Call) -> Message:
    """Place a data product under legal hold: nothing of it is deleted until that is lifted."""
    caller.require(name, Action.MANAGE)
    set_hold(caller.lake, name, body.reason, caller.name)
    return Message(message=f"{name} is under legal hold")


@router.delete("/data-product/{name}/legal-hold", responses=fails(404))
def lift_hold(name: ProductPath, caller: Call) -> Message:
    """Lift the legal hold of a data product."""
    caller.require(name, Action.MANAGE)
    set_hold(caller.lake, name, None, caller.name)
    return Message(message=f"{name} is under no legal hold")

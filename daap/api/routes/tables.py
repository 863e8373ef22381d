"""Tables: their schemas, a preview, and what a new schema would do."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from daap.access.grants import Action
from daap.api.answers import Message, Refused, RehearsalAnswer, SchemaChanged, TableChanges
from daap.api.backend import Call
from daap.api.bodies import ProductPath, RehearseBody, SchemaBody, TablePath, VersionQuery
from daap.api.failures import fails
from daap.api.preview import NOTHING, draw_preview
from daap.errors import InvalidChange
from daap.pipeline.evolve import change_schema
from daap.pipeline.manage import create_table
from daap.pipeline.rehearse import Refusal, rehearse_schema
from daap.pipeline.remove import remove_table
from daap.registry.spec import build_schema

router = APIRouter(tags=["tables"])

_SHOWN_ERRORS = 10
_PREVIEW = {
    "content": {"text/plain": {"example": "| supplier | amount | load_timestamp |\n| LANTERN LTD | 12.50 | ... |"}}
}


@router.post("/data-product/{name}/table/{table}/schema", responses=fails(404, 409))
def create_schema(name: ProductPath, table: TablePath, body: SchemaBody, caller: Call) -> Message:
    """Add a table to a data product. The first keeps its version, later ones make a minor one."""
    caller.require(name, Action.MANAGE)
    registered = create_table(caller.lake, name, table, build_schema(body.table_schema), caller.name)
    caller.backend.directory.forget()
    return Message(message=f"table {table} registered in {name} {registered.version}")


@router.get("/data-product/{name}/table/{table}/schema", responses=fails(404))
def get_schema(
    name: ProductPath, table: TablePath, caller: Call,
    version: Annotated[VersionQuery | None, Query(description="Of this version; the latest if not given.")] = None,
) -> dict[str, Any]:  # fmt: skip
    """The latest schema of a table, or that of one version."""
    caller.require(name, Action.READ, Action.UPLOAD)
    registry = caller.lake.registry
    schema = registry.schema_at(name, version, table) if version else registry.get(name).schema(table)
    columns = [{"description": "", **column.dump()} for column in schema.columns]
    return {**schema.dump(), "columns": columns}


@router.put("/data-product/{name}/table/{table}/schema", responses=fails(404, 409))
def update_schema(name: ProductPath, table: TablePath, body: SchemaBody, caller: Call) -> SchemaChanged:
    """Change the schema of a table.

    What queries of the old schema can live with makes a minor version. Anything else makes a major one: a
    new database, whose tables start from the newest snapshots.
    """
    caller.require(name, Action.MANAGE)
    _require_table(caller, name, table)
    evolved = change_schema(caller.lake, name, table, build_schema(body.table_schema), caller.name)
    caller.backend.directory.forget()
    return SchemaChanged(
        version=str(evolved.registered.version), increment_type=evolved.increment,
        changes={table: TableChanges.model_validate(evolved.change.dump())}, carried=evolved.carried,
        empty=evolved.empty,
    )  # fmt: skip


def _require_table(caller: Call, name: str, table: str) -> None:
    """Clients know an unknown table as a wrong request, not as a missing thing."""
    registered = caller.lake.registry.get(name)
    if table not in registered.product.tables:
        raise InvalidChange(
            f"product {name} has no table {table}; it has {', '.join(registered.product.tables) or 'none'}"
        )


@router.post("/data-product/{name}/table/{table}/schema/rehearse", responses=fails(404))
def rehearse(name: ProductPath, table: TablePath, body: RehearseBody, caller: Call) -> RehearsalAnswer:
    """Check a proposed schema against the uploads there have been; nothing is changed."""
    caller.require(name, Action.MANAGE)
    _require_table(caller, name, table)
    rehearsal = rehearse_schema(caller.lake, name, table, build_schema(body.table_schema), body.newest)
    return RehearsalAnswer(
        message=str(rehearsal),
        uploads=rehearsal.uploads,
        refused=[_describe(refusal) for refusal in rehearsal.refusals],
    )


def _describe(refusal: Refusal) -> Refused:
    verdict = refusal.verdict
    return Refused(
        load=str(refusal.receipt.load), source_name=refusal.receipt.source_name, total=verdict.total,
        by_code={str(code): count for code, count in verdict.counts.items()},
        errors=[error.dump() for error in verdict.errors[:_SHOWN_ERRORS]],
    )  # fmt: skip


@router.get(
    "/data-product/{name}/table/{table}/preview", responses={200: _PREVIEW, **fails(404)},
    response_class=Response,  # of no media type, or failures would be described as text
)  # fmt: skip
def preview(
    name: ProductPath, table: TablePath, caller: Call,
    major: Annotated[int | None, Query(ge=1, le=999_999, description="Of an earlier major version.")] = None,
) -> PlainTextResponse:  # fmt: skip
    """The first rows of the newest snapshot, as a text table."""
    caller.require(name, Action.READ)
    ref = caller.lake.registry.find_ref(name, table, major)
    if not caller.lake.catalogue.snapshots(ref):
        return PlainTextResponse(NOTHING)
    return PlainTextResponse(draw_preview(caller.backend.query, ref))


@router.delete("/data-product/{name}/table/{table}", responses=fails(404, 409))
def delete_table(name: ProductPath, table: TablePath, caller: Call) -> Message:
    """Remove a table with all its data, as the next major version."""
    caller.require(name, Action.MANAGE)
    evolved = remove_table(caller.lake, name, table, caller.name)
    caller.backend.directory.forget()
    return Message(message=f"table {table} and its data removed; {name} is {evolved.registered.version} now")

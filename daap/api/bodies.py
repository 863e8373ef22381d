"""What requests carry, and the parts of a path."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic import BaseModel as Model
from pydantic_core import CoreSchema

from daap.model.product import FilesComponent, Metadata
from daap.model.table import TableSchema


class _SchemaOf:
    """Documents a field as a model, while its value is left to the registry, which words what is wrong in it."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(self._model.__pydantic_core_schema__)


_METADATA = {
    "name": "spend", "description": "What was bought, from whom and for how much", "domain": "finance",
    "dataProductOwner": "ann@example.org", "dataProductOwnerDisplayName": "Ann Owner", "email": "ann@example.org",
    "status": "published", "dpiaRequired": False, "retentionPeriod": 3650, "tags": {"release": "monthly"},
}  # fmt: skip
_SCHEMA = {
    "tableDescription": "Payments of a month",
    "columns": [
        {"name": "supplier", "type": "string", "description": "who was paid"},
        {"name": "amount", "type": "decimal(18,2)", "description": "in pounds"},
    ],
}

SchemaData = Annotated[dict[str, Any], _SchemaOf(TableSchema), Field(examples=[_SCHEMA])]


class _Body(Model):
    model_config = ConfigDict(extra="forbid", strict=True)


class RegisterBody(_Body):
    """A new product; `tables` and `files` may come with it, or later."""

    metadata: Annotated[dict[str, Any], _SchemaOf(Metadata), Field(examples=[_METADATA])]
    tables: dict[str, SchemaData] = {}
    files: dict[str, Annotated[dict[str, Any], _SchemaOf(FilesComponent)]] = {}


class AmendBody(_Body):
    """The metadata fields that change; others may be given with the value they have."""

    metadata: Annotated[dict[str, Any], Field(examples=[{"description": "All payments", "retentionPeriod": 730}])]


class SchemaBody(_Body):
    """The whole schema of a table."""

    table_schema: SchemaData = Field(alias="schema")


class RehearseBody(SchemaBody):
    """A proposed schema, and how many of the newest uploads to check by it (all of them if not given)."""

    newest: int | None = Field(None, ge=1, le=100_000)


class UploadBody(_Body):
    """The file that will be sent: its name, and its MD5 in base64."""

    filename: str = Field(examples=["march.csv"])
    content_md5: str = Field(alias="contentMD5", examples=["XrY7u+Ae7tCTyyK7j1rNww=="])


class PartsBody(_Body):
    """A large file that will be sent in parts: its name and its bytes."""

    filename: str = Field(examples=["march.csv"])
    content_length: int = Field(alias="contentLength", examples=[12_000_000_000])


class FinishBody(_Body):
    """What the PUT of each part answered in its ETag header, in the order of the parts."""

    handle: str = Field(min_length=1, max_length=2_048, examples=["4c1f0a8e2b7d4f6c9a3e5d1b8f7a6c20"])
    etags: list[Annotated[str, Field(max_length=256)]] = Field(
        min_length=1, max_length=10_000, examples=[['"5eb63bbbe01eeed093cb22bb8f5acdc3"']]
    )


class HoldBody(_Body):
    """Why nothing may be deleted."""

    reason: str = Field(min_length=1, max_length=1_000, examples=["Inquiry 2026/17"])


ProductPath = Annotated[str, Path(pattern="^[a-z0-9_]{1,128}$", description="The product.", examples=["spend"])]
TablePath = Annotated[
    str, Path(pattern="^[a-zA-Z][a-zA-Z0-9_]{1,127}$", description="The table.", examples=["payments"])
]
VersionPath = Annotated[
    str, Path(pattern="^v[1-9][0-9]{0,5}\\.(0|[1-9][0-9]{0,5})$", description="A version.", examples=["v1.0"])
]
VersionQuery = Annotated[
    str, Query(pattern="^v[1-9][0-9]{0,5}\\.(0|[1-9][0-9]{0,5})$", description="A version.", examples=["v1.0"])
]
StampPath = Annotated[
    str, Path(pattern="^[0-9]{8}T[0-9]{6}Z$", description="The load timestamp.", examples=["20260131T235959Z"])
]
MajorQuery = Annotated[
    int | None, Query(ge=1, le=999_999, description="The major version; the current one if not given.")
]
LimitQuery = Annotated[int, Query(ge=1, le=1_000, description="How many to answer with at most.")]
AfterQuery = Annotated[str, Query(max_length=256, description="The `next` of the page before.")]
TableQuery = Annotated[
    str | None, Query(pattern="^[a-zA-Z][a-zA-Z0-9_]{1,127}$", description="One table; all of them if not given.")
]

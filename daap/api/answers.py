"""What the API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from daap.model.loads import Receipt
from daap.pipeline.publish import Push
from daap.pipeline.reload import Rebuilt
from daap.pipeline.resync import Found, Mended
from daap.pipeline.retention import Expired
from daap.registry.heads import Registered


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class Message(BaseModel):
    """What was done, in words."""

    message: str = Field(examples=["spend registered in the data platform"])


class VersionAnswer(BaseModel):
    """The version that a change made."""

    version: str = Field(examples=["v1.1"])


class ColumnChanges(BaseModel):
    """The columns that a change of a schema concerns; null where there are none."""

    removed_columns: list[str] | None
    added_columns: list[str] | None
    types_changed: list[str] | None
    descriptions_changed: list[str] | None
    rules_changed: list[str] | None


class TableChanges(BaseModel):
    """What changed in the schema of a table."""

    columns: ColumnChanges
    non_column_fields: list[str] | None


class SchemaChanged(BaseModel):
    """What a change of a schema made.

    In a new major version, `carried` names by table the load that it starts from, and `empty` says why a
    table starts without rows.
    """

    version: str = Field(examples=["v2.0"])
    increment_type: Literal["minor", "major"]
    changes: dict[str, TableChanges]
    carried: dict[str, str] = {}
    empty: dict[str, str] = {}


class Database(_Answer):
    """The database of a major version, and the last version in it."""

    name: str = Field(examples=["spend_v1"])
    version: str = Field(examples=["v1.4"])
    current: bool


class Summary(_Answer):
    """A product in a list."""

    name: str
    version: str
    description: str
    domain: str
    status: str
    owner: str
    owner_display_name: str
    tables: list[str]
    files: list[str]
    tags: dict[str, str]
    last_updated: datetime


class ProductPage(_Answer):
    """A page of products; `next` goes into `after` for the page behind it."""

    products: list[Summary]
    next: str | None


class CatalogueState(_Answer):
    """Whether another catalogue shows the product as it is.

    `waiting`: it has not been told of the version yet; `failed`: it could not be told, and `error` says why. `version`
    is the last one it was told of, or was to be.
    """

    state: Literal["waiting", "published", "failed"]
    publisher: str = Field(examples=["openmetadata"])
    version: str | None
    at: datetime | None
    tries: int
    error: str | None


class ProductAnswer(_Answer):
    """A product: its metadata, tables with their schemas, files components, version and databases.

    `catalogue` is null where the service tells no other catalogue.
    """

    name: str
    version: str
    metadata: dict[str, Any]
    tables: dict[str, Any]
    files: dict[str, Any]
    databases: list[Database]
    legal_hold: dict[str, str] | None
    catalogue: CatalogueState | None
    creation_date: datetime
    last_updated: datetime


class VersionEntry(_Answer):
    """A version: when, by whom and how it came about."""

    version: str
    created: datetime
    actor: str
    action: str
    changes: dict[str, Any]


class VersionPage(_Answer):
    """A page of versions, the newest first."""

    versions: list[VersionEntry]
    next: str | None


class VersionDetail(VersionEntry):
    """A version with its whole spec."""

    spec: dict[str, Any]


class LoadAnswer(_Answer):
    """A load: how far it has come, what it holds, and what was wrong."""

    load: str = Field(examples=["spend/v1/payments/20260131T235959Z"])
    load_timestamp: str
    status: str
    actor: str
    source_name: str
    bytes: int | None
    rows_read: int | None
    rows_written: int | None
    schema_version: str | None
    content_hash: str | None
    engine: dict[str, Any] | None
    curated_by: dict[str, Any] | None
    timings: dict[str, float]
    reached: dict[str, datetime]
    errors: dict[str, Any] | None
    carried_from: str | None
    rebuilt: datetime | None


class LoadPage(_Answer):
    """A page of loads, the newest first."""

    loads: list[LoadAnswer]
    next: str | None


class ErrorReport(_Answer):
    """What was wrong with a file: errors with line, column, value and what was expected; all are counted."""

    load: str
    file: str
    total: int
    kept: int
    by_code: dict[str, int]
    errors: list[dict[str, Any]]


class Form(BaseModel):
    """An S3 presigned POST: send `fields`, and then the file as `file`, to `url`."""

    url: str
    fields: dict[str, str]


class UploadAnswer(BaseModel):
    """The form, and the id by which to ask what became of the file."""

    form: Form = Field(serialization_alias="URL")
    upload_id: str = Field(serialization_alias="uploadId")


class PartsAnswer(_Answer):
    """Where to PUT each part, in order; every part but the last has `part_bytes`."""

    upload_id: str
    handle: str
    part_bytes: int
    urls: list[str]


class UploadStatus(_Answer):
    """What became of an upload: `waiting` for its file, `gone`, or the status of its load."""

    upload_id: str
    status: str
    load: LoadAnswer | None


class Refused(_Answer):
    """An upload that a proposed schema would refuse, and its first errors."""

    load: str
    source_name: str
    total: int
    by_code: dict[str, int]
    errors: list[dict[str, Any]]


class RehearsalAnswer(_Answer):
    """How many uploads a proposed schema would refuse, and which."""

    message: str = Field(examples=["3 of 41 uploads would be refused"])
    uploads: int
    refused: list[Refused]


class RebuiltLoad(_Answer):
    """A snapshot that was made anew from raw; with an `error` it stays as it was."""

    load: str
    rows: int
    was_missing: bool
    error: str | None


class ReloadAnswer(_Answer):
    """What a reload made anew."""

    loads: list[RebuiltLoad]


class MendedThing(_Answer):
    """What a resync found, and why it could not be mended (null: it was)."""

    found: Found
    what: str
    error: str | None


class ResyncAnswer(_Answer):
    """What a resync found."""

    mended: list[MendedThing]


class ExpiredLoad(_Answer):
    """A load that is older than the retention period."""

    load: str
    source_name: str
    days: int


class RetentionAnswer(_Answer):
    """What retention deleted, or would delete."""

    dry_run: bool
    legal_hold: bool
    expired: list[ExpiredLoad]


class Health(_Answer):
    """Whether the service can do its work."""

    status: Literal["ok"]
    version: str


def describe_catalogue(registered: Registered, publisher: str, push: Push | None) -> CatalogueState:
    """What another catalogue shows of a product, as an answer."""
    if push is None:
        return CatalogueState(state="waiting", publisher=publisher, version=None, at=None, tries=0, error=None)
    state: Literal["waiting", "published", "failed"] = "waiting"
    if push.shows(registered, publisher):
        state = "published"
    elif push.state == "failed" and push.updated == registered.updated:
        state = "failed"
    return CatalogueState(
        state=state, publisher=publisher, version=push.version, at=push.at, tries=push.tries, error=push.error
    )


def describe_product(registered: Registered, catalogue: CatalogueState | None = None) -> ProductAnswer:
    """A product as an answer."""
    product, spec = registered.product, registered.product.dump()
    name = product.name
    return ProductAnswer(
        name=name, version=str(registered.version),
        metadata={key: value for key, value in spec.items() if key not in ("tables", "files")},
        tables=spec.get("tables", {}), files=spec.get("files", {}),
        databases=[
            Database(name=f"{name}_v{version.major}", version=str(version), current=version == registered.version)
            for version in (*registered.lasts, registered.version)
        ],
        legal_hold=registered.legal_hold.dump() if registered.legal_hold else None, catalogue=catalogue,
        creation_date=registered.created, last_updated=registered.updated,
    )  # fmt: skip


def summarise_product(registered: Registered) -> Summary:
    """A product as it stands in a list."""
    product = registered.product
    return Summary(
        name=product.name, version=str(registered.version), description=product.description, domain=product.domain,
        status=product.status, owner=product.data_product_owner,
        owner_display_name=product.data_product_owner_display_name, tables=list(product.tables),
        files=list(product.files), tags=product.tags, last_updated=registered.updated,
    )  # fmt: skip


def describe_version(registered: Registered) -> VersionEntry:
    """A version in a list."""
    change = registered.change
    return VersionEntry(
        version=str(registered.version), created=registered.updated, actor=change.actor, action=change.action,
        changes=change.details,
    )  # fmt: skip


def describe_load(receipt: Receipt) -> LoadAnswer:
    """A load as an answer."""
    errors = receipt.errors
    return LoadAnswer(
        load=str(receipt.load), load_timestamp=receipt.load_timestamp, status=receipt.status, actor=receipt.actor,
        source_name=receipt.source_name, bytes=receipt.bytes, rows_read=receipt.rows_read,
        rows_written=receipt.rows_written, schema_version=receipt.schema_version, content_hash=receipt.content_hash,
        engine=receipt.engine.model_dump(mode="json") if receipt.engine else None,
        curated_by=receipt.curated_by.model_dump(mode="json") if receipt.curated_by else None, timings=receipt.timings,
        reached={str(status): moment for status, moment in receipt.reached.items()},
        errors={"total": errors.total, "byCode": errors.by_code, "first": errors.first} if errors else None,
        carried_from=receipt.carried_from, rebuilt=receipt.rebuilt,
    )  # fmt: skip


def describe_rebuilt(rebuilt: Rebuilt) -> RebuiltLoad:
    """A rebuilt snapshot as an answer."""
    return RebuiltLoad(load=str(rebuilt.load), rows=rebuilt.rows, was_missing=rebuilt.was_missing, error=rebuilt.error)


def describe_mended(mended: Mended) -> MendedThing:
    """A mended thing as an answer."""
    return MendedThing(found=mended.found, what=mended.what, error=mended.error)


def describe_expired(expired: Expired) -> ExpiredLoad:
    """An expired load as an answer."""
    return ExpiredLoad(load=str(expired.load), source_name=expired.source_name, days=expired.days)

"""What daap says of a product, as the bodies of OpenMetadata's requests.

service `daap` > database `{product}` > schema `{product}_v{major}` > table. Source of the fields: the JSON schemas
at https://github.com/open-metadata/OpenMetadata/tree/main/openmetadata-spec (api/data, api/domains, ...)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from daap.model.names import LOAD_TIMESTAMP
from daap.model.product import Metadata
from daap.model.table import Column, TableSchema
from daap.model.types import ColumnType, Kind
from daap.ports.publisher import Publication, PublishedDatabase
from daap.publishers.openmetadata.names import join_names, make_name

Entity = dict[str, Any]

SERVICE = "daap"
CLASSIFICATION = "daap"
"""The classification that holds the tags of products."""

PERSONAL = "PII.Sensitive"
"""OpenMetadata's own tag for personal data."""

_TYPES: dict[Kind, str] = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INT", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "decimal": "DECIMAL", "string": "STRING", "varchar": "VARCHAR",
    "char": "CHAR", "date": "DATE", "timestamp": "TIMESTAMP",
}  # fmt: skip


def make_service(service_type: str) -> Entity:
    """The service that everything of daap lies in: `Athena`, or `CustomDatabase` where that is not what answers SQL."""
    described = "Data products of daap. What lies below is kept by it, and changed with the products alone."
    return {"name": SERVICE, "displayName": "Data products", "serviceType": service_type, "description": described}


def make_domain(metadata: Metadata) -> Entity:
    """The product's domain, for where there is none yet."""
    name = make_name(metadata.domain)
    return {"name": name, "domainType": "Source-aligned", "description": f"Data products of the domain {name}"}


def make_classification() -> Entity:
    """What the tags of products are kept in."""
    return {"name": CLASSIFICATION, "description": "Tags that owners give their data products in daap"}


def name_tags(metadata: Metadata) -> list[str]:
    """The product's tags as names: `key: value`, or `key` alone."""
    return sorted({make_name(f"{key}: {value}" if value.strip() else key) for key, value in metadata.tags.items()})


def make_tag(name: str) -> Entity:
    """A tag of products."""
    return {"classification": CLASSIFICATION, "name": name, "description": f"Products tagged {name}"}


def label(fqn: str) -> Entity:
    """A tag as it is put on something."""
    return {"tagFQN": fqn, "source": "Classification", "labelType": "Automated", "state": "Confirmed"}


def make_data_product(publication: Publication, shared: Entity) -> Entity:
    """The product itself."""
    product = publication.product
    named = {"name": product.name, "displayName": product.name, "description": describe_product(publication)}
    return named | {key: shared[key] for key in ("owners", "domains", "tags")}


def make_database(publication: Publication, shared: Entity) -> Entity:
    """The database that holds the product's major versions."""
    product = publication.product
    named = {"name": product.name, "displayName": product.name, "service": SERVICE}
    return named | {"description": describe_product(publication), **_keep(product)} | shared


def make_schema(publication: Publication, database: PublishedDatabase, shared: Entity) -> Entity:
    """A major version."""
    product = publication.product
    state = "the current version" if database.is_current else "an earlier major version"
    described = f"{product.name} {database.version}, {state}.\n\n{product.description}"
    return {
        "name": database.name, "displayName": f"{product.name} {database.version}", "description": described,
        "database": join_names(SERVICE, product.name), **_keep(product), **shared,
    }  # fmt: skip


def make_table(publication: Publication, database: PublishedDatabase, table: str, shared: Entity) -> Entity:
    """A table with its columns; the load timestamp, which daap adds, is the last of them."""
    product, schema = publication.product, database.tables[table]
    return {
        "name": table, "displayName": table, "tableType": "External", "fileFormat": "parquet",
        "description": f"{schema.table_description}\n\nThe view `{table}_latest` shows its newest snapshot.",
        "databaseSchema": join_names(SERVICE, product.name, database.name),
        "columns": list(make_columns(schema)),
        "tablePartition": {"columns": [{"columnName": LOAD_TIMESTAMP, "intervalType": "COLUMN-VALUE"}]},
        **_keep(product), **shared,
    }  # fmt: skip


def make_columns(schema: TableSchema) -> Iterable[Entity]:
    """The columns of a table, in order."""
    for place, column in enumerate(schema.columns, 1):
        yield _make_column(column, place)
    yield {
        "name": LOAD_TIMESTAMP, "dataType": "STRING", "dataTypeDisplay": "string", "constraint": "NOT_NULL",
        "description": "When the snapshot was loaded (UTC), added by daap", "ordinalPosition": len(schema.columns) + 1,
    }  # fmt: skip


def _make_column(column: Column, place: int) -> Entity:
    found = {
        "name": column.name, **_make_type(column.type), "description": column.description, "ordinalPosition": place,
        "constraint": "NOT_NULL" if column.required else "NULL", "tags": [label(PERSONAL)] if column.personal else [],
    }  # fmt: skip
    return {key: value for key, value in found.items() if value != ""}


def _make_type(type_: ColumnType) -> Entity:
    found: Entity = {"dataType": _TYPES[type_.kind], "dataTypeDisplay": str(type_)}
    if type_.kind == "decimal":
        return found | {"precision": type_.precision, "scale": type_.scale}
    return found | ({"dataLength": type_.length} if type_.length else {})


def describe_product(publication: Publication) -> str:
    """What a person reads of a product, as Markdown."""
    product = publication.product
    maintainer = product.data_product_maintainer_display_name or product.data_product_maintainer
    facts = [
        f"Version: {publication.version}", f"Status: {product.status}",
        f"Owner: {product.data_product_owner_display_name} ({product.data_product_owner})",
        *([f"Maintainer: {maintainer}"] if maintainer else []),
        f"Contact: {product.email}", f"Domain: {product.domain}", f"Kept for {product.retention_period} days",
        f"DPIA: {_describe_dpia(product)}", *_describe_files(publication),
    ]  # fmt: skip
    return "\n".join((product.description, "", *(f"- {fact}" for fact in facts)))


def _describe_dpia(metadata: Metadata) -> str:
    if not metadata.dpia_required:
        return "not required"
    return f"required ({metadata.dpia_location})" if metadata.dpia_location else "required"


def _describe_files(publication: Publication) -> Sequence[str]:
    return [f"Files {name}: {files.description}" for name, files in publication.product.files.items()]


def _keep(metadata: Metadata) -> Entity:
    """How long the data are kept. Source: https://en.wikipedia.org/wiki/ISO_8601#Durations"""
    return {"retentionPeriod": f"P{metadata.retention_period}D"}

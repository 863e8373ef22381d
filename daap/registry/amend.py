"""Products with a change made to them; nothing is stored here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daap.errors import InvalidChange, InvalidSpec, NotRegistered, SpecProblem, TableExists
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.registry.spec import build_product

AMENDABLE = (
    "description", "email", "dataProductOwner", "dataProductOwnerDisplayName", "dataProductMaintainer",
    "dataProductMaintainerDisplayName", "domain", "status", "dpiaRequired", "retentionPeriod", "tags",
)  # fmt: skip
"""The metadata that may change within a product's life."""


def amend_metadata(product: Product, fields: object) -> Product:
    """The product with some metadata fields replaced; a field given as null goes back to its default.

    Fields that keep their value may be given too. Raises InvalidSpec for wrong values, InvalidChange for a
    field that may not change, or if nothing does.
    """
    if not isinstance(fields, Mapping):
        raise InvalidSpec([SpecProblem("metadata", "is a mapping of fields: description, email, ...")])
    if fixed := sorted({"tables", "files"} & fields.keys()):
        raise InvalidChange(f"{fixed[0]} is no metadata: tables are changed by their schema")
    spec = product.dump()
    merged = {key: value for key, value in {**spec, **fields}.items() if value is not None}
    amended = build_product(merged)
    after = amended.dump()
    changed = sorted(field for field in spec.keys() | after.keys() if spec.get(field) != after.get(field))
    if wrong := [field for field in changed if field not in AMENDABLE]:
        raise InvalidChange(f"{', '.join(wrong)} may not change; what may: {', '.join(AMENDABLE)}")
    if not changed:
        raise InvalidChange(f"nothing changes: {product.name} has these values already")
    return amended


def insert_table(product: Product, table: str, schema: TableSchema) -> Product:
    """The product with a new table; raises TableExists, or InvalidSpec if the name clashes with another."""
    if table in product.tables:
        raise TableExists(f"{product.name} has a table {table} already; change its schema by PUT")
    return _with_tables(product, {**product.tables, table: schema})


def replace_schema(product: Product, table: str, schema: TableSchema) -> Product:
    """The product with another schema for a table; raises NotRegistered."""
    find_table(product, table)
    return _with_tables(product, {**product.tables, table: schema})


def drop_table(product: Product, table: str) -> Product:
    """The product without a table; raises NotRegistered."""
    find_table(product, table)
    return _with_tables(product, {name: kept for name, kept in product.tables.items() if name != table})


def find_table(product: Product, table: str) -> TableSchema:
    """The schema of a table; raises NotRegistered."""
    if table not in product.tables:
        known = ", ".join(product.tables) or "none"
        raise NotRegistered(f"product {product.name} has no table {table}; it has {known}")
    return product.tables[table]


def _with_tables(product: Product, tables: Mapping[str, TableSchema]) -> Product:
    spec: dict[str, Any] = product.dump()
    return build_product({**spec, "tables": {name: schema.dump() for name, schema in tables.items()}})

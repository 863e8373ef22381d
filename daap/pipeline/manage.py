"""What an owner does to a product as a whole: registering, amending, adding a table, legal hold; each is logged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from daap.errors import AlreadyRegistered, VersionConflict
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.pipeline.audit import audited
from daap.pipeline.lake import Lake
from daap.pipeline.remove import finish_removals
from daap.registry.amend import amend_metadata
from daap.registry.changes import changed_fields
from daap.registry.heads import Change, LegalHold, Registered


def register_product(lake: Lake, product: Product, actor: str) -> Registered:
    """Registers a new product as v1.0; raises AlreadyRegistered for a name that is taken, by the same spec too."""
    with audited(lake.store, lake.console, product=product.name, actor=actor) as trail:
        registered, new = lake.registry.register(product, actor)
        if not new:
            raise AlreadyRegistered(f"{product.name} is registered already; it is {registered.version}")
        trail.info("registered", f"{product.name} {registered.version}", schemaVersion=str(registered.version))
    return registered


def amend_product(lake: Lake, product: str, fields: object, actor: str) -> Registered:
    """Changes metadata as the next minor version; raises as amend_metadata, NotRegistered and VersionConflict."""
    with audited(lake.store, lake.console, product=product, actor=actor) as trail:
        head = lake.registry.read(product)
        before, after = head.registered.product, amend_metadata(head.registered.product, fields)
        changed = list(changed_fields(before.metadata, after.metadata))
        registered = lake.registry.amend(head, after, Change("metadata changed", actor, {"metadata": changed}))
        trail.info("amended", f"{', '.join(changed)} changed", schemaVersion=str(registered.version))
    return registered


def create_table(lake: Lake, product: str, table: str, schema: TableSchema, actor: str) -> Registered:
    """Adds a table; raises as Registry.add_table."""
    with audited(lake.store, lake.console, product=product, table=table, actor=actor) as trail:
        finish_removals(lake, lake.registry.get(product))  # a table of this name may have been removed just now
        registered = lake.registry.add_table(product, table, schema, actor)
        trail.info("registered", f"table {table}: {product} is {registered.version}")
    return registered


def set_hold(lake: Lake, product: str, reason: str | None, actor: str) -> Registered:
    """Places a product under legal hold, or lifts it where no `reason` is given; raises NotRegistered.

    While it holds, neither retention nor anyone else deletes anything of the product. No new version is made.
    """
    with audited(lake.store, lake.console, product=product, actor=actor) as trail:
        hold = LegalHold(reason, actor, datetime.now(UTC)) if reason else None
        while True:
            head = lake.registry.read(product)
            try:
                held = lake.registry.replace_head(head, replace(head.registered, legal_hold=hold)).registered
            except VersionConflict:
                continue
            trail.info("held" if hold else "released", f"legal hold: {reason}" if hold else "legal hold lifted")
            return held

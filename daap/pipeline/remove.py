"""Deleting tables and products. A mark in the head comes first, so that what is cut short can be gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from daap.errors import InvalidChange, UnderLegalHold, VersionConflict
from daap.model.keys import ZONES, head_key, records_prefix, table_prefix
from daap.model.loads import TableRef
from daap.pipeline.audit import EVENTS, audited
from daap.pipeline.claims import drop_claim, open_claims
from daap.pipeline.evolve import Evolved, begin_major, held_tables
from daap.pipeline.lake import Lake
from daap.pipeline.sweep import sweep_prefix
from daap.registry.amend import drop_table
from daap.registry.changes import SchemaChange
from daap.registry.heads import Change, Registered
from daap.registry.products import Head


def remove_table(lake: Lake, product: str, table: str, actor: str) -> Evolved:
    """Removes a table with all its data, of every version: the next major version goes without it.

    Raises NotRegistered, InvalidChange for a table the product does not have, UnderLegalHold, VersionConflict.
    """
    with audited(lake.store, lake.console, product=product, table=table, actor=actor) as trail:
        head = lake.registry.read(product)
        found = head.registered
        check_hold(found)
        if table not in found.product.tables:
            raise InvalidChange(f"product {product} has no table {table}; it has {', '.join(found.product.tables)}")
        amended = drop_table(found.product, table)
        made = Change("table removed", actor, {"tables_removed": [table]})
        evolved = begin_major(lake, head, amended, made, SchemaChange(), removing=(table,))
        finish_removals(lake, evolved.registered)
        trail.info("removed", f"table {table} and its data; {product} is {evolved.registered.version} now")
    return evolved


def finish_removals(lake: Lake, registered: Registered) -> None:
    """Deletes the data of tables that are being removed; may be called at any time."""
    product = registered.product.name
    for table in registered.removing:
        with lake.hold(f"{product}/{table}", wait=True):
            found = lake.registry.read(product).registered
            if table in found.removing and found.legal_hold is None:
                _sweep_removed(lake, found, table)
                _unmark_removed(lake, product, table)


def _sweep_removed(lake: Lake, registered: Registered, table: str) -> None:
    product = registered.product.name
    for version in registered.lasts:  # the table is not in the current major, nor may it come before this is done
        _sweep_table(lake, TableRef(product, version.major, table))
    sweep_prefix(lake.store, f"landing/{product}/{table}/")
    _drop_claims(lake, product, table)


def _unmark_removed(lake: Lake, product: str, table: str) -> None:
    while True:
        head = lake.registry.read(product)
        left = tuple(name for name in head.registered.removing if name != table)
        try:
            lake.registry.replace_head(head, replace(head.registered, removing=left))
        except VersionConflict:
            continue
        return


def _sweep_table(lake: Lake, ref: TableRef) -> None:
    lake.catalogue.drop_table(ref)
    for zone in ("landing", "raw", "fail", "curated"):
        sweep_prefix(lake.store, table_prefix(zone, ref))
    sweep_prefix(lake.store, f"metadata/load-receipts/{ref}/")
    lake.store.delete(f"metadata/load-clocks/{ref}.json")


def _drop_claims(lake: Lake, product: str, table: str | None = None) -> None:
    for claim in list(open_claims(lake.store)):
        if claim.product == product and table in (None, claim.table):
            drop_claim(lake.store, claim.file_id)


def check_hold(registered: Registered) -> None:
    """Raises UnderLegalHold if nothing of the product may be deleted."""
    if hold := registered.legal_hold:
        raise UnderLegalHold(
            f"{registered.product.name} is under legal hold since {hold.since:%Y-%m-%d} ({hold.reason}); "
            "nothing of it may be deleted until that is lifted"
        )


def delete_product(lake: Lake, product: str, actor: str) -> None:
    """Deletes a product with everything that belongs to it but the audit log.

    From the first moment it is not registered any more; called again, it goes on where it was cut
    short. Raises NotRegistered, UnderLegalHold, VersionConflict.
    """
    with audited(lake.store, lake.console, product=product, actor=actor) as trail:
        head = lake.registry.read_any(product)
        check_hold(head.registered)
        with held_tables(lake, head.registered), lake.registry.hold(product):
            _sweep_product(lake, _mark_deleting(lake, head))
        trail.info("deleted", f"product {product} {head.registered.version} with all its data")


def _mark_deleting(lake: Lake, head: Head) -> Head:
    if not head.registered.deleting:
        return lake.registry.replace_head(head, replace(head.registered, deleting=True))
    now = lake.registry.read_any(head.registered.product.name)
    if not now.registered.deleting:  # another process has deleted it, and it was registered again
        raise VersionConflict(now.registered.product.name, str(now.registered.version))
    return now


def _sweep_product(lake: Lake, head: Head) -> None:
    product = head.registered.product.name
    for ref in lake.registry.refs(head.registered):
        lake.catalogue.drop_table(ref)
    _drop_claims(lake, product)
    for prefix in _prefixes(product):
        sweep_prefix(lake.store, prefix)
    lake.store.delete(head_key(product))


def _prefixes(product: str) -> Iterator[str]:
    """Where a product has objects; all but its head."""
    yield from (f"{zone}/{product}/" for zone in ZONES if not EVENTS.startswith(f"{zone}/"))
    yield f"metadata/load-receipts/{product}/"
    yield f"metadata/load-clocks/{product}/"
    yield records_prefix(product)

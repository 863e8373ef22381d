"""Changing a table's schema. What is not compatible makes a new major version, whose tables start from the old ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from daap.errors import EngineFailed, InvalidChange, ObjectMissing, UnknownLoad
from daap.model.loads import EngineNote, LoadId, LoadStatus, Receipt, TableRef, parse_load
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.pipeline.audit import audited
from daap.pipeline.lake import Lake
from daap.pipeline.rebuild import Reading, find_origin, note_writer, plan_carry, rebuild_load
from daap.pipeline.whereabouts import exists
from daap.registry.amend import find_table, replace_schema
from daap.registry.changes import Increment, SchemaChange, compare_schemas
from daap.registry.heads import Change, Registered
from daap.registry.products import Head


@dataclass(frozen=True, slots=True)
class Evolved:
    """A product after a change: which step its version took, what changed, and the tables of a new major version.

    `carried` are the loads that its tables start from; `empty` the tables that start without rows,
    each with the reason.
    """

    registered: Registered
    increment: Increment
    change: SchemaChange
    carried: dict[str, str] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)


def change_schema(lake: Lake, product: str, table: str, schema: TableSchema, actor: str) -> Evolved:
    """Gives a table another schema, as the next minor or major version.

    Raises NotRegistered, InvalidChange if nothing changes or the newest snapshot does not fit,
    VersionConflict if another change came first.
    """
    with audited(lake.store, lake.console, product=product, table=table, actor=actor) as trail:
        head = lake.registry.read(product)
        found = head.registered
        change = compare_schemas(find_table(found.product, table), schema)
        if change.is_empty:
            raise InvalidChange(f"nothing changes: {product}.{table} has this schema already")
        amended = replace_schema(found.product, table, schema)
        made = Change("schema changed", actor, {table: change.dump()})
        if change.increment == "minor":
            evolved = Evolved(lake.registry.amend(head, amended, made), "minor", change)
        else:
            evolved = begin_major(lake, head, amended, made, change)
        trail.info(
            "amended", f"{change.increment} change: {evolved.registered.version}", schemaVersion=str(found.version)
        )
    return evolved


def begin_major(
    lake: Lake, head: Head, product: Product, made: Change, change: SchemaChange, removing: tuple[str, ...] = ()
) -> Evolved:
    """Makes `product` the next major version, its tables carried over from the newest snapshots."""
    found = head.registered
    with held_tables(lake, found):
        with suppress(ObjectMissing, EngineFailed):  # a raw file that is gone or damaged stands in nobody's way
            finish_carries(lake, found)  # a change before this one may have been cut short
        amended = replace(
            found, product=product, version=found.version.next_major, updated=datetime.now(UTC), change=made,
            lasts=(*found.lasts, found.version), carried={}, removing=(*found.removing, *removing),
        )  # fmt: skip
        carried, empty = _plan_tables(lake, found, amended)
        amended = lake.registry.commit(head, replace(amended, carried=carried))
        finish_carries(lake, amended)
    return Evolved(amended, "major", change, carried, empty)


@contextmanager
def held_tables(lake: Lake, registered: Registered) -> Iterator[None]:
    """Keeps loads of all tables of a product waiting, so that the newest snapshot stays the newest."""
    with ExitStack() as held:
        for table in sorted({*registered.product.tables, *registered.product.files}):
            held.enter_context(lake.hold(f"{registered.product.name}/{table}", wait=True))
        yield


def _plan_tables(lake: Lake, found: Registered, amended: Registered) -> tuple[dict[str, str], dict[str, str]]:
    """Which loads the tables of a new major version start from, and which tables start empty and why."""
    carried, empty = {}, {}
    for table, schema in amended.product.tables.items():
        if table not in found.product.tables:
            continue
        origin = newest_origin(lake, found.ref(table))
        if origin is None:
            empty[table] = "it has no snapshot yet"
            continue
        reading = plan_carry(origin, schema, amended.version.major, lake)
        if not exists(lake.store, reading.key):
            empty[table] = "the raw file of its newest snapshot is gone"
        elif reading.missing:
            empty[table] = f"the newest snapshot has no values for {', '.join(reading.missing)}, which may not be NULL"
        else:
            _check_carry(lake, origin, reading)
            carried[table] = str(origin.load)
    return carried, empty


def newest_origin(lake: Lake, ref: TableRef) -> Receipt | None:
    """The receipt of the load that brought the newest snapshot of a table; None if there is none."""
    stamps = lake.catalogue.snapshots(ref)
    return find_origin(lake.ledger.get(LoadId(ref, stamps[-1])), lake) if stamps else None


def _check_carry(lake: Lake, origin: Receipt, reading: Reading) -> None:
    if reading.is_sure:
        return
    verdict = lake.engine.check(lake.source(reading.key), reading.judged, lake.progress)
    if not verdict.accepted:
        number = "1 value does not fit" if verdict.total == 1 else f"{verdict.total} values do not fit"
        raise InvalidChange(
            f"the newest snapshot ({origin.load}, {origin.source_name}) cannot be carried into the new schema: "
            f"{number}; first {verdict.errors[0]}",
            verdict.errors,
        )


def finish_carries(lake: Lake, registered: Registered) -> list[LoadId]:
    """Makes the first snapshots of a major version that are not there yet; may be called at any time."""
    pending = list(pending_carries(lake, registered))
    for load, origin in pending:
        carry_load(lake, load, origin)
    return [load for load, _ in pending]


def pending_carries(lake: Lake, registered: Registered) -> Iterator[tuple[LoadId, Receipt]]:
    """The first snapshots of a major version that are not there yet, each with the load that it is made from."""
    for table, origin in registered.carried.items():
        load = LoadId(registered.ref(table), parse_load(origin).stamp)
        if _find_receipt(lake, load) is None:
            receipt = _find_receipt(lake, parse_load(origin))
            if receipt and receipt.status is not LoadStatus.EXPIRED:
                yield load, receipt


def _find_receipt(lake: Lake, load: LoadId) -> Receipt | None:
    try:
        return lake.ledger.get(load)
    except UnknownLoad:
        return None


def carry_load(lake: Lake, load: LoadId, origin: Receipt) -> None:
    """Makes the first snapshot of a table in a major version; raises EngineFailed if its rows are not the same."""
    # The first version of this major: a later minor one may have added columns since.
    first = f"v{load.ref.major}.0"
    carried = origin.model_copy(update={
        "major": load.ref.major, "schema_version": first, "carried_from": str(origin.load), "timings": {},
        "output_files": (), "reached": {}, "rebuilt": None, "status": LoadStatus.CURATED,
        "engine": EngineNote(name=lake.engine.name, version=lake.engine.version),
    })  # fmt: skip
    written = rebuild_load(carried, lake)
    if written.rows != origin.rows_read:
        lake.catalogue.discard(load)
        raise EngineFailed(f"{origin.load} has {origin.rows_read} rows, but {written.rows} would be carried")
    outputs = lake.catalogue.publish(load, written)
    made = {"output_files": outputs, "rows_written": written.rows, "curated_by": note_writer(written)}
    lake.ledger.open(carried.model_copy(update=made))
    lake.catalogue.discard(load)
    ref = load.ref
    with audited(lake.store, lake.console, load=str(load), product=ref.product, table=ref.table) as trail:
        trail.info("carried", f"{written.rows} rows carried from {origin.load}", rows=written.rows)

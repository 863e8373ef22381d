"""Reload: curated is made anew from raw, snapshot by snapshot, while readers go on reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from daap.errors import EngineFailed, ObjectMissing, UnknownLoad
from daap.model.loads import EngineNote, LoadId, LoadStatus, Receipt, TableRef
from daap.pipeline.audit import audited
from daap.pipeline.lake import Lake
from daap.pipeline.rebuild import note_writer, rebuild_load


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A snapshot that was made anew; `was_missing` if curated had lost it; `error` if it stays as it was, and why."""

    load: LoadId
    rows: int
    was_missing: bool
    error: str | None = None


def select_tables(lake: Lake, product: str, table: str | None = None) -> list[TableRef]:
    """The tables of a product in all its major versions, or one of them; raises NotRegistered."""
    registered = lake.registry.get(product)
    if table:
        registered.schema(table)
    return [ref for ref in lake.registry.refs(registered) if table in (None, ref.table)]


def reload_tables(lake: Lake, refs: list[TableRef], actor: str, after: LoadId | None = None) -> Iterator[Rebuilt]:
    """Makes the snapshots of tables anew from raw, the oldest first, or those behind `after`; tells each as it is done.

    One that cannot be made anew, or would have other rows than before, stays as it is and is told with its error.
    """
    for ref in sorted(refs):
        visible = set(lake.catalogue.snapshots(ref))
        for stamp in lake.ledger.stamps(ref):
            load = LoadId(ref, stamp)
            if after and load <= after:
                continue
            was_missing = stamp not in visible
            try:
                rebuilt = reload_load(lake, load, actor, was_missing=was_missing)
            except (EngineFailed, ObjectMissing, UnknownLoad) as error:
                rebuilt = Rebuilt(load, 0, was_missing, str(error))
            if rebuilt:
                yield rebuilt


def reload_load(lake: Lake, load: LoadId, actor: str, *, was_missing: bool) -> Rebuilt | None:
    """Makes one published snapshot anew; None if the load has none to make.

    Raises EngineFailed if it would have other rows than before, ObjectMissing if its raw file is gone.
    """
    ref = load.ref
    with (
        lake.hold(f"{ref.product}/{ref.table}", wait=True),
        audited(lake.store, lake.console, load=str(load), product=ref.product, table=ref.table, actor=actor) as trail,
    ):
        receipt = lake.ledger.get(load)
        if receipt.status is not LoadStatus.CURATED:  # retention may have come first
            return None
        rows = _replace_snapshot(lake, receipt)
        trail.info("reloaded", f"{rows} rows made anew from raw", rows=rows)
    return Rebuilt(load, rows, was_missing)


def _replace_snapshot(lake: Lake, receipt: Receipt) -> int:
    written = rebuild_load(receipt, lake)
    if written.rows != receipt.rows_written:
        lake.catalogue.discard(receipt.load)
        raise EngineFailed(
            f"{receipt.load} had {receipt.rows_written} rows, but {written.rows} come from raw; it stays as it is"
        )
    outputs = lake.catalogue.replace(receipt.load, written)
    lake.ledger.amend(
        receipt.load, output_files=outputs, rebuilt=datetime.now(UTC),
        engine=EngineNote(name=lake.engine.name, version=lake.engine.version), curated_by=note_writer(written),
    )  # fmt: skip
    lake.catalogue.discard(receipt.load)
    return written.rows

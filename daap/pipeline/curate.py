"""Curating: an archived file becomes a published snapshot of Parquet."""

from __future__ import annotations

import time
from contextlib import suppress

from daap.errors import EngineFailed, NotRegistered, ObjectMissing, StoreUnavailable
from daap.model.events import FileArchived, LoadCurated, NothingToDo
from daap.model.loads import LoadId, LoadStatus
from daap.pipeline.audit import Trail
from daap.pipeline.lake import Lake
from daap.pipeline.rebuild import note_writer, raw_of, rebuild_load


def curate_file(event: FileArchived, lake: Lake, trail: Trail) -> LoadCurated | NothingToDo:
    """Publishes the snapshot of an archived file.

    Raises EngineFailed if not every row that was read was written, NotRegistered if the table is
    gone, StoreUnavailable where it cannot be done now. Nothing is published then.
    """
    try:
        return _publish(event, lake, trail)
    except (StoreUnavailable, EngineFailed, ObjectMissing):
        if lake.ledger.get(event.receipt.load).is_final:  # another worker was faster, and tidied up
            return NothingToDo(raw_of(event.receipt), event.receipt.load, event.receipt.file_id)
        raise


def _publish(event: FileArchived, lake: Lake, trail: Trail) -> LoadCurated | NothingToDo:
    receipt = lake.ledger.get(event.receipt.load)
    load = receipt.load
    if receipt.is_final:
        lake.catalogue.discard(load)
        return NothingToDo(raw_of(receipt), load, receipt.file_id)
    started = time.perf_counter()
    # The registration may have been cut short before the catalogue's entry.
    lake.registry.show_table(load.ref)
    written = event.staged or rebuild_load(receipt, lake)
    if written.rows != receipt.rows_read:
        lake.catalogue.discard(load)
        raise EngineFailed(f"{receipt.rows_read} rows were read but {written.rows} written; nothing is published")
    outputs = lake.catalogue.publish(load, written)
    seconds = round(time.perf_counter() - started, 6)
    curated = lake.ledger.advance(
        load, LoadStatus.CURATED, rows_written=sum(file.rows for file in outputs), output_files=outputs,
        timings={"curate": seconds}, curated_by=note_writer(written),
    )  # fmt: skip
    trail.info(
        "curated", f"published {curated.rows_written} rows", rows=curated.rows_written, seconds=seconds,
        schemaVersion=curated.schema_version,
    )  # fmt: skip
    _warn_if_late(load, lake, trail)
    lake.catalogue.discard(load)  # what earlier tries left
    return LoadCurated(curated)


def _warn_if_late(load: LoadId, lake: Lake, trail: Trail) -> None:
    """Where nothing keeps loads waiting, a new major version may have been made while this one was on its way."""
    with suppress(NotRegistered):
        version = lake.registry.get(load.ref.product).version
        if version.major > load.ref.major:
            trail.warn(
                "curated", f"published in v{load.ref.major} alone: it came too late to be carried into {version}. "
                "Upload the file again to have it there",
            )  # fmt: skip

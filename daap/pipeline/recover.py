"""Recovering a raw file whose receipt is lost or stayed behind: raw history is what counts."""

from __future__ import annotations

from daap.errors import EngineFailed
from daap.model.events import FileArchived
from daap.model.keys import Upload
from daap.model.loads import EngineNote, LoadStatus, Receipt
from daap.pipeline.audit import audited
from daap.pipeline.curate import curate_file
from daap.pipeline.lake import Lake
from daap.pipeline.rebuild import raw_of
from daap.pipeline.whereabouts import hash_object


def recover_load(lake: Lake, place: Upload, actor: str) -> bool:
    """Gives a raw file its receipt, by the latest schema of its major version, and publishes its snapshot.

    Tells whether there was anything to do. Raises EngineFailed if the file does not pass: it stays in
    raw, where nothing is ever refused.
    """
    ref = place.load.ref
    with (
        lake.hold(f"{ref.product}/{ref.table}", wait=True),
        audited(lake.store, lake.console, load=str(place.load), product=ref.product, table=ref.table) as trail,
    ):
        receipt = lake.ledger.open(_first_receipt(place, actor))
        if receipt.is_final:
            return False
        if ref.table in lake.registry.get(ref.product).product.files:
            _note_plain(lake, receipt)
            trail.info("archived", "found in raw without a receipt", key=raw_of(receipt))
            return True
        if receipt.status is not LoadStatus.ARCHIVED:
            receipt = _check_again(lake, receipt)
        curate_file(FileArchived(receipt), lake, trail)
    return True


def _note_plain(lake: Lake, receipt: Receipt) -> None:
    """Brings a file of a files component to its end."""
    key, version = raw_of(receipt), lake.registry.get(receipt.product).last_of(receipt.major)
    lake.ledger.advance(
        receipt.load, LoadStatus.ARCHIVED, kind="file", bytes=lake.store.stat(key).size,
        content_hash=hash_object(lake.store, key), schema_version=str(version),
    )  # fmt: skip


def _first_receipt(place: Upload, actor: str) -> Receipt:
    ref = place.load.ref
    return Receipt(
        product=ref.product, major=ref.major, table=ref.table, load_timestamp=place.load.stamp, file_id=place.file_id,
        status=LoadStatus.LANDED, actor=actor, source_name=f"{place.file_id}.{place.extension}",
        extension=place.extension,
    )  # fmt: skip


def _check_again(lake: Lake, receipt: Receipt) -> Receipt:
    load = receipt.load
    schema, version = lake.registry.schema_of(load.ref), lake.registry.get(load.ref.product).last_of(load.ref.major)
    verdict = lake.engine.check(lake.source(raw_of(receipt)), schema, lake.progress)
    if not verdict.accepted:
        raise EngineFailed(f"{raw_of(receipt)} does not pass {version}: {verdict.errors[0]}")
    lake.ledger.advance(
        load, LoadStatus.CHECKED, rows_read=verdict.rows, schema_version=str(version), bytes=verdict.size,
        content_hash=verdict.content_hash,
        engine=EngineNote(name=lake.engine.name, version=lake.engine.version, path=verdict.path),
    )  # fmt: skip
    return lake.ledger.advance(load, LoadStatus.ARCHIVED)

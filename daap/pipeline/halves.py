"""The two halves of ingest, where each has an event of its own: landing to raw, and raw to curated.

Nothing here holds anything: many workers may be at it, and events come more than once, late, and in any order.
A half that was cut short is gone on with by the retry of its event, or by a resync.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from daap.errors import Busy, InvalidName, UnknownLoad
from daap.model.events import FileArchived, FileLanded, Landed, NothingToDo, Outcome
from daap.model.keys import Drop, Upload, read_landing
from daap.model.loads import LoadStatus, Receipt
from daap.pipeline.audit import audited
from daap.pipeline.claims import Claim, drop_claim, find_claim, open_claims
from daap.pipeline.curate import curate_file
from daap.pipeline.ingest import resume_claim
from daap.pipeline.lake import Lake
from daap.pipeline.land import land_file
from daap.pipeline.recover import recover_load

LIFE = timedelta(minutes=15)
"""How long a worker can live; the longest that AWS lets a Lambda run."""

PATIENCE = 10.0
"""Seconds to wait for the worker that has just moved a file to raw, and still has to note it."""

_POLL_SECONDS = 0.2


def land_alone(event: FileLanded, lake: Lake) -> Outcome:
    """Takes a file from landing to raw or fail; what follows in raw is the other half's.

    Where an earlier try was cut short with the file moved on already, the load is brought to its end.
    Raises as land_file.
    """
    place = read_landing(event.key)
    if isinstance(place, Upload) and _is_others(event.key, place, lake):
        return NothingToDo(event.key)
    with audited(lake.store, lake.console) as trail:
        landed = land_file(event, lake, trail)
    if landed == NothingToDo(event.key) and (claim := _find_open(event.key, place, lake)):
        return resume_claim(claim, lake)
    if isinstance(landed, FileArchived) and landed.staged:
        lake.catalogue.discard(landed.receipt.load)  # the other half makes its own
    _end_claim(landed, lake)
    return landed


def _is_others(key: str, place: Upload, lake: Lake) -> bool:
    """Whether the file was put down elsewhere in landing, so that the event of that place is seen to it."""
    claim = find_claim(lake.store, place.file_id)
    return claim is not None and claim.key != key


def _find_open(key: str, place: Drop | Upload, lake: Lake) -> Claim | None:
    if isinstance(place, Upload):
        return find_claim(lake.store, place.file_id)
    return next((claim for claim in open_claims(lake.store) if claim.key == key), None)


def _end_claim(landed: Landed, lake: Lake) -> None:
    """A claim stays open until its load is done."""
    if isinstance(landed, FileArchived) and not landed.receipt.is_final:
        return
    file_id = landed.file_id if isinstance(landed, NothingToDo) else landed.receipt.file_id
    if file_id:
        drop_claim(lake.store, file_id)


def curate_alone(key: str, lake: Lake, actor: str, patience: float = PATIENCE) -> Outcome:
    """Publishes the snapshot of a file that has come to raw under `key`.

    Waits up to `patience` seconds for the first half to end. Raises Busy if that still works on the file,
    InvalidName if the key is not of raw's layout; else as curate_file.
    """
    place = _read_raw(key)
    receipt = _await_archived(place, lake, patience)
    if receipt is None or receipt.status in (LoadStatus.LANDED, LoadStatus.CHECKED):
        return _bring_on(key, place, receipt, lake, actor)
    if receipt.file_id != place.file_id or receipt.is_final:
        drop_claim(lake.store, place.file_id)
        return NothingToDo(key, place.load)
    ref = place.load.ref
    with audited(
        lake.store, lake.console, load=str(place.load), product=ref.product, table=ref.table, actor=receipt.actor
    ) as trail:
        outcome = curate_file(FileArchived(receipt), lake, trail)
    drop_claim(lake.store, place.file_id)
    return outcome


def _read_raw(key: str) -> Upload:
    zone, slash, rest = key.partition("/")
    place = read_landing(f"landing/{rest}") if zone == "raw" and slash else None
    if not isinstance(place, Upload):
        raise InvalidName(f"{key!r} is no file of raw history")
    return place


def _await_archived(place: Upload, lake: Lake, patience: float) -> Receipt | None:
    ends = time.monotonic() + patience
    while True:
        receipt = _find_receipt(place, lake)
        if receipt is not None and receipt.status not in (LoadStatus.LANDED, LoadStatus.CHECKED):
            return receipt
        if time.monotonic() > ends:
            return receipt
        time.sleep(_POLL_SECONDS)


def _find_receipt(place: Upload, lake: Lake) -> Receipt | None:
    try:
        return lake.ledger.get(place.load)
    except UnknownLoad:
        return None


def _bring_on(key: str, place: Upload, receipt: Receipt | None, lake: Lake, actor: str) -> Outcome:
    """Goes on with a load whose first half did not come to its end, once its worker cannot live any more."""
    claim = find_claim(lake.store, place.file_id)
    if claim and receipt and datetime.now(UTC) - max(receipt.reached.values()) < LIFE:
        raise Busy(f"{claim.load} is still on its way to raw; this is tried again")
    if claim:
        return resume_claim(claim, lake)
    recover_load(lake, place, actor)
    return NothingToDo(key, place.load)

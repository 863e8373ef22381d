"""Landing: a file is claimed, checked as a whole, and archived to raw history or to fail with its report.

Every step may be repeated: a restart, a second delivery of the event, or another worker finds how far
the file has come and goes on from there.
"""

from __future__ import annotations

from daap.errors import Busy, EngineFailed, ObjectMissing, StoreUnavailable, UnknownLoad
from daap.model.events import FileArchived, FileLanded, Landed, NothingToDo
from daap.model.loads import LoadStatus
from daap.pipeline.arrive import claim_arrival, may_yet_come, open_receipt
from daap.pipeline.audit import Trail
from daap.pipeline.claims import Claim
from daap.pipeline.judge import Job, judge_file
from daap.pipeline.lake import Lake

_TRIES = 5
_DONE = {LoadStatus.ARCHIVED, LoadStatus.CURATED, LoadStatus.FAILED}


def land_file(event: FileLanded, lake: Lake, trail: Trail) -> Landed:
    """Takes a file from landing to raw or fail.

    Raises InvalidName if the key is not of landing's layout, Busy if the file is still being written,
    StoreUnavailable or EngineFailed where it cannot be done now; the file is safe then.
    """
    try:
        claim = claim_arrival(event, lake)
    except ObjectMissing:
        return NothingToDo(event.key)
    return land_claim(claim, lake, trail) if claim else NothingToDo(event.key)


def land_claim(claim: Claim, lake: Lake, trail: Trail) -> Landed:
    """Goes on with a claimed file from where it is; raises as land_file."""
    before = _find_status(claim, lake)
    for _ in range(_TRIES):
        try:
            return _go_on(claim, lake, trail)
        except ObjectMissing:
            continue  # another worker has just moved the file: look again where it is
        except (StoreUnavailable, EngineFailed):
            # Another worker may have brought the load on meanwhile: then this one's trouble is none.
            if _find_status(claim, lake) in _DONE - {before}:
                return NothingToDo(claim.key, claim.load)
            raise
    raise Busy(f"another process works on {claim.load}")


def _go_on(claim: Claim, lake: Lake, trail: Trail) -> Landed:
    claim, receipt = open_receipt(claim, lake)
    trail.bind(load=str(claim.load), product=claim.product, table=claim.table, actor=claim.actor)
    if receipt is None:
        if may_yet_come(claim, lake):
            return NothingToDo(claim.key)
        trail.warn("landed", "the file was taken away before it was claimed; nothing was kept", key=claim.key)
        return NothingToDo(claim.key, file_id=claim.file_id)
    if receipt.is_final:
        trail.info(str(receipt.status), "the load had come to this before a restart", fileId=claim.file_id)
        return NothingToDo(claim.key, claim.load, claim.file_id)
    if receipt.status is LoadStatus.ARCHIVED:
        return FileArchived(receipt)
    return judge_file(Job(claim, receipt, lake, trail))


def _find_status(claim: Claim, lake: Lake) -> LoadStatus | None:
    """How far the load of a claim has come; None if it has no receipt yet."""
    try:
        receipt = lake.ledger.get(claim.load)
    except UnknownLoad:
        return None
    return receipt.status if receipt.file_id == claim.file_id else None

"""Landing: a file is claimed, checked as a whole, and archived to raw history or to fail with its report.

Every step may be repeated: a restart, a second delivery of the event, or another worker finds how far
the file has come and goes on from there.
"""

from __future__ import annotations

from daap.errors import Busy, EngineFailed, ObjectMissing, StoreUnavailable, UnknownLoad
from daap.model.events import FileArchived, FileLanded, Landed, NothingToDo
from daap.model.loads import LoadStatus, Receipt
from daap.pipeline.arrive import claim_arrival, give_up, open_receipt
from daap.pipeline.audit import Trail
from daap.pipeline.claims import Claim, drop_claim
from daap.pipeline.judge import Job, judge_file
from daap.pipeline.lake import Lake

_TRIES = 5


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
    for _ in range(_TRIES):
        try:
            return _go_on(claim, lake, trail)
        except ObjectMissing:
            continue  # another worker has just moved the file: look again where it is
        except (StoreUnavailable, EngineFailed):
            if _is_overtaken(claim, lake):
                return NothingToDo(claim.key, claim.load)
            raise
    raise Busy(f"another process works on {claim.load}")


def _go_on(claim: Claim, lake: Lake, trail: Trail) -> Landed:
    claim, receipt = open_receipt(claim, lake)
    trail.bind(load=str(claim.load), product=claim.product, table=claim.table, actor=claim.actor)
    if receipt is None:
        if give_up(claim, lake):
            trail.warn("landed", "the file was taken away before it was claimed; nothing was kept", key=claim.key)
        return NothingToDo(claim.key)
    if receipt.is_final:
        drop_claim(lake.store, claim)
        return NothingToDo(claim.key, claim.load)
    if receipt.status is LoadStatus.ARCHIVED:
        return FileArchived(receipt)
    return judge_file(Job(claim, receipt, lake, trail))


def _is_overtaken(claim: Claim, lake: Lake) -> bool:
    """Whether another worker has brought the load on meanwhile, so that this one's trouble is none."""
    try:
        receipt: Receipt = lake.ledger.get(claim.load)
    except UnknownLoad:
        return False
    return receipt.file_id == claim.file_id and (receipt.is_final or receipt.status is LoadStatus.ARCHIVED)

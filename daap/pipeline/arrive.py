"""Arrival: a file in landing is claimed for a load, gets its receipt, and is put in its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from daap.errors import NotRegistered, ObjectMissing, UnknownLoad
from daap.model.events import FileLanded
from daap.model.keys import Drop, Upload, claim_key, read_landing
from daap.model.loads import LoadStatus, Receipt, TableRef
from daap.model.versions import FIRST
from daap.pipeline.claims import Claim, claim_file, name_drop, restamp_claim
from daap.pipeline.lake import Lake
from daap.pipeline.whereabouts import find_file, have_same_content, move_once
from daap.ports.objects import ObjectInfo

_ANNOUNCED = timedelta(days=1)
"""How long an announced file may take to be put down."""


def claim_arrival(event: FileLanded, lake: Lake) -> Claim | None:
    """The claim of the file an event tells of; None if there is nothing to do.

    Raises ObjectMissing if the file is gone, InvalidName if it lies out of place.
    """
    place = read_landing(event.key)
    info = lake.store.stat(event.key)
    if isinstance(place, Upload) and (kept := _find_used(place, info, lake)):
        if have_same_content(lake.store, event.key, kept):
            lake.store.delete(event.key)  # the same upload again, of a file that is kept already
            return None
        # Another file under a used key: it becomes a load of its own.
        again = Drop(place.product, place.table, f"{place.file_id}.{place.extension}")
        return claim_file(lake.store, again, info, place.load.ref, event.actor)
    return claim_file(lake.store, place, info, _locate_table(place, lake), event.actor)


def _find_used(place: Upload, info: ObjectInfo, lake: Lake) -> str | None:
    """The key under which a file of this load and id is kept already."""
    claim = Claim(
        place.file_id, place.product, place.load.ref.major, place.table, place.load.stamp, info.key, "",
        place.extension, "",
    )  # fmt: skip
    kept = find_file(claim, lake.store)
    return kept if kept != info.key else None


def _locate_table(place: Drop | Upload, lake: Lake) -> TableRef:
    """The table a file is for: a drop goes to the current major version."""
    if isinstance(place, Upload):
        return place.load.ref
    try:
        return lake.registry.get(place.product).ref(place.table)
    except NotRegistered:
        return TableRef(place.product, FIRST.major, place.table)


def open_receipt(claim: Claim, lake: Lake) -> tuple[Claim, Receipt | None]:
    """The claim with its file in its place in landing, and its receipt.

    The claim's load timestamp changes if it is another file's. The receipt is None if there is no
    file and never was one.
    """
    while True:
        where = find_file(claim, lake.store)
        if where is None:
            return claim, _known_receipt(claim, lake)
        receipt = lake.ledger.open(_first_receipt(claim))
        if receipt.file_id == claim.file_id:
            break
        claim = restamp_claim(lake.store, claim)
    if where == claim.key:
        move_once(lake.store, claim.key, claim.landing)
    elif claim.key != claim.landing:
        _drop_old_name(claim, lake)
    return claim, receipt


def _drop_old_name(claim: Claim, lake: Lake) -> None:
    """Removes the name under which the file was put down, where a try was cut short between the two names.

    Told by its id, not by its content: the same content put down again is a load of its own.
    """
    try:
        info = lake.store.stat(claim.key)
    except ObjectMissing:
        return
    if name_drop(info) == claim.file_id:
        lake.store.delete(claim.key)


def _first_receipt(claim: Claim) -> Receipt:
    return Receipt(
        product=claim.product,
        major=claim.major,
        table=claim.table,
        load_timestamp=claim.stamp,
        file_id=claim.file_id,
        status=LoadStatus.LANDED,
        actor=claim.actor,
        source_name=claim.name,
        extension=claim.extension,
    )


def _known_receipt(claim: Claim, lake: Lake) -> Receipt | None:
    try:
        receipt = lake.ledger.get(claim.load)
    except UnknownLoad:
        return None
    return receipt if receipt.file_id == claim.file_id else None


def may_yet_come(claim: Claim, lake: Lake) -> bool:
    """Whether a file that is not there was announced a short while ago and is still being put down."""
    if claim.key != claim.landing:
        return False
    try:
        announced = lake.store.stat(claim_key(claim.file_id)).modified
    except ObjectMissing:
        return False
    return datetime.now(UTC) - announced < _ANNOUNCED

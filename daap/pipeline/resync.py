"""Resync: finds what no event came for, or what was cut short, and brings it to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from daap.errors import Busy, DaapError, InvalidName, UnknownLoad
from daap.model.events import FileArchived, FileLanded, FileRefused, NothingToDo, Outcome
from daap.model.keys import Upload, read_landing, table_prefix
from daap.model.loads import LoadId, LoadStatus, Receipt, TableRef
from daap.pipeline.audit import audited
from daap.pipeline.claims import open_claims
from daap.pipeline.curate import curate_file
from daap.pipeline.evolve import carry_load, pending_carries
from daap.pipeline.ingest import ingest_file, resume_claim
from daap.pipeline.lake import Lake
from daap.pipeline.publish import find_behind, is_behind, push_product
from daap.pipeline.recover import recover_load
from daap.pipeline.reload import reload_load, select_tables
from daap.pipeline.remove import finish_removals
from daap.registry.heads import Registered

AT_REST = timedelta(minutes=1)
"""How long a file in landing has lain untouched before it is taken for whole."""

_RECENT = timedelta(days=1)
"""How long after its end a load is looked at for what earlier tries left."""

Found = Literal["landed", "claimed", "archived", "unpublished", "unrecorded", "carried", "catalogue"]


@dataclass(frozen=True, slots=True)
class Mended:
    """One thing that was found and brought to its end, or why it could not be.

    `found` tells in which state it was: a file in landing or claimed, archived but not curated, curated but
    not visible, in raw without a receipt, or to be carried into a new major version; `catalogue` is a product
    that another catalogue does not show as it is.
    """

    found: Found
    what: str
    error: str | None = None


def finish_changes(lake: Lake) -> Iterator[Mended]:
    """Goes on with changes of products that were cut short: carries into a new major version, and removals.

    For a start; tells what was done, and what could not be with its error.
    """
    for registered in lake.registry.list():
        try:
            finish_removals(lake, registered)
        except DaapError as error:
            yield Mended("carried", registered.product.name, str(error))
        yield from _finish_carries(lake, registered)


def resync_product(lake: Lake, product: str, actor: str) -> Iterator[Mended]:
    """Compares landing, raw, receipts and catalogue of a product, and mends what differs; tells each thing.

    What cannot be mended is told with its error, and stays as it is. Raises NotRegistered.
    """
    lake.registry.project(product)
    registered = lake.registry.get(product)
    finish_removals(lake, registered)
    yield from _finish_claims(lake, product)
    yield from _finish_carries(lake, registered)
    yield from _take_landed(lake, product, actor)
    for ref in select_tables(lake, product):
        yield from _compare_table(lake, ref, actor)
    for major in registered.majors:
        for files in registered.product.files:
            yield from _compare_files(lake, TableRef(product, major, files), actor)
    if is_behind(lake, product):
        yield from _push_again(lake, product)


def resync_catalogue(lake: Lake, *, only_gone: bool = False) -> Iterator[Mended]:
    """Tells another catalogue of each product that it does not show as it is, by name.

    With those that were deleted, or `only_gone`: of these alone.
    """
    for product in find_behind(lake, only_gone=only_gone):
        yield from _push_again(lake, product)


def _push_again(lake: Lake, product: str) -> Iterator[Mended]:
    try:
        push = push_product(lake, product)
    except DaapError as error:
        yield Mended("catalogue", product, str(error))
    else:
        if push:
            yield Mended("catalogue", product, push.error)


def _finish_carries(lake: Lake, registered: Registered) -> Iterator[Mended]:
    for load, origin in pending_carries(lake, registered):
        try:
            with lake.hold(f"{load.ref.product}/{load.ref.table}", wait=True):
                carry_load(lake, load, origin)
        except DaapError as error:
            yield Mended("carried", str(load), str(error))
        else:
            yield Mended("carried", str(load))


def _finish_claims(lake: Lake, product: str) -> Iterator[Mended]:
    for claim in list(open_claims(lake.store)):
        if claim.product == product:
            try:
                outcome = resume_claim(claim, lake, wait=False)
            except Busy:
                continue
            except DaapError as error:
                yield Mended("claimed", claim.key, str(error))
            else:
                yield from _tell("claimed", claim.key, outcome)


def _take_landed(lake: Lake, product: str, actor: str) -> Iterator[Mended]:
    rested = datetime.now(UTC) - AT_REST
    for info in list(lake.store.list(f"landing/{product}/")):
        if info.modified < rested:
            try:
                outcome = ingest_file(FileLanded(info.key, actor), lake, wait=False)
            except Busy:
                continue
            except DaapError as error:
                yield Mended("landed", info.key, str(error))
            else:
                yield from _tell("landed", info.key, outcome)


def _tell(found: Found, key: str, outcome: Outcome) -> Iterator[Mended]:
    if isinstance(outcome, NothingToDo):
        return
    refused = outcome.receipt.errors.first if isinstance(outcome, FileRefused) and outcome.receipt.errors else None
    yield Mended(found, key, f"refused: {refused}" if refused else None)


def _compare_table(lake: Lake, ref: TableRef, actor: str) -> Iterator[Mended]:
    visible, recorded = set(lake.catalogue.snapshots(ref)), set(lake.ledger.stamps(ref))
    if visible or recorded:  # a table of an older major that has neither may have been removed
        lake.registry.show_table(ref)
    for place in _list_raw(lake, ref):
        yield from _mend_load(lake, place, actor, is_visible=place.load.stamp in visible)
    for stamp in sorted(recorded - visible):
        load = LoadId(ref, stamp)
        if lake.ledger.get(load).carried_from:
            yield from _reload_missing(lake, load, actor)


def _compare_files(lake: Lake, ref: TableRef, actor: str) -> Iterator[Mended]:
    for place in _list_raw(lake, ref):
        receipt = _find_receipt(lake, place.load)
        if receipt is None or not receipt.is_final:
            yield from _mend_unrecorded(lake, place, actor)


def _list_raw(lake: Lake, ref: TableRef) -> Iterator[Upload]:
    for info in list(lake.store.list(table_prefix("raw", ref))):
        with suppress(InvalidName):  # nothing that daap has put there
            place = read_landing(info.key.replace("raw/", "landing/", 1))
            if isinstance(place, Upload):
                yield place


def _mend_load(lake: Lake, place: Upload, actor: str, *, is_visible: bool) -> Iterator[Mended]:
    receipt = _find_receipt(lake, place.load)
    if receipt is None or receipt.status in (LoadStatus.LANDED, LoadStatus.CHECKED):
        yield from _mend_unrecorded(lake, place, actor)
    elif receipt.status is LoadStatus.ARCHIVED and receipt.kind == "table":
        yield from _mend_archived(lake, receipt, actor)
    elif receipt.status is LoadStatus.CURATED and not is_visible:
        yield from _reload_missing(lake, place.load, actor)
    elif receipt.rebuilt or _is_recent(receipt):
        # A reload leaves files to the queries on their way; a worker that is killed, what its engine writes afterwards.
        lake.catalogue.discard(place.load)


def _is_recent(receipt: Receipt) -> bool:
    return datetime.now(UTC) - max(receipt.reached.values()) < _RECENT


def _find_receipt(lake: Lake, load: LoadId) -> Receipt | None:
    try:
        return lake.ledger.get(load)
    except UnknownLoad:
        return None


def _mend_unrecorded(lake: Lake, place: Upload, actor: str) -> Iterator[Mended]:
    try:
        if recover_load(lake, place, actor):
            yield Mended("unrecorded", str(place.load))
    except DaapError as error:
        yield Mended("unrecorded", str(place.load), str(error))


def _mend_archived(lake: Lake, receipt: Receipt, actor: str) -> Iterator[Mended]:
    load, ref = receipt.load, receipt.load.ref
    try:
        with (
            lake.hold(f"{ref.product}/{ref.table}", wait=True),
            audited(
                lake.store, lake.console, load=str(load), product=ref.product, table=ref.table, actor=actor
            ) as trail,
        ):
            outcome = curate_file(FileArchived(receipt), lake, trail)
    except DaapError as error:
        yield Mended("archived", str(load), str(error))
    else:
        yield from _tell("archived", str(load), outcome)


def _reload_missing(lake: Lake, load: LoadId, actor: str) -> Iterator[Mended]:
    try:
        if reload_load(lake, load, actor, was_missing=True):
            yield Mended("unpublished", str(load))
    except DaapError as error:
        yield Mended("unpublished", str(load), str(error))

"""Retention: what is older than a product's retention period is deleted, from every zone together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from daap.model.keys import partition_prefix
from daap.model.loads import LoadId, LoadStatus
from daap.model.stamps import format_stamp, parse_stamp
from daap.pipeline.audit import audited
from daap.pipeline.lake import Lake
from daap.pipeline.sweep import sweep_prefix
from daap.ports.objects import CanPrune

_GONE = "deleted by retention"
_KEPT = frozenset({LoadStatus.ARCHIVED, LoadStatus.CURATED, LoadStatus.FAILED})
"""Loads that nobody works on any more, but for one that is archived and could not be curated for so long."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A load whose retention period is over; `days` is how old it is."""

    load: LoadId
    source_name: str
    days: int


def find_expired(lake: Lake, product: str, now: datetime | None = None) -> Iterator[Expired]:
    """The loads of a product that are older than its retention period, the oldest of each table first.

    None while the product is under legal hold. Raises NotRegistered.
    """
    moment, registered = now or datetime.now(UTC), lake.registry.get(product)
    if registered.legal_hold is None:
        limit = format_stamp(moment - timedelta(days=registered.product.retention_period))
        # Of all loads, those of earlier majors and of tables that were never registered among them.
        for load in lake.ledger.loads(product):
            if load.stamp < limit and (receipt := lake.ledger.get(load)).status in _KEPT:
                yield Expired(load, receipt.source_name, (moment - parse_stamp(load.stamp)).days)


def enforce_retention(lake: Lake, product: str, actor: str, now: datetime | None = None) -> Iterator[Expired]:
    """Deletes what find_expired finds, and tells each load as it is done."""
    for expired in find_expired(lake, product, now):
        if _expire_load(lake, expired, actor):
            yield expired


def _expire_load(lake: Lake, expired: Expired, actor: str) -> bool:
    """Deletes a load; False if another process came first, or a legal hold."""
    load, ref = expired.load, expired.load.ref
    with (
        lake.hold(f"{ref.product}/{ref.table}", wait=True),
        audited(lake.store, lake.console, load=str(load), product=ref.product, table=ref.table, actor=actor) as trail,
    ):
        if lake.registry.get(ref.product).legal_hold or lake.ledger.get(load).status not in _KEPT:
            return False
        lake.catalogue.withdraw(load)
        for zone in ("raw", "fail", "curated"):
            sweep_prefix(lake.store, partition_prefix(zone, load))
        _prune(lake, partition_prefix("landing", load))
        _mark_expired(lake, load)
        trail.info("expired", f"deleted after {expired.days} days: {expired.source_name}")
    return True


def _prune(lake: Lake, prefix: str) -> None:
    if isinstance(lake.store, CanPrune):
        lake.store.prune(prefix)


def _mark_expired(lake: Lake, load: LoadId) -> None:
    """The receipt stays, without any value from the file."""
    receipt = lake.ledger.get(load)
    errors = receipt.errors and receipt.errors.model_copy(update={"first": _GONE, "report": "", "annotated": None})
    reached = receipt.reached | {LoadStatus.EXPIRED: datetime.now(UTC)}
    lake.ledger.amend(load, status=LoadStatus.EXPIRED, errors=errors, output_files=(), reached=reached)

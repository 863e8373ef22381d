"""Rehearsal: what a proposed schema would have made of the uploads there have been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from daap.errors import ObjectMissing
from daap.model.loads import LoadId, LoadStatus, Receipt
from daap.model.table import TableSchema
from daap.model.verdict import Verdict
from daap.pipeline.lake import Lake
from daap.pipeline.rebuild import find_origin, plan_carry, raw_of
from daap.ports.engine import silent

Told = Callable[[int, int], None]
"""Called with how many uploads are checked, and how many there are."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An upload that would be refused, and why."""

    receipt: Receipt
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How many uploads were checked, and those that would be refused, the newest first."""

    uploads: int
    refusals: list[Refusal] = field(default_factory=list)

    def __str__(self) -> str:
        number = "1 upload" if self.uploads == 1 else f"{self.uploads} uploads"
        return f"{len(self.refusals)} of {number} would be refused"


def rehearse_schema(
    lake: Lake,
    product: str,
    table: str,
    schema: TableSchema,
    newest: int | None = None,
    told: Told = lambda _n, _of: None,
) -> Rehearsal:
    """Checks the raw history of a table, or its `newest` uploads, by a proposed schema. Nothing is changed.

    A snapshot that was carried from an earlier major version is checked as it would be carried on. What is
    personal now is masked, whatever is proposed. Raises NotRegistered for an unknown product. A table that is
    not registered has no uploads.
    """
    registered = lake.registry.get(product)
    ref = registered.ref(table)
    if table in registered.product.tables:
        schema = _keep_masked(schema, registered.schema(table))
    stamps = lake.ledger.stamps(ref)[::-1]
    receipts = (lake.ledger.get(LoadId(ref, stamp)) for stamp in stamps)
    accepted = (receipt for receipt in receipts if receipt.status in (LoadStatus.ARCHIVED, LoadStatus.CURATED))
    uploads = list(islice(accepted, newest))
    refusals = []
    for number, receipt in enumerate(uploads, 1):
        verdict = _check_upload(lake, receipt, schema)
        if verdict and not verdict.accepted:
            refusals.append(Refusal(receipt, verdict))
        told(number, len(uploads))
    return Rehearsal(len(uploads), refusals)


def _keep_masked(schema: TableSchema, now: TableSchema) -> TableSchema:
    personal = {column.name for column in now.columns if column.personal}
    columns = tuple(c.model_copy(update={"personal": c.personal or c.name in personal}) for c in schema.columns)
    return schema.model_copy(update={"columns": columns})


def _check_upload(lake: Lake, receipt: Receipt, schema: TableSchema) -> Verdict | None:
    try:
        if receipt.carried_from is None:
            return lake.engine.check(lake.source(raw_of(receipt)), schema, silent)
        reading = plan_carry(find_origin(receipt, lake), schema, receipt.major, lake)
        return lake.engine.check(lake.source(reading.key), reading.judged, silent)
    except ObjectMissing:
        return None  # deleted meanwhile

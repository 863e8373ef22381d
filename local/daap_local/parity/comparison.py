"""The whole comparison: both sides take the same files in, and everything that came of it is held side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from daap.errors import Cancelled, DaapError, StoreUnavailable
from daap.model.loads import LoadStatus, Receipt, TableRef
from daap.ports.engine import Progress
from daap_local.parity import outcomes, tables
from daap_local.parity.differences import Difference, Kind
from daap_local.parity.plan import Plan, Upload
from daap_local.parity.rows import RowBench
from daap_local.parity.sides import Arrival, Side, hosting, take_in
from daap_local.parity.snapshots import compare_snapshots

Tell = Callable[[str, float], None]
"""Hears what is being done, and the share of it all, 0.0 to 1.0."""

_COMPARED = 0.3
"""The share of the time that is left for comparing."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison: the sides' names, what came of each upload on either, and all differences."""

    plan: Plan
    pair: tuple[Side, Side]
    arrivals: tuple[dict[str, Arrival], dict[str, Arrival]]
    differences: tuple[Difference, ...]


def compare_sides(plan: Plan, pair: tuple[Side, Side], scratch: Path, tell: Tell) -> Compared:
    """Takes the files in on both sides, compares, and deletes the product on both again.

    Raises StoreUnavailable where a side cannot be reached, Cancelled.
    """
    with hosting(pair[0], plan.product), hosting(pair[1], plan.product):
        share = (1 - _COMPARED) / 2
        one, other = (
            take_in(plan, side, _progress_of(plan, side, tell, place * share, share)) for place, side in enumerate(pair)
        )
        with closing(RowBench(scratch / "rows")) as bench:
            comparer = _Comparer(plan, pair, (one, other), bench, scratch)
            found = tuple(_told(comparer, tell))
    return Compared(plan, pair, (one, other), found)


def _progress_of(plan: Plan, side: Side, tell: Tell, start: float, share: float) -> Callable[[Upload], Progress]:
    places = {upload.file_id: place for place, upload in enumerate(plan.uploads)}
    each = share / len(plan.uploads)

    def progress(upload: Upload) -> Progress:
        begin, words = start + places[upload.file_id] * each, f"{side.name}: {upload.path.name}"
        tell(words, begin)
        return lambda _step, done: tell(words, begin + done * each)

    return progress


def _told(comparer: _Comparer, tell: Tell) -> Iterator[Difference]:
    steps = [*comparer.steps()]
    for place, (words, step) in enumerate(steps):
        tell(f"comparing {words}", 1 - _COMPARED + _COMPARED * place / len(steps))
        yield from _guarded(words, step)


def _guarded(words: str, step: Callable[[], Iterator[Difference]]) -> Iterator[Difference]:
    """What a step finds; one that cannot be done is a difference too, since nobody knows then."""
    try:
        yield from step()
    except (StoreUnavailable, Cancelled):
        raise
    except (DaapError, pa.ArrowException) as error:
        yield Difference(Kind.FAILURE, words, "it cannot be compared", {"error": str(error)})


class _Comparer:
    """What is compared, in small steps."""

    def __init__(
        self,
        plan: Plan,
        pair: tuple[Side, Side],
        arrivals: tuple[dict[str, Arrival], dict[str, Arrival]],
        bench: RowBench,
        scratch: Path,
    ) -> None:
        self._plan, self._pair, self._arrivals = plan, pair, arrivals
        self._bench, self._scratch = bench, scratch

    def steps(self) -> Iterator[tuple[str, Callable[[], Iterator[Difference]]]]:
        """Each step with what it looks at: files first, then tables."""
        for upload in self._plan.uploads:
            yield upload.path.name, lambda upload=upload: self._compare_upload(upload)  # type: ignore[misc]
        for ref in self._plan.refs:
            yield ref.table, lambda ref=ref: self._compare_table(ref)  # type: ignore[misc]

    def _compare_upload(self, upload: Upload) -> Iterator[Difference]:
        one, other = (arrivals[upload.file_id] for arrivals in self._arrivals)
        if one.receipt is None or other.receipt is None:
            yield from outcomes.compare_failures(self._pair, (one, other))
            return
        receipts = (one.receipt, other.receipt)
        yield from outcomes.compare_verdicts(self._pair, (one, other))
        yield from outcomes.compare_receipts(self._pair, upload, receipts)
        yield from outcomes.compare_kept(self._pair, upload, receipts, outcomes.hash_file(upload))
        yield from self._compare_made(upload, receipts)

    def _compare_made(self, upload: Upload, receipts: tuple[Receipt, Receipt]) -> Iterator[Difference]:
        """What was made of the file, where both sides came to the same end."""
        statuses, schema = {receipt.status for receipt in receipts}, self._plan.schema(upload.table)
        if statuses == {LoadStatus.FAILED}:
            personal = schema is not None and any(column.personal for column in schema.columns)
            yield from outcomes.compare_reports(self._pair, upload, personal=personal)
        elif statuses == {LoadStatus.CURATED} and schema:
            yield from compare_snapshots(self._pair, upload, receipts, schema, self._bench, self._scratch)

    def _compare_table(self, ref: TableRef) -> Iterator[Difference]:
        schema = self._plan.product.tables[ref.table]
        yield from tables.compare_catalogues(self._pair, ref)
        yield from tables.compare_queries(self._pair, ref, schema, self._bench)
        newest = [self._newest(ref, arrivals) for arrivals in self._arrivals]
        if newest[0] and newest[1]:
            both = (newest[0], newest[1])
            yield from tables.compare_previews(self._pair, ref, schema, both, self._bench, self._scratch)

    def _newest(self, ref: TableRef, arrivals: dict[str, Arrival]) -> Receipt | None:
        receipts = [arrivals[upload.file_id].receipt for upload in self._plan.uploads_of(ref)]
        return next((r for r in reversed(receipts) if r and r.status is LoadStatus.CURATED), None)

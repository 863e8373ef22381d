"""The whole way of a file in one call: land, then curate. What watchers and command lines use."""

from __future__ import annotations

from collections.abc import Callable

from daap.model.events import FileArchived, FileLanded, Landed, NothingToDo, Outcome
from daap.model.keys import read_landing
from daap.pipeline.audit import Trail, audited
from daap.pipeline.claims import Claim, drop_claim
from daap.pipeline.curate import curate_file
from daap.pipeline.lake import Lake
from daap.pipeline.land import land_claim, land_file


def ingest_file(event: FileLanded, lake: Lake, *, wait: bool = True) -> Outcome:
    """Takes a file from landing to its published snapshot, or to fail.

    Raises Busy if another process works on the table (and `wait` is false) or the file is still
    being written, InvalidName if it does not lie in landing's layout; else as land_file and curate_file.
    """
    place = read_landing(event.key)
    return _run(f"{place.product}/{place.table}", lake, wait, lambda trail: land_file(event, lake, trail))


def resume_claim(claim: Claim, lake: Lake, *, wait: bool = True) -> Outcome:
    """Goes on with a file whose load was cut short; raises as ingest_file."""
    return _run(f"{claim.product}/{claim.table}", lake, wait, lambda trail: land_claim(claim, lake, trail))


def _run(name: str, lake: Lake, wait: bool, land: Callable[[Trail], Landed]) -> Outcome:
    with lake.hold(name, wait=wait):
        with audited(lake.store, lake.console) as trail:
            outcome = _land_and_curate(lake, trail, land)
        # The claim goes last: until then a restart finds the load, and logs what became of it.
        file_id = outcome.file_id if isinstance(outcome, NothingToDo) else outcome.receipt.file_id
        if file_id:
            drop_claim(lake.store, file_id)
    return outcome


def _land_and_curate(lake: Lake, trail: Trail, land: Callable[[Trail], Landed]) -> Outcome:
    landed = land(trail)
    if isinstance(landed, FileArchived) and not landed.receipt.is_final:
        return curate_file(landed, lake, trail)
    return landed

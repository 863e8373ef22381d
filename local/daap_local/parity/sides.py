"""A side of a comparison: a lake, and all by which what it holds can be looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from daap.errors import Busy, Cancelled, DaapError, NotRegistered, ObjectMissing, StoreUnavailable, UnknownLoad
from daap.model.events import FileLanded
from daap.model.loads import Receipt, TableRef
from daap.model.names import LOAD_TIMESTAMP
from daap.model.product import Product
from daap.pipeline.ingest import ingest_file
from daap.pipeline.lake import Lake
from daap.pipeline.remove import delete_product
from daap.ports.engine import Progress
from daap.ports.query import QueryEngine
from daap_local.bootstrap import open_lake
from daap_local.folder_store import FolderStore
from daap_local.parity.plan import Plan, Upload
from daap_local.query import FolderQuery

ACTOR = "parity"
FOLDERS = "folders"
PATIENCE = 900.0
"""Seconds to wait for a load that a deployed lake's own functions have taken up."""

_POLL_SECONDS = 0.5

Columns = Sequence[tuple[str, str]]
"""Names and types, in order; types as specs write them."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side: its short name, how it works in words, its lake and what answers SQL on it.

    `columns` tells the columns of a table, that of the load timestamp with them, by who says so.
    """

    name: str
    words: str
    lake: Lake
    query: QueryEngine
    columns: Callable[[TableRef], Mapping[str, Columns]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of an upload on one side: its receipt, or why it came to no end."""

    upload: Upload
    receipt: Receipt | None = None
    failure: str | None = None


def open_folders(root: Path, name: str = FOLDERS) -> Side:
    """A lake on folders, with DuckDB, below `root`."""
    lake = open_lake(root)
    assert isinstance(lake.store, FolderStore)  # noqa: S101 - tells the type checker

    def columns(ref: TableRef) -> Mapping[str, Columns]:
        schema = lake.catalogue.table(ref.database, ref.table).schema
        named = [(column.name, str(column.type)) for column in schema.columns]
        return {"the catalogue": [*named, (LOAD_TIMESTAMP, "string")]}

    return Side(name, "folders and DuckDB", lake, FolderQuery(lake.store, lake.catalogue), columns)


@contextmanager
def hosting(side: Side, product: Product) -> Iterator[None]:
    """Registers a product on a side, and deletes it with the block, however that ends."""
    try:
        side.lake.registry.register(product, ACTOR)
        yield
    finally:
        _remove(side, product.name)


def _remove(side: Side, product: str) -> None:
    try:
        with suppress(NotRegistered):
            delete_product(side.lake, product, ACTOR)
    except DaapError as error:
        error.add_note(f"product {product} is left on the side {side.name}; delete it as any other")
        raise


def take_in(plan: Plan, side: Side, progress: Callable[[Upload], Progress]) -> dict[str, Arrival]:
    """What came of each upload on a side, by the file's id; raises StoreUnavailable, and Cancelled."""
    return {upload.file_id: _take_file(upload, side, progress(upload)) for upload in plan.uploads}


def _take_file(upload: Upload, side: Side, progress: Progress) -> Arrival:
    try:
        return Arrival(upload, _ingest(upload, replace(side.lake, progress=progress)))
    except (StoreUnavailable, Cancelled):
        raise
    except DaapError as error:
        return Arrival(upload, failure=f"{type(error).__name__}: {error}")


def _ingest(upload: Upload, lake: Lake) -> Receipt:
    key = upload.key("landing")
    with upload.path.open("rb") as stream:
        lake.store.put(key, stream)
    ends = time.monotonic() + PATIENCE
    while True:
        # Where a lake is deployed, its functions hear of the file too: whoever is first, the load is the same.
        with suppress(Busy, ObjectMissing):
            ingest_file(FileLanded(key, ACTOR), lake)
        with suppress(UnknownLoad):
            receipt = lake.ledger.get(upload.load)
            if receipt.is_final:
                return receipt
        if time.monotonic() > ends:
            raise Busy(f"load {upload.load} came to no end in {PATIENCE:g} seconds")
        time.sleep(_POLL_SECONDS)

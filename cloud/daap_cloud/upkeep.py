"""Work that may take longer than a Lambda lives: it stops in time, and tells how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from daap.errors import DaapError, InvalidName
from daap.model.loads import parse_load
from daap.model.names import check_product, check_table
from daap.pipeline.lake import Lake
from daap.pipeline.reload import reload_tables, select_tables
from daap.pipeline.resync import resync_catalogue, resync_product
from daap.pipeline.retention import enforce_retention

HasTime = Callable[[], bool]
"""Whether there is time left for another load."""

Sweep = Literal["resync", "retention"]


@dataclass(frozen=True, slots=True)
class Request:
    """What an event asks for: one product or, where it is None, each; one table of it; from behind `after` on."""

    product: str | None = None
    table: str | None = None
    after: str | None = None
    actor: str = "schedule"


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done, as one line each, what could not be, and where to go on; None where all is done."""

    done: tuple[str, ...]
    failed: tuple[str, ...]
    after: str | None = None


def read_request(event: Mapping[str, Any]) -> Request:
    """The request of an event; raises InvalidName for names that are none."""
    product, table, after, actor = (event.get(name) for name in ("product", "table", "after", "actor"))
    if not all(one is None or isinstance(one, str) for one in (product, table, after, actor)):
        raise InvalidName("product, table, after and actor are texts, or left out")
    if product is not None:
        check_product(product)
    if table is not None:
        check_table(table)
    return Request(product, table, after, actor or "schedule")


def run_reload(lake: Lake, request: Request, has_time: HasTime) -> Progress:
    """Makes curated anew from raw; raises NotRegistered, and InvalidName if no product is named."""
    if request.product is None:
        raise InvalidName("a reload is of one product; name it")
    refs = select_tables(lake, request.product, request.table)
    done: list[str] = []
    failed: list[str] = []
    for rebuilt in reload_tables(lake, refs, request.actor, parse_load(request.after) if request.after else None):
        (failed if rebuilt.error else done).append(f"{rebuilt.load}: {rebuilt.error or f'{rebuilt.rows} rows'}")
        if not has_time():
            return Progress(tuple(done), tuple(failed), str(rebuilt.load))
    return Progress(tuple(done), tuple(failed))


def run_sweep(sweep: Sweep, lake: Lake, request: Request, has_time: HasTime) -> Progress:
    """Resync or retention of one product or of all, by name; one that cannot be done does not keep the others."""
    done: list[str] = []
    failed: list[str] = []
    for product in _list_products(lake, request):
        before = len(done)
        try:
            for text, error in _SWEEPS[sweep](lake, product, request.actor):
                (failed if error else done).append(f"{text}: {error}" if error else text)
                if not has_time():
                    # What is done is not found again; what could not be, and nothing else, would be for ever.
                    after = _before(product) if len(done) > before else product
                    return Progress(tuple(done), tuple(failed), after)
        except DaapError as error:
            failed.append(f"{product}: {error}")
        if not has_time():  # looking alone may take long, where nothing is found
            return Progress(tuple(done), tuple(failed), product)
    if sweep == "resync" and request.product is None:
        _end_withdrawals(lake, done, failed)
    return Progress(tuple(done), tuple(failed))


def _end_withdrawals(lake: Lake, done: list[str], failed: list[str]) -> None:
    """Products that are no more are of no sweep's list; the other catalogue may show them still."""
    try:
        for mended in resync_catalogue(lake, only_gone=True):
            (failed if mended.error else done).append(f"{mended.found} {mended.what}: {mended.error or 'mended'}")
    except DaapError as error:
        failed.append(f"catalogue: {error}")


def _list_products(lake: Lake, request: Request) -> Iterable[str]:
    all_names = (registered.product.name for registered in lake.registry.list())
    names = all_names if request.product is None else [request.product]
    return [name for name in names if name > (request.after or "")]


def _before(product: str) -> str:
    """What sorts just before a product, and behind all that come before it."""
    return product[:-1] + chr(ord(product[-1]) - 1) + "\U0010ffff"


def _resync(lake: Lake, product: str, actor: str) -> Iterator[tuple[str, str | None]]:
    for mended in resync_product(lake, product, actor):
        yield f"{mended.found} {mended.what}", mended.error


def _expire(lake: Lake, product: str, actor: str) -> Iterator[tuple[str, str | None]]:
    for expired in enforce_retention(lake, product, actor):
        yield f"{expired.load} after {expired.days} days", None


_SWEEPS: dict[Sweep, Callable[[Lake, str, str], Iterator[tuple[str, str | None]]]] = {
    "resync": _resync, "retention": _expire,
}  # fmt: skip

"""Telling another catalogue of a lake's products: beside the server, and after a command. It never holds them up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from daap.errors import DaapError
from daap.model.keys import HEADS
from daap.publishers.choice import CatalogueChoice, make_publisher, read_choice

if TYPE_CHECKING:
    from daap.pipeline.lake import Lake
    from daap.pipeline.publish import Push
    from daap.ports.objects import ObjectStore
    from daap.ports.publisher import CataloguePublisher

Told = Callable[["Push"], None]
"""Hears of each push."""

LOOK_SECONDS = 2.0
"""How often the keeper looks for changed products."""

AFTER_SECONDS = 10.0
"""How long a command waits for the catalogue, once it has answered."""

_FIRST_WAIT, _LONGEST_WAIT = 5.0, 300.0
_END_SECONDS = 2.0
_PATIENCE = timedelta(seconds=15)


def local_publisher(store: ObjectStore) -> CataloguePublisher | None:
    """What DAAP_CATALOGUE chooses, with DAAP_OPENMETADATA_URL and DAAP_OPENMETADATA_TOKEN; raises InvalidSpec."""
    choice, url = read_choice(os.environ.get("DAAP_CATALOGUE", "")), os.environ.get("DAAP_OPENMETADATA_URL", "")
    if choice is CatalogueChoice.OPENMETADATA:
        _silence_retries()
    return make_publisher(choice, store, url, lambda: os.environ.get("DAAP_OPENMETADATA_TOKEN", ""), patience=_PATIENCE)


def _silence_retries() -> None:
    """Keeps stamina from printing each retry to standard output, which is for what was asked for."""
    with suppress(ModuleNotFoundError):  # publishing tells of that
        from stamina.instrumentation import set_on_retry_hooks  # noqa: PLC0415 - only where there is a catalogue

        set_on_retry_hooks(())


def push_briefly(lake: Lake, product: str, seconds: float | None = None) -> str | None:
    """Tells the catalogue of a product, for so long at most; why that did not succeed, or None.

    What is still on its way then may yet arrive, or is done by the next resync.
    """
    from daap.pipeline.publish import push_product  # noqa: PLC0415 - only where there is a catalogue

    if lake.publisher is None:
        return None
    ended: list[str | None] = []

    def push() -> None:
        try:
            told = push_product(lake, product)
        except DaapError as error:
            ended.append(str(error))
        else:
            ended.append(told.error if told else None)

    thread = threading.Thread(target=push, name="daap-catalogue", daemon=True)
    thread.start()
    thread.join(most := AFTER_SECONDS if seconds is None else seconds)
    return ended[0] if ended else f"it has not answered within {most:g} seconds"


class CatalogueKeeper:
    """Looks for products that have changed, whoever changed them, and tells the catalogue of them."""

    def __init__(self, lake: Lake, told: Told) -> None:
        self._lake, self._told = lake, told
        self._seen: dict[str, str] = {}
        self._due: dict[str, float] = {}
        """When a product that could not be told of is to be tried again."""

    def look(self) -> None:
        """Tells of what has changed since the last look, and of what is due; the first look compares everything."""
        now = {info.key: info.version for info in self._lake.store.list(HEADS)}
        is_changed = now != self._seen
        if is_changed or any(due <= time.monotonic() for due in self._due.values()):
            self._push_behind()
        self._seen = now

    def _push_behind(self) -> None:
        from daap.pipeline.publish import find_behind, push_product  # noqa: PLC0415 - only where there is a catalogue

        for product in list(find_behind(self._lake)):
            if self._due.get(product, 0.0) > time.monotonic():
                continue
            push = push_product(self._lake, product)
            self._due.pop(product, None)
            if push and push.state == "failed":
                wait = min(_FIRST_WAIT * 2 ** min(push.tries - 1, 10), _LONGEST_WAIT)
                self._due[product] = time.monotonic() + wait
            if push:
                self._told(push)


@contextmanager
def keeping_catalogue(lake: Lake, told: Told, look_seconds: float = LOOK_SECONDS) -> Iterator[None]:
    """Keeps the catalogue up to date beside the block; at its end, a catalogue that hangs is not waited for."""
    if lake.publisher is None:
        yield
        return
    keeper, ended = CatalogueKeeper(lake, told), threading.Event()

    def keep() -> None:
        while not ended.is_set():
            with suppress(Exception):  # what hinders a look now must not end all later ones
                keeper.look()
            ended.wait(look_seconds)

    thread = threading.Thread(target=keep, name="daap-catalogue", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS)

"""The ports a use case works with, wired once by an entry point."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from daap.model.product import Product
from daap.model.verdict import DataError
from daap.pipeline.audit import Console
from daap.pipeline.ledger import Ledger
from daap.ports.catalogue import Catalogue
from daap.ports.engine import Engine, Progress, Source, silent
from daap.ports.objects import CanHold, CanLocate, ObjectStore
from daap.ports.publisher import CataloguePublisher
from daap.registry.products import Registry


class Inferrer(Protocol):
    """Makes up a spec for a file that nobody registered, with one table of the given name.

    Answers with an error where the file cannot be read at all.
    """

    def __call__(self, source: Source, source_name: str, product: str, table: str) -> Product | DataError: ...


@dataclass(frozen=True)
class Lake:
    """Storage, engine, catalogue and registry of one lake.

    `infer` is given where files without a registered table are to be taken in; `console` gets
    every audit event as it happens; `progress` hears of long work; `scratch` is a folder of this machine
    for files of a moment; `publisher` is another catalogue that shows the products.
    """

    store: ObjectStore
    engine: Engine
    catalogue: Catalogue
    infer: Inferrer | None = None
    console: Console | None = None
    progress: Progress = silent
    scratch: Path | None = None
    publisher: CataloguePublisher | None = None

    @property
    def registry(self) -> Registry:
        """The products of the lake."""
        return Registry(self.store, self.catalogue)

    @property
    def ledger(self) -> Ledger:
        """The receipts of the lake."""
        return Ledger(self.store)

    def locate(self, key: str) -> str:
        """The path or URL of a key; the key itself where the store has none."""
        return self.store.locate(key) if isinstance(self.store, CanLocate) else key

    def source(self, key: str) -> Source:
        """A stored file as an engine takes it."""
        return Source(self.locate(key), self.store.stat(key).size, lambda: self.store.open(key))

    def hold(self, name: str, *, wait: bool) -> AbstractContextManager[None]:
        """Saves double work where the store can; see CanHold."""
        return self.store.hold(name, wait=wait) if isinstance(self.store, CanHold) else nullcontext()

"""The ledger of loads: one receipt each, written by compare-and-swap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from daap.errors import ObjectConflict, ObjectMissing, UnknownLoad
from daap.model.keys import receipt_key
from daap.model.loads import LoadId, LoadStatus, Receipt, TableRef, parse_load
from daap.ports.objects import ABSENT, ObjectStore

_RECEIPTS = "metadata/load-receipts/"
_ORDER = list(LoadStatus)


class Ledger:
    """Reads and writes receipts."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def open(self, receipt: Receipt) -> Receipt:
        """Writes the first receipt of a load; returns the one that stands then, which may be another file's."""
        first = receipt.model_copy(update={"reached": {receipt.status: datetime.now(UTC)}})
        try:
            self._store.put(receipt_key(receipt.load), _encode(first), ABSENT)
        except ObjectConflict:
            return self.get(receipt.load)
        return first

    def get(self, load: LoadId) -> Receipt:
        """The receipt of a load; raises UnknownLoad."""
        return self._read(load)[0]

    def advance(self, load: LoadId, status: LoadStatus, **facts: Any) -> Receipt:  # noqa: ANN401 - a receipt's fields
        """Brings a load to `status` with facts; one that is further, or final, stays as it is."""
        while True:
            found, token = self._read(load)
            if found.is_final or _ORDER.index(found.status) > _ORDER.index(status):
                return found
            timings = found.timings | facts.pop("timings", {})
            reached = found.reached | {status: datetime.now(UTC)}
            receipt = found.model_copy(update={**facts, "status": status, "timings": timings, "reached": reached})
            try:
                self._store.put(receipt_key(load), _encode(receipt), token)
            except ObjectConflict:
                facts["timings"] = timings
                continue
            return receipt

    def amend(self, load: LoadId, **facts: Any) -> Receipt:  # noqa: ANN401 - a receipt's fields
        """Changes facts of a load, a final one too; raises UnknownLoad."""
        while True:
            found, token = self._read(load)
            receipt = found.model_copy(update=facts)
            try:
                self._store.put(receipt_key(load), _encode(receipt), token)
            except ObjectConflict:
                continue
            return receipt

    def stamps(self, ref: TableRef) -> list[str]:
        """The load timestamps of all loads of a table, failed ones among them, oldest first."""
        infos = self._store.list(f"{_RECEIPTS}{ref}/")
        return [info.key.rpartition("/")[2].removesuffix(".json") for info in infos]

    def loads(self, product: str) -> Iterator[LoadId]:
        """All loads of a product, the oldest of each table first."""
        for info in self._store.list(f"{_RECEIPTS}{product}/"):
            yield parse_load(info.key.removeprefix(_RECEIPTS).removesuffix(".json"))

    def list(self, product: str | None = None, table: str | None = None) -> Iterator[Receipt]:
        """Receipts of all loads, or of one product, or of one table of it."""
        for info in self._store.list(f"{_RECEIPTS}{product}/" if product else _RECEIPTS):
            if table is None or info.key.split("/")[-2] == table:
                yield Receipt.model_validate_json(self._store.read(info.key)[0])

    def _read(self, load: LoadId) -> tuple[Receipt, str]:
        try:
            data, token = self._store.read(receipt_key(load))
        except ObjectMissing:
            raise UnknownLoad(f"there is no load {load}") from None
        return Receipt.model_validate_json(data), token


def _encode(receipt: Receipt) -> bytes:
    return receipt.model_dump_json(indent=1, exclude_none=True).encode()

"""The publisher port: what another catalogue shows of a product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from daap.errors import DaapError
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.model.versions import Version


class PublishFailed(DaapError):
    """The other catalogue could not be told; nothing of the product itself is touched by that."""


@dataclass(frozen=True, slots=True)
class PublishedDatabase:
    """The database of a major version with its tables; `version` is the last one in it."""

    name: str
    version: Version
    is_current: bool
    tables: Mapping[str, TableSchema]


@dataclass(frozen=True, slots=True)
class Publication:
    """A product as a catalogue is to show it from now on; the current database is the last."""

    product: Product
    version: Version
    created: datetime
    updated: datetime
    databases: tuple[PublishedDatabase, ...]


class CataloguePublisher(ABC):
    """Another catalogue that shows products. It holds nothing that cannot be told again."""

    name: str
    """What the catalogue is called in settings and in the state of a push."""

    @abstractmethod
    def publish(self, publication: Publication) -> None:
        """Makes the catalogue show just this of the product; the same again is no error. Raises PublishFailed.

        What was there of an earlier version and is not in `publication` goes.
        """

    @abstractmethod
    def withdraw(self, product: str) -> None:
        """Removes all that publish has made of a product; one that is not there is no error. Raises PublishFailed."""

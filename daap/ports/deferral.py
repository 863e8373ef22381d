"""The deferral port: long work on a product, handed to a worker that outlives the call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

Work = Literal["reload", "resync"]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with a product, or with one table of it, on behalf of `actor`; from behind `after` on."""

    work: Work
    product: str
    actor: str
    table: str | None = None
    after: str | None = None


class Deferral(ABC):
    """Starts tasks elsewhere. A task may be run twice; none is forgotten once `start` has returned."""

    @abstractmethod
    def start(self, task: Task) -> None:
        """Hands a task over; raises StoreUnavailable if nobody takes it."""

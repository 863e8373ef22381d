"""The executions that the server knows: those of this run in memory, ended ones of earlier runs on the shelf."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from daap_local.athena.api.faults import invalid_request
from daap_local.athena.execution.record import Execution
from daap_local.athena.shelf import Shelf

_HISTORY = "athena-query"
_MOST = 10_000


class Executions:
    """Executions by id, the newest last; the oldest are forgotten."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Execution] = OrderedDict()
        self._tokens: dict[str, tuple[str, Any]] = {}

    def add(self, execution: Execution) -> None:
        """Makes an execution known."""
        with self._lock:
            self._known[execution.request.id] = execution
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def remember(self, token: str, given: Any, query: str) -> str:  # noqa: ANN401 - JSON
        """The id that a ClientRequestToken stands for: `query`, if it is new; raises for another request under it."""
        with self._lock:
            known, before = self._tokens.setdefault(token, (query, given))
        if before != given:
            raise invalid_request("Idempotent parameters do not match", "INVALID_INPUT")
        return known

    def forget(self, token: str) -> None:
        """A request that was refused leaves no token behind."""
        with self._lock:
            self._tokens.pop(token, None)

    def get(self, query: str) -> Execution:
        """One execution; raises InvalidRequestException."""
        with self._lock:
            found = self._known.get(query)
        if found is None:
            raise invalid_request(f"QueryExecution {query} was not found", "INVALID_INPUT")
        return found

    def newest(self, work_group: str) -> list[Execution]:
        """All of a work group, the newest first."""
        with self._lock:
            found = list(self._known.values())
        return [one for one in reversed(found) if one.request.work_group == work_group]

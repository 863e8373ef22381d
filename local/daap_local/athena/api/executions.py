"""The executions that the server knows, those of earlier runs as well, since each is kept on the shelf.

Athena keeps 45 days: https://docs.aws.amazon.com/athena/latest/ug/queries-viewing-history.html
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from daap_local.athena.api.faults import invalid_request
from daap_local.athena.execution.kept import of_document, to_document
from daap_local.athena.execution.record import Execution
from daap_local.athena.shelf import Shelf

_HISTORY = "athena-query"
_MOST = 5_000
_AGE = timedelta(days=45)


class Executions:
    """Executions by id, the newest last; the oldest are forgotten."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._lock = threading.RLock()
        self._known: OrderedDict[str, Execution] = OrderedDict()
        self._tokens: dict[str, tuple[str, Any]] = {}
        self._loaded = False

    def load(self) -> None:
        """Reads what earlier runs have left, once; what is too old goes."""
        with self._lock:
            if self._loaded:
                return
            self._loaded = True
            kept = [of_document(one) for one in self._shelf.list(_HISTORY)]
            kept.sort(key=lambda one: one.submitted)
            fresh = {one.request.id: one for one in kept if one.submitted >= datetime.now(UTC) - _AGE}
            for one in kept:
                if one.request.id not in fresh:
                    self._shelf.delete(_HISTORY, one.request.id)
            self._known = OrderedDict({**fresh, **self._known})
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self._known) > _MOST:
            self._shelf.delete(_HISTORY, self._known.popitem(last=False)[0])

    def add(self, execution: Execution) -> None:
        """Makes an execution known."""
        self.load()
        with self._lock:
            self._known[execution.request.id] = execution
            self._forget_oldest()
        execution.when_ended = self._keep
        self._keep(execution)

    def _keep(self, execution: Execution) -> None:
        with suppress(sqlite3.ProgrammingError):  # the server ends: what ends after it counts as not ended
            self._shelf.put(_HISTORY, execution.request.id, data=to_document(execution))

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
        self.load()
        with self._lock:
            found = self._known.get(query)
        if found is None:
            raise invalid_request(f"QueryExecution {query} was not found", "INVALID_INPUT")
        return found

    def newest(self, work_group: str) -> list[Execution]:
        """All of a work group, the newest first."""
        self.load()
        with self._lock:
            found = list(self._known.values())
        return [one for one in reversed(found) if one.request.work_group == work_group]

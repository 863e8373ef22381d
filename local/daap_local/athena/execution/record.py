"""One execution of a statement: what was asked, how it stands, what came of it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from daap_local.athena.statements import Statement

ENGINE = "Athena engine version 3"
CATALOG = "AwsDataCatalog"
QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"
FINAL = frozenset({SUCCEEDED, FAILED, CANCELLED})


@dataclass(frozen=True, slots=True)
class Request:
    """What StartQueryExecution asked for, with the work group's settings applied."""

    id: str
    sql: str
    statement: Statement
    kind: tuple[str, str]
    """StatementType and SubstatementType."""
    work_group: str = "primary"
    output: str = ""
    """The folder for results, with a slash at its end."""
    database: str | None = None
    catalog: str = CATALOG
    parameters: tuple[str, ...] = ()
    reuse_minutes: int | None = None
    encryption: dict[str, str] | None = None
    cutoff: int | None = None
    enforced: bool = False
    """Whether the work group's settings stand above the request's, its output location too."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution failed, as AthenaError has it."""

    message: str
    category: int
    type: int
    retryable: bool = False


@dataclass(slots=True)
class Usage:
    """What a statement touched."""

    files: int = 0
    bytes: int = 0
    rows: int = 0
    partitions: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement left: the result's place, and its counts."""

    location: str
    rows: int = 0
    bytes: int = 0
    updated: int | None = None
    manifest: str | None = None
    reused: bool = False


@dataclass(slots=True)
class Execution:
    """A request on its way. Its state only moves forward; what is final stays."""

    request: Request
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    state: str = QUEUED
    completed: datetime | None = None
    outcome: Outcome | None = None
    failure: Failure | None = None
    reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    moments: dict[str, float] = field(default_factory=lambda: {"submitted": time.monotonic()})
    when_ended: Callable[[Execution], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> bool:
        """From the queue to running; false where it was stopped before."""
        with self._lock:
            if self.state != QUEUED:
                return False
            self.state = RUNNING
            self.moments["begun"] = time.monotonic()
            return True

    def end(self, state: str, reason: str | None = None, failure: Failure | None = None) -> bool:
        """To a final state; false where it has one."""
        with self._lock:
            if self.state in FINAL:
                return False
            self.completed, self.reason, self.failure = datetime.now(UTC), reason, failure
            self.moments["ended"] = time.monotonic()
            self.state = state
        if self.when_ended:
            self.when_ended(self)
        return True

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL

    def mark(self, moment: str) -> None:
        """Notes that a moment has come."""
        self.moments[moment] = time.monotonic()

    def millis(self, start: str, end: str) -> int:
        """Milliseconds between two moments, a begun one counted; 0 where one has not come."""
        since, until = self.moments.get(start), self.moments.get(end)
        return max(0, math.ceil((until - since) * 1000)) if since is not None and until is not None else 0

    @property
    def location(self) -> str:
        """Where the result lies, or would lie."""
        return self.outcome.location if self.outcome else result_location(self.request)

    def describe(self) -> dict[str, Any]:
        """As a `QueryExecution` of the API."""
        request = self.request
        configuration: dict[str, Any] = {"OutputLocation": self.location}
        if request.encryption:
            configuration["EncryptionConfiguration"] = request.encryption
        context = {"Database": request.database, "Catalog": request.catalog.lower() if request.catalog else None}
        enabled = request.reuse_minutes is not None
        by_age = {"Enabled": enabled, "MaxAgeInMinutes": request.reuse_minutes}
        return {
            "QueryExecutionId": request.id, "Query": request.sql, "StatementType": request.kind[0],
            "SubstatementType": request.kind[1], "ResultConfiguration": configuration,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": by_age},
            "QueryExecutionContext": context, "Status": self._status(), "Statistics": self._statistics(),
            "WorkGroup": request.work_group, "ExecutionParameters": list(request.parameters) or None,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": ENGINE},
        }  # fmt: skip

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "State": self.state, "StateChangeReason": self.reason, "SubmissionDateTime": self.submitted,
            "CompletionDateTime": self.completed,
        }  # fmt: skip
        if self.failure:
            status["AthenaError"] = {
                "ErrorCategory": self.failure.category, "ErrorType": self.failure.type,
                "Retryable": self.failure.retryable, "ErrorMessage": self.failure.message,
            }  # fmt: skip
        return status

    def _statistics(self) -> dict[str, Any]:
        outcome = self.outcome
        return {
            **self.timeline(), "DataScannedInBytes": self.usage.bytes,
            "DataManifestLocation": outcome.manifest if outcome else None,
            "ResultReuseInformation": {"ReusedPreviousResult": bool(outcome and outcome.reused)},
        }  # fmt: skip

    def timeline(self) -> dict[str, int]:
        """The times that statistics have, in milliseconds."""
        return {
            "QueryQueueTimeInMillis": self.millis("submitted", "begun"),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": self.millis("begun", "planned"),
            "EngineExecutionTimeInMillis": self.millis("begun", "ended"),
            "ServiceProcessingTimeInMillis": self.millis("executed", "ended"),
            "TotalExecutionTimeInMillis": self.millis("submitted", "ended"),
        }


_SUFFIXES = {"SELECT": ".csv", "CREATE_TABLE_AS_SELECT": "", "INSERT": "", "UNLOAD": ""}


def result_location(request: Request) -> str:
    """Where Athena puts the result of a statement of this kind."""
    suffix = _SUFFIXES.get(request.kind[1], ".txt")
    folder = "tables/" if request.kind[1] == "CREATE_TABLE_AS_SELECT" else ""
    return f"{request.output}{folder}{request.id}{suffix}"

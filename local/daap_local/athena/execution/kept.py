"""Executions as documents, so that a server that starts again knows those of the runs before."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from daap_local.athena.execution.record import FAILED, FINAL, Execution, Failure, Outcome, Request, Usage
from daap_local.athena.statements import Query

Document = dict[str, Any]
T = TypeVar("T")

_CUT_SHORT = Failure("The server ended before the query did. Please try submitting the query again", 1, 100, True)


def to_document(execution: Execution) -> Document:
    """All that the API tells of an execution."""
    request = execution.request
    told = {field.name: getattr(request, field.name) for field in fields(Request) if field.name != "statement"}
    since = execution.moments["submitted"]
    return {
        "request": told, "state": execution.state, "reason": execution.reason,
        "submitted": execution.submitted.isoformat(),
        "completed": execution.completed.isoformat() if execution.completed else None,
        "outcome": asdict(execution.outcome) if execution.outcome else None,
        "failure": asdict(execution.failure) if execution.failure else None,
        "usage": asdict(execution.usage),
        "moments": {name: moment - since for name, moment in execution.moments.items()},
    }  # fmt: skip


def of_document(given: Document) -> Execution:
    """An execution of an earlier run; one that had not ended has failed."""
    execution = Execution(_request(given["request"]), datetime.fromisoformat(given["submitted"]))
    execution.moments = dict(given["moments"])
    execution.usage = _made(Usage, given["usage"])
    if given["state"] not in FINAL:
        execution.end(FAILED, _CUT_SHORT.message, _CUT_SHORT)
        execution.moments.pop("ended", None)
        return execution
    execution.state, execution.reason = given["state"], given["reason"]
    execution.completed = datetime.fromisoformat(given["completed"]) if given["completed"] else datetime.now(UTC)
    execution.outcome = _made(Outcome, given["outcome"]) if given["outcome"] else None
    execution.failure = _made(Failure, given["failure"]) if given["failure"] else None
    return execution


def _request(given: Document) -> Request:
    """The request; its statement is not parsed anew, since nobody carries it out again."""
    lists = {name: tuple(given[name]) for name in ("kind", "parameters")}
    return _made(Request, {**given, **lists, "statement": Query(given["sql"])})


def _made(kind: type[T], given: Document) -> T:
    """A dataclass of those values that it knows, so that documents of other versions can be read."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in given.items() if name in known})

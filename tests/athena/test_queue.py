"""The queue of statements by itself: whatever comes when, it is taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daap_local.athena.execution import executor as queue
from daap_local.athena.execution.record import SUCCEEDED, Execution, Request
from daap_local.athena.execution.session import Session
from daap_local.athena.statements import Query

_PATIENCE = 10


class Lingering(queue.Executor):
    """One whose threads pause where they have decided to end."""

    decided = threading.Event()
    may_end = threading.Event()

    def _next(self) -> Execution | None:
        found = super()._next()
        if found is None:
            self.decided.set()
            self.may_end.wait(_PATIENCE)
        return found


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lingering]:
    monkeypatch.setattr(queue, "_LINGER_SECONDS", 0.01)
    made = Lingering(_succeed, 1, 10**9, 1, tmp_path, 10)
    yield made
    made.may_end.set()
    made.close()


def _succeed(execution: Execution, _session: Session) -> None:
    execution.end(SUCCEEDED)


def _submit(executor: queue.Executor, name: str) -> threading.Event:
    ended = threading.Event()
    execution = Execution(Request(name, "SELECT 1", Query("SELECT 1"), ("DML", "SELECT")))
    execution.when_ended = lambda _execution: ended.set()
    assert executor.submit(execution)
    return ended


def test_a_statement_that_comes_while_the_last_thread_ends_is_taken(executor):
    assert _submit(executor, "first").wait(_PATIENCE)
    assert executor.decided.wait(_PATIENCE)
    assert _submit(executor, "second").wait(_PATIENCE)

"""The queue: a bounded number of statements at a time, each of which can be stopped, all of them watched."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from daap_local.athena.execution.memory import used_memory
from daap_local.athena.execution.record import CANCELLED, FAILED, QUEUED, Execution, Failure
from daap_local.athena.execution.session import Session
from daap_local.athena.execution.spares import Limits, Spares

_WATCH_SECONDS = 0.05
_LINGER_SECONDS = 60.0
_SLACK = 500_000_000
"""What the process may need besides: modules that are loaded with the first query, Arrow's buffers."""
_SPILLED = 10
"""How many times its memory a query may put on disk; one that needs more would take for ever."""


@dataclass(slots=True)
class _Running:
    execution: Execution
    session: Session
    since: float = field(default_factory=time.monotonic)


class Executor:
    """Threads that take executions from a queue. They begin with the first one and end when nothing comes."""

    def __init__(
        self,
        run: Callable[[Execution, Session], None],
        slots: int,
        memory: int,
        threads: int,
        scratch: Path,
        most: int,
        folders: Sequence[str] = (),
    ) -> None:
        """`slots` statements at a time share `memory` bytes and read `folders`; `most` may wait."""
        self._run, self._slots, self._memory, self._threads = run, slots, memory, threads
        self._scratch, self._most = scratch, most
        self._queue: deque[Execution] = deque()
        self._running: dict[str, _Running] = {}
        self._changed = threading.Condition()
        self._workers: set[threading.Thread] = set()
        self._idle = 0
        self._watcher: threading.Thread | None = None
        self._closing = False
        self._floor = 0
        self._spares = Spares(self._limits(folders), slots)

    def submit(self, execution: Execution) -> bool:
        """Puts an execution into the queue; false where the queue is full."""
        with self._changed:
            if self._closing or len(self._queue) >= self._most:
                return False
            self._queue.append(execution)
            if self._idle < len(self._queue) and len(self._workers) < self._slots:
                self._add_worker()
            self._changed.notify_all()
        return True

    def _add_worker(self) -> None:
        if not self._workers and not self._running:
            self._floor = used_memory()
        worker = threading.Thread(target=self._work, name="athena-query", daemon=True)
        self._workers.add(worker)
        worker.start()
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="athena-watch", daemon=True)
            self._watcher.start()

    def warm_up(self) -> None:
        """Prepares for the first statements."""
        self._spares.fill()

    def stop(self, execution: Execution) -> None:
        """Stops an execution wherever it is; one that has ended stays as it is."""
        with self._changed:
            running = self._running.get(execution.request.id)
            if execution.state == QUEUED:
                with suppress(ValueError):
                    self._queue.remove(execution)
        execution.end(CANCELLED, "Query cancelled by user")
        if running:
            running.session.stop()

    def close(self) -> None:
        """Stops everything, and waits until it has ended."""
        with self._changed:
            self._closing = True
            left = [*self._queue, *(one.execution for one in self._running.values())]
            self._queue.clear()
            self._changed.notify_all()
        for execution in left:
            self.stop(execution)
        for worker in list(self._workers):
            worker.join(timeout=10)
        self._spares.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _work(self) -> None:
        while (execution := self._next()) is not None:
            if execution.begin():
                self._carry_out(execution)

    def _next(self) -> Execution | None:
        """What comes next; None to a thread that has waited long enough, which from then on counts as gone."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._queue or self._closing, timeout=_LINGER_SECONDS)
            self._idle -= 1
            if self._queue:
                return self._queue.popleft()
            # At once, since a submit that still counted on this thread would start no other.
            self._workers.discard(threading.current_thread())
            return None

    def _carry_out(self, execution: Execution) -> None:
        name = execution.request.id
        running = _Running(execution, Session(self._spares))
        with self._changed:
            self._running[name] = running
        try:
            if not execution.is_final:
                self._run(execution, running.session)
        except Exception as error:  # noqa: BLE001 - the worker lives on, and the query does not hang
            failure = Failure(f"GENERIC_INTERNAL_ERROR: {error}", 1, 100)
            execution.end(FAILED, failure.message, failure)
        finally:
            with self._changed:
                del self._running[name]
                self._changed.notify_all()

    def _limits(self, folders: Sequence[str]) -> Limits:
        memory = self._memory // self._slots
        spill = min(shutil.disk_usage(_existing(self._scratch)).free // 2, memory * _SPILLED)
        return Limits(memory, self._threads, self._scratch, spill, folders)

    def _watch(self) -> None:
        """Interrupts what was stopped until it has ended, and whatever takes the memory beyond all limits."""
        while not self._closing or self._running:
            time.sleep(_WATCH_SECONDS)
            with self._changed:
                running = list(self._running.values())
            if not running:
                with self._changed:
                    self._changed.wait_for(lambda: self._queue or self._running or self._closing)
                continue
            for one in running:
                if one.session.stopped.is_set():
                    one.session.stop()
            if used_memory() - self._floor > self._memory + (self._memory >> 2) + _SLACK:
                _heaviest(running).session.stop(exhausted=True)


def _heaviest(running: list[_Running]) -> _Running:
    """Which one it is cannot be seen from outside: the one that began last, as the others had room before it came."""
    return max(
        (one for one in running if not one.session.stopped.is_set()), key=lambda one: one.since, default=running[0]
    )


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path

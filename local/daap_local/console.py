"""What a person sees of loads: one line each, a bar for long ones; JSON lines where nobody looks."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from daap.errors import DaapError, InvalidName
from daap.model.events import FileRefused, LoadCurated, NothingToDo, Outcome
from daap.model.loads import Receipt

BAR_AFTER_SECONDS = 1.0


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def make_printable(text: str) -> str:
    """`text` without control characters, which could do things to a terminal; each becomes U+FFFD."""
    return _CONTROL.sub("\ufffd", text)


class LoadConsole:
    """Prints outcomes: lines on a terminal, JSON lines otherwise or if asked for."""

    def __init__(self, form: str = "auto") -> None:
        """`form` is `auto`, `text` or `json`."""
        self.is_text = form == "text" or (form == "auto" and sys.stdout.isatty())
        width = None if sys.stdout.isatty() else 10_000
        self._console = Console(highlight=False, soft_wrap=True, width=width)
        self._stages = Console(highlight=False, soft_wrap=True, width=width, stderr=True)

    def report(self, path: Path, outcome: Outcome | DaapError) -> None:
        """Prints one outcome, or an error that is no load's, of the file at `path`."""
        path = Path(os.fsencode(path).decode(errors="replace"))  # a name need not be in any encoding
        if self.is_text:
            self._console.print(make_printable(_say_outcome(path, outcome)))
        else:
            sys.stdout.write(json.dumps(_dump_outcome(path, outcome), ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def stage(self, event: dict[str, Any]) -> None:
        """Prints one event of the audit log to standard error."""
        if self.is_text:
            seconds = f"  {event['seconds']:.3f} s" if "seconds" in event else ""
            self._stages.print(f"  [dim]{event['stage']:>10}  {escape(str(event['message']))}{seconds}[/]")
        else:
            sys.stderr.write(json.dumps(event, ensure_ascii=False, default=str) + "\n")

    def say(self, text: str) -> None:
        """A remark for a person; not printed among JSON lines."""
        if self.is_text:
            self._console.print(escape(text), style="dim")


class LoadBar:
    """A progress bar that appears once a load has taken a second. Only on a terminal."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._lock = threading.Lock()

    def __call__(self, step: str, share: float) -> None:
        """See daap.ports.engine.Progress."""
        with self._lock:
            if self._progress is None:
                if time.monotonic() - self._started < BAR_AFTER_SECONDS:
                    return
                self._open(step)
            if self._progress is not None and self._task is not None:
                self._progress.update(self._task, description=step, completed=share)

    def _open(self, step: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        self._progress = Progress(*columns, TimeRemainingColumn(), transient=True)
        self._task = self._progress.add_task(step, total=1.0)
        self._progress.start()

    def restart(self) -> None:
        """The next load begins: the bar goes until that has taken a second too."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()
            self._progress, self._task, self._started = None, None, time.monotonic()


@contextmanager
def load_bar() -> Iterator[LoadBar | None]:
    """A bar for the block where a person watches, else None."""
    if not sys.stderr.isatty() and not sys.stdout.isatty():
        yield None
        return
    bar = LoadBar()
    try:
        yield bar
    finally:
        bar.restart()


def _say_outcome(path: Path, outcome: Outcome | DaapError) -> str:
    if isinstance(outcome, DaapError):
        name = "" if isinstance(outcome, InvalidName) else f"{path.name}: "
        return f"[yellow]![/] {escape(name)}{escape(str(outcome))}"
    if isinstance(outcome, NothingToDo):
        return f"[dim]- {escape(path.name)}: nothing to do, it has been taken already[/]"
    receipt = outcome.receipt
    if isinstance(outcome, FileRefused):
        return _say_refused(receipt)
    said = _say_rows(receipt.rows_written) if isinstance(outcome, LoadCurated) else "kept"
    return (
        f"[green]✓[/] {escape(receipt.source_name)} → [bold]{receipt.load}[/]  {said}  "
        f"{sum(receipt.timings.values()):.2f} s"
    )


def _say_rows(rows: int | None) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"


def _say_refused(receipt: Receipt) -> str:
    errors = receipt.errors
    if errors is None:
        return f"[red]✗[/] {escape(receipt.source_name)} → {receipt.load}  refused"
    number = "1 error" if errors.total == 1 else f"{errors.total} errors"
    return (
        f"[red]✗[/] {escape(receipt.source_name)} → [bold]{receipt.load}[/]  refused, {number}; "
        f"first: {escape(errors.first)}\n  [dim]all of them: daap-local errors {receipt.load}[/]"
    )


def _dump_outcome(path: Path, outcome: Outcome | DaapError) -> dict[str, Any]:
    if isinstance(outcome, DaapError):
        status = "misplaced" if isinstance(outcome, InvalidName) else "hindered"
        return {"file": path.name, "status": status, "error": str(outcome)}
    if isinstance(outcome, NothingToDo):
        return {"file": path.name, "status": "nothing_to_do", "load": str(outcome.load) if outcome.load else None}
    return dump_receipt(outcome.receipt)


def dump_receipt(receipt: Receipt) -> dict[str, Any]:
    """A receipt as plain data, with its load id first."""
    return {"load": str(receipt.load)} | receipt.model_dump(mode="json", exclude_none=True)

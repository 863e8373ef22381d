"""Real processes: the crash worker, and `daap-local` itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
_PATIENCE = 60.0


@dataclass
class CrashWorker:
    """A process that takes files in and dies at a given step, as often as it is asked to."""

    process: subprocess.Popen[str]

    def run(self, root: Path, landing: Path, key: str, *, infer: bool, kill_at: int | None = None) -> dict[str, Any]:
        """Takes a file in; returns whether it was killed, and else the steps there were."""
        job = {"root": str(root), "landing": str(landing), "key": key, "infer": infer, "kill_at": kill_at}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def act(self, root: Path, name: str, *, kill_at: int | None = None) -> dict[str, Any]:
        """Does a piece of work of `tests.support.acts`; returns as `run`."""
        self.process.stdin.write(json.dumps({"root": str(root), "act": name, "kill_at": kill_at}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def start_worker() -> Iterator[CrashWorker]:
    """A crash worker for the block."""
    command = [sys.executable, "-m", "tests.support.crash_worker"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT, **pipes) as process:  # noqa: S603 - our own words
        try:
            yield CrashWorker(process)
        finally:
            process.stdin.close()


@contextmanager
def start_command(root: Path, *words: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A `daap-local` command that runs beside the block, and is killed at its end if it still does."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(make_command(root, *words), cwd=root, text=True, **(quiet | options)) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.kill()


def make_command(root: Path, *words: str | Path) -> list[str]:
    """The words of a `daap-local` command for a lake."""
    code = "from daap_local.cli import main; main()"
    return [sys.executable, "-c", code, "--root", str(root), *map(str, words)]


def run_command(root: Path, *words: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a `daap-local` command to its end; `before` are words to put before it."""
    command = [*before, *make_command(root, *words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[Any] | None = None) -> None:
    """Looks until something holds; fails if it does not in a minute, or the process ends before."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        assert process is None or process.poll() is None, "the process ended"
        time.sleep(0.01)

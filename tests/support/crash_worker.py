"""Takes a file in, or does another piece of work, and dies on the way, at a step it is told.

Each line of standard input is a job; a job runs in a child of its own, which kills itself before its
`kill_at`-th step. A step is a change of the folders that a restart can see. The answer says how many
steps there were, if the child lived to tell.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import DaapError
from daap.model.events import FileLanded
from daap.pipeline.ingest import ingest_file
from daap.pipeline.lake import Lake
from daap_local.bootstrap import open_lake
from tests.support.acts import ACTS

STEPS = ("link", "unlink", "rename", "replace", "chmod")
"""A new folder changes nothing for a restart, so that one is no step."""

ALL_STEPS = (*STEPS, "rmdir")
"""Where things are deleted, folders that go count too."""

_PRIVATE = ("/.scratch/", "/.locks/")


class Fuse:
    """Counts steps, and kills the process before the one it is set to."""

    def __init__(self, kill_at: int | None, *, within: bool = False) -> None:
        """`within`: the steps of removing a whole folder count one by one."""
        self.kill_at, self.within, self.steps = kill_at, within, []

    def burn(self, label: str) -> None:
        """One step more."""
        self.steps.append(label)
        if len(self.steps) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call with the fuse before it; what happens in private folders is no step."""

        def stepped(*args: Any, **options: Any) -> Any:
            path = os.fspath(args[0]) if args and isinstance(args[0], str | os.PathLike) else ""
            if (folder := options.get("dir_fd")) is not None and self.within:
                path = str(Path(f"/proc/self/fd/{folder}").readlink() / path)
            if Path(path).exists() and not any(part in path for part in _PRIVATE):
                self.burn(f"{name} {Path(path).name}")
            return call(*args, **options)

        return stepped


def _light(fuse: Fuse) -> None:
    """Puts the fuse before all that changes folders, and around the engine's work."""
    for name in ALL_STEPS if fuse.within else STEPS:
        setattr(os, name, fuse.wrap(name, getattr(os, name)))
    stage = DuckDBEngine.stage

    def stepped_stage(*args: Any, **options: Any) -> Any:
        fuse.burn("before stage")
        result = stage(*args, **options)
        fuse.burn("after stage")
        return result

    DuckDBEngine.stage = stepped_stage  # type: ignore[method-assign]


def _work(job: dict[str, Any]) -> list[str]:
    if act := job.get("act"):
        fuse = Fuse(job["kill_at"], within=True)
        lake = open_lake(Path(job["root"]))
        _light(fuse)
        ACTS[act](lake)
        return fuse.steps
    landing = Path(job["landing"])
    lake: Lake = open_lake(Path(job["root"]), landing=landing, infer=job["infer"])
    fuse = Fuse(job["kill_at"])
    _light(fuse)
    ingest_file(FileLanded(job["key"], "ann"), lake)
    return fuse.steps


def _run_child(job: dict[str, Any], answers: int) -> None:
    code = 1
    try:
        os.write(answers, json.dumps(_work(job)).encode())
        code = 0
    except DaapError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Works job after job."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _run_child(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            told = answer.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        code = None if killed else os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps({"killed": killed, "code": code, "steps": json.loads(told or b"[]")}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Programs that run beside this one, and end with it however it ends."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daap.errors import StoreUnavailable

_LEASH = Path(__file__).with_name("leash.py")
_START_SECONDS, _STOP_SECONDS = 60.0, 20.0
_PAUSE = 0.05
_TOLD = 2_000  # characters of what a program said last


@dataclass(frozen=True, slots=True)
class Child:
    """A program that was started: what it is called, its process, and the file that has what it prints."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises StoreUnavailable if it has ended."""
        code = self.process.poll()
        if code is not None:
            said = self.log.read_text(errors="replace")[-_TOLD:].strip()
            raise StoreUnavailable(f"{self.name} has ended with code {code}; it said last:\n{said}")

    def await_answer(self, request: urllib.request.Request) -> None:
        """Waits until the program answers; raises StoreUnavailable if it ends before, or takes longer than a minute."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            self.check()
            try:
                with urllib.request.urlopen(request, timeout=_START_SECONDS):  # noqa: S310 - of this machine
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(_PAUSE)
        raise StoreUnavailable(f"{self.name} does not answer at {request.full_url}; see {self.log}")


@contextmanager
def running(
    name: str, command: tuple[Path | str, ...], environment: Mapping[str, str], folder: Path
) -> Iterator[Child]:
    """Runs a module by an interpreter, `(python, module, words...)`, until the block ends.

    It has a session of its own, so that Ctrl-C reaches this program alone, which ends it in order.
    """
    log = folder / f"{name}.log"
    words: Sequence[str] = [str(command[0]), str(_LEASH), *map(str, command[1:])]
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own words
            words, cwd=folder, env=dict(environment), stdin=subprocess.PIPE, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield Child(name, process, log)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin  # noqa: S101 - it was started with a pipe
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

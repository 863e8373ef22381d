"""The watcher: takes what lies in landing, then what comes.

File system events make it quick; a look at the whole folder every few seconds makes it sure, and
takes over what a killed process left behind.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from daap.errors import Busy, DaapError, EngineFailed, InvalidName, StoreUnavailable
from daap.model.events import FileLanded, FileRefused, NothingToDo, Outcome
from daap.pipeline.claims import Claim, open_claims
from daap.pipeline.ingest import ingest_file, resume_claim
from daap.pipeline.lake import Lake
from daap_local.settle import Settling, is_ignored

LOOK_SECONDS = 5.0
_TICK = 0.1
_MAX_BACKOFF = 60.0

Report = Callable[[Path, Outcome | DaapError], None]


@dataclass(slots=True)
class _Waiting:
    """A file to be taken: whether its writer closed it, from when on, and how often it did not go."""

    closed: bool = False
    due: float = 0.0
    tries: int = 0


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    done: int = 0
    refused: int = 0
    hindered: int = 0
    left: list[Path] = field(default_factory=list)


class _Handler(FileSystemEventHandler):
    """Passes on paths that may hold a file: closed after writing or moved in, or just seen."""

    def __init__(self, inbox: queue.SimpleQueue[tuple[Path, bool]]) -> None:
        self._inbox = inbox

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, DirCreatedEvent | DirMovedEvent):
            path = event.dest_path or event.src_path  # files may lie in it that no event tells of
        elif isinstance(event, FileMovedEvent):
            path = event.dest_path
        elif event.event_type in ("created", "closed"):
            path = event.src_path
        else:
            return
        closed = isinstance(event, FileClosedEvent | FileMovedEvent)
        self._inbox.put((Path(os.fsdecode(path)), closed))


class Watcher:
    """Watches one landing folder for one lake. Any number of watchers may share a folder."""

    def __init__(self, lake: Lake, landing: Path, actor: str, report: Report) -> None:
        """`report` is told of every load, and of errors that are no load's."""
        self._lake, self._landing, self._actor, self._report = lake, landing, actor, report
        self._inbox: queue.SimpleQueue[tuple[Path, bool]] = queue.SimpleQueue()
        self._waiting: dict[Path, _Waiting] = {}
        self._misplaced: dict[Path, int] = {}
        self._stuck: dict[Path, _Waiting] = {}
        self._claimed: set[Path] = set()
        self._settling = Settling()
        self._stopped = threading.Event()
        self.tally = Tally()

    def drain(self) -> Tally:
        """Takes everything that lies in landing, and waits for files still being written."""
        while True:
            self._look_around()
            waiting = {path for path, item in self._waiting.items() if not item.tries}
            if not waiting:
                self.tally.left = sorted(self._stuck)
                return self.tally
            if not self._take_due():
                time.sleep(_TICK)

    def watch(self) -> None:
        """Takes files in until it is interrupted, or stopped."""
        # It warns, on the person's screen, where a folder is made while it begins to watch its parent; the look
        # around finds what lies there.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\..*")
        observer = Observer()
        observer.schedule(_Handler(self._inbox), str(self._landing), recursive=True)
        observer.start()
        try:
            next_look = 0.0
            while not self._stopped.is_set():
                if time.monotonic() >= next_look:
                    self._look_around()
                    next_look = time.monotonic() + LOOK_SECONDS
                self._take_due()
                self._receive()
        finally:
            observer.stop()
            observer.join()

    def stop(self) -> None:
        """Ends watch after the file it is at; may be called from another thread."""
        self._stopped.set()

    def _path(self, key: str) -> Path:
        """The path of a key in landing."""
        return self._landing / key.partition("/")[2]

    def _receive(self) -> None:
        """Waits a moment for events, and notes them."""
        try:
            path, closed = self._inbox.get(timeout=_TICK)
            while True:
                self._note(path, closed=closed)
                path, closed = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _note(self, path: Path, *, closed: bool) -> None:
        if path.is_dir():
            for found in _walk_files(path):
                self._note(found, closed=False)
        elif path not in self._claimed and not is_ignored(path, self._landing) and not self._is_misplaced(path):
            item = self._waiting.setdefault(path, _Waiting())
            item.closed = item.closed or closed

    def _look_around(self) -> None:
        """Goes on with loads that were cut short, and finds files that no event told of."""
        claims = sorted(open_claims(self._lake.store), key=lambda claim: claim.stamp)
        self._claimed = {self._path(claim.landing) for claim in claims}
        for claim in claims:
            self._resume(claim)
        for path in _walk_files(self._landing, self._tell_unreadable):
            self._note(path, closed=False)

    def _tell_unreadable(self, error: OSError) -> None:
        """A folder that cannot be listed may hold files: it is told of, now and at later looks."""
        path = Path(error.filename)
        stuck = self._stuck.get(path)
        if not stuck or stuck.due <= time.monotonic():
            self._hinder(path, StoreUnavailable(f"cannot read {path}: {error.strerror}"))

    def _resume(self, claim: Claim) -> None:
        path = self._path(claim.key)
        stuck = self._stuck.get(path)
        if stuck and stuck.due > time.monotonic():
            return
        try:
            outcome = resume_claim(claim, self._lake, wait=False)
        except Busy:
            return
        except (StoreUnavailable, EngineFailed) as error:
            self._hinder(path, error)
        except Exception as error:  # noqa: BLE001 - as in _take
            self._hinder(path, _surprise(error))
        else:
            self._stuck.pop(path, None)
            self._tell(path, outcome)

    def _take_due(self) -> bool:
        """Takes the files whose time has come; returns whether there was one."""
        now, taken = time.monotonic(), False
        for path, item in sorted(self._waiting.items(), key=lambda waiting: _arrival(waiting[0])):
            if self._stopped.is_set():
                break
            if item.due > now:
                continue
            if is_ignored(path, self._landing):
                self._drop(path)  # gone: another worker has it, or its owner took it away
            elif self._settling.is_settled(path, closed=item.closed):
                taken = True
                self._take(path, item)
        return taken

    def _take(self, path: Path, item: _Waiting) -> None:
        key = f"landing/{path.relative_to(self._landing).as_posix()}"
        try:
            outcome = ingest_file(FileLanded(key, self._actor), self._lake, wait=False)
        except Busy:
            item.due = time.monotonic() + _TICK * 3
        except InvalidName as error:
            self._misplace(path, error)
        except (StoreUnavailable, EngineFailed) as error:
            self._hinder(path, error)
            item.tries, item.due = self._stuck[path].tries, self._stuck[path].due
        except Exception as error:  # noqa: BLE001 - a fault of ours with one file must not keep the others waiting
            self._hinder(path, _surprise(error))
            item.tries, item.due = self._stuck[path].tries, self._stuck[path].due
        else:
            self._drop(path)
            self._stuck.pop(path, None)
            self._tell(path, outcome)

    def _tell(self, path: Path, outcome: Outcome) -> None:
        if isinstance(outcome, NothingToDo):
            return
        self.tally.done += 1
        self.tally.refused += isinstance(outcome, FileRefused)
        self._report(path, outcome)

    def _hinder(self, path: Path, error: DaapError) -> None:
        """Notes that a file cannot go on now: it is tried again, later each time."""
        stuck = self._stuck.setdefault(path, _Waiting())
        stuck.tries += 1
        stuck.due = time.monotonic() + min(2.0**stuck.tries, _MAX_BACKOFF)
        self.tally.hindered += 1
        self._report(path, error)

    def _misplace(self, path: Path, error: InvalidName) -> None:
        """A file that no product could be found for by its place: it stays, and is told of once."""
        self._drop(path)
        self._misplaced[path] = _arrival(path)
        self.tally.refused += 1
        self._report(path, error)

    def _is_misplaced(self, path: Path) -> bool:
        return self._misplaced.get(path) == _arrival(path)

    def _drop(self, path: Path) -> None:
        self._waiting.pop(path, None)
        self._settling.forget(path)


def _surprise(error: Exception) -> EngineFailed:
    """An error nobody thought of, in words; its file stays where it is."""
    return EngineFailed(f"unexpected {type(error).__name__}: {error}; please report this")


def _arrival(path: Path) -> int:
    """When a file came to where it is: a move changes no other time."""
    try:
        return path.lstat().st_ctime_ns
    except OSError:
        return 0


def _walk_files(folder: Path, on_error: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=on_error):
        folders.sort()
        for name in sorted(names):
            yield Path(parent) / name

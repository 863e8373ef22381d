"""The audit log: every stage of every load as a structured event, to the console and the logs zone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from daap import __version__
from daap.errors import StoreUnavailable
from daap.ports.objects import ABSENT, ObjectStore

Console = Callable[[dict[str, Any]], None]

EVENTS = "logs/events/"

COLUMNS = {
    "time": "string", "level": "string", "stage": "string", "message": "string", "product": "string",
    "table": "string", "load": "string", "actor": "string", "rows": "bigint", "seconds": "double",
    "codeversion": "string", "schemaversion": "string", "fileid": "string", "key": "string", "bycode": "string",
}  # fmt: skip
"""The events as a table, in lower case as Athena names columns; times are text, as written, and `bycode` is JSON."""


class Trail:
    """The events of one piece of work. They are written as one object, which is never rewritten."""

    def __init__(self, console: Console | None, **bound: Any) -> None:  # noqa: ANN401 - facts of any kind
        self._events: list[dict[str, Any]] = []
        self._console = console
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
        self._log = structlog.wrap_logger(
            None,
            processors=[structlog.processors.add_log_level, stamp, self._keep],
            codeVersion=__version__,
            **bound,
        )

    def bind(self, **facts: Any) -> None:  # noqa: ANN401 - facts of any kind
        """Adds facts to all events from here on."""
        self._log = self._log.bind(**facts)

    def info(self, stage: str, message: str, **facts: Any) -> None:  # noqa: ANN401 - facts of any kind
        """Something went as it should."""
        self._log.info(message, stage=stage, **facts)

    def warn(self, stage: str, message: str, **facts: Any) -> None:  # noqa: ANN401 - facts of any kind
        """Something a person should look at."""
        self._log.warning(message, stage=stage, **facts)

    def _keep(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["message"] = event.pop("event")
        self._events.append(dict(event))
        if self._console:
            self._console(dict(event))
        raise structlog.DropEvent

    def write(self, store: ObjectStore) -> None:
        """Writes the events, if there are any, as JSON lines."""
        if not self._events:
            return
        now = datetime.now(UTC)
        name = f"{now:%H%M%S.%f}-{uuid.uuid4().hex}.jsonl"
        lines = "".join(json.dumps(event, ensure_ascii=False, default=str) + "\n" for event in self._events)
        store.put(f"{EVENTS}date={now:%Y-%m-%d}/{name}", lines.encode(), ABSENT)
        self._events.clear()


@contextmanager
def audited(store: ObjectStore, console: Console | None, **bound: Any) -> Iterator[Trail]:  # noqa: ANN401
    """A trail for the block, written at its end; after an error too, which is an event of its own."""
    trail = Trail(console, **bound)
    try:
        yield trail
    except Exception as error:
        trail.warn("stopped", f"{type(error).__name__}: {error}")
        try:
            trail.write(store)
        except StoreUnavailable as failed:
            error.add_note(f"and the audit log could not be written: {failed}")
        raise
    trail.write(store)

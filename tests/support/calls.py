"""Counts what is asked of AWS, by service and operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from daap_cloud.clients import Clients


@contextmanager
def counting_calls(clients: Clients) -> Iterator[Counter[str]]:
    """Counts the calls of S3, Glue and Athena in the block, each as `s3:PutObject`; retries are counted too."""
    counts: Counter[str] = Counter()
    parts = (clients.s3, clients.glue, clients.athena)

    def note(event_name: str, **_given: Any) -> None:
        _, service, operation = event_name.split(".")
        counts[f"{service}:{operation}"] += 1

    for client in parts:
        client.meta.events.register("before-call", note)
    try:
        yield counts
    finally:
        for client in parts:
            client.meta.events.unregister("before-call", note)


class Killed(BaseException):
    """The process is no more: nothing that it was about to do is done."""


@contextmanager
def killed_after(clients: Clients, calls: int) -> Iterator[None]:
    """Ends the work in the block behind so many calls: AWS has done the last one, and nobody hears its answer.

    What would tidy up on the way out reaches nothing any more, as with a process that is killed.
    """
    left = calls
    parts = (clients.s3, clients.glue, clients.athena)

    def stop(**_given: Any) -> None:
        if left <= 0:
            raise Killed

    def count(http_response: Any, parsed: dict[str, Any], **_given: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            (parsed.get("Body") or http_response.raw).close()
        stop()

    for client in parts:
        client.meta.events.register("before-call", stop)
        client.meta.events.register("after-call", count)
    try:
        yield
    finally:
        for client in parts:
            client.meta.events.unregister("before-call", stop)
            client.meta.events.unregister("after-call", count)

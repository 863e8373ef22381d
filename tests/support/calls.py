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

"""What the server is told when it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PORT = 4568
HOST = "127.0.0.1"
DEFAULT_DATABASE = "default"
"""The database that every catalogue of AWS begins with."""
RESULTS_BUCKET = "athena-results"


def default_threads() -> int:
    """All of the machine's processors."""
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Options:
    """Where the lake is, which endpoints there are besides, and what queries may use together."""

    root: Path
    port: int = PORT
    host: str = HOST
    names: tuple[str, ...] = ()
    """By which other names clients call the server."""
    glue_endpoint: str | None = None
    s3_endpoint: str | None = None
    memory: int = 4_000_000_000
    threads: int | None = None
    concurrent: int = 4
    waiting: int = 1_000

    @property
    def home(self) -> Path:
        """The folder that holds buckets and catalogue of one's own, beside the lake's zones."""
        return self.root / "athena"

"""What a deployment prints: coloured on a terminal, one plain line for each event where it is piped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from daap_cloud.deploy.stack import StackEvent

_WIDE = 10_000


def open_console() -> Console:
    """A console on standard error; standard output is for what a program may want to read."""
    width = None if sys.stderr.isatty() else _WIDE
    return Console(stderr=True, width=width, highlight=False, soft_wrap=True)


def tell_events(console: Console) -> Callable[[StackEvent], None]:
    """Prints each event as it comes."""

    def tell(event: StackEvent) -> None:
        colour = _colour(event.status)
        reason = f"  {escape(event.reason)}" if event.reason and not event.status.endswith("_IN_PROGRESS") else ""
        line = f"[{colour}]{event.status:<28}[/] {event.kind:<34} {event.name}{reason}"
        console.print(f"{event.moment:%H:%M:%S} {line}")

    return tell


def _colour(status: str) -> str:
    if "FAILED" in status or "ROLLBACK" in status:
        return "red"
    return "green" if status.endswith("_COMPLETE") else "dim"


def print_outputs(outputs: Mapping[str, str]) -> None:
    """Prints the outputs on standard output: as a table on a terminal, else as NAME=VALUE lines."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{name}={value}\n" for name, value in sorted(outputs.items()))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in sorted(outputs.items()):
        table.add_row(name, escape(value))
    Console(highlight=False).print(table)

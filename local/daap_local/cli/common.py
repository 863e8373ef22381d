"""What commands share: options, consoles, and lists as a table or as JSON."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from daap_local.root import find_root

F = TypeVar("F", bound=Callable[..., Any])


def with_root(function: F) -> F:
    """Gives the command the lake's folder as its first argument."""

    @click.pass_context
    @functools.wraps(function)
    def call(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any command
        return ctx.invoke(function, find_root(ctx.obj.root), *args, **kwargs)

    return call  # type: ignore[return-value]


def with_place(function: F) -> F:
    """Gives the command as its first argument where the lake is: in folders or deployed."""

    @click.pass_context
    @functools.wraps(function)
    def call(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any command
        return ctx.invoke(function, ctx.obj.open(), *args, **kwargs)

    return call  # type: ignore[return-value]


def format_option(*choices: str) -> Callable[[F], F]:
    """`--format`, with the first choice as the default."""
    return click.option(
        "--format", "form", type=click.Choice(choices), default=choices[0], show_default=True, help="How to print."
    )


def print_json(data: object) -> None:
    """Prints data as JSON."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, right: Sequence[str] = ()
) -> None:
    """Prints rows as a table that fits the terminal; piped, a cell is never cut."""
    from rich.table import Table

    from daap_local.console import make_printable

    listed = [["" if cell is None else make_printable(str(cell)) for cell in row] for row in rows]
    if not listed:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in listed:
        table.add_row(*(_escape(cell) for cell in row))
    make_console().print(table)


def make_console(*, stderr: bool = False) -> Any:  # noqa: ANN401 - rich is loaded late
    """A console: coloured on a terminal, and as wide as it takes where it is piped."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 10_000
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def read_product(path: Path) -> Any:  # noqa: ANN401 - the model is loaded late
    """The product in a spec file; raises InvalidSpec with the file's name before each problem."""
    from daap.errors import InvalidSpec, SpecProblem
    from daap.registry.spec import parse_spec

    try:
        return parse_spec(path.read_bytes())
    except InvalidSpec as error:
        problems = [SpecProblem(f"{path.name}: {p.path}" if p.path else path.name, p.message) for p in error.problems]
        raise InvalidSpec(problems) from None
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from None


def file_source(path: Path) -> Any:  # noqa: ANN401 - the model is loaded late
    """A file of this machine as an engine takes it."""
    from daap.ports.engine import Source

    return Source(str(path.absolute()), path.stat().st_size, lambda: path.open("rb"))


def print_errors(said: str, total: int, errors: Sequence[dict[str, Any]]) -> None:
    """Prints a report's errors as a table under a line that counts them."""
    number = "1 error" if total == 1 else f"{total} errors"
    click.echo(f"{said}: {number}{f', the first {len(errors)}' if len(errors) < total else ''}\n")
    columns = ("line", "column", "code", "value", "expected")
    print_table(columns, [[error[column] for column in columns] for error in errors], empty="", right=("line",))


def tell_catalogue(root: Path | None, product: str) -> None:
    """Tells the catalogue that DAAP_CATALOGUE names of a product, once the command has answered; a failure is a note.

    Without a folder nothing is told: a deployed lake does that by itself.
    """
    if root is None or os.environ.get("DAAP_CATALOGUE", "none") in ("", "none"):
        return
    from daap.errors import DaapError
    from daap_local.bootstrap import open_lake
    from daap_local.catalogue import push_briefly

    sys.stdout.flush()
    try:
        error = push_briefly(open_lake(root), product)
    except DaapError as wrong:
        error = str(wrong)
    if error:
        click.echo(f"Note: the catalogue was not told: {error}. `daap-local catalogue` tells it again.", err=True)


def say_size(size: int | None) -> str:
    """Bytes for a person: `1.5 MB`."""
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":  # noqa: PLR2004 - SI units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""

"""`up` runs everything here; `deploy` only brings the lake to an emulator that runs already."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from daap.errors import DaapError
from daap_cloud.deploy.release import Release
from daap_local.cloud.deployment import deploy_lake, describe
from daap_local.cloud.services import Wish, running_services

F = TypeVar("F", bound=Callable[..., Any])

_HINDERED = 3
_PAUSE = 0.5
_EPILOG = """\b
Examples:
  python -m daap_local.cloud up
  python -m daap_local.cloud up --port 0 --athena-port 0 --engine duckdb
  python -m daap_local.cloud deploy --endpoint-url http://127.0.0.1:4566 --athena-endpoint http://127.0.0.1:4568
"""


class _Group(click.Group):
    """Tells daap's errors in a line."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click's
        try:
            return super().invoke(ctx)
        except DaapError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(_HINDERED)


def _with_release(function: F) -> F:
    for option in (
        click.option("--stack", default="lake", show_default=True, help="The stack's name."),
        click.option("--engine", type=click.Choice(["athena", "duckdb", "auto"]), default="athena", show_default=True,
                     help="What curates."),
        click.option("--parameter", "given", metavar="NAME=VALUE", multiple=True,
                     help="A parameter of the template; repeatable."),
    ):  # fmt: skip
        function = option(function)
    return function


@click.group(cls=_Group, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The cloud on this machine: what `docker compose up` gives, and the same without Docker."""


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=4566, show_default=True, help="The emulator's port.")
@click.option("--athena-port", type=click.IntRange(0, 65535), default=4568, show_default=True, help="Athena's port.")
@click.option("--python", type=click.Path(path_type=Path), default=Path(".venv-ministack/bin/python"),
              show_default=True, help="An interpreter that has ministack and daap.")  # fmt: skip
@_with_release
def up(port: int, athena_port: int, python: Path, stack: str, engine: str, given: tuple[str, ...]) -> None:
    """Start ministack and Athena, deploy the lake, and keep all of it until Ctrl-C.

    Everything is thrown away then: the emulator keeps what it has in memory.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with running_services(Wish(python, port, athena_port)) as services:
            click.echo(f"ministack at {services.url}, Athena at {services.athena}; logs in {services.folder}", err=True)
            release = Release(as_zip=True, parameters=_read(engine, given), athena=services.athena)
            lake = deploy_lake(services.url, stack, release, _say)
            click.echo(describe(lake, services.url, services.athena, services.url))
            click.echo("Ctrl-C ends all of it, and throws it away.", err=True)
            while True:
                for child in services.children:
                    child.check()
                time.sleep(_PAUSE)
    except KeyboardInterrupt:
        click.echo("Stopped; nothing is left.", err=True)


@main.command()
@click.option("--endpoint-url", required=True, metavar="URL", help="The emulator's address, as its functions see it.")
@click.option("--athena-endpoint", metavar="URL", help="Athena's address, likewise.")
@click.option("--glue-endpoint", metavar="URL", help="Glue's address, where the emulator has none.")
@click.option("--public-url", metavar="URL", help="The emulator's address as you see it, where that is another.")
@click.option("--public-athena-url", metavar="URL", help="Athena's address as you see it, likewise.")
@_with_release
def deploy(
    endpoint_url: str, athena_endpoint: str | None, glue_endpoint: str | None, public_url: str | None,
    public_athena_url: str | None, stack: str, engine: str, given: tuple[str, ...],
) -> None:  # fmt: skip
    """Deploy the lake to an emulator that runs, make a token, and print where the API is."""
    release = Release(
        as_zip=True, parameters=_read(engine, given), athena=athena_endpoint, glue=glue_endpoint, public=public_url
    )  # fmt: skip
    lake = deploy_lake(endpoint_url, stack, release, _say)
    url = public_url or endpoint_url
    athena = public_athena_url or athena_endpoint or url
    click.echo(describe(lake, url, athena, athena if glue_endpoint else url))


def _read(engine: str, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, mark, _ in pairs:
        if not name or not mark:
            raise click.BadParameter(f"{name!r} is not NAME=VALUE", param_hint="--parameter")
    return {"Engine": engine} | {name: value for name, _, value in pairs}


def _say(text: str) -> None:
    click.echo(text, err=True)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt

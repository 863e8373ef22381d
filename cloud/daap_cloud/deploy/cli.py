"""The commands."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from daap import __version__
from daap.access.grants import Grant, parse_grant
from daap.errors import DaapError, InvalidName, StoreUnavailable
from daap_cloud.deploy.console import open_console, print_outputs, tell_events
from daap_cloud.deploy.faults import DeployFailed, StillInUse
from daap_cloud.deploy.release import Release, release_stack
from daap_cloud.deploy.stack import Stack
from daap_cloud.deploy.target import Target, find_target
from daap_cloud.deploy.teardown import delete_stack
from daap_cloud.deploy.tokens import end_token, make_token, open_store

F = TypeVar("F", bound=Callable[..., Any])

_REFUSED, _WRONG_USE, _HINDERED = 1, 2, 3
_NAME = r"[a-zA-Z][-a-zA-Z0-9]{0,39}"
"""40 characters leave room for what functions and queues add to it."""

_EPILOG = """\b
Without a command, the stack is deployed (see: up --help).
Exit codes: 0 fine; 1 the stack holds data; 2 wrong use; 3 something failed.

\b
Examples:
  python -m daap_cloud.deploy --stack lake
  python -m daap_cloud.deploy --stack lake --parameter Engine=auto --parameter LogDays=365
  python -m daap_cloud.deploy --stack lake --endpoint-url http://127.0.0.1:4566
  python -m daap_cloud.deploy token --stack lake > admin-token.txt
  python -m daap_cloud.deploy delete --stack lake
"""


class _Group(click.Group):
    """Takes options without a command for those of `up`, and tells daap's errors in a line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"-h", "--help", "--version"}
        if args and args[0].startswith("-") and not own & set(args[:1]):
            args = ["up", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click's
        try:
            return super().invoke(ctx)
        except DaapError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(_code(error))


def _code(error: DaapError) -> int:
    if isinstance(error, StoreUnavailable | DeployFailed):
        return _HINDERED
    return _REFUSED if isinstance(error, StillInUse) else _WRONG_USE


def _check_stack(_ctx: click.Context, _param: click.Parameter, name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise click.BadParameter(f"{name!r} is no stack's name: a letter, then at most 39 letters, digits and hyphens")
    return name


def _read_pairs(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, mark, _ in pairs:
        if not mark or not name:
            raise click.BadParameter(f"{name!r} is not NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _read_grants(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Grant, ...]:
    try:
        return tuple(map(parse_grant, texts))
    except InvalidName as error:
        raise click.BadParameter(str(error)) from None


def _with_stack(function: F) -> F:
    for option in (
        click.option("--region", help="The region. Default: AWS_REGION, or that of the profile."),
        click.option(
            "--endpoint-url", envvar="AWS_ENDPOINT_URL", metavar="URL", help="The address of an emulator of AWS."
        ),
        click.option("--stack", required=True, callback=_check_stack, help="The stack's name."),
    ):
        function = option(function)
    return function


def _open(stack: str, endpoint_url: str | None, region: str | None) -> tuple[Target, Stack]:
    target = find_target(region or os.environ.get("AWS_REGION"), endpoint_url)
    return target, Stack(target.formation, stack, 0.2 if target.is_emulated else 3.0)


@click.group(
    cls=_Group, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="daap_cloud.deploy")
def main() -> None:
    """Deploy a lake to AWS or to an emulator of it, make its first token, delete it."""


@main.command()
@click.option("--engine", type=click.Choice(["athena", "duckdb", "auto"]), help="What curates.")
@click.option("--image", metavar="URI", help="The functions' image in ECR. Default: it is built by docker and pushed.")
@click.option("--zip", "as_zip", is_flag=True, help="The functions as a zip file; the default for an emulator.")
@click.option("--parameter", "given", metavar="NAME=VALUE", multiple=True, callback=_read_pairs,
              help="A parameter of the template; repeatable. One that is not given stays as it is.")  # fmt: skip
@click.option("--athena-endpoint", metavar="URL", help="The address of Athena, where it is not the emulator's own.")
@click.option("--glue-endpoint", metavar="URL", help="The address of Glue, where the emulator has none.")
@click.option("--public-url", metavar="URL", help="The emulator's address as programs outside its network see it.")
@click.option("--replace-buckets", is_flag=True, help="Go on though the change makes a bucket anew; the old one stays.")
@_with_stack
def up(
    stack: str, endpoint_url: str | None, region: str | None, engine: str | None, image: str | None, as_zip: bool,
    given: dict[str, str], athena_endpoint: str | None, glue_endpoint: str | None, public_url: str | None,
    replace_buckets: bool,
) -> None:  # fmt: skip
    """Create the stack, or bring it to what the template and the code are now."""
    target, wanted = _open(stack, endpoint_url, region)
    if engine:
        given = {"Engine": engine, **given}
    console = open_console()
    release = Release(
        image, as_zip or (target.is_emulated and not image), given, athena_endpoint, glue_endpoint, public_url,
        replace_buckets,
    )  # fmt: skip
    changes = release_stack(target, wanted, release, tell_events(console), console.print)
    if changes is None:
        console.print(f"{stack} is up to date: nothing is to be changed")
    print_outputs(wanted.outputs())


@main.command()
@_with_stack
def outputs(stack: str, endpoint_url: str | None, region: str | None) -> None:
    """Print what the stack tells of itself: the API's address, buckets, the work group."""
    print_outputs(_open(stack, endpoint_url, region)[1].outputs())


@main.command()
@click.option("--with-data", is_flag=True, help="Delete all that the buckets hold, and the products' databases, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_with_stack
def delete(stack: str, endpoint_url: str | None, region: str | None, with_data: bool, yes: bool) -> None:
    """Delete the stack; refuses while its buckets hold anything, unless --with-data is given."""
    target, found = _open(stack, endpoint_url, region)
    if not yes:
        what = f"the stack {stack} and ALL ITS DATA" if with_data else f"the stack {stack}"
        if click.prompt(f"Type {stack} to delete {what}", err=True) != stack:
            raise click.Abort
    console = open_console()
    delete_stack(target, found, tell_events(console), console.print, with_data=with_data)
    click.echo(f"{stack} is deleted.", err=True)


@main.command()
@click.option("--name", default="admin", show_default=True, help="The principal.")
@click.option("--grant", "grants", metavar="GRANT", multiple=True, callback=_read_grants, default=["admin"],
              show_default=True, help="What it may do, such as upload:spend or read:*; repeatable.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 36_500), help="When it ends. Default: never.")
@click.option("--revoke", metavar="ID", help="End the token with this ID, instead of making one.")
@_with_stack
def token(
    stack: str, endpoint_url: str | None, region: str | None, name: str, grants: tuple[Grant, ...], days: int | None,
    revoke: str | None,
) -> None:  # fmt: skip
    """Make an access token and print it, this once; standard output has the token and nothing else."""
    target, found = _open(stack, endpoint_url, region)
    store = open_store(target.clients.s3, found.outputs())
    if revoke:
        ended = end_token(store, revoke)
        click.echo(f"Token {ended.id} of {ended.principal} is revoked.", err=True)
        return
    text, info = make_token(store, name, grants, datetime.now(UTC) + timedelta(days=days) if days else None)
    click.echo(text)
    click.echo(
        f"This token is for {info.principal}: {', '.join(map(str, info.grants))}. It is not shown again. "
        f"Send it as the header authorizationToken.\nTo end it: token --stack {stack} --revoke {info.id}",
        err=True,
    )

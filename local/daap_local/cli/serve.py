"""`daap-local serve`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daap_local.cli.common import with_root

if TYPE_CHECKING:
    from daap.pipeline.lake import Lake
    from daap.pipeline.publish import Push

_EPILOG = """\b
Examples:
  daap-local serve
  daap-local serve --port 8080 --public-url https://daap.example.org

\b
The API is described at http://127.0.0.1:4567/docs. Tokens are made by:
  daap-local token create NAME --grant upload:spend
An identity provider's tokens (JWT) are taken too, if these are set:
  DAAP_OIDC_ISSUER, DAAP_OIDC_AUDIENCE, DAAP_OIDC_JWKS
"""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command("serve", epilog=_EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=4567, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 for a free one."
)
@click.option("--public-url", help="Where clients reach the server, if not at that address: goes into upload forms.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Take in what comes to landing.")
@click.option("-v", "--verbose", is_flag=True, help="Log every request and every stage of every load.")
@click.option("--format", "form", type=click.Choice(["auto", "text", "json"]), default="auto", show_default=True,
              help="One line a load, or JSON lines; auto: lines on a terminal.")  # fmt: skip
@with_root
def command(root: Path, host: str, port: int, public_url: str | None, watch: bool, verbose: bool, form: str) -> None:
    """Serve the HTTP API of the lake, and take in the files that come to it, until Ctrl-C.

    At its first start it makes a token that may do everything, and prints it once.
    """
    from contextlib import nullcontext

    from daap.access.tokens import TokenStore
    from daap.pipeline.resync import finish_changes
    from daap_local.bootstrap import open_lake
    from daap_local.catalogue import keeping_catalogue
    from daap_local.console import LoadConsole
    from daap_local.server.serve import build_app, open_socket, run_server, watching

    console = LoadConsole(form)
    lake = open_lake(root, console=console.stage if verbose else None)
    with open_socket(host, port) as listening:
        shown = f"[{host}]" if ":" in host else host
        url = public_url or f"http://{shown}:{listening.getsockname()[1]}"
        app = build_app(root, url, lake)
        for mended in finish_changes(lake):
            console.say(f"{mended.found}: {mended.what}  {mended.error or 'finished'}")
        _tell_token(lake, TokenStore(lake.store).create_first(getpass.getuser()))
        if host not in _LOOPBACK:
            click.echo(f"Note: {host} can be reached from outside this machine, without encryption.", err=True)
        click.echo(f"Serving {root} at {url} (described at {url}/docs; Ctrl-C ends)", err=True)
        with (
            keeping_catalogue(lake, lambda push: console.say(_describe_push(push))),
            watching(lake, root, console.report) if watch else nullcontext(),
        ):
            run_server(app, listening, verbose=verbose)
    click.echo("Stopped. What was on its way goes on at the next start.", err=True)


def _describe_push(push: Push) -> str:
    return f"catalogue: {push.product} {push.version or 'is gone'}  {push.error or push.state}"


def _tell_token(lake: Lake, token: str | None) -> None:
    from daap.pipeline.audit import audited

    if token:
        with audited(lake.store, lake.console, actor=getpass.getuser()) as trail:
            trail.info("token_created", "the first token, which may do everything")
        click.echo("This is the first start. A token that may do everything, shown only now:", err=True)
        click.echo(token)

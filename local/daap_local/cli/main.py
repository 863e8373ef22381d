"""The group of commands, the lake's folder, and how errors and exit codes reach the person."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from daap import __version__
from daap.errors import DaapError, StoreUnavailable
from daap_local.places import Choice

REFUSED, WRONG_USE, HINDERED, INTERRUPTED = 1, 2, 3, 130

_COMMANDS = {
    "register": "Register a data product from its spec.",
    "amend": "Bring a data product to what its spec says.",
    "watch": "Take files in as they arrive in a landing folder.",
    "ingest": "Take one file in.",
    "check": "Check a file against a spec, without a lake.",
    "parity": "Compare laptop and cloud: the same files through both.",
    "infer": "Print a first spec for a file.",
    "serve": "Serve the HTTP API, and take files in.",
    "rehearse": "Check a proposed schema against the uploads there have been.",
    "versions": "List the versions of a data product.",
    "delete": "Delete a data product, or a table of it.",
    "hold": "Place a data product under legal hold, or lift it.",
    "reload": "Make curated anew from raw.",
    "catalogue": "Show the data products in another catalogue, or as pages.",
    "resync": "Find and finish what was cut short.",
    "retention": "Delete what is older than its retention period.",
    "products": "List the data products.",
    "loads": "List the loads.",
    "errors": "Show what was wrong with a refused file.",
    "files": "List the files of files components.",
    "sql": "Query the curated tables.",
    "athena": "Serve Athena's API, with Glue and S3, over the lake.",
    "token": "Create, list and revoke access tokens.",
    "demo": "Run the whole flow on a small lake.",
}

_FOLDERS_ONLY = {
    "watch": "works on a lake in folders: deployed, files are taken in as they arrive",
    "ingest": "works on a lake in folders: a deployed one takes files by the forms of its API",
    "serve": "works on a lake in folders: a deployed one has its API already",
    "athena": "works on a lake in folders, or takes the addresses of S3 and Glue itself",
    "demo": "makes a lake in folders",
    "check": "needs no lake",
    "infer": "needs no lake",
    "parity": "takes --endpoint-url and --stack itself",
    "catalogue": "works on a lake in folders: a deployed one tells its catalogue by itself",
}
"""The commands that work on no deployed lake, and why."""

_EPILOG = """\b
Exit codes: 0 fine; 1 the data was refused; 2 wrong use; 3 something stood in
the way (disk, permissions), nothing was lost; 130 stopped by Ctrl-C.

\b
Examples:
  daap-local register product.yaml
  daap-local watch ./landing
  daap-local sql "SELECT * FROM spend_v1.march_latest"
  daap-local --endpoint localstack products
"""


class _LazyGroup(click.Group):
    """Knows its commands by name and one line, and loads a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"daap_local.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def main(  # type: ignore[override]  # one signature for click's two overloads
        self,
        args: Sequence[str] | None = None,
        standalone_mode: bool = True,
        **extra: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - as click's
        """As click's, with daap's errors as one clear line and an exit code."""
        try:
            code: object = super().main(args, standalone_mode=False, **extra)
        except click.exceptions.Abort:
            code = INTERRUPTED
            click.echo("Stopped.", err=True)
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except DaapError as error:
            code = _explain(error)
        except BrokenPipeError:
            sys.stderr.close()  # the reader has gone; Python would complain about it at exit
            code = 0
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code


def _explain(error: DaapError) -> int:
    from daap.errors import Cancelled, EngineFailed

    click.echo(f"Error: {error}", err=True)
    for note in getattr(error, "__notes__", ()):
        click.echo(f"  {note}", err=True)
    if isinstance(error, Cancelled):
        return INTERRUPTED
    return HINDERED if isinstance(error, StoreUnavailable | EngineFailed) else WRONG_USE


@click.group(cls=_LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="daap-local")
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DAAP_ROOT",
    help="The lake's folder. Default: the nearest folder from here up that holds 'landing', else the current one.",
)
@click.option(
    "--endpoint",
    metavar="URL|localstack|aws",
    envvar="DAAP_ENDPOINT",
    help="Work on a deployed lake instead, in an emulator at this address, or in AWS.",
)
@click.option("--stack", envvar="DAAP_STACK", default="lake", show_default=True, help="Its stack; for --endpoint.")
@click.pass_context
def main(ctx: click.Context, root: Path | None, endpoint: str | None, stack: str) -> None:
    """Data as a Product, local first: CSV snapshots, checked, kept and queryable."""
    root, endpoint = _choose(ctx, root, endpoint)
    name = ctx.invoked_subcommand
    if endpoint and name in _FOLDERS_ONLY:
        raise click.UsageError(f"{name} {_FOLDERS_ONLY[name]}; leave out --endpoint")
    ctx.obj = Choice(root, endpoint, stack)


def _choose(ctx: click.Context, root: Path | None, endpoint: str | None) -> tuple[Path | None, str | None]:
    """One of the two: what the command line says goes before the environment."""
    given = [ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in ("root", "endpoint")]
    if root and endpoint and given[0] == given[1]:
        raise click.UsageError("--root names a lake in folders and --endpoint a deployed one; give one of them")
    if root and endpoint:
        return (root, None) if given[0] else (None, endpoint)
    return root, endpoint

"""`daap-local reload`."""

from __future__ import annotations

import getpass

import click

from daap_local.cli.common import format_option, print_json, with_place
from daap_local.places import Place

_EPILOG = """\b
Example:
  daap-local reload spend march

Exit code 1 if a snapshot could not be made anew.
"""


@click.command("reload", epilog=_EPILOG)
@click.argument("product")
@click.argument("table", required=False)
@format_option("text", "json")
@with_place
@click.pass_context
def command(ctx: click.Context, place: Place, product: str, table: str | None, form: str) -> None:
    """Make the snapshots of PRODUCT, or of one TABLE of it, anew from raw.

    Readers go on reading. A snapshot that would have other rows than before stays as it is, and is told of.
    """
    from daap.pipeline.reload import reload_tables, select_tables

    lake, rebuilt = place.open_lake(), []
    for one in reload_tables(lake, select_tables(lake, product, table), getpass.getuser()):
        rebuilt.append({"load": str(one.load), "rows": one.rows, "wasMissing": one.was_missing, "error": one.error})
        if form == "text":
            said = one.error or f"{one.rows} rows{'  (was missing)' if one.was_missing else ''}"
            click.echo(f"{one.load}  {said}")
    if form == "json":
        print_json(rebuilt)
    elif not rebuilt:
        click.echo("There are no snapshots to make anew.")
    ctx.exit(1 if any(one["error"] for one in rebuilt) else 0)

"""`daap-local reload`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from daap_local.bootstrap import open_lake
from daap_local.cli.common import format_option, print_json, with_root


@click.command("reload", epilog="Example: daap-local reload spend march")
@click.argument("product")
@click.argument("table", required=False)
@format_option("text", "json")
@with_root
def command(root: Path, product: str, table: str | None, form: str) -> None:
    """Make the snapshots of PRODUCT, or of one TABLE of it, anew from raw.

    Readers go on reading. A snapshot that would have other rows than before stays as it is, and is told of.
    """
    from daap.pipeline.reload import reload_tables, select_tables

    lake, rebuilt = open_lake(root), []
    for one in reload_tables(lake, select_tables(lake, product, table), getpass.getuser()):
        rebuilt.append({"load": str(one.load), "rows": one.rows, "wasMissing": one.was_missing})
        if form == "text":
            click.echo(f"{one.load}  {one.rows} rows{'  (was missing)' if one.was_missing else ''}")
    if form == "json":
        print_json(rebuilt)
    elif not rebuilt:
        click.echo("There are no snapshots to make anew.")

"""`daap-local resync`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from daap_local.bootstrap import open_lake
from daap_local.cli.common import format_option, print_json, with_root

_EPILOG = """\b
Examples:
  daap-local resync spend
  daap-local resync            every product

Exit code 1 if something could not be mended.
"""


@click.command("resync", epilog=_EPILOG)
@click.argument("product", required=False)
@format_option("text", "json")
@with_root
@click.pass_context
def command(ctx: click.Context, root: Path, product: str | None, form: str) -> None:
    """Compare landing, raw, receipts and curated of PRODUCT, or of all, and finish what was cut short."""
    from daap.pipeline.resync import Mended, resync_product

    lake, found = open_lake(root), list[Mended]()
    names = [product] if product else [registered.product.name for registered in lake.registry.list()]
    for name in names:
        for mended in resync_product(lake, name, getpass.getuser()):
            found.append(mended)
            if form == "text":
                click.echo(f"{mended.found}: {mended.what}  {mended.error or 'mended'}")
    if form == "json":
        print_json([{"found": mended.found, "what": mended.what, "error": mended.error} for mended in found])
    elif not found:
        click.echo("Everything is as it should be.")
    ctx.exit(1 if any(mended.error for mended in found) else 0)

"""`daap-local resync`."""

from __future__ import annotations

import getpass
from itertools import chain

import click

from daap_local.cli.common import format_option, print_json, with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local resync spend
  daap-local resync            every product

Exit code 1 if something could not be mended.
"""


@click.command("resync", epilog=_EPILOG)
@click.argument("product", required=False)
@format_option("text", "json")
@with_place
@click.pass_context
def command(ctx: click.Context, place: Place, product: str | None, form: str) -> None:
    """Compare landing, raw, receipts and curated of PRODUCT, or of all, and finish what was cut short."""
    from daap.pipeline.resync import Mended, resync_catalogue, resync_product

    lake, found = place.open_lake(), list[Mended]()
    names = [product] if product else [registered.product.name for registered in lake.registry.list()]
    sweeps = [resync_product(lake, name, getpass.getuser()) for name in names]
    if not product:
        sweeps.append(resync_catalogue(lake, only_gone=True))
    for mended in chain.from_iterable(sweeps):
        found.append(mended)
        if form == "text":
            click.echo(f"{mended.found}: {mended.what}  {mended.error or 'mended'}")
    if form == "json":
        print_json([{"found": mended.found, "what": mended.what, "error": mended.error} for mended in found])
    elif not found:
        click.echo("Everything is as it should be.")
    ctx.exit(1 if any(mended.error for mended in found) else 0)

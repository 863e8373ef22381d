"""`daap-local catalogue`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from daap_local.cli.common import format_option, print_json, print_table, with_root

_EPILOG = """\b
Examples:
  daap-local catalogue                                pages, in metadata/catalogue-pages of the lake
  DAAP_CATALOGUE=openmetadata daap-local catalogue    OpenMetadata, at DAAP_OPENMETADATA_URL

Exit code 3 if the catalogue could not be told of a product.
"""


@click.command("catalogue", epilog=_EPILOG)
@click.argument("product", required=False)
@format_option("text", "json")
@with_root
@click.pass_context
def command(ctx: click.Context, root: Path, product: str | None, form: str) -> None:
    """Show PRODUCT, or all, in the catalogue that DAAP_CATALOGUE names; without that, as HTML pages.

    What it shows already is told anew; what was deleted goes.
    """
    from daap.pipeline.publish import find_behind, push_product
    from daap.publishers.pages.publisher import PagesPublisher
    from daap_local.bootstrap import open_lake
    from daap_local.cli.main import HINDERED

    lake = open_lake(root)
    if lake.publisher is None:
        lake = replace(lake, publisher=PagesPublisher(lake.store))
    names = {registered.product.name for registered in lake.registry.list()} | set(find_behind(lake, only_gone=True))
    pushes = [push for name in ([product] if product else sorted(names)) if (push := push_product(lake, name))]
    if form == "json":
        print_json([{"product": one.product, "state": one.state, "version": one.version, "at": one.at,
                     "error": one.error} for one in pushes])  # fmt: skip
    else:
        rows = [[one.product, one.version, one.state, one.error] for one in pushes]
        print_table(("product", "version", "state", "error"), rows, empty="There are no products.")
        if isinstance(lake.publisher, PagesPublisher) and pushes:
            click.echo(f"Open {root / 'metadata' / 'catalogue-pages' / 'index.html'}")
    ctx.exit(HINDERED if any(one.error for one in pushes) else 0)

"""`daap-local delete`."""

from __future__ import annotations

import getpass

import click

from daap_local.cli.common import tell_catalogue, with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local delete spend march       a table with its data, of every version
  daap-local delete spend             the whole product
"""


@click.command("delete", epilog=_EPILOG)
@click.argument("product")
@click.argument("table", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_place
def command(place: Place, product: str, table: str | None, yes: bool) -> None:
    """Delete PRODUCT, or one TABLE of it, with every trace but the audit log: files, history, receipts.

    This cannot be undone. A product under legal hold is refused.
    """
    from daap.pipeline.remove import delete_product, remove_table

    lake = place.open_lake()
    what = f"table {table} of {product}" if table else f"product {product}"
    if not yes:
        click.confirm(f"Delete {what} with all its data, for ever?", abort=True, err=True)
    if table:
        evolved = remove_table(lake, product, table, getpass.getuser())
        click.echo(f"Deleted {what}; {product} is {evolved.registered.version} now.")
    else:
        delete_product(lake, product, getpass.getuser())
        click.echo(f"Deleted {what}.")
    tell_catalogue(place.root, product)

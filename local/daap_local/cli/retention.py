"""`daap-local retention`."""

from __future__ import annotations

import getpass

import click

from daap_local.cli.common import format_option, print_json, print_table, with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local retention                       what is older than its retention period
  daap-local retention spend --delete        delete that, of one product
"""


@click.command("retention", epilog=_EPILOG)
@click.argument("product", required=False)
@click.option("--delete", is_flag=True, help="Delete what is listed; without it, nothing is changed.")
@format_option("table", "json")
@with_place
def command(place: Place, product: str | None, delete: bool, form: str) -> None:
    """List the loads of PRODUCT, or of all, that are older than the retention period, or delete them.

    They are deleted from raw, curated, fail and the catalogue together; the audit log says so. A product
    under legal hold is left alone.
    """
    from daap.pipeline.retention import Expired, enforce_retention, find_expired

    lake, held = place.open_lake(), []
    expired: list[Expired] = []
    names = [product] if product else [registered.product.name for registered in lake.registry.list()]
    for name in names:
        if lake.registry.get(name).legal_hold:
            held.append(name)
        expired += enforce_retention(lake, name, getpass.getuser()) if delete else find_expired(lake, name)
    if form == "json":
        listed = [{"load": str(one.load), "file": one.source_name, "days": one.days} for one in expired]
        print_json({"deleted": delete, "underLegalHold": held, "expired": listed})
        return
    for name in held:
        click.echo(f"{name} is under legal hold: nothing of it is deleted.", err=True)
    rows = [(one.load, one.source_name, one.days) for one in expired]
    print_table(
        ("load", "file", "days old"), rows, empty="Nothing is older than its retention period.", right=("days old",)
    )
    if expired:
        click.echo("Deleted." if delete else "Nothing was deleted; to do so, add --delete.", err=True)

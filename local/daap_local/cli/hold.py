"""`daap-local hold`."""

from __future__ import annotations

import getpass

import click

from daap_local.cli.common import with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local hold spend --reason "Inquiry 2026/17"
  daap-local hold spend --lift
"""


@click.command("hold", epilog=_EPILOG)
@click.argument("product")
@click.option("--reason", help="Why nothing may be deleted.")
@click.option("--lift", is_flag=True, help="End the legal hold.")
@with_place
def command(place: Place, product: str, reason: str | None, lift: bool) -> None:
    """Place PRODUCT under legal hold, so that nothing of it is deleted, or lift the hold."""
    from daap.pipeline.manage import set_hold

    if bool(reason) == lift:
        raise click.UsageError("give either --reason TEXT or --lift")
    set_hold(place.open_lake(), product, reason, getpass.getuser())
    click.echo(f"{product} is under {'no legal hold' if lift else 'legal hold'}.")

"""`daap-local errors`."""

from __future__ import annotations

import click

from daap.model.loads import Receipt, parse_load
from daap.pipeline.ledger import Ledger
from daap.pipeline.report import read_report
from daap_local.cli.common import format_option, print_errors, print_json, with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local errors                                        the last refused load
  daap-local errors spend/v1/march/20260131T235959Z
"""


@click.command("errors", epilog=_EPILOG)
@click.argument("load", required=False)
@format_option("text", "json")
@with_place
def command(place: Place, load: str | None, form: str) -> None:
    """Show what was wrong with a refused file: LOAD as `loads` lists it, else the last one refused."""
    store = place.store
    ledger = Ledger(store)
    receipt = ledger.get(parse_load(load)) if load else _last_refused(ledger)
    if receipt is None:
        click.echo("{}" if form == "json" else "No load was refused.")
        return
    report = read_report(store, receipt)
    if form == "json":
        print_json(report)
        return
    print_errors(f"{receipt.source_name} ({receipt.load}) was refused", report["total"], report["errors"])
    click.echo(f"\nReport: {store.locate(receipt.errors.report) if receipt.errors else ''}")
    if receipt.errors and receipt.errors.annotated:
        click.echo(f"The file with its errors beside the rows: {store.locate(receipt.errors.annotated)}")


def _last_refused(ledger: Ledger) -> Receipt | None:
    refused = (receipt for receipt in ledger.list() if receipt.errors)
    return max(refused, key=lambda receipt: receipt.load_timestamp, default=None)

"""`daap-local loads`."""

from __future__ import annotations

import click

from daap.model.names import check_product, check_table
from daap.pipeline.ledger import Ledger
from daap_local.cli.common import format_option, print_json, print_table, say_size, with_place
from daap_local.console import dump_receipt
from daap_local.places import Place

_COLUMNS = ("load", "status", "file", "rows", "size", "seconds", "errors")


@click.command("loads", epilog="Example: daap-local loads spend march")
@click.argument("product", required=False)
@click.argument("table", required=False)
@format_option("table", "json")
@with_place
def command(place: Place, product: str | None, table: str | None, form: str) -> None:
    """List the loads, of all products, of PRODUCT, or of one TABLE of it; the newest last."""
    product = check_product(product) if product else None
    table = check_table(table) if table else None
    if product:
        place.registry.get(product)
    receipts = sorted(Ledger(place.store).list(product, table), key=lambda r: (r.load_timestamp, r.load))
    if form == "json":
        print_json([dump_receipt(receipt) for receipt in receipts])
        return
    rows = [
        (r.load, r.status, r.source_name, r.rows_written, say_size(r.bytes), f"{sum(r.timings.values()):.2f}",
         r.errors.total if r.errors else "")
        for r in receipts
    ]  # fmt: skip
    print_table(_COLUMNS, rows, empty="There are no loads yet.", right=("rows", "size", "seconds", "errors"))

"""`daap-local products`."""

from __future__ import annotations

import click

from daap_local.cli.common import format_option, print_json, print_table, with_place
from daap_local.places import Place


@click.command("products", epilog="Example: daap-local products --format json")
@format_option("table", "json")
@with_place
def command(place: Place, form: str) -> None:
    """List the data products with their versions, tables and owners."""
    products = list(place.registry.list())
    if form == "json":
        print_json([registered.dump() for registered in products])
        return
    rows = [
        (r.product.name, r.version, r.product.status, ", ".join([*r.product.tables, *r.product.files]),
         r.product.data_product_owner_display_name)
        for r in products
    ]  # fmt: skip
    print_table(
        ("product", "version", "status", "tables", "owner"), rows,
        empty="No data product is registered. Begin with: daap-local register SPEC.yaml",
    )  # fmt: skip

"""`daap-local products`."""

from __future__ import annotations

from pathlib import Path

import click

from daap_local.bootstrap import open_registry
from daap_local.cli.common import format_option, print_json, print_table, with_root


@click.command("products", epilog="Example: daap-local products --format json")
@format_option("table", "json")
@with_root
def command(root: Path, form: str) -> None:
    """List the data products with their versions, tables and owners."""
    products = list(open_registry(root).list())
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

"""`daap-local files`."""

from __future__ import annotations

import click

from daap.model.keys import file_key
from daap.model.names import check_product
from daap.pipeline.ledger import Ledger
from daap_local.cli.common import format_option, print_json, print_table, say_size, with_place
from daap_local.places import Place


@click.command("files", epilog="Example: daap-local files spend")
@click.argument("product", required=False)
@format_option("table", "json")
@with_place
def command(place: Place, product: str | None, form: str) -> None:
    """List the files kept for files components, of all products or of PRODUCT, and where they are."""
    store = place.store
    receipts = [r for r in Ledger(store).list(check_product(product) if product else None) if r.kind == "file"]
    rows = [
        {
            "load": str(r.load), "name": r.source_name, "bytes": r.bytes, "contentHash": r.content_hash,
            "path": str(store.locate(file_key("raw", r.load, r.file_id, r.extension))),
        }
        for r in receipts
    ]  # fmt: skip
    if form == "json":
        print_json(rows)
    else:
        listed = [
            (row["load"], row["name"], say_size(r.bytes), row["path"]) for row, r in zip(rows, receipts, strict=True)
        ]
        print_table(("load", "file", "size", "kept as"), listed, empty="No files are kept.", right=("size",))

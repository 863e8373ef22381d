"""`daap-local versions`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from daap_local.cli.common import format_option, print_json, print_table, with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local versions spend
  daap-local versions spend --compare v1.0 v2.0
"""


@click.command("versions", epilog=_EPILOG)
@click.argument("product")
@click.option("--compare", nargs=2, metavar="FROM TO", help="What changed from one version to another, as JSON.")
@format_option("table", "json")
@with_place
def command(place: Place, product: str, compare: tuple[str, str] | None, form: str) -> None:
    """List the versions of PRODUCT, the newest first: when, by whom, and what was done."""
    from daap.registry.changes import compare_products
    from daap.registry.directory import find_record, list_records, read_record

    store = place.store
    place.registry.get(product)
    if compare:
        print_json(compare_products(*(find_record(store, product, version).product.dump() for version in compare)))
        return
    records = [read_record(store, key) for key in reversed(list_records(store, product))]
    if form == "json":
        print_json([record.dump() for record in records])
        return
    rows = [
        (r.version, r.updated.strftime("%Y-%m-%d %H:%M:%S"), r.change.actor, r.change.action,
         "; ".join(_say_details(r.change.details)))
        for r in records
    ]  # fmt: skip
    print_table(("version", "made", "by", "action", "changes"), rows, empty="")


def _say_details(details: object, place: str = "") -> Iterator[str]:
    """The names in what changed, each behind what it is: `march: types changed amount`."""
    if isinstance(details, dict):
        for key, value in details.items():
            name = "" if key == "columns" else str(key).replace("_", " ")
            yield from _say_details(value, f"{place}{': ' if place and name else ''}{name}")
    elif isinstance(details, list):
        yield f"{place}: {', '.join(map(str, details))}"

"""`daap-local amend`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daap_local.cli.common import read_product, tell_catalogue, with_place
from daap_local.places import Place

if TYPE_CHECKING:
    from daap.model.product import Product
    from daap.pipeline.lake import Lake

_EPILOG = """\b
Examples:
  daap-local amend product.yaml --dry-run     what would change, and to which kind of version
  daap-local amend product.yaml

Tables are never removed so: that is `daap-local delete PRODUCT TABLE`.
"""


@click.command("amend", epilog=_EPILOG)
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@with_place
def command(place: Place, spec: Path, dry_run: bool) -> None:
    """Bring a registered data product to what SPEC says: metadata, new tables, changed schemas.

    Each change makes a version of its own; what is not compatible makes a major one.
    """
    lake, product = place.open_lake(), read_product(spec)
    changes = _find_changes(lake, product)
    if not changes:
        click.echo(f"Nothing changes: {product.name} is as the spec says.")
    for kind, name, said in changes:
        click.echo(f"{said}" if dry_run else f"{said}: {_apply(lake, product, kind, name)}")
    if changes and not dry_run:
        tell_catalogue(place.root, product.name)


def _find_changes(lake: Lake, product: Product) -> list[tuple[str, str, str]]:
    """The kind, the table's name and the words of each change, in the order in which they are made."""
    from daap.registry.amend import amend_metadata
    from daap.registry.changes import changed_fields, compare_schemas

    found = lake.registry.get(product.name).product
    changes = []
    if fields := changed_fields(found.metadata, product.metadata):
        amend_metadata(found, _metadata_fields(product))  # raises where a field may not change
        changes.append(("metadata", "", f"metadata ({', '.join(fields)}), minor"))
    for table, schema in product.tables.items():
        if table not in found.tables:
            changes.append(("new", table, f"new table {table}, minor"))
        elif not (change := compare_schemas(found.tables[table], schema)).is_empty:
            changes.append(("schema", table, f"schema of {table}, {change.increment}"))
    return changes


def _metadata_fields(product: Product) -> dict[str, object]:
    """All metadata fields of a spec; one that it leaves out is null, so that it goes back to its default."""
    from daap.registry.amend import AMENDABLE

    given = product.metadata.dump()
    return {"name": product.name} | {field: given.get(field) for field in AMENDABLE}


def _apply(lake: Lake, product: Product, kind: str, table: str) -> str:
    from daap.pipeline.evolve import change_schema
    from daap.pipeline.manage import amend_product, create_table

    actor = getpass.getuser()
    if kind == "metadata":
        return str(amend_product(lake, product.name, _metadata_fields(product), actor).version)
    if kind == "new":
        return str(create_table(lake, product.name, table, product.tables[table], actor).version)
    evolved = change_schema(lake, product.name, table, product.tables[table], actor)
    empty = "".join(f"; {name} starts empty: {why}" for name, why in evolved.empty.items())
    return f"{evolved.registered.version}{empty}"

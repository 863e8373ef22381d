"""`daap-local register`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from daap_local.cli.common import format_option, print_json, read_product, tell_catalogue, with_place
from daap_local.places import Place


@click.command("register", epilog="Example: daap-local register fixtures/spend/product.yaml")
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option("text", "json")
@with_place
def command(place: Place, spec: Path, form: str) -> None:
    """Register the data product that SPEC (YAML) describes.

    The same spec again changes nothing; a different one for a registered product is refused; see `amend`.
    """
    registered, new = place.registry.register(read_product(spec), getpass.getuser())
    name, version = registered.product.name, registered.version
    if form == "json":
        print_json({"name": name, "version": str(version), "new": new})
    elif new:
        click.echo(f"Registered {name} {version}. Put files into landing/{name}/<table>/")
    else:
        click.echo(f"{name} {version} is registered already, with this very spec.")
    tell_catalogue(place.root, name)

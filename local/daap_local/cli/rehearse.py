"""`daap-local rehearse`."""

from __future__ import annotations

from pathlib import Path

import click

from daap_local.cli.common import format_option, print_json, print_table, read_product, with_place
from daap_local.places import Place

_EPILOG = """\b
Examples:
  daap-local rehearse product.yaml
  daap-local rehearse product.yaml --table march --newest 12

Exit code 1 if an upload would be refused.
"""


@click.command("rehearse", epilog=_EPILOG)
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--table", "only", help="One table of the spec; all of them if not given.")
@click.option("--newest", type=click.IntRange(min=1), help="Check only so many of the newest uploads of a table.")
@format_option("text", "json")
@with_place
@click.pass_context
def command(ctx: click.Context, place: Place, spec: Path, only: str | None, newest: int | None, form: str) -> None:
    """Check the schemas in SPEC against the uploads there have been. Nothing is changed."""
    from daap.pipeline.rehearse import rehearse_schema
    from daap.registry.amend import find_table
    from daap_local.console import load_bar

    product, lake = read_product(spec), place.open_lake()
    tables = {only: find_table(product, only)} if only else product.tables
    rehearsals = {}
    for table, schema in tables.items():
        with load_bar() as bar:
            told = (lambda done, total: bar(f"checking {table}", done / total)) if bar else (lambda _done, _total: None)  # noqa: B023 - called within the loop
            rehearsals[table] = rehearse_schema(lake, product.name, table, schema, newest, told)
    if form == "json":
        print_json({table: _dump(rehearsal) for table, rehearsal in rehearsals.items()})
    else:
        for table, rehearsal in rehearsals.items():
            click.echo(f"{product.name}.{table}: {rehearsal}")
            rows = [
                (r.receipt.load, r.receipt.source_name, r.verdict.total, r.verdict.errors[0])
                for r in rehearsal.refusals
            ]
            if rows:
                print_table(("load", "file", "errors", "first"), rows, empty="", right=("errors",))
    ctx.exit(1 if any(rehearsal.refusals for rehearsal in rehearsals.values()) else 0)


def _dump(rehearsal: object) -> dict[str, object]:
    from daap.pipeline.rehearse import Rehearsal

    assert isinstance(rehearsal, Rehearsal)  # noqa: S101 - tells the type checker
    return {
        "message": str(rehearsal), "uploads": rehearsal.uploads,
        "refused": [
            {"load": str(r.receipt.load), "file": r.receipt.source_name, "total": r.verdict.total,
             "errors": [error.dump() for error in r.verdict.errors[:10]]}
            for r in rehearsal.refusals
        ],
    }  # fmt: skip

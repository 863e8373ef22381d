"""`daap-local infer`."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from daap.engines.duckdb.engine import DuckDBEngine
from daap.engines.duckdb.infer import infer_product, name_after
from daap.model.names import check_product, check_table
from daap.model.verdict import DataError
from daap_local.cli.common import file_source, format_option, print_json
from daap_local.cli.main import REFUSED

_INTRO = """\
# A first spec, inferred from {name}: the file passes it. Describe the product and its columns,
# set owner, e-mail and retentionPeriod (days), mark personal columns with personal: true.
"""


@click.command("infer", epilog="Example: daap-local infer march.csv --product spend --table march > product.yaml")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--product", help="Name of the product; default: after the file.")
@click.option("--table", help="Name of the table; default: after the file.")
@format_option("yaml", "json")
@click.pass_context
def command(ctx: click.Context, file: Path, product: str | None, table: str | None, form: str) -> None:
    """Print a first spec for FILE, which `register` accepts and the file passes.

    The whole file is read. What is not certain stays string: codes with leading zeros, dates that
    could be read in two ways.
    """
    own_product, own_table = name_after(file.name)
    names = check_product(product or own_product), check_table(table or own_table)
    inferred = infer_product(file_source(file), file.name, *names)
    if isinstance(inferred, DataError):
        click.echo(f"Error: no spec can be inferred from {file.name}: {inferred}", err=True)
        ctx.exit(REFUSED)
    verdict = DuckDBEngine().check(file_source(file), inferred.tables[names[1]])
    if not verdict.accepted:
        click.echo(f"Error: {file.name} would pass no spec, its structure is broken: {verdict.errors[0]}", err=True)
        ctx.exit(REFUSED)
    if form == "json":
        print_json(inferred.dump())
    else:
        click.echo(
            _INTRO.format(name=file.name) + yaml.safe_dump(inferred.dump(), sort_keys=False, allow_unicode=True),
            nl=False,
        )

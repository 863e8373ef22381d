"""`daap-local check`."""

from __future__ import annotations

from pathlib import Path

import click

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.verdict import Verdict
from daap.ports.engine import silent
from daap_local.cli.common import file_source, format_option, print_errors, print_json, read_product
from daap_local.console import load_bar


@click.command("check", epilog="Example: daap-local check march.csv --spec product.yaml --table march")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--spec", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The product's spec."
)
@click.option("--table", help="The table; may be left out if the spec has just one.")
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, file: Path, spec: Path, table: str | None, form: str) -> None:
    """Check FILE against a spec. Needs no lake and changes nothing; exits with 1 if the file would be refused."""
    product = read_product(spec)
    table = table or next(iter(product.tables), None) if len(product.tables) == 1 or table else None
    if table not in product.tables:
        raise click.UsageError(f"name a table by --table; {spec.name} has {', '.join(product.tables) or 'none'}")
    with load_bar() as bar:
        verdict = DuckDBEngine().check(file_source(file), product.tables[table], bar or silent)
    _print_verdict(file, verdict, form)
    ctx.exit(0 if verdict.accepted else 1)


def _print_verdict(file: Path, verdict: Verdict, form: str) -> None:
    if form == "json":
        print_json({
            "file": file.name, "accepted": verdict.accepted, "rows": verdict.rows, "bytes": verdict.size,
            "contentHash": verdict.content_hash, "total": verdict.total,
            "byCode": {str(code): count for code, count in sorted(verdict.counts.items())},
            "errors": [error.dump() for error in verdict.errors],
        })  # fmt: skip
    elif verdict.accepted:
        click.echo(f"{file.name} is fine: {verdict.rows} {'row' if verdict.rows == 1 else 'rows'}.")
    else:
        print_errors(f"{file.name} would be refused", verdict.total, [error.dump() for error in verdict.errors])

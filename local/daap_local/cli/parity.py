"""`daap-local parity`."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daap_local.cli.common import format_option, print_json, print_table, read_product

if TYPE_CHECKING:
    from daap_local.parity.comparison import Compared
    from daap_local.parity.plan import Plan

_EPILOG = """\b
A file is for the table before its =, else for --table, else for the table that
its folder is called after, else for the only one of the product. Files of one
table become snapshots of it, in the order given.

\b
Examples:
  daap-local parity spend.yaml march.csv
  daap-local parity spend.yaml march=1.csv march=2.csv april=3.csv --engine all
  daap-local parity spend.yaml march.csv --endpoint-url http://127.0.0.1:4566
  daap-local parity spend.yaml march.csv --stack lake

\b
Exit codes: 0 no difference; 1 differences; 2 wrong use; 3 something stood in
the way; 130 stopped by Ctrl-C.
"""


@click.command("parity", epilog=_EPILOG)
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("files", nargs=-1, required=True, metavar="[TABLE=]FILE...")
@click.option("--table", help="The table that files are for which name none.")
@click.option("--engine", type=click.Choice(["athena", "duckdb", "auto", "all"]), default="athena", show_default=True,
              help="What curates in the cloud.")  # fmt: skip
@click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", metavar="URL",
              help="An emulator of AWS. Default: S3, Glue and Athena of daap's own, for the moment.")  # fmt: skip
@click.option("--athena-url", envvar="AWS_ENDPOINT_URL_ATHENA", metavar="URL",
              help="Athena beside an emulator. Default: daap's own, started for the moment.")  # fmt: skip
@click.option("--stack", help="A deployed stack: AWS itself, by AWS's usual variables, unless --endpoint-url is given.")
@format_option("text", "json")
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.pass_context
def command(
    ctx: click.Context, spec: Path, files: tuple[str, ...], table: str | None, engine: str, endpoint_url: str | None,
    athena_url: str | None, stack: str | None, form: str,
) -> None:  # fmt: skip
    """Compare laptop and cloud: take FILES in by the tables of SPEC on both, and tell every difference.

    One side is folders and DuckDB; the other S3, Glue and Athena. Compared are verdicts, error reports, what is kept,
    columns and types, and all rows, in Parquet and by queries. Nothing of it stays, and no other product is touched.
    """
    from daap_local.parity.cloud import Where, is_missing_extension
    from daap_local.parity.plan import make_plan, pair_files, rename_product

    _check_addresses(
        endpoint_url, athena_url, is_beside=bool(endpoint_url or stack or "DAAP_LANDING_BUCKET" in os.environ)
    )
    product = read_product(spec)
    where = Where(endpoint_url, athena_url, stack, os.environ)
    if is_missing_extension():
        raise click.UsageError("the cloud's check needs DuckDB's httpfs; install it with: pip install 'daap[cloud]'")
    pairs = pair_files(product, files, table)
    plan = make_plan(product if where.is_own else rename_product(product), pairs)
    found = [*_compare(plan, where, engine)]
    _print_json(found) if form == "json" else _print_text(found)
    ctx.exit(1 if any(one.differences for one in found) else 0)


def _check_addresses(endpoint: str | None, athena: str | None, *, is_beside: bool) -> None:
    for name, address in (("--endpoint-url", endpoint), ("--athena-url", athena)):
        if address and not address.startswith(("http://", "https://")):
            raise click.UsageError(f"{name} is an address, such as http://127.0.0.1:4566, not {address!r}")
    if athena and not is_beside:
        raise click.UsageError(
            "--athena-url belongs to --endpoint-url: tables and their files have to be somewhere too"
        )


def _compare(plan: Plan, where: Any, engine: str) -> Iterator[Compared]:  # noqa: ANN401 - a Where
    from daap_cloud.settings import EngineChoice
    from daap_local.console import load_bar
    from daap_local.parity.cloud import open_cloud, open_side
    from daap_local.parity.comparison import compare_sides
    from daap_local.parity.sides import open_folders

    choices = [*EngineChoice] if engine == "all" else [EngineChoice(engine)]
    with _ending_well(), tempfile.TemporaryDirectory(prefix="daap-parity-") as folder, ExitStack() as stack:
        scratch = Path(folder)
        bar = stack.enter_context(load_bar())
        cloud = stack.enter_context(open_cloud(where, scratch))
        click.echo(f"folders and DuckDB against {cloud.words}", err=True)
        for place, choice in enumerate(choices):
            tell = _share_of(bar, place, len(choices))
            pair = (open_folders(scratch / f"lake-{choice}"), open_side(cloud, choice))
            yield compare_sides(plan, pair, scratch, tell)


@contextmanager
def _ending_well() -> Iterator[None]:
    """SIGTERM, by which a pipeline's job is cancelled, ends the block as Ctrl-C does: nothing stays behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _share_of(bar: Any, place: int, of: int) -> Any:  # noqa: ANN401 - a LoadBar, loaded late
    def tell(words: str, share: float) -> None:
        if bar:
            bar(words, (place + share) / of)

    return tell


def _print_json(found: list[Compared]) -> None:
    print_json({
        "equal": not any(one.differences for one in found),
        "comparisons": [_dump(one) for one in found],
    })  # fmt: skip


def _dump(compared: Compared) -> dict[str, Any]:
    return {
        "product": compared.plan.product.name,
        "sides": {side.name: side.words for side in compared.pair},
        "files": [
            {
                "table": upload.table,
                "file": str(upload.path),
                "load": str(upload.load),
                "outcomes": _outcomes(compared, upload.file_id),
            }
            for upload in compared.plan.uploads
        ],
        "differences": [difference.dump() for difference in compared.differences],
    }


def _outcomes(compared: Compared, file_id: str) -> dict[str, str]:
    from daap_local.parity.outcomes import say_outcome

    return {
        side.name: say_outcome(arrivals[file_id])
        for side, arrivals in zip(compared.pair, compared.arrivals, strict=True)
    }


def _print_text(found: list[Compared]) -> None:
    for compared in found:
        if sys.stdout.isatty():
            _print_tables(compared)
        else:
            _print_lines(compared)
    total = sum(len(one.differences) for one in found)
    files = len(found[0].plan.uploads)
    told = "No difference" if not total else "1 difference" if total == 1 else f"{total} differences"
    sides = " and ".join(dict.fromkeys(side.name for one in found for side in one.pair))
    click.echo(f"{told} in {files} {'file' if files == 1 else 'files'} between {sides}.")


def _print_lines(compared: Compared) -> None:
    from daap_local.console import make_printable
    from daap_local.parity.differences import say_sides

    for upload in compared.plan.uploads:
        said = say_sides(_outcomes(compared, upload.file_id))
        click.echo(make_printable(f"file: {upload.table}, {upload.path.name}: {said}"))
    for difference in compared.differences:
        click.echo(make_printable(f"difference: {difference}"))
        for example in difference.examples:
            click.echo(make_printable(f"  {example}"))


def _print_tables(compared: Compared) -> None:
    from daap_local.console import make_printable

    names = [side.name for side in compared.pair]
    outcomes = [
        (upload.table, upload.path.name, *_outcomes(compared, upload.file_id).values())
        for upload in compared.plan.uploads
    ]
    print_table(("table", "file", *names), outcomes, empty="")
    click.echo()
    for difference in compared.differences:
        click.secho(f"{difference.table}{f', {difference.file}' if difference.file else ''}: ", bold=True, nl=False)
        click.echo(make_printable(f"{difference.kind}: {difference.told}"))
        rows = [("", difference.said), *((example.where, example.said) for example in difference.examples)]
        sides = list(dict.fromkeys(name for _, said in rows for name in said))
        print_table(("where", *sides), [(where, *(said.get(n) for n in sides)) for where, said in rows], empty="")
        click.echo()

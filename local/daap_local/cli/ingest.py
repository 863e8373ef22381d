"""`daap-local ingest`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from daap.errors import NotRegistered
from daap.model.events import FileRefused, LoadCurated, NothingToDo, Outcome
from daap.model.loads import LoadStatus, TableRef
from daap.pipeline.claims import Claim, announce_file, drop_claim
from daap.pipeline.ingest import resume_claim
from daap.pipeline.lake import Lake
from daap.ports.engine import silent
from daap_local.bootstrap import open_lake
from daap_local.cli.common import with_root
from daap_local.console import LoadConsole, load_bar
from daap_local.files import copy_content, new_file, translated


@click.command("ingest", epilog="Example: daap-local ingest march.csv --product spend --table march")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--product", required=True, help="The data product.")
@click.option("--table", required=True, help="Its table (or files component).")
@click.option("--format", "form", type=click.Choice(["auto", "text", "json"]), default="auto", show_default=True,
              help="One line, or JSON; auto: a line on a terminal.")  # fmt: skip
@with_root
@click.pass_context
def command(ctx: click.Context, root: Path, file: Path, product: str, table: str, form: str) -> None:
    """Take one FILE in. The file itself stays where it is; a copy goes through the lake."""
    with load_bar() as bar:
        lake = open_lake(root, progress=bar or silent)
        outcome = ingest_path(file, _find_table(lake, product, table), lake)
    LoadConsole(form).report(file, outcome)
    ctx.exit(1 if isinstance(outcome, FileRefused) else 0)


def _find_table(lake: Lake, product: str, table: str) -> TableRef:
    """The table, or files component; raises NotRegistered before anything is copied."""
    found = lake.registry.get(product)
    names = [*found.product.tables, *found.product.files]
    if table not in names:
        raise NotRegistered(f"product {product} has no table {table}; it has {', '.join(names) or 'none'}")
    return found.ref(table)


def _put_down(file: Path, ref: TableRef, lake: Lake) -> Claim:
    """Copies a file into landing under a claim of its own, so that a watcher takes it for the same load."""
    claim = announce_file(lake.store, ref, file.name, getpass.getuser())
    target = Path(lake.locate(claim.landing))
    try:
        with translated(f"copy {file} to {target.parent}"), new_file(target.parent) as (stream, path):
            copy_content(file, stream)  # flushed to disk by the move to raw; until then the file is its owner's too
            path.rename(target)
    except BaseException:
        drop_claim(lake.store, claim.file_id)
        raise
    return claim


def ingest_path(file: Path, ref: TableRef, lake: Lake) -> Outcome:
    """Takes a copy of a file of this machine through the lake."""
    claim = _put_down(file, ref, lake)
    outcome = resume_claim(claim, lake)
    if not isinstance(outcome, NothingToDo):
        return outcome
    receipt = lake.ledger.get(claim.load)  # a watcher was faster
    return FileRefused(receipt) if receipt.status is LoadStatus.FAILED else LoadCurated(receipt)

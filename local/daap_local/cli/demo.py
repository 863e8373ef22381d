"""`daap-local demo`: the whole flow on a small lake, by the very commands a person would type."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import click

from daap_local.cli.main import main

_DIFFICULT = ("preamble", "linebreaks", "wide", "grouped", "semicolon", "utf16")


@click.command("demo", epilog="Example: daap-local demo ./demo-lake")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path | None) -> None:
    """Run the whole flow on a small lake in DIR (default: a temporary folder, removed at the end).

    Registers two data products, drops good files and a bad one into landing, takes them in, queries
    the curated rows and shows the bad file's report.
    """
    with _lake_folder(folder) as root:
        _run_flow(root, _find_samples())
        if folder:
            click.echo(f"\nThe lake is in {root}; look around, and query it with: daap-local --root {root} sql ...")


@contextmanager
def _lake_folder(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="daap-demo-") as temporary:
            yield Path(temporary)
        return
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder.absolute()


def _find_samples() -> Path:
    """The sample files: beside the modules where installed, else in the checkout."""
    installed = Path(str(resources.files("daap_local"))) / "samples"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "fixtures"


def _run_flow(root: Path, samples: Path) -> None:
    _say("1. Data owners register their data products.")
    for product in ("spend", "difficult"):
        _run(root, "register", str(samples / product / "product.yaml"))

    _say("2. They drop CSV files into landing: good ones, awkward ones, and a bad one.")
    _drop(root, samples / "spend" / "march-good.csv", "spend/march/march-2025.csv")
    for table in _DIFFICULT:
        _drop(root, samples / "difficult" / f"{table}-good.csv", f"difficult/{table}/{table}.csv")
    _drop(root, samples / "spend" / "march-bad.csv", "spend/march/march-2025-corrected.csv")

    _say("3. Each file is checked, kept as it came, and curated: here is every stage as it happens.")
    _run(root, "watch", str(root / "landing"), "--once", "--format", "text", "--verbose")

    _say("4. Consumers query the curated rows.")
    _run(root, "sql", "SELECT * FROM spend_v1.march_latest ORDER BY amount DESC LIMIT 5")
    _run(
        root,
        "sql",
        "SELECT expense_area, sum(amount) AS total FROM spend_v1.march GROUP BY ALL ORDER BY 2 DESC LIMIT 3",
    )
    _run(root, "loads")

    _say("5. The bad file was refused as a whole. Its owner is told every error, with its line.")
    _run(root, "errors")


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _drop(root: Path, sample: Path, place: str) -> None:
    """Puts a file into landing under a name that is ignored until it is whole."""
    target = root / "landing" / place
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(sample, part)
    part.rename(target)
    click.secho(f"  dropped landing/{place}", dim=True)


def _run(root: Path, *words: str) -> None:
    shown = [word.replace(f"{root}/", "") for word in words]
    click.secho(f"\n$ daap-local {shlex.join(shown)}", fg="cyan")
    main.main(["--root", str(root), *words], standalone_mode=False)

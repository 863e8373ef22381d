"""`daap-local watch`."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from daap.errors import DaapError
from daap.model.events import Outcome
from daap.ports.engine import silent
from daap_local.bootstrap import open_lake
from daap_local.console import LoadConsole, load_bar
from daap_local.files import make_folder, translated
from daap_local.root import find_root

_EPILOG = """\b
Examples:
  daap-local watch ./landing
  daap-local watch ./landing --once      take what is there, then exit (1 if a file was refused)
  daap-local watch ./landing --infer     make up a draft product for files nobody registered
"""


@click.command("watch", epilog=_EPILOG)
@click.argument("landing", type=click.Path(file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Take what is there, then exit.")
@click.option("--infer", is_flag=True, help="Infer and register a draft of what is not registered.")
@click.option("-v", "--verbose", is_flag=True, help="Print every stage of every load, to standard error.")
@click.option("--format", "form", type=click.Choice(["auto", "text", "json"]), default="auto", show_default=True,
              help="One line a load, or JSON lines; auto: lines on a terminal.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, landing: Path, once: bool, infer: bool, verbose: bool, form: str) -> None:
    """Take files in from LANDING: what lies there, then what comes, until Ctrl-C.

    A file belongs into LANDING/{product}/{table}/. Hidden files and names that end in .part or .tmp
    are left alone, and so is a file that is still being written.
    """
    from daap.pipeline.resync import finish_changes
    from daap_local.watcher import Watcher

    landing = landing.absolute()
    root = find_root(ctx.obj.root) if ctx.obj.root else landing.parent
    console = LoadConsole(form)
    with translated(f"write {landing}"):
        make_folder(landing)
    with load_bar() as bar:
        stages = console.stage if verbose else None
        lake = open_lake(root, landing=landing, infer=infer, console=stages, progress=bar or silent)

        def report(path: Path, outcome: Outcome | DaapError) -> None:
            if bar:
                bar.restart()
            console.report(path, outcome)

        for mended in finish_changes(lake):
            console.say(f"{mended.found}: {mended.what}  {mended.error or 'finished'}")
        watcher = Watcher(lake, landing, getpass.getuser(), report)
        if once:
            tally = watcher.drain()
            ctx.exit(3 if tally.left else 1 if tally.refused else 0)
        try:
            console.say(f"Watching {landing} (Ctrl-C ends)")
            watcher.watch()
        except KeyboardInterrupt:
            console.say("Stopped. Files that were on their way go on at the next start.")

"""The documentation does what it says: its examples run, its links resolve, its lists are complete.

A page is read from top to bottom in a folder of its own:

- a block ```` ```csv title=NAME ```` (or any other language) makes the file NAME; `encoding=` says how;
- a block ```` ```yaml title=NAME ```` has to be a whole product, one marked `columns` or `dialect` that part of one;
- a block ```` ```console ```` holds commands behind `$ ` with what they print on a terminal of 100 columns;
- a block ```` ```sh ```` holds commands that are not run, but have to be right.

In what is printed, `...` stands for anything; load timestamps, ids and times may differ.
`python -m tests.e2e.test_docs` writes docs/cli.md, and the outputs that have changed, anew.
"""

from __future__ import annotations

import io
import math
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import click
import pytest
import yaml
from click.testing import CliRunner
from pydantic import TypeAdapter

from daap.model.product import FilesComponent, Product
from daap.model.table import Column, Dialect, TableSchema
from daap.model.verdict import Code
from daap.registry.spec import parse_spec
from daap_local import console
from daap_local.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CLI_PAGE = ROOT / "docs" / "cli.md"
COMMANDS = main.list_commands(click.Context(main))

_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
_STEP = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
_STYLING = re.compile(r"\x1b\[[0-9;]*m")
_VARIES = (
    (re.compile(r"\d{8}T\d{6}Z"), "20260131T235959Z"),
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "6f1c7ab2-95d4-5d10-8f0e-3b7a52c1d9e4"),
    (re.compile(r"[0-9a-f]{64}"), "0" * 64),
    (re.compile(r"\d+\.\d+ s$", re.MULTILINE), "0.02 s"),
)
_NEEDS_SHELL = {"|", "||", "&&", "&", "2>"}
_PORT = "127.0.0.1:4567"
_PARTS = {"columns": TypeAdapter(list[Column]), "dialect": TypeAdapter(Dialect)}
_SCREEN = {"COLUMNS": "100", "LINES": "50", "TERM": "dumb", "USER": "ada", "LOGNAME": "ada"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and marks, and what is in it."""

    language: str
    marks: dict[str, str]
    body: str


def read_blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        language, *marks = shlex.split(match["info"]) or [""]
        pairs = (mark.partition("=") for mark in marks)
        yield Block(language, {name: value for name, _, value in pairs}, match["body"])


class _Terminal(io.TextIOWrapper):
    """What a command takes for a terminal."""

    def isatty(self) -> bool:
        return True


def run_command(command: str) -> str:
    """What a command prints: daap's own in this process, any other, and what needs a shell, in one."""
    words = shlex.split(command)
    if words[0] != "daap-local" or _NEEDS_SHELL & set(words):
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        result = subprocess.run(  # noqa: S603 - the pages are our own
            ["/bin/bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
            env=os.environ | {"PATH": path},
        )  # fmt: skip
        return result.stdout
    target = Path(words[-1]) if words[-2:-1] == [">"] else None
    written = _run_daap(words[1:-2] if target else words[1:], is_terminal=target is None)
    if target:
        target.write_text(written, encoding="utf-8")
    return "" if target else _STYLING.sub("", written)


def _run_daap(words: list[str], *, is_terminal: bool) -> str:
    """What a command leaves on the screen: no bar, which comes for long work alone, and goes again."""
    screen = (_Terminal if is_terminal else io.TextIOWrapper)(io.BytesIO(), encoding="utf-8", write_through=True)
    no_bar = patch.object(console, "BAR_AFTER_SECONDS", math.inf)
    with no_bar, redirect_stdout(screen), redirect_stderr(screen), pytest.raises(SystemExit):
        main.main(words, prog_name="daap-local")
    return screen.buffer.getvalue().decode()


def even_out(text: str) -> str:
    """`text` with everything that differs from run to run made the same, and no space at the ends of lines."""
    for pattern, same in _VARIES:
        text = pattern.sub(same, text)
    return "\n".join(line.rstrip() for line in text.strip("\n\ufeff").splitlines())


def is_as_told(told: str, printed: str) -> bool:
    """Whether `printed` is what a page told, `...` standing for anything."""
    pattern = ".*?".join(map(re.escape, even_out(told).split("...")))
    return re.fullmatch(pattern, even_out(printed), re.DOTALL) is not None


def make_file(block: Block) -> None:
    """Writes the file that a block gives, and holds it against the model if it is YAML."""
    path = Path(block.marks["title"])
    path.write_bytes(block.body.encode(block.marks.get("encoding", "utf-8")))
    if block.language == "yaml":
        parse_spec(block.body)


def check_part(block: Block) -> None:
    """Holds a part of a spec against the model."""
    for name, part in _PARTS.items():
        if name in block.marks:
            part.validate_python(yaml.safe_load(block.body))


def check_usage(line: str) -> None:
    """Whether a command that is not run could be: a target of the Makefile, or a command with its options."""
    name, *words = shlex.split(line.partition("#")[0]) or [""]
    if name == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), line
    elif name == "daap-local":
        context = main.make_context("daap-local", words)
        command = main.get_command(context, context._protected_args[0])
        assert command is not None, line
        command.make_context(command.name, list(context.args), parent=context)


@dataclass
class Step:
    """A command of a page, what the page says it prints, and what it prints."""

    command: str
    told: str
    printed: str

    @property
    def is_right(self) -> bool:
        """Whether the page is right."""
        return is_as_told(self.told, self.printed)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def walk_page(page: Path) -> Iterator[Step]:
    """Does what a page says, in the current folder; yields every command that was run.

    A server that a page starts listens on another port than the page says, so that pages do not meet.
    """
    port = str(free_port())
    for block in read_blocks(page):
        if "title" in block.marks:
            make_file(block)
        elif block.language == "yaml":
            check_part(block)
        elif block.language == "sh":
            for line in block.body.splitlines():
                check_usage(line)
        elif block.language == "console":
            for match in _STEP.finditer(block.body):
                command = match["command"].replace("\\\n", "").replace(_PORT, f"127.0.0.1:{port}")
                printed = run_command(re.sub(r"--port \d+", f"--port {port}", command))
                yield Step(match["command"], match["output"], printed.replace(f"127.0.0.1:{port}", _PORT))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An empty folder, before a terminal of a known size; servers that are left in it are ended."""
    for name, value in _SCREEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DAAP_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    for left in tmp_path.glob("*.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(left.read_text()), signal.SIGKILL)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_of_a_page_do_what_it_says(page):
    if "$ curl " in page.read_text(encoding="utf-8") and not shutil.which("curl"):
        pytest.skip("the page's session needs curl")
    for step in walk_page(page):
        assert step.is_right, f"$ {step.command}\n{step.printed}\n--- the page says:\n{step.told}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for match in _LINK.finditer(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        target = (page.parent / match["path"]).resolve() if match["path"] else page
        assert target.exists(), f"{match[0]}: there is no {target}"
        if match["anchor"]:
            assert match["anchor"] in _anchors(target), f"{match[0]}: {target.name} has no such heading"


def _anchors(page: Path) -> set[str]:
    """The anchors GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached_from_the_readme():
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            links = _LINK.finditer(page.read_text(encoding="utf-8"))
            ahead += [(page.parent / link["path"]).resolve() for link in links if link["path"]]
    assert set(PAGES) <= seen


def test_every_error_code_is_explained():
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^### `(\w+)`$", page, re.MULTILINE)) == sorted(Code)


@pytest.mark.parametrize("model", [Product, TableSchema, Column, Dialect, FilesComponent])
def test_every_field_of_a_spec_is_explained(model):
    page = (ROOT / "docs" / "product-file.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert {field.alias for field in model.model_fields.values()} <= named


def test_command_reference_is_what_the_commands_say():
    assert CLI_PAGE.read_text(encoding="utf-8") == write_reference(), "run: python -m tests.e2e.test_docs"


_INTRO = """\
# The command line

What `daap-local --help` and `daap-local COMMAND --help` print. This page is written from them; see
[operations](operations.md) for exit codes, JSON lines and settings, and the [quick start](quick-start.md)
for the commands at work.
"""


def write_reference() -> str:
    """docs/cli.md, from the commands' own help."""
    sections = [_section("daap-local", [])]
    sections += [_section(f"daap-local {' '.join(words)}", words) for words in _all_commands()]
    return "\n".join([_INTRO, *sections])


def _all_commands() -> Iterator[list[str]]:
    context = click.Context(main)
    for name in COMMANDS:
        yield [name]
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ([name, below] for below in command.list_commands(click.Context(command)))


def _section(title: str, words: list[str]) -> str:
    result = CliRunner().invoke(main, [*words, "--help"], prog_name="daap-local", terminal_width=80)
    told = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
    return f"## {title}\n\n```text\n{told}\n```\n"


def rewrite_page(page: Path) -> None:
    """Puts the outputs that have changed into a page."""
    text, done = page.read_text(encoding="utf-8"), 0
    for step in walk_page(page):
        start = text.index(f"$ {step.command}\n{step.told}", done) + len(f"$ {step.command}\n")
        printed = even_out(step.printed)
        told = step.told if step.is_right else f"{printed}\n" if printed else ""
        text, done = text[:start] + told + text[start + len(step.told) :], start + len(told)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    os.environ.update(_SCREEN)
    CLI_PAGE.write_text(write_reference(), encoding="utf-8")
    for path in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        with TemporaryDirectory() as folder, chdir(folder):
            rewrite_page(path)

"""The command line as a person or a program meets it: what is printed where, and the exit codes."""

# ruff: noqa: S603, S607 - the processes and the SQL are the tests' own

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from daap_local.cli import main
from fixtures import generate

DAAP = Path(sys.executable).parent / "daap-local"
PATIENCE = 20.0

SPEC = """\
name: spend
description: Payments
domain: Finance
dataProductOwner: finance
dataProductOwnerDisplayName: Finance Team
email: finance@example.org
status: published
dpiaRequired: false
retentionPeriod: 365
tables:
  march:
    tableDescription: Payments of March
    columns:
      - {name: ref, type: string, required: true}
      - {name: amount, type: "decimal(10,2)"}
files:
  maps: {description: Plans}
"""
GOOD = b"Ref,Amount\n001,1.50\n002,2.25\n"
BAD = b"Ref,Amount\n001,1.50\n,x\n"
WRONG_SPEC = SPEC.replace("name: spend", "name: Spend").replace('"decimal(10,2)"', "money").replace("365", "soon")


class Desk:
    """A folder with a lake in it, and the commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("spec.yaml", SPEC)

    def write(self, name: str, content: str | bytes) -> Path:
        """Makes a file, and the folders above it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *words: str | Path, ends: int = 0, root: Path | None = None) -> Result:
        """Runs a command in this process; it has to end with the code `ends`, and in no case with a traceback."""
        result = CliRunner().invoke(main, ["--root", str(root or self.root), *map(str, words)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code == ends, result.output
        return result

    def load(self, *words: str | Path, ends: int = 0) -> object:
        """What a command prints, as JSON."""
        return json.loads(self.run(*words, "--format", "json", ends=ends).stdout)

    def register(self) -> None:
        self.run("register", self.root / "spec.yaml")

    def watch_once(self, *words: str, ends: int = 0, patience: float = PATIENCE) -> list[dict[str, object]]:
        """Watches once; the JSON lines it prints. In a process of its own, since it might not end."""
        command = [DAAP, "--root", self.root, "watch", self.root / "landing", "--once", *words]
        result = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
        assert result.returncode == ends, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    def count_rows(self, table: str = "spend_v1.march") -> int:
        (row,) = self.load("sql", f"SELECT count(*) AS n FROM {table}")
        return row["n"]


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Desk:
    monkeypatch.delenv("DAAP_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


@pytest.fixture
def filled(desk) -> Desk:
    """A lake with a product, a good load, a refused one and a plain file."""
    desk.register()
    desk.run("ingest", desk.write("march.csv", GOOD), "--product", "spend", "--table", "march")
    desk.run("ingest", desk.write("bad.csv", BAD), "--product", "spend", "--table", "march", ends=1)
    desk.run("ingest", desk.write("map.pdf", b"a plan"), "--product", "spend", "--table", "maps")
    return desk


# --- registering -----------------------------------------------------------------------------------


def test_wrong_spec_lists_all_problems_with_their_paths(desk):
    told = desk.run("register", desk.write("wrong.yaml", WRONG_SPEC), ends=2).stderr
    assert "wrong.yaml: name: " in told
    assert "wrong.yaml: retentionPeriod: " in told
    assert "wrong.yaml: tables.march.columns[1].type: 'money' is not a type" in told


def test_wrong_spec_registers_nothing(desk):
    desk.run("register", desk.write("wrong.yaml", WRONG_SPEC), ends=2)
    assert desk.load("products") == []


def test_same_spec_again_changes_nothing(desk):
    desk.register()
    assert desk.load("register", "spec.yaml") == {"name": "spend", "version": "v1.0", "new": False}


def test_other_spec_under_the_same_name_is_refused_and_the_difference_named(desk):
    desk.register()
    told = desk.run("register", desk.write("other.yaml", SPEC.replace("Payments of", "Bills of")), ends=2).stderr
    assert "tables.march.tableDescription" in told


@pytest.mark.parametrize(
    "soup",
    [
        b"",
        b"\x00",
        b"\xff\xfe\x00bad",
        b"- a\n",
        b"[" * 5000,
        b"a: &a [*a]",
        b"%PDF-1.7",
        b"name: !!python/object:os.x {}",
    ],
    ids=range(8),
)
def test_bytes_that_are_no_spec_are_told_in_a_line(desk, soup):
    told = desk.run("register", desk.write("soup.yaml", soup), ends=2).stderr
    assert told.startswith("Error: soup.yaml: ")


# --- wrong use -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ingest", "spec.yaml", "--product", "nope", "--table", "march"], "product nope is not registered"),
        (["ingest", "spec.yaml", "--product", "spend", "--table", "nope"], "product spend has no table nope"),
        (["errors", "nonsense"], "'nonsense' is no load id"),
        (["errors", "spend/v1/march/20200101T000000Z"], "there is no load"),
        (["loads", "../../etc"], "is not allowed"),
        (["sql", "SELECT * FROM spend_v1.nope"], "there is no table spend_v1.nope"),
        (["sql", "SELEC 1"], "syntax error"),
        (["sql", "SELECT nope FROM spend_v1.march"], '"nope"'),
        (["sql", ""], "no statement"),
        (["sql", "SELECT 1; SELECT 2"], "one statement"),
        (["sql", "DROP TABLE spend_v1.march"], "only SELECT"),
        (["sql", "INSERT INTO spend_v1.march VALUES ('a', 1)"], "only SELECT"),
        (["sql", "COPY (SELECT 1) TO 'x.csv'"], "only SELECT"),
        (["sql", "ATTACH 'x.db'"], "only SELECT"),
        (["sql", "SET allowed_directories = ['/']"], "only SELECT"),
        (["sql", "SELECT 1", "--format", "parquet"], "-o FILE"),
        (["check", "spec.yaml", "--spec", "spec.yaml", "--table", "nope"], "march"),
        (["check", "nope.csv", "--spec", "spec.yaml"], "does not exist"),
        (["nope"], "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_told_and_ends_with_2(filled, words, told):
    result = filled.run(*words, ends=2)
    assert told in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "source", ["read_csv('{}')", "read_text('{}')", "'{}'", "glob('{}')", "read_blob('{}')", "sniff_csv('{}')"]
)
def test_sql_reads_no_file_but_the_lakes_own(filled, source):
    outside = [
        Path("/etc/passwd"),
        filled.root / "spec.yaml",
        filled.root / "raw",
        filled.root / "curated/../spec.yaml",
    ]
    for path in outside:
        result = filled.run("sql", f"SELECT * FROM {source.format(path)}", ends=2)
        assert "root:" not in result.output
        assert "Finance" not in result.output


def test_disk_that_cannot_be_written_ends_with_3(desk):
    blocked = desk.write("blocked", b"a file where a folder should be")
    told = desk.run("register", desk.root / "spec.yaml", ends=3, root=blocked / "lake").stderr
    assert told.startswith("Error: cannot write ")


# --- checking and taking in ------------------------------------------------------------------------


def test_check_says_what_would_happen_and_changes_nothing(desk):
    good, bad = desk.write("march.csv", GOOD), desk.write("bad.csv", BAD)
    before = sorted(desk.root.rglob("*"))
    assert desk.run("check", good, "--spec", "spec.yaml").stdout == "march.csv is fine: 2 rows.\n"
    assert "bad.csv would be refused: 2 errors" in desk.run("check", bad, "--spec", "spec.yaml", ends=1).stdout
    assert sorted(desk.root.rglob("*")) == before


def test_check_and_the_report_of_a_refused_load_find_the_same(filled):
    checked = filled.load("check", "bad.csv", "--spec", "spec.yaml", ends=1)
    reported = filled.load("errors")
    assert checked["errors"] == reported["errors"]
    assert checked["byCode"] == reported["byCode"] == {"missing_value": 1, "type_error": 1}


def test_ingested_file_stays_where_it_is(filled):
    assert (filled.root / "march.csv").read_bytes() == GOOD
    assert filled.count_rows() == 2


@pytest.mark.parametrize("command", ["products", "loads", "errors", "files"])
def test_lists_are_valid_json_where_asked(filled, command):
    assert filled.load(command)


@pytest.mark.parametrize("command", ["products", "loads", "files"])
def test_lists_of_an_empty_lake_are_empty_json(desk, command):
    assert desk.load(command) == []


def test_inferred_spec_is_valid_json_where_asked(desk):
    assert desk.load("infer", desk.write("march.csv", GOOD))["tables"]["march"]["columns"][0]["name"] == "ref"


@pytest.mark.parametrize("size", [0, 1, 100, 3000])
def test_random_bytes_as_rows_are_refused_without_a_traceback(desk, size):
    soup = bytes((at * 7919 + at // 13) % 256 for at in range(size))
    file = desk.write("soup.csv", b"Ref,Amount\n,x\n" + soup)
    assert "would be refused" in desk.run("check", file, "--spec", "spec.yaml", ends=1).stdout
    desk.register()
    desk.run("ingest", file, "--product", "spend", "--table", "march", ends=1)
    CliRunner().invoke(main, ["infer", str(file)], catch_exceptions=False)


@pytest.mark.parametrize("content", [bytes(range(128, 256)) * 9, "Ref,Amount (£)\n1,2\n".encode("cp1252")])
def test_header_in_another_encoding_is_refused_without_a_traceback(desk, content):
    file = desk.write("soup.csv", content)
    desk.run("check", file, "--spec", "spec.yaml", ends=1)
    desk.register()
    desk.run("ingest", file, "--product", "spend", "--table", "march", ends=1)


def test_file_that_cannot_be_reported_on_does_not_stop_the_others(desk):
    desk.register()
    desk.write("landing/spend/march/a.csv", "Ref,Amount (£)\n1,2\n".encode("cp1252"))
    desk.write("landing/spend/march/b.csv", GOOD)
    desk.watch_once(ends=1)
    assert desk.count_rows() == 2


def test_report_prints_no_control_characters(desk):
    evil = desk.write("evil.csv", b"Ref,Amount\n001,\x1b[2Jboo\n")
    assert "\x1b" not in desk.run("check", evil, "--spec", "spec.yaml", ends=1).stdout


# --- queries ---------------------------------------------------------------------------------------


def test_query_goes_to_a_file_whole_or_not_at_all(filled):
    out = filled.write("out.csv", "what was there before")
    late = "SELECT CASE WHEN range > 90000 THEN error('late') ELSE range END AS n FROM range(100000)"
    filled.run("sql", late, "--format", "csv", "-o", out, ends=2)
    assert out.read_text() == "what was there before"
    filled.run("sql", "SELECT ref FROM spend_v1.march ORDER BY 1", "--format", "csv", "-o", out)
    assert out.read_text() == '"ref"\n"001"\n"002"\n'
    assert not [path for path in filled.root.iterdir() if path.name.startswith(".daap-")]


def test_query_to_parquet_keeps_its_types(filled):
    filled.run("sql", "FROM spend_v1.march_latest", "--format", "parquet", "-o", filled.root / "out.parquet")
    assert str(pq.read_schema(filled.root / "out.parquet").field("amount").type) == "decimal128(10, 2)"


def test_json_of_a_query_is_json_for_every_value(filled):
    values = (
        "'NaN'::DOUBLE AS nan, '-Infinity'::DOUBLE AS inf, NULL AS nothing, [1, NULL] AS list, DATE '2025-01-31' AS day"
    )
    printed = filled.run("sql", f"SELECT {values}", "--format", "json").stdout

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    (row,) = json.loads(printed, parse_constant=refuse)
    assert row["nothing"] is None
    assert row["day"] == "2025-01-31"


def test_json_of_a_query_loses_no_column(filled):
    result = CliRunner().invoke(main, ["--root", str(filled.root), "sql", "SELECT 1 AS a, 2 AS a", "--format", "json"])
    assert result.exit_code == 2 or len(json.loads(result.stdout)[0]) == 2


def test_query_of_no_rows_is_fine(filled):
    assert filled.run("sql", "SELECT * FROM spend_v1.march WHERE false").stdout == "No rows.\n"
    assert filled.load("sql", "SELECT * FROM spend_v1.march WHERE false") == []


def test_audit_log_is_a_table(filled):
    rows = filled.load("sql", "SELECT stage FROM daap_logs.events WHERE stage IN ('curated', 'failed') ORDER BY time")
    assert [row["stage"] for row in rows] == ["curated", "failed"]


# --- inferring -------------------------------------------------------------------------------------

TRICKY = {
    "codes.csv": (b"code,n\n007,1\n012,2\n", {"code": "string", "n": "int"}),
    "ambiguous.csv": (b"d,n\n01/02/2024,1\n03/04/2024,2\n", {"d": "string", "n": "int"}),
    "clear.csv": (b"d,n\n01/02/2024,1\n31/04/2024,x\n13/04/2024,2\n", {"d": "string", "n": "string"}),
    "days.csv": (b"d,n\n01/02/2024,1\n13/04/2024,2\n", {"d": "date", "n": "int"}),
    "money.csv": ('a,n\n"£1,234.50",1\n£2.00,2\n'.encode(), {"a": "decimal(18,2)", "n": "int"}),
    "german.csv": (
        "Name;Betrag\nMüller;1.234,50\nCafé;2,00\n".encode("cp1252"),
        {"name": "string", "betrag": "decimal(18,2)"},
    ),
    "preamble.csv": (b"Report,,\n,,\nA,B,C\n1,2,x\n4,5,y\n", {"a": "int", "b": "int", "c": "string"}),
    "empty-column.csv": (b"a,b\n1,\n2,\n", {"a": "int", "b": "string"}),
    "header-only.csv": (b"a,b\n", {"a": "string", "b": "string"}),
    "big.csv": (b"a,b\n99999999999,1e3\n1,2.5\n", {"a": "bigint", "b": "double"}),
    "unicode.csv": ("a,b\n1,台所\n".encode("utf-16"), {"a": "int", "b": "string"}),
    "returns.csv": (b"a,b\r1,2\r3,4\r", {"a": "int", "b": "int"}),
}

# Not the one of a hundred columns: inferring takes too long for a test.
SAMPLES = [name for name in generate.FILES if "-bad" not in name and "wide" not in name]


@pytest.mark.parametrize("name", TRICKY)
def test_inferred_types_are_certain_ones(desk, name):
    content, types = TRICKY[name]
    (table,) = desk.load("infer", desk.write(name, content))["tables"].values()
    assert {column["name"]: column["type"] for column in table["columns"]} == types


@pytest.mark.parametrize("name", [*TRICKY, *SAMPLES])
def test_inferred_spec_registers_and_the_file_passes(desk, name):
    content = TRICKY[name][0] if name in TRICKY else generate.FILES[name]()
    file = desk.write(f"files/{Path(name).name}", content)
    spec = desk.write("inferred.yaml", desk.run("infer", file, "--product", "draft", "--table", "found").stdout)
    desk.run("register", spec)
    desk.run("ingest", file, "--product", "draft", "--table", "found")
    (load,) = desk.load("loads")
    assert load["status"] == "curated"
    assert desk.count_rows("draft_v1.found") == load["rowsRead"]


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty_file"), (b"a,A\n1,2\n", "duplicate_column"), ("€,b\n1,2\n".encode(), "unreadable_header")],
)
def test_file_without_a_header_is_not_inferred(desk, content, why):
    result = CliRunner().invoke(main, ["infer", str(desk.write("file.csv", content))])
    assert result.exit_code in (1, 2)
    assert why in result.stderr


# --- watching --------------------------------------------------------------------------------------


def test_watch_once_takes_what_is_there_and_tells_a_line_for_each(desk):
    desk.register()
    desk.write("landing/spend/march/one.csv", GOOD)
    desk.write("landing/spend/march/two.csv", GOOD)
    desk.write("landing/spend/maps/plan.pdf", b"a plan")
    lines = desk.watch_once()
    assert {(line["sourceName"], line["status"]) for line in lines} == {
        ("one.csv", "curated"), ("two.csv", "curated"), ("plan.pdf", "archived"),
    }  # fmt: skip
    assert desk.count_rows() == 4
    assert desk.watch_once() == []


def test_watch_once_ends_with_1_if_a_file_was_refused(desk):
    desk.register()
    desk.write("landing/spend/march/bad.csv", BAD)
    (line,) = desk.watch_once(ends=1)
    assert line["status"] == "failed"
    assert line["errors"]["total"] == 2


def test_watch_tells_one_line_a_load_as_text(desk):
    desk.register()
    desk.write("landing/spend/march/one.csv", GOOD)
    printed = desk.run("watch", "landing", "--once", "--format", "text").stdout
    assert re.fullmatch(r"✓ one\.csv → spend/v1/march/\d{8}T\d{6}Z  2 rows  \d+\.\d\d s\n", printed)


def test_unfinished_and_hidden_files_and_links_are_left_alone(desk):
    desk.register()
    names = ["a.csv.part", "b.csv.tmp", ".hidden.csv", "~lock.csv", "c.CSV.PART", ".folder/d.csv"]
    paths = [desk.write(f"landing/spend/march/{name}", GOOD) for name in names]
    link = desk.root / "landing/spend/march/link.csv"
    link.symlink_to(desk.root / "spec.yaml")
    assert desk.watch_once() == []
    assert all(path.exists() for path in [*paths, link])


def test_misplaced_files_are_told_of_once_and_stay(desk):
    paths = [desk.write(f"landing/{name}", GOOD) for name in ("lost.csv", "Bad Name/march/lost.csv", "a/b/c/d.csv")]
    lines = desk.watch_once(ends=1, patience=5.0)
    assert len(lines) == len(paths)
    assert all(line["error"] for line in lines)
    assert all(path.exists() for path in paths)


def test_unregistered_file_is_refused_with_what_to_do(desk):
    desk.write("landing/spend/april/april.csv", GOOD)
    (line,) = desk.watch_once(ends=1)
    assert "not_registered" in line["errors"]["byCode"]
    assert "daap-local register" in line["errors"]["first"]


def test_watch_infer_registers_a_draft_and_takes_the_file_in(desk):
    desk.write("landing/spend/april/april.csv", GOOD)
    (line,) = desk.watch_once("--infer")
    assert line["status"] == "curated"
    (product,) = desk.load("products")
    assert product["spec"]["status"] == "draft"
    assert desk.count_rows("spend_v1.april_latest") == 2


@contextmanager
def watching(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    """A watcher at work, in a process of its own; ended at the end of the block."""
    command = [DAAP, "--root", desk.root, "watch", desk.root / "landing", "--format", "text"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Watching ")
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_file_moved_in_while_watching_becomes_queryable(desk):
    desk.register()
    (desk.root / "landing/spend/march").mkdir(parents=True)
    with watching(desk):
        desk.write("elsewhere.csv", GOOD).rename(desk.root / "landing/spend/march/march.csv")
        wait_for(lambda: desk.count_rows() == 2)


def test_file_in_a_new_folder_moved_in_while_watching_becomes_queryable(desk):
    desk.register()
    with watching(desk):
        desk.write("outside/spend/march/march.csv", GOOD)
        (desk.root / "outside/spend").rename(desk.root / "landing/spend")
        wait_for(lambda: desk.count_rows() == 2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whether a file is open for writing")
def test_file_still_open_for_writing_is_not_touched_until_it_is_closed(desk):
    desk.register()
    path = desk.root / "landing/spend/march/slow.csv"
    path.parent.mkdir(parents=True)
    with watching(desk):
        with path.open("wb", buffering=0) as stream:
            stream.write(GOOD)
            desk.write("landing/spend/march/quick.csv", GOOD)
            wait_for(lambda: desk.count_rows() == 2)
            assert path.read_bytes() == GOOD
            stream.write(b"003,3.75\n")
        wait_for(lambda: desk.count_rows() == 5)


def test_interrupt_ends_the_watcher_cleanly(desk):
    desk.register()
    desk.write("landing/spend/march/march.csv", GOOD)
    with watching(desk) as process:
        wait_for(lambda: desk.count_rows() == 2)
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Stopped." in printed
    assert told == ""


# --- terminals -------------------------------------------------------------------------------------


def run_on_terminal(desk: Desk, *words: str, **environment: str) -> str:
    """What a command prints on a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [DAAP, "--root", desk.root, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | environment
    )
    os.close(theirs)
    printed = b""
    with suppress(OSError):  # how the end of a terminal is told
        while piece := os.read(ours, 65536):
            printed += piece
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    return printed.decode().replace("\r\n", "\n")


def test_narrow_terminal_without_colours_is_readable(filled):
    printed = run_on_terminal(filled, "loads", COLUMNS="60", NO_COLOR="1", TERM="xterm")
    plain = re.sub(r"\x1b\[[01]?m", "", printed)  # bold is no colour
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 60
    assert "curated" in plain


def test_wide_terminal_has_a_row_on_a_line(filled):
    printed = run_on_terminal(filled, "loads", COLUMNS="160", NO_COLOR="1", TERM="dumb", LINES="50")
    assert len(printed.splitlines()) == 4
    assert re.search(r"^spend/v1/march/\d{8}T\d{6}Z +failed +bad\.csv ", printed, re.MULTILINE)


def test_piped_table_is_never_cut(filled):
    filled.run("ingest", filled.write(f"{'long' * 50}.csv", GOOD), "--product", "spend", "--table", "march")
    assert "long" * 50 in filled.run("loads").stdout


def test_reader_of_a_pipe_may_leave_early(filled):
    command = f"'{DAAP}' --root '{filled.root}' sql 'SELECT * FROM range(500000)' --format csv | head -1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.stdout == '"range"\n'
    assert result.stderr == ""

"""Laptop and cloud compared by `daap-local parity`: over a cloud of its own, over an emulator, over a lake in one."""

# ruff: noqa: S603 - the processes are the tests' own

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from daap.model.verdict import Code
from daap.registry.spec import parse_spec
from daap_cloud import engines
from daap_cloud.engines import ChosenEngine
from daap_cloud.wiring import Deployment
from daap_local.cli import main
from fixtures.generate import FOLDER
from tests.athena.serving import serving
from tests.support.cloud import STACK, running_cloud
from tests.support.emulator import CREDENTIALS, cloud_clients, emulator, make_settings
from tests.support.lakes import make_product

__all__ = ["emulator"]

OPEN_DATA = Path(__file__).parents[2].parent / "shared" / "data" / "open-data"
SPECS = Path(__file__).parent / "open_data"
OPEN_FILES = {
    "moj_spending": "moj-aramis-data-march-11.csv",
    "hmrc_spending": "HMRC_spending_over_25000_for_September_2018.csv",
    "wakefield_procurement_cards": "Wakefield Council Procurement Card Transactions 2018-19 Q2.csv",
    "planning_applications": "planning-application-aug-17.csv",
    "ppo_senior_posts": "prison-and-probation-ombudsman__30-09-2014__justice_PPO-September-Return-senior.csv",
    "epc_travel_stationery": "20170320-ePC_Data-Travel-Stationery.csv",
    "consular_cases": "Consular_cases_April_2016.csv",
}
DIFFICULT = ("preamble", "linebreaks", "wide", "grouped", "semicolon", "utf16")
SPEND = FOLDER / "spend" / "product.yaml"
GOOD, BAD = FOLDER / "spend" / "march-good.csv", FOLDER / "spend" / "march-bad.csv"
PATIENCE = 60.0
EDGES = {
    "boolean": ("true", "F", "1", "0"),
    "tinyint": ("-128", "+127", "0", "-0"),
    "bigint": ("-9223372036854775808", "9223372036854775807", "00", "-0"),
    "float": ("NaN", "3.4028235e38", "1.4e-45", "16777217"),
    "double": ("-Infinity", "-0", "4.9e-324", "9007199254740993"),
    "decimal(38,5)": ("-999999999999999999999999999999999.99999", "0.00001", "1.", "+.5"),
    "string": ("C:\\new\\", "NULL", "\\N", 'say "hi", \U0001d518'),
    "varchar(9)": (" lead", "trail  ", "\u2028x", "\x01\x02"),
    "char(3)": ("a b", " x", "n\u00e9", "'"),
    "date": ("0001-01-01", "9999-12-31", "1582-10-10", "1900-02-28"),
    "timestamp": ("0001-01-01 00:00:00", "9999-12-31T23:59:59.999", "1969-12-31 23:59:59.001", "1900-03-01 00:00:00.1"),
}
"""Values of each type that one engine or another could read otherwise."""

Json = dict


def run(*words: str | Path, ends: int = 0, env: dict[str, str] | None = None) -> Result:
    """Runs the command in this process; it has to end with the code `ends`, and in no case with a traceback."""
    quiet = {name: None for name in os.environ if name.startswith(("AWS_", "DAAP_"))}
    result = CliRunner().invoke(main, ["parity", *map(str, words)], env=quiet | (env or {}))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code == ends, result.output
    return result


def load(*words: str | Path, ends: int = 0, env: dict[str, str] | None = None) -> list[Json]:
    """The comparisons that a run prints as JSON."""
    told = json.loads(run(*words, "--json", ends=ends, env=env).stdout)
    assert told["equal"] == (ends == 0)
    comparisons: list[Json] = told["comparisons"]
    return comparisons


class TestOwnCloud:
    def test_good_and_bad_files_come_to_the_same_by_every_engine(self):
        comparisons = load(SPEND, GOOD, BAD, GOOD, "--engine", "all")
        assert [list(one["sides"]) for one in comparisons] == [
            ["folders", "cloud-athena"], ["folders", "cloud-duckdb"], ["folders", "cloud-auto"],
        ]  # fmt: skip
        for one in comparisons:
            assert one["differences"] == []
            outcomes = [file["outcomes"] for file in one["files"]]
            assert [said["folders"].split(",")[0] for said in outcomes] == ["curated", "refused", "curated"]
        assert "by athena" in comparisons[0]["files"][0]["outcomes"]["cloud-athena"]
        assert "by duckdb" in comparisons[1]["files"][0]["outcomes"]["cloud-duckdb"]

    def test_difficult_files_come_to_the_same(self):
        files = [f"{table}={FOLDER / 'difficult' / table}-good.csv" for table in DIFFICULT]
        (one,) = load(FOLDER / "difficult" / "product.yaml", *files)
        assert one["differences"] == []
        curated = {file["table"]: file["outcomes"]["cloud-athena"] for file in one["files"]}
        assert "by athena" in curated["grouped"]
        assert "by duckdb" in curated["linebreaks"]

    def test_values_at_the_edges_of_types_come_to_the_same(self, tmp_path):
        columns = [{"name": f"c{place}", "type": kind} for place, kind in enumerate(EDGES)]
        tables = {"edges": {"tableDescription": "edges", "columns": columns}}
        (tmp_path / "spec.yaml").write_text(json.dumps({**make_product().dump(), "tables": tables, "files": {}}))
        with (tmp_path / "edges.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerows(
                [[column["name"] for column in columns], *zip(*EDGES.values(), strict=True), [""] * len(EDGES)]
            )
        (one,) = load(tmp_path / "spec.yaml", tmp_path / "edges.csv")
        assert one["differences"] == []
        assert one["files"][0]["outcomes"]["folders"] == "curated, 5 rows"
        assert "by athena" in one["files"][0]["outcomes"]["cloud-athena"]

    @pytest.mark.parametrize("spec", OPEN_FILES)
    def test_open_data_comes_to_the_same(self, spec):
        if not OPEN_DATA.is_dir():
            pytest.skip("../shared/data/open-data is not beside the checkout")
        (one,) = load(SPECS / f"{spec}.yaml", OPEN_DATA / OPEN_FILES[spec])
        assert one["differences"] == []

    def test_lines_tell_it_where_it_is_piped(self):
        lines = run(SPEND, GOOD).stdout.splitlines()
        assert lines[0].startswith(
            "file: march, march-good.csv: folders curated, 12 rows; cloud-athena curated, 12 rows"
        )
        assert lines[-1] == "No difference in 1 file between folders and cloud-athena."


class Wrong(ChosenEngine):
    """Curates as a deployment does, then `change`s the Parquet where it lies, and tells nobody."""

    def __init__(self, right: ChosenEngine, clients, change: Callable[[pa.Table], pa.Table] | None) -> None:
        self._right, self._clients, self._change = right, clients, change

    def check(self, source, schema, *rest):
        verdict = self._right.check(source, schema, *rest)
        if self._change or verdict.accepted:
            return verdict
        return replace(verdict, errors=verdict.errors[1:], counts={**verdict.counts, Code.TYPE_ERROR: 4})

    def curate(self, source, schema, target, *rest):
        written = self._right.curate(source, schema, target, *rest)
        bucket, _, prefix = written.target.removeprefix("s3://").partition("/")
        for file in written.files if self._change else ():
            data = self._clients.s3.get_object(Bucket=bucket, Key=prefix + file.name)["Body"].read()
            out = io.BytesIO()
            pq.write_table(self._change(pq.read_table(io.BytesIO(data))), out)
            self._clients.s3.put_object(Bucket=bucket, Key=prefix + file.name, Body=out.getvalue())
            size = len(out.getvalue())
            written = replace(written, files=(replace(file, size=size),))
        return written


class TestWrongEngine:
    def spoil(self, monkeypatch, change: Callable[[pa.Table], pa.Table] | None) -> None:
        make = engines.make_engine
        monkeypatch.setattr(
            engines,
            "make_engine",
            lambda settings, clients, runner: Wrong(make(settings, clients, runner), clients, change),
        )

    def test_a_lost_row_is_named(self, monkeypatch):
        self.spoil(monkeypatch, lambda table: table.slice(1))
        lines = run(SPEND, GOOD, ends=1).stdout.splitlines()
        (rows,) = [line for line in lines if "march-good.csv: rows:" in line]
        assert rows.endswith("1 row without an equal on the other side: folders 12 rows; cloud-athena 11 rows")
        assert lines[lines.index(rows) + 1].startswith("  line 2: folders (entity='Fernbridge', date='2025-03-03'")

    def test_a_changed_value_is_named_with_its_line_and_column(self, monkeypatch):
        def change(table: pa.Table) -> pa.Table:
            amounts = table["amount"].to_pylist()
            return table.set_column(5, "amount", pa.array([amounts[0] + 1, *amounts[1:]], table["amount"].type))

        self.spoil(monkeypatch, change)
        (one,) = load(SPEND, GOOD, ends=1)
        (rows,) = [difference for difference in one["differences"] if difference["kind"] == "rows"]
        assert rows["examples"] == [
            {"where": "line 2, column amount", "sides": {"folders": "'68210.40'", "cloud-athena": "'68211.40'"}}
        ]
        assert {difference["kind"] for difference in one["differences"]} == {"rows", "query"}

    def test_another_verdict_is_named(self, monkeypatch):
        self.spoil(monkeypatch, None)
        (one,) = load(SPEND, BAD, ends=1)
        found = {difference["kind"]: difference for difference in one["differences"]}
        assert "type_error 5" in found["verdict"]["sides"]["folders"]
        assert "type_error 4" in found["verdict"]["sides"]["cloud-athena"]
        assert found["report"]["examples"]
        assert found["annotated"]["examples"][0]["where"] == "line 3"


@pytest.mark.slow
class TestEmulator:
    def test_an_emulator_comes_to_the_same_and_keeps_nothing(self, emulator):
        (one,) = load(SPEND, GOOD, BAD, "--endpoint-url", emulator, env=CREDENTIALS)
        assert one["differences"] == []
        assert one["product"].startswith("spend_parity_")
        assert find_left(emulator) == ([], [])

    def test_glue_may_be_beside_an_emulator(self, emulator, tmp_path):
        with serving(tmp_path) as served:
            env = {**CREDENTIALS, "AWS_ENDPOINT_URL_GLUE": served.url}
            (one,) = load(SPEND, GOOD, "--endpoint-url", emulator, env=env)
            calls = served.glue.get_databases()["DatabaseList"]
        assert one["differences"] == []
        assert f"Glue at {served.url}" in one["sides"]["cloud-athena"]
        assert [database["Name"] for database in calls if "parity" in database["Name"]] == []
        assert find_left(emulator) == ([], [])

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_nothing_stays_behind_an_interrupt(self, emulator, tmp_path, number):
        daap = Path(sys.executable).parent / "daap-local"
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), **CREDENTIALS}
        words = [daap, "parity", SPEND, *[GOOD] * 30, "--endpoint-url", emulator]
        with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            wait_until(lambda: any("spend_parity" in name for name in find_left(emulator)[1]))
            process.send_signal(number)
            told = process.communicate(timeout=PATIENCE)[0].decode()
        assert process.returncode == 130, told
        assert "Stopped." in told
        assert find_left(emulator) == ([], [])
        assert list(tmp_path.glob("daap-parity-*")) == []

    def test_the_buckets_of_a_lake_keep_what_was_there(self, emulator):
        clients = cloud_clients(emulator)
        settings = make_settings(clients, work_database=f"work_{time.time_ns()}")
        clients.glue.create_database(DatabaseInput={"Name": settings.work_database})
        registry = Deployment(settings, clients).registry
        registry.register(parse_spec(SPEND.read_bytes()))
        registry.register(make_product("other"))
        before = keys_of(clients, settings)
        given = settings.model_dump(
            mode="json", include={"work_database", *(n for n in vars(settings) if "bucket" in n)}
        )
        env = {**CREDENTIALS, **{f"DAAP_{name.upper()}": value for name, value in given.items()}}
        (one,) = load(SPEND, GOOD, "--endpoint-url", emulator, env=env)
        assert one["differences"] == []
        assert keys_of(clients, settings) == before
        assert [found.product.name for found in registry.list()] == ["other", "spend"]

    def test_a_deployed_stack_comes_to_the_same_though_its_functions_hear_of_the_files(self, tmp_path):
        with running_cloud(tmp_path) as cloud:
            words = ("--stack", STACK, "--endpoint-url", cloud.url, "--athena-url", cloud.athena)
            (one,) = load(SPEND, GOOD, BAD, GOOD, *words, env=CREDENTIALS)
            assert one["differences"] == []
            left = {zone: cloud.keys(f"{zone}/") for zone in ("landing", "raw", "curated", "fail")}
            assert not any(left.values()), left
            assert [key for key in cloud.keys("metadata/") if "_parity_" in key] == []


def find_left(url: str) -> tuple[list[str], list[str]]:
    """The buckets and databases that comparisons have made."""
    clients = cloud_clients(url)
    buckets = [one["Name"] for one in clients.s3.list_buckets()["Buckets"]]
    databases = [one["Name"] for one in clients.glue.get_databases()["DatabaseList"]]
    return [name for name in buckets if "parity" in name], [name for name in databases if "parity" in name]


def keys_of(clients, settings) -> set[str]:
    """All that lies in the buckets of a lake, but its logs and the results of queries."""
    buckets = (settings.landing_bucket, settings.data_bucket, settings.metadata_bucket)
    return {
        f"{bucket}/{one['Key']}"
        for bucket in buckets
        for one in clients.s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    }


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


class TestUse:
    @pytest.mark.parametrize(("words", "told"), [
        ((), "Missing argument"),
        ((SPEND,), "Missing argument"),
        ((SPEND, "april=x.csv"), "spend has no table april; it has march"),
        ((SPEND, GOOD, "--table", "april"), "spend has no table april"),
        ((SPEND, "none.csv"), "there is no file none.csv"),
        ((FOLDER / "difficult" / "product.yaml", GOOD), "which table is"),
        ((GOOD, GOOD), "march-good.csv"),
        ((SPEND, GOOD, "--endpoint-url", "localhost:4566"), "--endpoint-url is an address"),
        ((SPEND, GOOD, "--athena-url", "http://127.0.0.1:9"), "--athena-url belongs to --endpoint-url"),
        ((SPEND, GOOD, "--engine", "spark"), "'spark' is not one of"),
    ])  # fmt: skip
    def test_wrong_use_is_explained(self, words, told):
        assert told in run(*words, ends=2).output

    def test_an_address_where_nobody_is_is_a_hindrance(self):
        result = run(SPEND, GOOD, "--endpoint-url", "http://127.0.0.1:9", ends=3)
        assert "look at the network" in result.output

    def test_a_stack_that_is_not_there_is_told(self, emulator):
        result = run(SPEND, GOOD, "--stack", "none", "--endpoint-url", emulator, ends=2, env=CREDENTIALS)
        assert "there is no stack none" in result.output

    def test_without_httpfs_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr("daap_cloud.duckdb_s3._PACKAGE", "no_such_package")
        assert "pip install 'daap[cloud]'" in run(SPEND, GOOD, ends=2).output

    def test_help_loads_nothing_heavy(self):
        code = (
            "import sys; from daap_local.cli import main; main(['parity', '--help'], standalone_mode=False); "
            "sys.exit(', '.join({'boto3', 'botocore', 'duckdb', 'pyarrow', 'pydantic', 'rich'} & set(sys.modules)))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert result.stderr.strip() == ""
        assert "daap-local parity spend.yaml march.csv" in result.stdout

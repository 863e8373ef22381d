"""Which engine of the cloud curates, what it notes, and what it leaves behind when something goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.credentials import Credentials

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import EngineFailed, InvalidQuery, ObjectMissing, StoreUnavailable
from daap.model.verdict import Writer
from daap_cloud.athena.engine import WORK_DATABASE, AthenaEngine
from daap_cloud.athena.fits import Unsuited
from daap_cloud.athena.runner import AthenaRunner, Execution
from daap_cloud.clients import Clients
from daap_cloud.duckdb_s3 import S3Remote, find_extension
from tests.oracle.harness import make_schema
from tests.support.remote_engine import PLACE, Cloud, shared_cloud

SCHEMA = make_schema("a int", "b string", {"name": "c", "type": "decimal(9,2)", "format": "£1,234.50"})
GOOD = 'a,b,c\n1,"x, ""y""",£1.50\n2,,\n'.encode()
BROKEN_LINES = 'a,b,c\n1,"x\ny",£1.50\n'.encode()
ATHENA, DUCKDB = ("athena", "3"), ("duckdb", DuckDBEngine.version)


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return shared_cloud()


def work_tables(cloud: Cloud) -> list[str]:
    pages = cloud.clients.glue.get_paginator("get_tables").paginate(DatabaseName=WORK_DATABASE)
    return [table["Name"] for page in pages for table in page["TableList"]]


class Runs(AthenaRunner):
    """Athena, whose statements go another way than they should."""

    def __init__(self, cloud: Cloud, *, answer=lambda execution: execution, error=None, keys=()) -> None:
        settings = cloud.settings
        super().__init__(cloud.clients.athena, settings.work_group, settings.results, 60)
        self._answer, self._error, self._keys, self._cloud = answer, error, keys, cloud
        self.statements: list[str] = []

    def run(self, sql: str, database: str | None = None, *, count_rows: bool = False) -> Execution:
        self.statements.append(sql)
        for key in self._keys:
            self._cloud.clients.s3.put_object(Bucket=self._cloud.bucket, Key=key, Body=b"half a file")
        if self._error:
            raise self._error
        return self._answer(super().run(sql, database, count_rows=count_rows))


def athena_of(cloud: Cloud, runner: AthenaRunner) -> AthenaEngine:
    return AthenaEngine(cloud.clients, runner, DuckDBEngine(remote=S3Remote(cloud.clients)))


# Who curates

CHOICES = {
    "athena": ("athena", 1 << 30, ATHENA, "chosen by the deployment"),
    "duckdb": ("duckdb", 1, DUCKDB, "chosen by the deployment"),
    "auto, small": ("auto", len(GOOD), DUCKDB, f"chosen by size: at most {len(GOOD)} bytes"),
    "auto, large": ("auto", len(GOOD) - 1, ATHENA, f"chosen by size: {len(GOOD)} bytes are more than {len(GOOD) - 1}"),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_deployment_chooses_the_engine_and_the_note_says_so(cloud, case):
    choice, most, who, reason = CHOICES[case]
    written = cloud.engine(choice, duckdb_max_bytes=most).curate(cloud.put(GOOD), SCHEMA, cloud.new_target())
    assert written.writer == Writer(*who, reason)
    assert written.rows == 2


@pytest.mark.parametrize("choice", ["athena", "auto"])
def test_a_file_that_athena_would_misread_is_curated_by_duckdb(cloud, choice):
    engine = cloud.engine(choice, duckdb_max_bytes=1)
    written = engine.curate(cloud.put(BROKEN_LINES), SCHEMA, cloud.new_target())
    assert written.writer == Writer(*DUCKDB, "not by Athena: it has a line break inside quotes")
    assert cloud.read(written).column("b").to_pylist() == ["x\ny"]


def test_a_file_that_is_not_alone_in_its_folder_is_curated_by_duckdb(cloud):
    source = cloud.put(GOOD)
    other = source.location.removeprefix(f"s3://{cloud.bucket}/").replace("file.csv", "other.csv")
    cloud.clients.s3.put_object(Bucket=cloud.bucket, Key=other, Body=GOOD)
    written = cloud.engine("athena").curate(source, SCHEMA, cloud.new_target())
    assert written.writer == Writer(*DUCKDB, "not by Athena: other files lie in its folder, and Athena reads folders")
    assert written.rows == 2


def test_a_name_that_athena_passes_over_is_curated_by_duckdb(cloud):
    written = cloud.engine("athena").curate(cloud.put(GOOD, "_file.csv"), SCHEMA, cloud.new_target())
    assert written.writer == Writer(*DUCKDB, "not by Athena: Athena passes over a file named _file.csv")


def test_a_table_too_wide_for_one_statement_is_curated_by_duckdb(cloud):
    wide = make_schema(*(f"column_{number} double" for number in range(1000)))
    header = ",".join(column.name for column in wide.columns)
    data = f"{header}\n{','.join(['1.5'] * 1000)}\n".encode()
    written = cloud.engine("athena").curate(cloud.put(data), wide, cloud.new_target())
    assert written.writer is not None
    assert "so many columns" in str(written.writer.reason)


def test_a_value_that_athena_refuses_against_the_contract_is_left_to_duckdb(cloud):
    runner = Runs(cloud, error=InvalidQuery("INVALID_CAST_ARGUMENT: Cannot cast 'Ada Lovelace'"))
    with pytest.raises(Unsuited, match="refused one of its values") as caught:
        athena_of(cloud, runner).curate(cloud.put(GOOD), SCHEMA, cloud.new_target())
    assert "Lovelace" not in str(caught.value)


def test_a_query_that_fails_over_something_else_than_a_value_is_a_failure(cloud):
    runner = Runs(cloud, error=InvalidQuery("PERMISSION_DENIED: Access Denied: s3://bucket"))
    with pytest.raises(EngineFailed, match="Access Denied") as caught:
        athena_of(cloud, runner).curate(cloud.put(GOOD), SCHEMA, cloud.new_target())
    assert not isinstance(caught.value, Unsuited)


# What is written


def test_the_statement_is_one_unload_into_the_target(cloud):
    runner, target = Runs(cloud), cloud.new_target()
    written = athena_of(cloud, runner).curate(cloud.put(GOOD), SCHEMA, target)
    (statement,) = runner.statements
    assert statement.startswith("UNLOAD (SELECT ")
    assert statement.endswith(f" TO '{target}' WITH (format = 'PARQUET', compression = 'SNAPPY')")
    assert sorted(cloud.keys(target)) == sorted(file.name for file in written.files)


def test_no_table_is_left_after_a_conversion(cloud):
    athena_of(cloud, Runs(cloud)).curate(cloud.put(GOOD), SCHEMA, cloud.new_target())
    assert work_tables(cloud) == []


# What goes wrong


def fewer_rows(execution: Execution) -> Execution:
    return replace(execution, rows=1)


def test_rows_that_athena_counts_otherwise_fail_the_conversion(cloud):
    target = cloud.new_target()
    with pytest.raises(EngineFailed, match="2 in the file, 2 in Parquet, 1 by Athena's count"):
        athena_of(cloud, Runs(cloud, answer=fewer_rows)).curate(cloud.put(GOOD), SCHEMA, target)
    assert cloud.keys(target) == []
    assert work_tables(cloud) == []


def test_rows_that_athena_does_not_count_are_counted_in_the_files(cloud):
    runner = Runs(cloud, answer=lambda execution: replace(execution, rows=None))
    assert athena_of(cloud, runner).curate(cloud.put(GOOD), SCHEMA, cloud.new_target()).rows == 2


@pytest.mark.parametrize("error", [EngineFailed("took too long"), StoreUnavailable("throttled"), KeyboardInterrupt()])
def test_what_a_failed_statement_has_written_is_removed(cloud, error):
    target = cloud.new_target()
    half = f"{target}half".removeprefix(f"s3://{cloud.bucket}/")
    with pytest.raises(type(error)):
        athena_of(cloud, Runs(cloud, error=error, keys=[half])).curate(cloud.put(GOOD), SCHEMA, target)
    assert cloud.keys(target) == []
    assert work_tables(cloud) == []


def test_without_its_database_it_says_what_to_do(cloud):
    with pytest.raises(EngineFailed, match=r"no Glue database nowhere .* set DAAP_WORK_DATABASE"):
        cloud.engine("athena", work_database="nowhere").curate(cloud.put(GOOD), SCHEMA, cloud.new_target())


def test_a_file_with_a_wrong_value_is_told_as_by_the_check(cloud):
    target = cloud.new_target()
    with pytest.raises(EngineFailed, match="line 3, column a"):
        cloud.engine("athena").curate(cloud.put(b"a,b,c\n1,x,\n1.5,y,\n"), SCHEMA, target)
    assert cloud.keys(target) == []


@pytest.mark.parametrize("choice", ["athena", "duckdb"])
def test_a_file_that_is_gone_is_no_verdict_and_no_snapshot(cloud, choice):
    source, engine = cloud.source(f"{PLACE}none/none.csv", 10), cloud.engine(choice)
    for work in (lambda: engine.check(source, SCHEMA), lambda: engine.curate(source, SCHEMA, cloud.new_target())):
        with pytest.raises(ObjectMissing):
            work()


def test_a_file_that_is_taken_away_meanwhile_is_gone_and_no_trouble_of_the_store(cloud):
    engine, source = cloud.engine("duckdb"), cloud.put(GOOD)
    moved = replace(source, location=source.location.replace("file.csv", "moved.csv"))  # once its first lines are read
    for work in (lambda: engine.check(moved, SCHEMA), lambda: engine.curate(moved, SCHEMA, cloud.new_target())):
        with pytest.raises(ObjectMissing):
            work()


def test_tables_that_killed_conversions_left_are_dropped_once_they_are_old(cloud):
    engine = cloud.engine("athena").athena
    for name in ("curate_left", "kept"):
        cloud.clients.glue.create_table(DatabaseName=WORK_DATABASE, TableInput={"Name": name})
    try:
        assert engine.tidy() == 0
        assert engine.tidy(older=timedelta(0)) == 1
        assert work_tables(cloud) == ["kept"]
    finally:
        cloud.clients.glue.delete_table(DatabaseName=WORK_DATABASE, Name="kept")


# DuckDB on S3


@pytest.mark.parametrize("name", ["a b.csv", "a+b%20&#é;'.csv", "what? [*].csv"])
def test_a_key_may_hold_any_character(cloud, name):
    source, engine = cloud.put(GOOD, name), cloud.engine("duckdb")
    assert engine.check(source, SCHEMA).accepted
    assert engine.curate(source, SCHEMA, cloud.new_target()).rows == 2


def test_a_refused_file_leaves_no_object_in_s3(cloud):
    engine, target = DuckDBEngine(remote=S3Remote(cloud.clients)), cloud.new_target()
    data = b"a,b,c\n" + b"1,x,\n" * 300_000
    for wrong in (b"x,y,\n", b"1,x,,\n", b'1,"x"y,\n'):
        verdict, written = engine.stage(cloud.put(data + wrong), SCHEMA, target)
        assert (verdict.accepted, written) == (False, None)
        assert cloud.keys(target) == []


def test_duckdb_signs_with_the_credentials_of_now(cloud, monkeypatch):
    """Temporary credentials change while a process lives; those of yesterday are refused."""
    session = cloud.clients.session
    clients = Clients(session, {"s3": cloud.clients.s3.meta.endpoint_url})
    engine = DuckDBEngine(remote=S3Remote(clients))
    assert engine.check(cloud.put(GOOD), SCHEMA).accepted
    right = session.get_credentials()
    monkeypatch.setattr(session, "get_credentials", lambda: Credentials("AKIAOFYESTERDAY", "a secret of yesterday"))
    with pytest.raises(StoreUnavailable) as caught:
        engine.check(cloud.put(GOOD), SCHEMA)
    assert "a secret" not in str(caught.value)
    monkeypatch.setattr(session, "get_credentials", lambda: right)
    assert engine.check(cloud.put(GOOD), SCHEMA).accepted


def test_without_credentials_it_says_what_to_do(cloud, monkeypatch):
    session = cloud.clients.session
    source = cloud.put(GOOD)
    engine = DuckDBEngine(remote=S3Remote(Clients(session, {"s3": cloud.clients.s3.meta.endpoint_url})))
    monkeypatch.setattr(session, "get_credentials", lambda: None)
    with pytest.raises(StoreUnavailable, match="give the function a role"):
        engine.check(source, SCHEMA)


def test_the_extension_is_that_of_the_engine_and_comes_from_its_package():
    assert find_extension().is_file()
    assert f"v{DuckDBEngine.version}" in str(find_extension())

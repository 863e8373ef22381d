"""Statements in Athena: waiting for them, and every way in which they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber

from daap.errors import Cancelled, DaapError, EngineFailed, InvalidQuery, NotRegistered, StoreUnavailable
from daap_cloud.athena import runner as runner_module
from daap_cloud.athena.runner import AthenaRunner
from tests.athena.serving import Served, serving
from tests.support.emulator import cloud_clients

OUTPUT = "s3://results/queries/"
QUERY = "0f0e0d0c-0000-4000-8000-000000000001"
LONG = (
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x) CROSS JOIN UNNEST(sequence(1, 10000)) b(y) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) c(z) WHERE x * y * z % 7 = 3"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("athena")) as server:
        server.s3.create_bucket(Bucket="results")
        yield server


@pytest.fixture
def runner(served) -> AthenaRunner:
    return AthenaRunner(served.athena, "primary", OUTPUT, 60)


def states_of(served: Served) -> list[str]:
    """How all executions stand, the newest first."""
    ids = served.athena.list_query_executions()["QueryExecutionIds"]
    found = served.athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
    newest = sorted(found, key=lambda one: one["Status"]["SubmissionDateTime"], reverse=True)
    return [one["Status"]["State"] for one in newest]


class TestRunning:
    def test_a_select_tells_where_its_result_is(self, runner, served):
        done = runner.run("SELECT 1 AS n UNION ALL SELECT 2", count_rows=True)
        assert (done.kind, done.substatement, done.rows) == ("DML", "SELECT", 2)
        assert done.output == f"{OUTPUT}{done.id}.csv"
        assert served.read(done.output).startswith(b'"n"\n')
        assert 0 < done.seconds < 60

    def test_rows_are_not_asked_for_unless_they_are_wanted(self, runner):
        assert runner.run("SELECT 1").rows is None

    def test_an_unload_tells_what_it_wrote(self, runner, served):
        sql = "SELECT x FROM UNNEST(sequence(1, 100)) t(x)"
        done = runner.run(f"UNLOAD ({sql}) TO 's3://results/out/' WITH (format = 'PARQUET')", count_rows=True)
        assert done.rows == 100
        assert served.read(done.manifest).decode().splitlines()

    def test_bare_names_are_of_the_database(self, runner):
        runner.run("CREATE DATABASE own")
        runner.run("CREATE VIEW one AS SELECT 1 AS n", "own")
        assert runner.run("SELECT n FROM one", "own").substatement == "SELECT"
        with pytest.raises(InvalidQuery):
            runner.run("SELECT n FROM one")

    @pytest.mark.parametrize(
        ("sql", "error", "words"),
        [
            ("SELECT none", InvalidQuery, "COLUMN_NOT_FOUND"),
            ("SELEC 1", InvalidQuery, "mismatched input"),
            ("SELECT CAST('x' AS int)", InvalidQuery, "INVALID_CAST_ARGUMENT"),
            ("SELECT * FROM none.none", NotRegistered, "none"),
            ("SELECT * FROM default.none", NotRegistered, "none"),
        ],
    )
    def test_what_is_wrong_with_a_statement_is_told_in_athenas_words(self, runner, sql, error, words):
        with pytest.raises(error, match=words):
            runner.run(sql)

    def test_a_work_group_that_is_not_there(self, served):
        with pytest.raises(EngineFailed, match="nowhere"):
            AthenaRunner(served.athena, "nowhere", OUTPUT, 60).run("SELECT 1")

    def test_one_that_takes_too_long_is_stopped(self, served):
        started = time.monotonic()
        with pytest.raises(EngineFailed, match=r"more than 0\.3 seconds"):
            AthenaRunner(served.athena, "primary", OUTPUT, 0.3).run(LONG)
        assert time.monotonic() - started < 5
        assert states_of(served)[0] == "CANCELLED"

    def test_one_that_somebody_cancels_ends_at_once(self, runner, served):
        def cancel() -> None:
            while not (running := served.athena.list_query_executions()["QueryExecutionIds"]):
                time.sleep(0.01)
            for query in running:
                served.athena.stop_query_execution(QueryExecutionId=query)

        canceller = threading.Timer(0.3, cancel)
        canceller.start()
        with pytest.raises(Cancelled):
            runner.run(LONG)
        canceller.join()

    def test_one_whose_caller_is_interrupted_is_stopped(self, runner, served, monkeypatch):
        def interrupt(_seconds: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(runner_module, "time", SimpleNamespace(sleep=interrupt, monotonic=time.monotonic))
        with pytest.raises(KeyboardInterrupt):
            runner.run(LONG)
        assert states_of(served)[0] == "CANCELLED"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """A client without a service: what it answers is given, and every call has to be one that was foreseen."""
    client = cloud_clients("http://127.0.0.1:9").athena
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def start(stub: Stubber) -> None:
    asked = {
        "QueryString": ANY, "WorkGroup": "primary", "ClientRequestToken": ANY,
        "ResultConfiguration": {"OutputLocation": OUTPUT},
    }  # fmt: skip
    stub.add_response("start_query_execution", {"QueryExecutionId": QUERY}, asked)


def answer(stub: Stubber, state: str, **status: Any) -> None:
    found = {"QueryExecutionId": QUERY, "Status": {"State": state, **status}}
    stub.add_response("get_query_execution", {"QueryExecution": found}, {"QueryExecutionId": QUERY})


def run(stub: Stubber, seconds: float = 60, **given: Any) -> Any:
    return AthenaRunner(stub.client, "primary", OUTPUT, seconds).run("SELECT 1", **given)


def failed(category: int, reason: str, *, retryable: bool = False) -> dict[str, Any]:
    error = {"ErrorCategory": category, "ErrorType": 1, "Retryable": retryable, "ErrorMessage": reason}
    return {"StateChangeReason": reason, "AthenaError": error}


class TestEndings:
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (failed(2, "TYPE_MISMATCH: line 1"), InvalidQuery),
            (failed(2, "TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.a.b' does not exist"), NotRegistered),
            (failed(1, "GENERIC_INTERNAL_ERROR: null"), EngineFailed),
            (failed(1, "INTERNAL_ERROR_QUERY_ENGINE", retryable=True), StoreUnavailable),
            (failed(2, "Query exhausted resources at this scale factor"), StoreUnavailable),
            (failed(2, "EXHAUSTED_RESOURCES: too many"), StoreUnavailable),
            (failed(2, "HIVE_CANNOT_OPEN_SPLIT: Please reduce your request rate (SlowDown; 503)"), StoreUnavailable),
            ({}, EngineFailed),
        ],
    )
    def test_a_failure_is_told_by_who_is_to_blame(self, stub, status, error):
        start(stub)
        answer(stub, "QUEUED")
        answer(stub, "FAILED", **status)
        with pytest.raises(error, match=status.get("StateChangeReason", "no reason").partition(":")[0]):
            run(stub)

    def test_a_limit_of_the_work_group_is_no_persons_doing(self, stub):
        start(stub)
        answer(stub, "CANCELLED", StateChangeReason="Bytes scanned limit was exceeded")
        with pytest.raises(EngineFailed, match="Bytes scanned limit was exceeded"):
            run(stub)

    def test_a_cancelled_one_is_not_waited_for(self, stub):
        start(stub)
        answer(stub, "CANCELLED")
        with pytest.raises(Cancelled, match=QUERY):
            run(stub)

    def test_one_that_succeeds_while_it_is_to_be_stopped_has_succeeded(self, stub):
        start(stub)
        answer(stub, "RUNNING")
        stub.add_response("stop_query_execution", {}, {"QueryExecutionId": QUERY})
        answer(stub, "SUCCEEDED")
        assert run(stub, seconds=0).id == QUERY

    def test_rows_that_are_counted_late_are_waited_for(self, stub):
        start(stub)
        answer(stub, "SUCCEEDED")
        for told in ({}, {"Rows": {}}, {"Rows": {"OutputRows": 7}}):
            stub.add_response(
                "get_query_runtime_statistics", {"QueryRuntimeStatistics": told}, {"QueryExecutionId": QUERY}
            )
        assert run(stub, count_rows=True).rows == 7

    @pytest.mark.parametrize("code", ["TooManyRequestsException", "InternalServerException", "AccessDeniedException"])
    def test_what_may_go_through_later_is_told_so(self, stub, code):
        stub.add_client_error("start_query_execution", code, "no")
        with pytest.raises(StoreUnavailable, match=code):
            run(stub)
        stub.deactivate()
        stub._queue.clear()

    def test_a_request_that_is_refused_is_an_error_of_the_deployment(self, stub):
        stub.add_client_error("start_query_execution", "InvalidRequestException", "no output location")
        with pytest.raises(EngineFailed, match="no output location"):
            run(stub)

    def test_statements_that_cannot_be_parsed_are_the_callers(self, stub):
        malformed = {"AthenaErrorCode": "MALFORMED_QUERY"}
        stub.add_client_error(
            "start_query_execution", "InvalidRequestException", "line 1:1", response_meta=None, modeled_fields=malformed
        )
        with pytest.raises(InvalidQuery, match="line 1:1"):
            run(stub)

    def test_a_service_that_goes_out_of_reach_is_unavailable_and_the_query_is_stopped(self, stub):
        start(stub)
        stub.add_client_error("get_query_execution", "ServiceUnavailable", "later")
        stub.add_response("stop_query_execution", {}, {"QueryExecutionId": QUERY})
        with pytest.raises(StoreUnavailable, match="later"):
            run(stub)

    def test_no_network_is_unavailable(self, monkeypatch):
        client = cloud_clients("http://127.0.0.1:9").athena

        def refuse(*_: Any, **__: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

        monkeypatch.setattr(client, "start_query_execution", refuse)
        with pytest.raises(DaapError, match=r"127\.0\.0\.1:9") as raised:
            AthenaRunner(client, "primary", OUTPUT, 1).run("SELECT 1")
        assert isinstance(raised.value, StoreUnavailable)

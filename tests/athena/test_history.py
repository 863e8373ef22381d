"""Executions are known after a restart, and their results can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from daap_local.athena.api import executions
from daap_local.athena.api.executions import Executions
from daap_local.athena.execution.record import Execution, Request
from daap_local.athena.shelf import Shelf
from daap_local.athena.statements import Query
from tests.athena.serving import serving


def make(query: str, submitted: datetime) -> Execution:
    return Execution(Request(query, "SELECT 1", Query("SELECT 1"), ("DML", "SELECT")), submitted)


def test_a_query_is_known_after_a_restart(tmp_path: Path):
    with serving(tmp_path) as served:
        good = served.finish("SELECT 1 AS a, 'x' AS b")
        bad = served.wait(served.start("SELECT 1 / 0"))
        made = served.finish("CREATE DATABASE later")
    with serving(tmp_path) as served:
        ids = [one["QueryExecutionId"] for one in (made, bad, good)]
        assert served.athena.list_query_executions()["QueryExecutionIds"] == ids
        assert served.athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"] == [made, bad, good]
        assert served.all_rows(good["QueryExecutionId"]) == [("a", "b"), ("1", "x")]
        assert served.athena.get_query_runtime_statistics(QueryExecutionId=good["QueryExecutionId"])
        with pytest.raises(ClientError, match="Final query state: FAILED"):
            served.all_rows(bad["QueryExecutionId"])


def test_what_was_running_then_has_failed(tmp_path: Path):
    shelf = Shelf(tmp_path / "s.sqlite")
    Executions(shelf).add(make("running", datetime.now(UTC)))
    found = Executions(shelf).get("running")
    assert (found.state, found.failure and found.failure.retryable) == ("FAILED", True)
    assert found.describe()["Statistics"]["TotalExecutionTimeInMillis"] == 0
    shelf.close()


def test_a_result_of_an_earlier_run_is_reused(tmp_path: Path):
    reuse = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}}
    with serving(tmp_path) as served:
        served.finish("SELECT 1", **reuse)
    with serving(tmp_path) as served:
        found = served.finish("SELECT 1", **reuse)
        assert found["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": True}


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(executions, "_MOST", 2)
    shelf = Shelf(tmp_path / "s.sqlite")
    now = datetime.now(UTC)
    known = Executions(shelf)
    known.add(make("ancient", now - timedelta(days=46)))
    for place in range(3):
        known.add(make(f"q{place}", now + timedelta(seconds=place)))
    assert [one.request.id for one in known.newest("primary")] == ["q2", "q1"]
    assert [one.request.id for one in Executions(shelf).newest("primary")] == ["q2", "q1"]
    shelf.close()


def test_after_45_days_they_are_forgotten(tmp_path: Path):
    shelf = Shelf(tmp_path / "s.sqlite")
    Executions(shelf).add(make("old", datetime.now(UTC) - timedelta(days=46)))
    assert Executions(shelf).newest("primary") == []
    assert shelf.list("athena-query") == []
    shelf.close()

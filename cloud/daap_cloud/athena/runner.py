"""Statements in Athena, run to their end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daap.errors import DaapError, EngineFailed
from daap_cloud.athena.faults import asking, cancellation_of, failure_of

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

_FIRST_PAUSE, _GROWTH, _LONGEST_PAUSE = 0.01, 1.5, 1.0
_STATISTICS_SECONDS = 5.0
_FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_CATALOG = "AwsDataCatalog"


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement that has succeeded.

    `kind` is its statement type (`DML`, `DDL`, `UTILITY`) and `substatement` what it is in particular (`SELECT`,
    `UNLOAD`); `scanned` are the bytes that Athena read, which it bills; `seconds` from the start to the end, the
    queue counted; `output` where its result lies (s3://...); `manifest` where the names of the files lie that it
    wrote; `rows` what it returned or wrote, where that was asked for and Athena tells it.
    """

    id: str
    kind: str
    substatement: str
    scanned: int
    seconds: float
    output: str
    manifest: str | None = None
    rows: int | None = None


class AthenaRunner:
    """Runs one statement after another in a work group; may be used by many threads.

    `output` is where results go (`s3://bucket/prefix/`), `seconds` how long a statement may take, the queue counted.
    """

    def __init__(self, client: AthenaClient, work_group: str, output: str, seconds: float) -> None:
        self._client, self._work_group, self._output, self._seconds = client, work_group, output, seconds

    @property
    def client(self) -> AthenaClient:
        """The client that statements go through."""
        return self._client

    @property
    def output(self) -> str:
        """Where results go."""
        return self._output

    def run(self, sql: str, database: str | None = None, *, count_rows: bool = False) -> Execution:
        """Runs `sql` to its end; bare names in it are of `database`. With `count_rows`, `rows` is asked for.

        Raises InvalidQuery where the statement is wrong, NotRegistered for an unknown table or database,
        StoreUnavailable where it may go through later, Cancelled if somebody stopped it, EngineFailed for everything
        else. One that takes too long is stopped, as is one whose caller is interrupted.
        """
        query = self._start(sql, database)
        try:
            found = self._await(query)
        except BaseException:  # the caller was interrupted, or Athena is out of reach
            with suppress(DaapError):
                self._stop(query)
            raise
        if found is None:
            raise EngineFailed(f"query {query} took more than {self._seconds:g} seconds in Athena and was stopped")
        _judge(found, query)
        return _succeeded(found, self._count_rows(query) if count_rows else None)

    def _start(self, sql: str, database: str | None) -> str:
        """The token makes botocore's retries of one start one query."""
        context: dict[str, Any] = {"QueryExecutionContext": {"Database": database, "Catalog": _CATALOG}}
        with asking("start a query in Athena"):
            return self._client.start_query_execution(
                QueryString=sql, WorkGroup=self._work_group, ClientRequestToken=str(uuid.uuid4()),
                ResultConfiguration={"OutputLocation": self._output}, **(context if database else {}),
            )["QueryExecutionId"]  # fmt: skip

    def _await(self, query: str) -> Any:  # noqa: ANN401 - the API's QueryExecution
        """The execution at its end; None of one that took too long, which is stopped."""
        for _ in _pauses(self._seconds):
            if found := self._look(query):
                return found
        self._stop(query)
        found = self._look(query)
        # It may have succeeded just before it was to be stopped.
        return found if found and found["Status"]["State"] == "SUCCEEDED" else None

    def _look(self, query: str) -> Any:  # noqa: ANN401 - as above
        """The execution if it has ended, None while it goes on."""
        with asking(f"ask Athena how query {query} stands"):
            found = self._client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        return found if found["Status"]["State"] in _FINAL else None

    def _stop(self, query: str) -> None:
        with asking(f"stop query {query}"):
            self._client.stop_query_execution(QueryExecutionId=query)

    def _count_rows(self, query: str) -> int | None:
        """Rows are counted a moment behind the end, and now and then not at all.

        Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryRuntimeStatistics.html
        """
        for _ in _pauses(_STATISTICS_SECONDS):
            with asking(f"ask for the statistics of query {query}"):
                found = self._client.get_query_runtime_statistics(QueryExecutionId=query)
            rows = found["QueryRuntimeStatistics"].get("Rows", {})
            if "OutputRows" in rows:
                return rows["OutputRows"]
        return None


def _pauses(seconds: float) -> Iterator[None]:
    """Comes back at once, then after longer and longer pauses, until the time is over."""
    end, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        yield
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _judge(found: Any, query: str) -> None:  # noqa: ANN401 - the API's QueryExecution
    """Raises what a statement ended with, unless it succeeded."""
    status = found["Status"]
    if status["State"] == "FAILED":
        raise failure_of(status, query)
    if status["State"] == "CANCELLED":
        raise cancellation_of(status, query)


def _succeeded(found: Any, rows: int | None) -> Execution:  # noqa: ANN401 - the API's QueryExecution
    statistics = found.get("Statistics", {})
    return Execution(
        found["QueryExecutionId"], found.get("StatementType", ""), found.get("SubstatementType", ""),
        statistics.get("DataScannedInBytes", 0), statistics.get("TotalExecutionTimeInMillis", 0) / 1_000,
        found.get("ResultConfiguration", {}).get("OutputLocation", ""), statistics.get("DataManifestLocation"), rows,
    )  # fmt: skip

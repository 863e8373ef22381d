"""GetQueryResults: pages of the files that a statement has left.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
"""

from __future__ import annotations

from dataclasses import dataclass

from daap.errors import DaapError, ObjectMissing
from daap_local.athena.api.executions import Executions
from daap_local.athena.api.faults import ApiFault, invalid_request
from daap_local.athena.api.paging import read_token, write_token
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.execution.csvfile import Row, read_rows
from daap_local.athena.execution.metafile import ColumnInfo, decode
from daap_local.athena.execution.record import SUCCEEDED, Execution
from daap_local.athena.objects.port import Objects

_MOST = 1000


@dataclass(frozen=True, slots=True)
class Results:
    """The operation on results."""

    executions: Executions
    objects: Objects

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {"GetQueryResults": self.get}

    def get(self, given: Json) -> Json:
        """GetQueryResults."""
        execution = self.executions.get(given["QueryExecutionId"])
        _check_ended(execution)
        token = given.get("NextToken")
        start, count = read_token(token) if token else 0, given.get("MaxResults") or _MOST
        try:
            return self._page(execution, start, count)
        except ObjectMissing:
            raise invalid_request(f"Could not find results at {execution.location}", "INVALID_INPUT") from None
        except DaapError as error:
            raise ApiFault("InternalServerException", str(error), 500) from error

    def _page(self, execution: Execution, start: int, count: int) -> Json:
        outcome = execution.outcome
        location = execution.location
        metadata = "" if outcome and outcome.updated is not None else f"{location}.metadata"
        columns = self._columns(metadata) if metadata else [ColumnInfo("rows", "bigint", 19)]
        rows, following = self._rows(location, columns, start, count)
        return {
            "UpdateCount": outcome.updated if outcome and outcome.updated is not None else 0,
            "ResultSet": {
                "Rows": [{"Data": [_datum(value) for value in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": [column.describe() for column in columns]},
            },
            "NextToken": write_token(following) if following is not None else None,
        }

    def _columns(self, uri: str) -> list[ColumnInfo]:
        with self.objects.open(uri) as stream:
            return decode(stream.read())

    def _rows(self, location: str, columns: list[ColumnInfo], start: int, count: int) -> tuple[list[Row], int | None]:
        if location.endswith(".csv"):
            with self.objects.open(location) as stream:
                return read_rows(stream, start, count)
        if location.endswith(".txt") and columns:
            with self.objects.open(location) as stream:
                return _lines(stream.read().decode(), start, count)
        return [], None


def _lines(text: str, start: int, count: int) -> tuple[list[Row], int | None]:
    """A utility statement's lines, one value each: Athena leaves the tabs between their parts in it."""
    lines: list[Row] = [[line] for line in text.split("\n")] if text else []
    end = start + count
    return lines[start:end], end if end < len(lines) else None


def _datum(value: str | None) -> Json:
    return {} if value is None else {"VarCharValue": value}


def _check_ended(execution: Execution) -> None:
    if not execution.is_final:
        raise invalid_request(f"Query has not yet finished. Current state: {execution.state}")
    if execution.state != SUCCEEDED:
        raise invalid_request(f"Query did not finish successfully. Final query state: {execution.state}")

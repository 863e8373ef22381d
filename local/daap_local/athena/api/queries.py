"""Start, stop, get and list query executions.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from daap.errors import InvalidName
from daap_local.athena import statements as s
from daap_local.athena.api.executions import Executions
from daap_local.athena.api.faults import ApiFault, invalid_request
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.prepared import PreparedStatements
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.api.workgroups import Settings, WorkGroups
from daap_local.athena.execution.executor import Executor
from daap_local.athena.execution.kinds import kind_of
from daap_local.athena.execution.record import CATALOG, SUCCEEDED, Execution, Outcome, Request
from daap_local.athena.faults import AthenaFault, SyntaxFault
from daap_local.athena.objects.paths import check_bucket
from daap_local.athena.objects.port import split_uri

_MOST_LISTED = 50
_MOST_PARAMETERS = 25
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE_WORDS = frozenset(
    {
        "NULL",
        "TRUE",
        "FALSE",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "CURRENT_USER",
        "CURRENT_CATALOG",
        "CURRENT_SCHEMA",
    }
)
"""Words that are values themselves."""


@dataclass(frozen=True, slots=True)
class Queries:
    """The operations on query executions."""

    executions: Executions
    executor: Executor
    groups: WorkGroups
    prepared: PreparedStatements
    check_catalog: Callable[[str], None]

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "StartQueryExecution": self.start, "StopQueryExecution": self.stop, "GetQueryExecution": self.get,
            "BatchGetQueryExecution": self.get_several, "ListQueryExecutions": self.list_ids,
            "GetQueryRuntimeStatistics": self.runtime,
        }  # fmt: skip

    def start(self, given: Json) -> Json:
        """StartQueryExecution."""
        query = str(uuid.uuid4())
        token = given.get("ClientRequestToken")
        if token and (known := self.executions.remember(token, given, query)) != query:
            return {"QueryExecutionId": known}
        try:
            self._submit(self._request(query, given))
        except BaseException:
            if token:
                self.executions.forget(token)
            raise
        return {"QueryExecutionId": query}

    def _request(self, query: str, given: Json) -> Request:
        settings = self.groups.settings(given.get("WorkGroup") or "primary")
        parameters = tuple(map(_literal, given.get("ExecutionParameters") or ()))
        statement, parameters = self._resolved(_parse(given["QueryString"]), settings.name, parameters)
        context = given.get("QueryExecutionContext") or {}
        self.check_catalog(context.get("Catalog") or CATALOG)
        output, encryption = _result_place(given.get("ResultConfiguration") or {}, settings)
        by_age = (given.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
        if len(parameters) > _MOST_PARAMETERS:
            raise invalid_request(f"at most {_MOST_PARAMETERS} execution parameters are allowed")
        return Request(
            id=query, sql=given["QueryString"], statement=statement, kind=kind_of(statement),
            work_group=settings.name, output=output, database=_database(context),
            catalog=context.get("Catalog") or CATALOG, parameters=parameters,
            reuse_minutes=by_age.get("MaxAgeInMinutes", 60) if by_age.get("Enabled") else None,
            encryption=encryption, cutoff=settings.cutoff, enforced=settings.enforced,
        )  # fmt: skip

    def _resolved(
        self, statement: s.Statement, group: str, given: tuple[str, ...]
    ) -> tuple[s.Statement, tuple[str, ...]]:
        """EXECUTE as the statement that it stands for, with its values."""
        if not isinstance(statement, s.Execute):
            return statement, given
        if statement.values and given:
            raise invalid_request("give the parameters either in USING or as ExecutionParameters, not both")
        return _parse(self.prepared.need(group, statement.name)["QueryStatement"]), statement.values or given

    def _submit(self, request: Request) -> None:
        execution = Execution(request)
        if reused := self._reusable(request):
            execution.begin()
            execution.outcome = reused
            execution.end(SUCCEEDED)
            self.executions.add(execution)
            return
        self.executions.add(execution)
        if not self.executor.submit(execution):
            execution.end("FAILED", "the queue is full")
            raise ApiFault(
                "TooManyRequestsException", "You have exceeded the limit for the number of queries you can run",
                Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED",
            )  # fmt: skip

    def _reusable(self, request: Request) -> Outcome | None:
        """The result of the same SELECT, not older than the request allows."""
        if request.reuse_minutes is None or not isinstance(request.statement, s.Query):
            return None
        oldest = datetime.now(UTC) - timedelta(minutes=request.reuse_minutes)
        for other in self.executions.newest(request.work_group):
            if other.outcome and _same(other.request, request) and _since(other, oldest):
                found = other.outcome
                return Outcome(found.location, found.rows, found.bytes, found.updated, found.manifest, reused=True)
        return None

    def stop(self, given: Json) -> Json:
        """StopQueryExecution."""
        self.executor.stop(self.executions.get(given["QueryExecutionId"]))
        return {}

    def get(self, given: Json) -> Json:
        """GetQueryExecution."""
        return {"QueryExecution": self.executions.get(given["QueryExecutionId"]).describe()}

    def get_several(self, given: Json) -> Json:
        """BatchGetQueryExecution."""
        found: list[Json] = []
        missing: list[Json] = []
        for query in given["QueryExecutionIds"]:
            try:
                found.append(self.executions.get(query).describe())
            except ApiFault as fault:
                code = {"ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": str(fault)}
                missing.append({"QueryExecutionId": query, **code})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_ids(self, given: Json) -> Json:
        """ListQueryExecutions."""
        group = self.groups.settings(given.get("WorkGroup") or "primary", running=False).name
        ids = [one.request.id for one in self.executions.newest(group)]
        page, token = cut_page(ids, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"QueryExecutionIds": list(page), "NextToken": token}

    def runtime(self, given: Json) -> Json:
        """GetQueryRuntimeStatistics."""
        execution = self.executions.get(given["QueryExecutionId"])
        if not execution.is_final:
            raise invalid_request(f"Query has not yet finished. Current state: {execution.state}")
        return {"QueryRuntimeStatistics": _runtime(execution)}


def _literal(parameter: str) -> str:
    """An execution parameter as SQL: a bare word, which can name nothing there, is a text.

    Source: awswrangler's own tests against AWS (tests/unit/test_athena.py, paramstyle "qmark").
    """
    bare = _WORD.fullmatch(parameter) and parameter.upper() not in _VALUE_WORDS
    return f"'{parameter}'" if bare else parameter


def _parse(sql: str) -> s.Statement:
    from daap_local.athena.hive import parse_statement  # noqa: PLC0415 - the parser is loaded with the first query

    try:
        return parse_statement(sql)
    except SyntaxFault as fault:
        raise invalid_request(str(fault).removeprefix("SYNTAX_ERROR: "), "MALFORMED_QUERY") from None
    except AthenaFault as fault:
        raise invalid_request(str(fault), "INVALID_QUERY") from None


def _result_place(given: Json, settings: Settings) -> tuple[str, dict[str, str] | None]:
    """The folder for the results, and their encryption: the work group's word counts where it is enforced."""
    asked = settings.output if settings.enforced and settings.output else given.get("OutputLocation") or settings.output
    if not asked:
        raise invalid_request(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input.",
            "INVALID_INPUT",
        )
    encryption = settings.encryption if settings.enforced else given.get("EncryptionConfiguration")
    return _folder(asked), encryption or settings.encryption


def _folder(location: str) -> str:
    try:
        bucket, key = split_uri(location)
        check_bucket(bucket)
    except InvalidName:
        raise invalid_request(f"outputLocation is not a valid S3 path: {location}") from None
    return f"s3://{bucket}/{key}{'/' if key and not key.endswith('/') else ''}"


def _same(one: Request, other: Request) -> bool:
    keys = ("sql", "database", "catalog", "parameters")
    return all(getattr(one, key) == getattr(other, key) for key in keys)


def _since(execution: Execution, oldest: datetime) -> bool:
    return execution.state == SUCCEEDED and execution.submitted >= oldest


def _runtime(execution: Execution) -> dict[str, Any]:
    usage, outcome = execution.usage, execution.outcome or Outcome("")
    rows = {
        "InputRows": usage.rows, "InputBytes": usage.bytes, "OutputRows": outcome.rows, "OutputBytes": outcome.bytes,
    }  # fmt: skip
    scan = {"Name": "TableScan", "Identifier": f"files={usage.files} partitions={usage.partitions}", "Children": []}
    stage = {
        "StageId": 0, "State": execution.state.replace("SUCCEEDED", "FINISHED"), **rows, "SubStages": [],
        "ExecutionTime": execution.millis("begun", "ended"),
        "QueryStagePlan": {"Name": "Output", "Identifier": "0", "Children": [scan]},
    }  # fmt: skip
    timeline = execution.timeline()
    return {"Timeline": timeline, "Rows": rows, "OutputStage": stage}


def _database(context: Json) -> str | None:
    """The database of a query's context; some clients put it in backticks."""
    return (context.get("Database") or "").strip("`").lower() or None

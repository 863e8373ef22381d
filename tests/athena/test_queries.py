"""Query executions, as boto3 sees them."""

import uuid

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.athena.serving import Served, values

MANY = "SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n"
SLOW = """SELECT count(*) FROM UNNEST(sequence(1, 9999)) AS a(x), UNNEST(sequence(1, 9999)) AS b(y),
    UNNEST(sequence(1, 9999)) AS c(z) WHERE x * y * z = 7"""


def refusal(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response


def test_a_select_has_a_header_row_and_its_values_as_text(server: Served):
    query = server.finish("SELECT 1 AS one, CAST(NULL AS varchar) AS nothing, 'a\"b' AS text")["QueryExecutionId"]
    assert server.all_rows(query) == [("one", "nothing", "text"), ("1", None, 'a"b')]


def test_the_result_file_has_every_value_quoted_and_null_as_nothing(server: Served):
    execution = server.finish("SELECT 1 AS one, CAST(NULL AS varchar) AS nothing, '' AS empty, 'a\"b' AS text")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://athena-results/{execution['QueryExecutionId']}.csv"
    assert server.read(location) == b'"one","nothing","empty","text"\n"1",,"","a""b"\n'


def test_an_execution_tells_what_it_was(server: Served):
    execution = server.finish("SELECT 1", "shop_v1")
    assert execution["StatementType"] == "DML"
    assert execution["SubstatementType"] == "SELECT"
    assert execution["WorkGroup"] == "primary"
    assert execution["QueryExecutionContext"]["Database"] == "shop_v1"
    assert execution["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert execution["Statistics"]["TotalExecutionTimeInMillis"] > 0
    assert execution["Status"]["CompletionDateTime"] >= execution["Status"]["SubmissionDateTime"]


def test_columns_are_described(server: Served):
    query = server.finish("SELECT CAST(1 AS bigint) AS a, 'x' AS b, CAST(1 AS decimal(10,2)) AS c")["QueryExecutionId"]
    found = server.athena.get_query_results(QueryExecutionId=query)["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    told = [(column["Name"], column["Type"], column["Precision"], column["Scale"]) for column in found]
    assert told == [("a", "bigint", 19, 0), ("b", "varchar", 1, 0), ("c", "decimal", 10, 2)]


def test_results_come_in_pages_of_a_thousand_rows_the_header_among_the_first(server: Served):
    query = server.finish(MANY)["QueryExecutionId"]
    sizes, token, seen = [], {}, []
    while True:
        page = server.athena.get_query_results(QueryExecutionId=query, **token)
        sizes.append(len(page["ResultSet"]["Rows"]))
        seen += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert sizes == [1000, 1000, 501]
    assert seen == ["n", *map(str, range(1, 2501))]


def test_a_page_can_be_smaller(server: Served):
    query = server.finish(MANY)["QueryExecutionId"]
    page = server.athena.get_query_results(QueryExecutionId=query, MaxResults=3)
    assert [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] == ["n", "1", "2"]


def test_more_than_a_thousand_rows_a_page_are_refused(server: Served):
    query = server.finish("SELECT 1")["QueryExecutionId"]
    found = refusal(server.athena.get_query_results, QueryExecutionId=query, MaxResults=1001)
    assert found["Error"]["Code"] == "InvalidRequestException"


def test_a_token_that_nobody_gave_is_refused(server: Served):
    query = server.finish("SELECT 1")["QueryExecutionId"]
    found = refusal(server.athena.get_query_results, QueryExecutionId=query, NextToken="nonsense")
    assert found["AthenaErrorCode"] == "INVALID_NEXT_TOKEN"


def test_line_breaks_and_quotes_survive_the_pages(server: Served):
    text = 'a\n"b",\nc'
    assert server.rows("SELECT 'a' || chr(10) || '\"b\",' || chr(10) || 'c'") == [(text,)]


def test_a_syntax_error_is_refused_at_once(server: Served):
    found = refusal(server.athena.start_query_execution, QueryString="SELEC 1")
    assert found["Error"]["Code"] == "InvalidRequestException"
    assert found["AthenaErrorCode"] == "MALFORMED_QUERY"
    assert "line 1:1" in found["Error"]["Message"]


def test_an_unknown_column_fails_the_query_as_a_users_error(server: Served):
    status = server.fail("SELECT nope FROM shop_v1.orders")
    assert status["StateChangeReason"] == "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"
    assert status["AthenaError"]["ErrorCategory"] == 2
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]


def test_results_of_a_failed_query_are_refused(server: Served):
    query = server.start("SELECT nope FROM shop_v1.orders")
    server.wait(query)
    found = refusal(server.athena.get_query_results, QueryExecutionId=query)
    assert found["Error"]["Message"].endswith("Final query state: FAILED")


def test_an_unknown_execution_is_refused(server: Served):
    found = refusal(server.athena.get_query_execution, QueryExecutionId=str(uuid.uuid4()))
    assert found["Error"]["Code"] == "InvalidRequestException"


def test_a_running_query_can_be_stopped(server: Served):
    query = server.start(SLOW)
    server.athena.stop_query_execution(QueryExecutionId=query)
    assert server.wait(query)["Status"]["State"] == "CANCELLED"
    assert server.rows("SELECT 1") == [("1",)]


def test_stopped_queries_make_room_for_those_that_wait(server: Served):
    queries = [server.start(SLOW) for _ in range(4)]
    for query in queries:
        server.athena.stop_query_execution(QueryExecutionId=query)
    assert server.rows("SELECT 2") == [("2",)]
    assert {server.wait(query)["Status"]["State"] for query in queries} == {"CANCELLED"}


def test_stopping_what_has_ended_changes_nothing(server: Served):
    query = server.finish("SELECT 1")["QueryExecutionId"]
    server.athena.stop_query_execution(QueryExecutionId=query)
    assert server.wait(query)["Status"]["State"] == "SUCCEEDED"


def test_the_same_token_gives_the_same_execution(server: Served):
    token = uuid.uuid4().hex
    first = server.start("SELECT 1", ClientRequestToken=token)
    assert server.start("SELECT 1", ClientRequestToken=token) == first
    found = refusal(server.athena.start_query_execution, QueryString="SELECT 2", ClientRequestToken=token)
    assert "Idempotent" in found["Error"]["Message"]


def test_executions_are_listed_the_newest_first_and_fetched_together(server: Served):
    first, second = (server.finish(f"SELECT {n}")["QueryExecutionId"] for n in (1, 2))
    listed = server.athena.list_query_executions()["QueryExecutionIds"]
    assert listed.index(second) < listed.index(first)
    found = server.athena.batch_get_query_execution(QueryExecutionIds=[first, str(uuid.uuid4())])
    assert [one["QueryExecutionId"] for one in found["QueryExecutions"]] == [first]
    assert len(found["UnprocessedQueryExecutionIds"]) == 1


def test_parameters_stand_for_question_marks(server: Served):
    assert server.rows("SELECT ? + 1, ?", ExecutionParameters=["41", "'x'"]) == [("42", "x")]


def test_a_result_is_used_again_where_one_asks_for_it(server: Served):
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    sql = f"SELECT '{uuid.uuid4()}'"
    first = server.finish(sql, ResultReuseConfiguration=reuse)
    second = server.finish(sql, ResultReuseConfiguration=reuse)
    third = server.finish(sql)
    told = [one["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] for one in (first, second, third)]
    assert told == [False, True, False]
    assert server.all_rows(first["QueryExecutionId"]) == server.all_rows(second["QueryExecutionId"])


def test_runtime_statistics_count_rows_and_bytes(server: Served):
    query = server.finish("SELECT id FROM shop_v1.orders")["QueryExecutionId"]
    found = server.athena.get_query_runtime_statistics(QueryExecutionId=query)["QueryRuntimeStatistics"]
    assert found["Rows"]["OutputRows"] == 7
    assert found["Rows"]["InputBytes"] > 0
    assert found["OutputStage"]["State"] == "FINISHED"


def test_a_lake_is_there_to_be_queried_at_once(server: Served):
    assert server.rows("SELECT count(*) FROM shop_v1.orders") == [("7",)]
    assert server.rows("SELECT sum(amount) FROM shop_v1.orders_latest") == [("48.00",)]
    assert "curated" in values(server.rows("SELECT DISTINCT stage FROM daap_logs.events"))


def test_an_output_location_has_to_be_on_s3(server: Served):
    found = refusal(
        server.athena.start_query_execution, QueryString="SELECT 1",
        ResultConfiguration={"OutputLocation": "file:///tmp/x"},
    )  # fmt: skip
    assert "not a valid S3 path" in found["Error"]["Message"]


@pytest.mark.parametrize("operation", ["CreateNotebook", "StartSession", "CreateCapacityReservation"])
def test_what_is_not_supported_is_refused_by_name(server: Served, operation):
    headers = {"X-Amz-Target": f"AmazonAthena.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    body = httpx.post(server.url, content=b"{}", headers=headers).json()
    assert body["__type"] == "InvalidRequestException"
    assert operation in body["message"]


def test_a_bare_word_among_the_parameters_is_a_text(server: Served):
    found = "SELECT n FROM (VALUES ('a', 1), ('b', 2)) AS t(s, n) WHERE s = ?"
    assert server.rows(found, ExecutionParameters=["b"]) == [("2",)]
    assert server.rows(found, ExecutionParameters=["'b'"]) == [("2",)]
    assert server.rows(found, ExecutionParameters=["NULL"]) == []

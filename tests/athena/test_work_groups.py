"""Work groups, named queries, prepared statements, data catalogues and tags."""

import uuid

import pytest
from botocore.exceptions import ClientError

from tests.athena.serving import Served, serving

GLUE = {"Name": "mine", "Type": "GLUE", "Parameters": {"catalog-id": "000000000000"}}


@pytest.fixture
def group(server: Served):
    name = f"group-{uuid.uuid4().hex[:8]}"
    server.athena.create_work_group(Name=name, Description="of a test", Tags=[{"Key": "a", "Value": "1"}])
    yield name
    server.athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)


def told(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]["Message"]


def test_primary_is_always_there(server: Served):
    found = server.athena.get_work_group(WorkGroup="primary")["WorkGroup"]
    assert found["State"] == "ENABLED"
    assert found["Configuration"]["EnforceWorkGroupConfiguration"] is False


def test_a_work_group_lives_from_create_to_delete(server: Served, group):
    assert group in [one["Name"] for one in server.athena.list_work_groups()["WorkGroups"]]
    assert "already created" in told(server.athena.create_work_group, Name=group)
    server.athena.update_work_group(WorkGroup=group, Description="changed", State="DISABLED")
    found = server.athena.get_work_group(WorkGroup=group)["WorkGroup"]
    assert (found["Description"], found["State"]) == ("changed", "DISABLED")
    assert "disabled" in told(server.athena.start_query_execution, QueryString="SELECT 1", WorkGroup=group)
    assert "is not found" in told(server.athena.get_work_group, WorkGroup="another")


def test_an_enforced_work_group_says_where_results_go(server: Served, group, place):
    update = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfigurationUpdates": {"OutputLocation": f"{place}forced"},
    }
    server.athena.update_work_group(WorkGroup=group, ConfigurationUpdates=update)
    asked = {"OutputLocation": f"{place}asked/"}
    execution = server.finish("SELECT 1", WorkGroup=group, ResultConfiguration=asked)
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"{place}forced/")
    assert execution["WorkGroup"] == group


def test_a_work_group_without_a_place_needs_one_in_the_request(server: Served, group, place):
    assert "No output location" in told(server.athena.start_query_execution, QueryString="SELECT 1", WorkGroup=group)
    execution = server.finish("SELECT 1", WorkGroup=group, ResultConfiguration={"OutputLocation": place})
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(place)


def test_a_query_that_would_read_too_much_is_not_run(server: Served, group, place, database):
    server.put(f"{place}big/x.txt", b"some words in a line\n" * 500_000)
    server.finish(f"CREATE EXTERNAL TABLE big (line string) LOCATION '{place}big/'", database)
    update = {"BytesScannedCutoffPerQuery": 10_000_000, "ResultConfigurationUpdates": {"OutputLocation": place}}
    server.athena.update_work_group(WorkGroup=group, ConfigurationUpdates=update)
    found = server.wait(server.start("SELECT count(line) FROM big", database, WorkGroup=group))
    assert found["Status"]["State"] == "CANCELLED"
    assert "Bytes scanned limit was exceeded" in found["Status"]["StateChangeReason"]


@pytest.mark.parametrize("configuration", [
    {"RequesterPaysEnabled": True}, {"ExecutionRole": "arn:aws:iam::000000000000:role/xyz00"},
    {"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}},
])  # fmt: skip
def test_settings_that_are_not_supported_are_refused(server: Served, configuration):
    assert told(server.athena.create_work_group, Name="refused", Configuration=configuration)
    assert "refused" not in [one["Name"] for one in server.athena.list_work_groups()["WorkGroups"]]


def test_work_groups_outlive_the_server(tmp_path):
    with serving(tmp_path) as server:
        server.athena.create_work_group(Name="lasting")
    with serving(tmp_path) as server:
        assert server.athena.get_work_group(WorkGroup="lasting")["WorkGroup"]["Name"] == "lasting"


def test_named_queries_are_kept(server: Served, group):
    given = {"Name": "q", "Database": "d", "QueryString": "SELECT 1", "WorkGroup": group}
    token = uuid.uuid4().hex
    query = server.athena.create_named_query(**given, ClientRequestToken=token)["NamedQueryId"]
    assert server.athena.create_named_query(**given, ClientRequestToken=token)["NamedQueryId"] == query
    server.athena.update_named_query(NamedQueryId=query, Name="r", QueryString="SELECT 2")
    found = server.athena.get_named_query(NamedQueryId=query)["NamedQuery"]
    assert (found["Name"], found["QueryString"], found["WorkGroup"]) == ("r", "SELECT 2", group)
    assert server.athena.list_named_queries(WorkGroup=group)["NamedQueryIds"] == [query]
    several = server.athena.batch_get_named_query(NamedQueryIds=[query, "none"])
    assert len(several["NamedQueries"]) == len(several["UnprocessedNamedQueryIds"]) == 1
    server.athena.delete_named_query(NamedQueryId=query)
    assert "is not found" in told(server.athena.get_named_query, NamedQueryId=query)


def test_prepared_statements_are_executed_with_their_values(server: Served, group, place):
    given = {"StatementName": "twice", "WorkGroup": group}
    server.athena.create_prepared_statement(**given, QueryStatement="SELECT ? * 2")
    output = {"ResultConfiguration": {"OutputLocation": place}, "WorkGroup": group}
    assert server.rows("EXECUTE twice USING 21", **output) == [("42",)]
    assert server.rows("EXECUTE twice", ExecutionParameters=["4"], **output) == [("8",)]
    server.athena.update_prepared_statement(**given, QueryStatement="SELECT ? * 3")
    assert server.rows("EXECUTE twice USING 2", **output) == [("6",)]
    listed = server.athena.list_prepared_statements(WorkGroup=group)["PreparedStatements"]
    assert [one["StatementName"] for one in listed] == ["twice"]
    server.athena.delete_prepared_statement(**given)
    with pytest.raises(server.athena.exceptions.ResourceNotFoundException):
        server.athena.get_prepared_statement(**given)


def test_statements_are_prepared_in_sql_too(server: Served):
    server.finish("PREPARE thrice FROM SELECT ? * 3")
    assert server.rows("EXECUTE thrice USING 3") == [("9",)]
    server.finish("DEALLOCATE PREPARE thrice")
    assert "was not found" in told(server.athena.start_query_execution, QueryString="EXECUTE thrice USING 3")


def test_a_work_group_that_holds_something_is_kept(server: Served, group):
    server.athena.create_prepared_statement(StatementName="held", WorkGroup=group, QueryStatement="SELECT 1")
    assert "is not empty" in told(server.athena.delete_work_group, WorkGroup=group)


def test_tags_are_kept(server: Served, group):
    arn = f"arn:aws:athena:us-east-1:000000000000:workgroup/{group}"
    server.athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    server.athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert server.athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_catalogues_tell_of_databases_and_tables(server: Served):
    names = [one["CatalogName"] for one in server.athena.list_data_catalogs()["DataCatalogsSummary"]]
    assert names[0] == "AwsDataCatalog"
    listed = server.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert {"shop_v1", "daap_logs"} <= {one["Name"] for one in listed}
    found = server.athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="shop_v1", TableName="orders")
    table = found["TableMetadata"]
    assert [column["Name"] for column in table["Columns"]] == ["id", "customer", "amount"]
    assert table["PartitionKeys"][0]["Name"] == "load_timestamp"
    assert table["Parameters"]["location"] == "s3://curated/shop/v1/orders/"
    names = {"CatalogName": "AwsDataCatalog", "DatabaseName": "shop_v1"}
    several = server.athena.list_table_metadata(**names, Expression="orders.*")
    assert [one["Name"] for one in several["TableMetadataList"]] == ["orders", "orders_latest"]
    with pytest.raises(server.athena.exceptions.MetadataException):
        server.athena.get_database(CatalogName="AwsDataCatalog", DatabaseName="none")


def test_only_this_accounts_glue_can_be_a_catalogue(server: Served):
    server.athena.create_data_catalog(**GLUE)
    assert server.athena.get_data_catalog(Name="mine")["DataCatalog"]["Type"] == "GLUE"
    server.athena.delete_data_catalog(Name="mine")
    lambda_ = {"metadata-function": "arn:aws:lambda:us-east-1:0:function:f"}
    assert "not supported" in told(server.athena.create_data_catalog, Name="x", Type="LAMBDA", Parameters=lambda_)

"""Glue's API over a catalogue of one's own and the lake's."""

import re

import pytest
from botocore.exceptions import ClientError

from tests.athena.serving import Served

STORAGE = {
    "Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://some/where/",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}  # fmt: skip


@pytest.fixture
def table(server: Served, database):
    """A table with two keys and nine partitions."""
    keys = [{"Name": "y", "Type": "int"}, {"Name": "m", "Type": "string"}]
    given = {"Name": "T1", "StorageDescriptor": STORAGE, "PartitionKeys": keys, "Parameters": {"k": "v"}}
    server.glue.create_table(DatabaseName=database, TableInput=given)
    several = [{"Values": [str(y), m], "StorageDescriptor": STORAGE} for y in (9, 10, 11) for m in "abc"]
    assert batch(server.glue.batch_create_partition, database, PartitionInputList=several) == []
    return database


def batch(call, database, **given):
    return call(DatabaseName=database, TableName="t1", **given).get("Errors", [])


def keys(found):
    return [tuple(one["Values"]) for one in found]


def test_names_are_folded_to_lower_case_and_what_is_stored_comes_back(server: Served, table):
    found = server.glue.get_table(DatabaseName=table.upper(), Name="t1")["Table"]
    assert (found["Name"], found["DatabaseName"], found["Parameters"]) == ("t1", table, {"k": "v"})
    assert found["StorageDescriptor"] == STORAGE


def test_what_is_there_or_is_not_is_said_as_glue_says_it(server: Served, table):
    with pytest.raises(server.glue.exceptions.AlreadyExistsException):
        server.glue.create_database(DatabaseInput={"Name": table})
    with pytest.raises(server.glue.exceptions.AlreadyExistsException):
        server.glue.create_table(DatabaseName=table, TableInput={"Name": "t1"})
    for missing in ("none", "t2"):
        with pytest.raises(server.glue.exceptions.EntityNotFoundException):
            server.glue.get_table(DatabaseName=table, Name=missing)
    with pytest.raises(server.glue.exceptions.EntityNotFoundException):
        server.glue.get_database(Name="none")


@pytest.mark.parametrize(("expression", "found"), [
    ("y = 9", 3), ("y > 9", 6), ("y >= 10 AND m = 'a'", 2), ("m IN ('a', 'b')", 6), ("m LIKE 'a%' OR y = 11", 5),
    ("y BETWEEN 10 AND 11", 6), ("NOT (y = 9)", 6), ("y <> 9 AND m != 'c'", 4), ("m IS NULL", 0), ("(y = 9)", 3),
])  # fmt: skip
def test_partitions_are_filtered_by_expressions(server: Served, table, expression, found):
    pages = server.glue.get_paginator("get_partitions")
    parts = pages.paginate(DatabaseName=table, TableName="t1", Expression=expression).build_full_result()
    assert len(parts["Partitions"]) == found


def test_an_expression_that_is_not_understood_is_refused(server: Served, table):
    with pytest.raises(server.glue.exceptions.InvalidInputException):
        server.glue.get_partitions(DatabaseName=table, TableName="t1", Expression="upper(m) = 'A'")


def test_partitions_come_in_pages_and_segments(server: Served, table):
    pages = server.glue.get_paginator("get_partitions")
    found = pages.paginate(DatabaseName=table, TableName="t1", PaginationConfig={"PageSize": 2}).build_full_result()
    assert len(set(keys(found["Partitions"]))) == 9
    parts = [
        server.glue.get_partitions(
            DatabaseName=table, TableName="t1", Segment={"SegmentNumber": n, "TotalSegments": 2}
        )["Partitions"] for n in (0, 1)
    ]  # fmt: skip
    assert sorted(keys(parts[0]) + keys(parts[1])) == sorted(keys(found["Partitions"]))


def test_batches_tell_what_they_could_not_do(server: Served, table):
    again = batch(server.glue.batch_create_partition, table, PartitionInputList=[{"Values": ["9", "a"]}])
    assert again[0]["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"
    gone = batch(
        server.glue.batch_delete_partition, table, PartitionsToDelete=[{"Values": [v, "a"]} for v in ("9", "0")]
    )
    assert [error["PartitionValues"] for error in gone] == [["0", "a"]]
    found = server.glue.batch_get_partition(
        DatabaseName=table, TableName="t1", PartitionsToGet=[{"Values": ["9", "b"]}, {"Values": ["9", "a"]}]
    )
    assert keys(found["Partitions"]) == [("9", "b")]
    assert keys(found["UnprocessedKeys"]) == [("9", "a")]


def test_a_partition_can_move(server: Served, table):
    moved = {"Values": ["9", "z"], "StorageDescriptor": {**STORAGE, "Location": "s3://else/where/"}}
    server.glue.update_partition(
        DatabaseName=table, TableName="t1", PartitionValueList=["9", "a"], PartitionInput=moved
    )
    found = server.glue.get_partition(DatabaseName=table, TableName="t1", PartitionValues=["9", "z"])["Partition"]
    assert found["StorageDescriptor"]["Location"] == "s3://else/where/"
    with pytest.raises(server.glue.exceptions.EntityNotFoundException):
        server.glue.get_partition(DatabaseName=table, TableName="t1", PartitionValues=["9", "a"])


def test_versions_are_kept_unless_they_are_to_be_skipped(server: Served, table):
    for skip in (False, True):
        server.glue.update_table(DatabaseName=table, TableInput={"Name": "t1"}, SkipArchive=skip)
    found = server.glue.get_table_versions(DatabaseName=table, TableName="t1")["TableVersions"]
    assert [version["VersionId"] for version in found] == ["2", "0"]
    server.glue.delete_table_version(DatabaseName=table, TableName="t1", VersionId="0")
    with pytest.raises(server.glue.exceptions.InvalidInputException):
        server.glue.delete_table_version(DatabaseName=table, TableName="t1", VersionId="2")


@pytest.mark.parametrize(("text", "found"), [
    ("T1", True), ("parquetHiveSerDe", True), ("where", True), ("v", True), ('"v"', True), ('"wher"', False),
    ("nowhere at all", False),
])  # fmt: skip
def test_tables_are_searched_by_any_text_of_their_metadata(server: Served, table, text, found):
    listed = server.glue.search_tables(SearchText=text)["TableList"]
    assert ((table, "t1") in [(one["DatabaseName"], one["Name"]) for one in listed]) == found


def test_a_table_takes_its_partitions_with_it(server: Served, table):
    server.glue.batch_delete_table(DatabaseName=table, TablesToDelete=["t1"])
    server.glue.create_table(DatabaseName=table, TableInput={"Name": "t1", "PartitionKeys": [{"Name": "y"}]})
    assert server.glue.get_partitions(DatabaseName=table, TableName="t1")["Partitions"] == []


def test_the_lake_is_a_catalogue_to_read(server: Served):
    names = [one["Name"] for one in server.glue.get_tables(DatabaseName="shop_v1")["TableList"]]
    assert {"orders", "orders_latest"} <= set(names)
    found = server.glue.get_partitions(DatabaseName="shop_v1", TableName="orders")["Partitions"]
    assert len(found) == 2
    assert all(one["StorageDescriptor"]["Location"].startswith("s3://curated/shop/v1/orders/") for one in found)
    with pytest.raises(server.glue.exceptions.ClientError) as caught:
        server.glue.delete_table(DatabaseName="shop_v1", Name="orders")
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_iceberg_tables_and_other_services_are_refused_by_name(server: Served, database):
    iceberg = {"Name": "i", "Parameters": {"table_type": "ICEBERG"}}
    with pytest.raises(server.glue.exceptions.InvalidInputException, match="Iceberg"):
        server.glue.create_table(DatabaseName=database, TableInput=iceberg)
    with pytest.raises(server.glue.exceptions.InvalidInputException, match="GetJobs"):
        server.glue.get_jobs()


def test_athena_wraps_glues_faults_as_its_clients_take_them_apart(server: Served, database):
    with pytest.raises(ClientError) as caught:
        server.athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=database, TableName="nope")
    told = (
        r"\(Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Request ID: [^;]+; .*\)$"
    )
    assert re.search(told, caught.value.response["Error"]["Message"])


def test_a_catalogue_begins_with_the_default_database(server: Served):
    assert "default" in [one["Name"] for one in server.glue.get_databases()["DatabaseList"]]
    server.finish("CREATE TABLE first_table AS SELECT 1 AS a", "default")
    assert server.rows("SELECT a FROM first_table", "default") == [("1",)]


def test_a_tables_parameters_come_in_the_order_of_javas_maps(server: Served, database):
    names = ("typeOfData", "classification", "projection.enabled", "compressionType")
    given = {"Name": "ordered", "Parameters": dict.fromkeys(names, "x"), "StorageDescriptor": {}}
    server.glue.create_table(DatabaseName=database, TableInput=given)
    found = server.glue.get_table(DatabaseName=database, Name="ordered")["Table"]["Parameters"]
    assert list(found) == ["compressionType", "classification", "projection.enabled", "typeOfData"]

"""Nothing of this machine but the buckets can be reached, and no query takes the server down."""

from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from daap_local.athena.objects.folders import FolderObjects
from tests.athena.serving import Served, serving

SECRET = "not for queries"  # noqa: S105 - so it is called


@pytest.fixture
def secret(server: Served):
    path = server.root / "secret.csv"
    path.write_text(SECRET)
    return path


def outcome(server: Served, sql: str) -> str:
    """The error of a statement that is refused, or else the state it ends in."""
    try:
        query = server.start(sql)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return str(server.wait(query)["Status"]["State"])


@pytest.mark.parametrize("sql", [
    "SELECT * FROM read_csv('{path}')", "SELECT * FROM '{path}'", "SELECT * FROM read_text('{path}')",
    'SELECT * FROM "{path}"', "SELECT * FROM glob('*')", "COPY (SELECT 1) TO '{path}'", "ATTACH '{path}'",
    "INSTALL httpfs", "LOAD httpfs", "SET enable_external_access = true", "PRAGMA version", "CALL pragma_version()",
    "SELECT getenv('HOME')", "SELECT * FROM duckdb_settings()", "SELECT current_setting('temp_directory')",
    "SELECT 1; SELECT 2", "EXPORT DATABASE '/tmp/x'", "IMPORT DATABASE '/tmp/x'", "CREATE MACRO f() AS 1",
    "SELECT * FROM sqlite_master", "SELECT * FROM duckdb_tables()", "SELECT * FROM pg_catalog.pg_tables",
])  # fmt: skip
def test_sql_that_reaches_beyond_the_catalogue_is_refused(server: Served, secret, sql):
    assert outcome(server, sql.format(path=secret)) in ("InvalidRequestException", "FAILED")


@pytest.mark.parametrize(
    "key", ["../secret.csv", "../../secret.csv", "a/../../secret.csv", "..", ".", "./x", "%2e%2e/x"]
)
def test_no_key_leads_out_of_its_bucket(server: Served, database, secret, key):
    bucket = database.replace("_", "-")
    path = f"/{bucket}/{key.replace('.', '%2E') if '%' not in key else key}"
    raw = httpx.Client(base_url=server.url)
    assert raw.put(path, content=b"mine").status_code in (200, 400, 404)
    found = raw.get(path)
    assert SECRET not in found.text
    assert secret.read_text() == SECRET
    inside = {file for file in (server.root / "athena" / "buckets" / bucket).rglob("*") if file.is_file()}
    assert all(server.root / "athena" / "buckets" / bucket in file.parents for file in inside)
    raw.close()


@pytest.mark.parametrize("bucket", ["..", ".", "%2E%2E", "A", "a", "x/../y", ".scratch", "athena_results"])
def test_no_bucket_leads_out_of_its_folder(server: Served, bucket):
    with httpx.Client(base_url=server.url) as raw:
        assert raw.get(f"/{bucket}/catalogue.sqlite").status_code in (400, 404)


def test_a_link_in_a_bucket_is_not_followed(server: Served, database, secret):
    bucket = database.replace("_", "-")
    folder = server.root / "athena" / "buckets" / bucket
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder").symlink_to(server.root)
    assert server.keys(bucket) == []
    for key in ("link.csv", "folder/secret.csv"):
        with pytest.raises(ClientError):
            server.s3.get_object(Bucket=bucket, Key=key)


def test_a_table_cannot_lie_outside_the_buckets(server: Served, database, secret):
    for location in ("s3://../", f"file://{secret.parent}/", "s3://athena-results/../../../"):
        given = {"Columns": [{"Name": "a", "Type": "string"}], "Location": location}
        given["SerdeInfo"] = {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"}
        server.glue.create_table(DatabaseName=database, TableInput={"Name": "t", "StorageDescriptor": given})
        found = server.wait(server.start("SELECT * FROM t", database))
        if found["Status"]["State"] == "SUCCEEDED":
            assert server.all_rows(found["QueryExecutionId"]) == [("a",)]
        server.glue.delete_table(DatabaseName=database, Name="t")


def test_the_lakes_zones_are_not_written_to(server: Served):
    for bucket in ("raw", "curated", "metadata", "logs"):
        with pytest.raises(ClientError) as caught:
            server.s3.put_object(Bucket=bucket, Key="shop/v1/orders/x.parquet", Body=b"x")
        assert caught.value.response["Error"]["Code"] == "AccessDenied"
        for key in server.keys(bucket)[:1]:
            with pytest.raises(ClientError):
                server.s3.delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize("headers", [
    {"Origin": "https://example.org"}, {"Host": "example.org"}, {"Sec-Fetch-Site": "cross-site"},
])  # fmt: skip
def test_a_web_page_is_not_answered(server: Served, headers):
    assert httpx.get(server.url, headers=headers).status_code == 403


PRODUCT = "FROM UNNEST(sequence(1, 9999)) AS a(x), UNNEST(sequence(1, 9999)) AS b(y)"


@pytest.mark.parametrize("what", [
    "cardinality(array_agg(rpad(CAST(a.x + b.y AS varchar), 1000, 'x')))",
    "count(DISTINCT rpad(CAST(a.x AS varchar) || CAST(b.y AS varchar), 2000, 'z'))",
])  # fmt: skip
def test_a_query_that_takes_too_much_memory_fails_and_the_server_lives_on(tmp_path: Path, what):
    with serving(tmp_path, memory=200_000_000, concurrent=1) as server:
        status = server.fail(f"SELECT {what} {PRODUCT}")
        assert status["AthenaError"]["ErrorMessage"] == "Query exhausted resources at this scale factor"
        assert status["AthenaError"]["ErrorType"] in range(9)
        assert server.rows("SELECT 1") == [("1",)]


def test_what_is_spilled_goes_when_the_query_ends(tmp_path: Path):
    with serving(tmp_path, memory=300_000_000, concurrent=1) as server:
        server.finish("SELECT max(x) FROM (SELECT rpad(CAST(a.x * b.y AS varchar), 200, 'z') AS x FROM "
                      "UNNEST(sequence(1, 999)) AS a(x), UNNEST(sequence(1, 999)) AS b(y) ORDER BY 1)")  # fmt: skip
        assert [file for file in (tmp_path / ".scratch").rglob("*") if file.is_file()] == []


def test_an_object_that_is_not_finished_is_not_there(tmp_path: Path):
    objects = FolderObjects(tmp_path, tmp_path / "own")
    objects.create_bucket("bucket")
    with suppress(RuntimeError), objects.create("s3://bucket/a/b") as stream:
        stream.write(b"half")
        raise RuntimeError
    assert list(objects.list("s3://bucket/")) == []
    objects.put("s3://bucket/a/b", b"whole")
    assert [info.uri for info in objects.list("s3://bucket/")] == ["s3://bucket/a/b"]

"""Tables over files in memory, read through the readers under test."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import Any

import duckdb

from daap_local.athena import sql
from daap_local.athena.hive import parse_statement
from daap_local.athena.hive.reading import DataFile, fault_in, select_files
from daap_local.athena.hive.tables import glue_table
from daap_local.athena.statements import CreateTable
from daap_local.athena.tables import GlueTable

CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
OPENX = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
HIVE_JSON = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'"
COMMAS = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"


def table_of(columns: str, clauses: str = "", more: str = "", keys: str = "") -> GlueTable:
    """A table by its DDL: `more` are table properties."""
    partitioned = f" PARTITIONED BY ({keys})" if keys else ""
    properties = f" TBLPROPERTIES ({more})" if more else ""
    statement = parse_statement(
        f"CREATE EXTERNAL TABLE t ({columns}){partitioned} {clauses} LOCATION 's3://lake/t/'{properties}"
    )
    assert isinstance(statement, CreateTable)
    return glue_table(statement, "db", 1_700_000_000)


def connected() -> duckdb.DuckDBPyConnection:
    """A connection as queries have it, with the functions of translated SQL."""
    connection = duckdb.connect()
    sql.install(connection)
    return connection


def plainly_connected() -> duckdb.DuckDBPyConnection:
    """A connection that reads files: nothing but the time zone matters there."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def rows_of(
    table: GlueTable,
    contents: dict[str, bytes],
    query: str = "SELECT * FROM t",
    values: dict[str, tuple[str | None, ...]] | None = None,
    only: Collection[str] | None = None,
    valued: Collection[str] | None = None,
    hidden: Collection[str] = (),
    paths: dict[str, str] | None = None,
) -> list[tuple[Any, ...]]:
    """The rows of a query over a table's files by name; faults come as AthenaFault."""
    files = [
        DataFile(f"s3://lake/t/{name}", len(content), None, (values or {}).get(name, ()), (paths or {}).get(name))
        for name, content in contents.items()
    ]
    connection = plainly_connected()
    try:
        source = select_files(
            table, files, connection, lambda url: io.BytesIO(contents[url.removeprefix("s3://lake/t/")]),
            only=only, valued=valued, hidden=hidden,
        )  # fmt: skip
        return connection.execute(f"WITH t AS ({source}) {query}").fetchall()
    except duckdb.Error as error:
        raise fault_in(error) or error from error
    finally:
        connection.close()


def text_rows(columns: str, clauses: str, content: bytes | str, more: str = "") -> Sequence[tuple[Any, ...]]:
    """The rows of one text file."""
    body = content.encode() if isinstance(content, str) else content
    return rows_of(table_of(columns, clauses, more), {"f.txt": body})

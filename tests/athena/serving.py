"""A server on a socket of this machine, and what tests ask it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from daap_local.athena.options import Options
from daap_local.athena.process import bind, make_server
from daap_local.athena.wiring import build

Row = tuple[str | None, ...]
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass
class Served:
    """A running server."""

    port: int
    root: Path
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        """boto3's client for it."""
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="any",
                aws_secret_access_key="any",  # noqa: S106 - signatures are not checked
                config=Config(retries={"max_attempts": 0}, max_pool_connections=20),
            )  # fmt: skip
        return self.clients[service]

    @cached_property
    def athena(self) -> Any:
        """Athena."""
        return self.client("athena")

    @cached_property
    def glue(self) -> Any:
        """Glue."""
        return self.client("glue")

    @cached_property
    def s3(self) -> Any:
        """S3."""
        return self.client("s3")

    def start(self, sql: str, database: str | None = None, **given: Any) -> str:
        """Starts a statement; returns its id."""
        context = {"QueryExecutionContext": {"Database": database}} if database else {}
        return str(self.athena.start_query_execution(QueryString=sql, **context, **given)["QueryExecutionId"])

    def wait(self, query: str) -> dict[str, Any]:
        """The execution, once it has ended."""
        while True:
            found: dict[str, Any] = self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            if found["Status"]["State"] in FINAL:
                return found
            time.sleep(0.01)

    def finish(self, sql: str, database: str | None = None, **given: Any) -> dict[str, Any]:
        """Runs a statement to its end, which has to be a good one."""
        found = self.wait(self.start(sql, database, **given))
        assert found["Status"]["State"] == "SUCCEEDED", f"{sql}: {found['Status'].get('StateChangeReason')}"
        return found

    def fail(self, sql: str, database: str | None = None, **given: Any) -> dict[str, Any]:
        """Runs a statement that has to fail; returns its status."""
        found = self.wait(self.start(sql, database, **given))
        status: dict[str, Any] = found["Status"]
        assert status["State"] == "FAILED", sql
        return status

    def rows(self, sql: str, database: str | None = None, **given: Any) -> list[Row]:
        """The rows of a statement, without the header of a SELECT."""
        execution = self.finish(sql, database, **given)
        rows = self.all_rows(execution["QueryExecutionId"])
        return rows[1:] if execution["SubstatementType"] == "SELECT" else rows

    def all_rows(self, query: str) -> list[Row]:
        """All pages of a result."""
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        return [_row(row) for page in pages for row in page["ResultSet"]["Rows"]]

    def read(self, uri: str) -> bytes:
        """An object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        data: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return data

    def put(self, uri: str, data: bytes) -> None:
        """Writes an object; its bucket is made if it is not there."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.s3.create_bucket(Bucket=bucket)
        self.s3.put_object(Bucket=bucket, Key=key, Body=data)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys in a bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]


def _row(row: dict[str, Any]) -> Row:
    return tuple(datum.get("VarCharValue") for datum in row["Data"])


@contextmanager
def serving(root: Path, **options: Any) -> Iterator[Served]:
    """A server over a lake, on a free port, until the block ends."""
    given = {"memory": 1_000_000_000, "threads": 2, "concurrent": 2, **options}
    server = make_server(build(Options(root, **given)))
    with bind(0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        served = Served(listener.getsockname()[1], root)
        try:
            yield served
        finally:
            for client in served.clients.values():
                client.close()
            server.should_exit = True
            thread.join()


def values(rows: Sequence[Row]) -> list[str | None]:
    """The one column of rows."""
    return [row[0] for row in rows]

"""One server for a module's tests, over a small lake; each test has a database and a bucket of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from tests.athena.serving import Served, serving
from tests.support.lakes import make_csv, open_folders


def make_lake(root: Path) -> Path:
    """A lake with two snapshots of shop's orders."""
    bench = open_folders(root, DuckDBEngine(scratch=root / ".scratch", memory_limit="500MB"))
    bench.register()
    bench.take("first.csv", make_csv(1, 3))
    bench.take("second.csv", make_csv(10, 4))
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server."""
    with serving(make_lake(tmp_path_factory.mktemp("lake"))) as served:
        yield served


@pytest.fixture
def database(server: Served) -> Iterator[str]:
    """An empty database, and a bucket of the same name with `_` as `-`."""
    name = f"db_{uuid.uuid4().hex[:10]}"
    server.glue.create_database(DatabaseInput={"Name": name})
    server.s3.create_bucket(Bucket=name.replace("_", "-"))
    yield name
    server.glue.delete_database(Name=name)


@pytest.fixture
def place(database: str) -> str:
    """The location of the database's bucket, with a slash at its end."""
    return f"s3://{database.replace('_', '-')}/"

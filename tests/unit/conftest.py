"""Lakes to try the core on, with the sample product registered."""

from __future__ import annotations

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from tests.support.lakes import LAKES, Bench, open_folders


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> DuckDBEngine:
    return DuckDBEngine(scratch=tmp_path_factory.mktemp("scratch"))


@pytest.fixture(params=LAKES)
def bench(request, tmp_path, engine) -> Bench:
    """Each kind of lake in turn."""
    bench = LAKES[request.param](tmp_path / "lake", engine)
    bench.register()
    return bench


@pytest.fixture
def folders(tmp_path, engine) -> Bench:
    """A lake on folders."""
    bench = open_folders(tmp_path / "lake", engine)
    bench.register()
    return bench

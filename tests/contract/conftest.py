"""The engines that the contract suites run over. A new one joins by one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daap.ports.engine import Engine


def _duckdb_engine() -> Engine:
    from daap.engines.duckdb.engine import DuckDBEngine  # noqa: PLC0415 - only where it is asked for

    return DuckDBEngine()


ENGINES: dict[str, Callable[[], Engine]] = {
    "duckdb": _duckdb_engine,
}


@pytest.fixture(scope="session", params=ENGINES)
def engine(request) -> Engine:
    return ENGINES[request.param]()

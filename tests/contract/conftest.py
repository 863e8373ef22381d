"""The engines that the contract suites run over. A new one joins by one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daap.ports.engine import Engine


def _duckdb_engine() -> Engine:
    from daap.engines.duckdb.engine import DuckDBEngine  # noqa: PLC0415 - only where it is asked for

    return DuckDBEngine()


def _duckdb_on_s3() -> Engine:
    from tests.support.remote_engine import duckdb_on_s3  # noqa: PLC0415 - as above

    return duckdb_on_s3()


def _athena_engine() -> Engine:
    from tests.support.remote_engine import athena_engine  # noqa: PLC0415 - as above

    return athena_engine()


ENGINES: dict[str, Callable[[], Engine]] = {
    "duckdb": _duckdb_engine,
    "duckdb-s3": _duckdb_on_s3,
    "athena": _athena_engine,
}


AGAIN = {"duckdb-s3": "the engine is duckdb's; the store has a suite of its own"}
"""Engines whose suite is run by `make slow`, and why that is enough."""


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=[pytest.mark.slow] if name in AGAIN else []) for name in ENGINES],
)
def engine(request) -> Engine:
    return ENGINES[request.param]()


@pytest.fixture(scope="session")
def near_engine() -> Engine:
    """The engine of this machine, for what asks hundreds of small questions: its check is that of all engines.

    The others are asked the same in fewer files, each of which takes them a dozen requests.
    """
    return ENGINES["duckdb"]()

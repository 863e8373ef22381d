"""The engines that the contract suites run over. A new one joins by one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daap.ports.engine import Engine


def _duckdb_engine() -> Engine:
    from daap.engines.duckdb.engine import DuckDBEngine  # noqa: PLC0415 - only where it is asked for

    return DuckDBEngine()


# "athena", the cloud adapter's engine, joins here. It speaks Athena's API alone, so that the suite asks a server of
# this machine (`daap-local athena`, or `tests.athena.serving.serving` in this process) just as it asks AWS: whichever
# the adapter's clients find at AWS_ENDPOINT_URL_ATHENA, AWS_ENDPOINT_URL_GLUE and AWS_ENDPOINT_URL_S3.
ENGINES: dict[str, Callable[[], Engine]] = {
    "duckdb": _duckdb_engine,
}


@pytest.fixture(scope="session", params=ENGINES)
def engine(request) -> Engine:
    return ENGINES[request.param]()

"""The sample tables in a DuckDB, built once by each worker."""

from __future__ import annotations

import pytest

from fixtures.trino.judging import Lab, open_lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    return open_lab()

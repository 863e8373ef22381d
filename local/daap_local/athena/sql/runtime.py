"""What DuckDB raises while a translated query runs, in Athena's terms."""

from __future__ import annotations

import duckdb

from daap_local.athena.faults import AthenaFault


def fault_of(error: duckdb.Error) -> AthenaFault:
    """The fault that Athena would report for this error of a running query."""
    return AthenaFault("GENERIC_INTERNAL_ERROR", str(error))

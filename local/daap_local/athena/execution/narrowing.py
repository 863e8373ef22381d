"""The numbers that Athena's INSERT takes and Trino's does not: whole decimals for integers, doubles for reals.

Source: dbt-athena's and PyAthena's own tests, which insert such literals on AWS (tests/functional/adapter/
test_seed_by_insert.py, tests/pyathena/sqlalchemy/test_base.py). Numbers that do not fit still fail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from daap_local.athena.sql import ResultColumn
from daap_local.athena.tables import ColumnDef

_WHOLE = re.compile(r"decimal\(\d+,\s*0\)")
_INTEGERS = {"tinyint": "tinyint", "smallint": "smallint", "int": "integer", "integer": "integer", "bigint": "bigint"}


def narrowed_query(sql: str, columns: Sequence[ResultColumn], wanted: Sequence[ColumnDef]) -> str | None:
    """The query with casts around such columns, or None where it has none."""
    if len(columns) != len(wanted):
        return None
    types = [_narrower(str(column.type), target.type) for column, target in zip(columns, wanted, strict=True)]
    if not any(types):
        return None
    names = [f"c{place}" for place in range(len(types))]
    listed = ", ".join(f"CAST({n} AS {t}) AS {n}" if t else n for n, t in zip(names, types, strict=True))
    return f"SELECT {listed} FROM (\n{sql}\n) AS given({', '.join(names)})"  # noqa: S608 - own names and types


def _narrower(given: str, wanted: str) -> str | None:
    if given == "double" and wanted in ("float", "real"):
        return "real"
    return _INTEGERS.get(wanted) if _WHOLE.fullmatch(given) else None

"""Partition projection: partitions computed from a table's properties rather than kept in the catalogue.

Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html and
.../partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from math import prod
from uuid import uuid4

import duckdb
import pyarrow as pa

from daap.engines.duckdb.sql import identifier
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.files import key_values
from daap_local.athena.hive.paths import partition_name
from daap_local.athena.hive.predicates import Conjunct, conjuncts
from daap_local.athena.hive.projected_keys import ProjectedKey, projected_key
from daap_local.athena.tables import ColumnDef, GlueTable, Partition

ENABLED = "projection.enabled"
TEMPLATE = "storage.location.template"
MOST_PARTITIONS = 1_000_000
_PLACE = re.compile(r"\$\{([^}]*)\}")


def is_projected(table: GlueTable) -> bool:
    """Whether the table's partitions are projected, so that those of the catalogue are not looked at."""
    return bool(table.partition_keys) and table.parameters.get(ENABLED, "").strip().lower() == "true"


def projected_partitions(
    table: GlueTable, predicate: str | None, connection: duckdb.DuckDBPyConnection, now: datetime
) -> list[Partition]:
    """The partitions in which `predicate` can be true: DuckDB SQL over the keys' quoted names, or None for all.

    Each key is narrowed by the conditions that concern it alone, then all together. `now` is in UTC. Raises
    AthenaFault for properties that are wrong, for an injected key without values, and for too many partitions.
    """
    found = conjuncts(predicate)
    choices = [
        _narrowed(key, projected_key(table.parameters, key, now), found, connection) for key in table.partition_keys
    ]
    if prod(map(len, choices)) > MOST_PARTITIONS:
        raise AthenaFault("CONSTRAINT_VIOLATION", f"the query needs more than {MOST_PARTITIONS} projected partitions")
    rows = _kept(table.partition_keys, list(product(*choices)), [one.text for one in found], connection)
    return [Partition(values, replace(table.storage, location=projected_location(table, values))) for values in rows]


def _narrowed(
    key: ColumnDef, projected: ProjectedKey, found: Sequence[Conjunct], connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """The values of one key that its own conditions leave."""
    own = [one for one in found if one.keys == {key.name.lower()}]
    values = projected.values(own, MOST_PARTITIONS)
    return [row[0] for row in _kept([key], [(value,) for value in values], [one.text for one in own], connection)]


def _kept(
    keys: Sequence[ColumnDef],
    rows: list[tuple[str, ...]],
    conditions: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
) -> list[tuple[str, ...]]:
    """The rows in which all conditions are true, the keys having the types of the table."""
    if not conditions or not rows:
        return rows
    columns = zip(*rows, strict=True)
    typed = {key.name: key_values(key, list(texts)) for key, texts in zip(keys, columns, strict=True)}
    name = f"hive_keys_{uuid4().hex}"
    connection.register(name, pa.table({**typed, "hive_row": pa.array(range(len(rows)))}))
    try:
        whole = " AND ".join(f"({one})" for one in conditions)
        query = f"SELECT hive_row FROM {identifier(name)} WHERE {whole} ORDER BY 1"  # noqa: S608 (translated conditions)
        kept = connection.execute(query).fetchall()
    finally:
        connection.unregister(name)
    return [rows[row] for (row,) in kept]


def projected_location(table: GlueTable, values: Sequence[str]) -> str:
    """The folder of one partition: by the table's template, or by key=value with the values as they are.

    The page on partition projection writes the default folders with plain values, and awswrangler, which does not
    escape what it writes (`at=2020-01-01 01:01:01/`), reads such a table on Athena. Raises AthenaFault for a
    template without a place for a key.
    """
    names = [key.name for key in table.partition_keys]
    template = table.parameters.get(TEMPLATE)
    if template is None:
        folders = "/".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        return f"{table.storage.location.rstrip('/')}/{folders}/"
    by_name = dict(zip(names, values, strict=True))
    missing = set(names) - set(_PLACE.findall(template))
    if missing:
        raise AthenaFault("INVALID_TABLE_PROPERTY", f"{TEMPLATE} has no place for {', '.join(sorted(missing))}")
    return _PLACE.sub(lambda match: by_name.get(match.group(1), match.group()), template)


def escaped_location(table: GlueTable, values: Sequence[str]) -> str | None:
    """The folder in which Hive, and so CREATE TABLE AS, keeps a projected partition; None where it is no other."""
    if not is_projected(table) or TEMPLATE in table.parameters:
        return None
    named = partition_name([key.name for key in table.partition_keys], values)
    location = f"{table.storage.location.rstrip('/')}/{named}/"
    return None if location == projected_location(table, values) else location

"""The view of the newest snapshot, as Athena itself keeps views: JSON in base64 within a comment.

Source: https://trino.io/docs/current/connector/hive.html (Presto views); what Athena writes has the same shape.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

from daap.model.loads import TableRef
from daap.model.names import LOAD_TIMESTAMP
from daap.model.stamps import parse_stamp
from daap_cloud.glue.calls import Json
from daap_cloud.glue.tables import GlueColumn

_CATALOG = "awsdatacatalog"
_NEWEST = "daap.newest"
_PRESTO = {"string": "varchar", "int": "integer", "float": "real", "timestamp": "timestamp(3)"}
"""Hive's types that bear another name in Athena's queries."""
_PLAIN = re.compile(r"[a-z0-9_]+")


def view_name(ref: TableRef) -> str:
    """`{table}_latest`, in lower case as all names in Glue."""
    return f"{ref.table.lower()}_latest"


def latest_view(ref: TableRef, columns: Sequence[GlueColumn], newest: str | None) -> Json:
    """The view of snapshot `newest`, by its own timestamp, so that no other is opened; without one, of no rows."""
    shown = [*columns, GlueColumn(LOAD_TIMESTAMP, "string")]
    content = {
        "originalSql": _select(ref, shown, newest), "catalog": _CATALOG, "schema": ref.database,
        "columns": [{"name": column.name, "type": _PRESTO.get(column.type, column.type)} for column in shown],
    }  # fmt: skip
    text = base64.b64encode(json.dumps(content).encode()).decode()
    return {
        "Name": view_name(ref), "Description": f"The newest snapshot of {ref.table}", "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [], "ViewOriginalText": f"/* Presto View: {text} */", "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View", **({_NEWEST: newest} if newest else {})},
        "StorageDescriptor": {"Columns": [c.describe() for c in shown], "Location": "", "SerdeInfo": {}},
    }  # fmt: skip


def newest_of(view: Json) -> str | None:
    """The stamp that a view shows."""
    return view.get("Parameters", {}).get(_NEWEST) or None


def moved_view(ref: TableRef, view: Json, newest: str | None) -> Json:
    """A view as it is, of another snapshot."""
    columns: list[dict[str, Any]] = view["StorageDescriptor"]["Columns"]
    kept = [GlueColumn(c["Name"], c["Type"], c.get("Comment", "")) for c in columns if c["Name"] != LOAD_TIMESTAMP]
    return latest_view(ref, kept, newest)


def _select(ref: TableRef, columns: Sequence[GlueColumn], newest: str | None) -> str:
    listed = ", ".join(_quote(column.name) for column in columns)
    condition = f"{_quote(LOAD_TIMESTAMP)} = '{_check_stamp(newest)}'" if newest else "false"
    return f"SELECT {listed} FROM {_quote(ref.database)}.{_quote(ref.table.lower())} WHERE {condition}"  # noqa: S608


def _quote(name: str) -> str:
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a column or a table")
    return f'"{name}"'


def _check_stamp(stamp: str) -> str:
    parse_stamp(stamp)
    return stamp

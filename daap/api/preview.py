"""The first rows of a table as text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from daap.errors import EngineFailed, InvalidQuery
from daap.model.loads import TableRef
from daap.ports.query import QueryEngine

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 10
NOTHING = "No data to display"

_ESCAPES = str.maketrans({
    "\\": "\\\\", "|": "\\|", "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f",
    **{mark: f"\\u{ord(mark):04x}" for mark in "\x1c\x1d\x1e\x85\u2028\u2029"},
})  # fmt: skip
"""What would end a cell, or what some reader takes for the end of a line."""


def draw_preview(query: QueryEngine, ref: TableRef) -> str:
    """Rows as `| a | b |`, one a line under the names; a bar or a line break in a value is written with a backslash.

    Raises NotRegistered, or EngineFailed if the rows cannot be read.
    """
    table = _read_rows(query, ref)
    if not table.num_rows:
        return NOTHING
    columns = [_list_values(table.column(place)) for place in range(table.num_columns)]
    lines = [_draw_line(table.column_names), *(_draw_line(row) for row in zip(*columns, strict=True))]
    return "\n".join(lines)


def _read_rows(query: QueryEngine, ref: TableRef) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only needed here

    try:
        return pa.RecordBatchReader.from_stream(query.preview(ref, ROWS)).read_all()
    except (InvalidQuery, OSError, pa.ArrowException) as error:  # the query is ours: it is the data that are wrong
        raise EngineFailed(f"the newest snapshot of {ref} cannot be read: {error}") from error


def _list_values(column: pa.ChunkedArray) -> list[Any]:
    import pyarrow as pa  # noqa: PLC0415 - as above

    # A float has seven digits that mean something; as Python's, which has twice the bits, it would show seventeen.
    return list((column.cast(pa.string()) if pa.types.is_float32(column.type) else column).to_pylist())


def _draw_line(cells: Any) -> str:  # noqa: ANN401 - a row of any types
    return f"| {' | '.join(map(_draw_cell, cells))} |"


def _draw_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat(" ", "milliseconds")
        case _:
            return str(value).translate(_ESCAPES)

"""The first rows of a table as text."""

from __future__ import annotations

from daap.ports.query import ArrowStream

ROWS = 10
NOTHING = "No data to display"
_LINE_ENDS = str.maketrans({"\\": "\\\\", "|": "\\|", "\n": "\\n", "\r": "\\r"})


def draw_preview(stream: ArrowStream) -> str:
    """Rows as `| a | b |`, one a line under the names; a bar or a line break in a value is written with a backslash."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only needed here

    table = pa.RecordBatchReader.from_stream(stream).read_all()
    if not table.num_rows:
        return NOTHING
    columns = [table.column(place).to_pylist() for place in range(table.num_columns)]
    lines = [_draw_line(table.column_names), *(_draw_line(row) for row in zip(*columns, strict=True))]
    return "\n".join(lines)


def _draw_line(cells: object) -> str:
    return f"| {' | '.join(map(_draw_cell, cells))} |"  # type: ignore[call-overload]


def _draw_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).translate(_LINE_ENDS)

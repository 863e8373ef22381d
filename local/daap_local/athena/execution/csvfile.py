"""Result files as Athena writes them: CSV with every value quoted, NULL as nothing at all.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

Row = list[str | None]
_FIELD = re.compile(rb'(?:"([^"]*+(?:""[^"]*+)*+)")?(,|\n)')
_CHUNK = 1 << 16


def write_row(values: Iterable[str | None]) -> bytes:
    """One line."""
    return (",".join(map(_quote, values)) + "\n").encode()


def _quote(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'


def line_of(columns: Sequence[str]) -> str:
    """A DuckDB expression that makes one line, without its end, of columns of text."""
    parts = [f"""CASE WHEN {c} IS NULL THEN '' ELSE '"' || replace({c}, '"', '""') || '"' END""" for c in columns]
    return " || ',' || ".join(parts) or "''"


def read_rows(stream: BinaryIO, offset: int, count: int) -> tuple[list[Row], int | None]:
    """Up to `count` rows from a byte offset on, and the offset of the next one, if there is one."""
    stream.seek(offset)
    rows: list[Row] = []
    buffer, place = b"", 0
    while len(rows) < count:
        taken = _take_row(buffer, place)
        if taken:
            rows.append(taken[0])
            place = taken[1]
        elif data := stream.read(_CHUNK):
            offset, buffer, place = offset + place, buffer[place:] + data, 0
        else:
            return rows, None
    more = place < len(buffer) or bool(stream.read(1))
    return rows, offset + place if more else None


def _take_row(buffer: bytes, place: int) -> tuple[Row, int] | None:
    row: Row = []
    while field := _FIELD.match(buffer, place):
        row.append(field[1].replace(b'""', b'"').decode() if field[1] is not None else None)
        place = field.end()
        if field[2] == b"\n":
            return row, place
    return None

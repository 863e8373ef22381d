"""Rows that differ, in words: those that are nearly alike by their columns, others whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from daap.csvtext.records import RecordReader
from daap.model.table import TableSchema
from daap_local.parity.differences import SHOWN, Difference, Example, Kind, show_value
from daap_local.parity.plan import Upload
from daap_local.parity.rows import Odd, RowsFound


@dataclass(frozen=True, slots=True)
class Table:
    """What rows are of: the table, the columns that were compared, and the upload where it is one file's."""

    name: str
    schema: TableSchema
    columns: Sequence[str]
    upload: Upload | None = None


def tell_rows(names: tuple[str, str], found: RowsFound, table: Table, kind: Kind, words: str = "") -> Difference:
    """The difference that was found; `names` are the sides', `words` tell what was asked for."""
    personal = {column.name for column in table.schema.columns if column.personal}
    shown = (*found.left[:SHOWN], *found.right[:SHOWN])
    lines = _find_lines(table.upload, table.schema, [odd.record for odd in shown]) if table.upload else {}
    examples = list(_pair_odd(names, found, table.columns, personal, lines))[:SHOWN]
    said = {name: _say_rows(count) for name, count in zip(names, found.counts, strict=True)}
    told = f"{words}{_say_rows(found.odd)} without an equal on the other side"
    file = table.upload.path.name if table.upload else None
    return Difference(kind, table.name, told, said, file, found.odd, tuple(examples))


def _say_rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _pair_odd(
    names: tuple[str, str], found: RowsFound, columns: Sequence[str], personal: set[str], lines: dict[int, int]
) -> Iterator[Example]:
    """Each odd row of the left with the nearest one of the right, then those that stand alone."""
    left_over = list(found.right)
    for odd in found.left[:SHOWN]:
        where = _say_where(odd, lines)
        twin = min(left_over, key=lambda other: (_distance(odd, other), _apart(odd, other)), default=None)
        if twin is None or _distance(odd, twin) > len(columns) // 2:
            yield Example(where, {names[0]: _show_row(odd, columns, personal), names[1]: "has fewer"})
            continue
        left_over.remove(twin)
        for name, one, other in zip(columns, odd.values, twin.values, strict=True):
            if one != other:
                shown = (show_value(value, personal=name in personal) for value in (one, other))
                yield Example(f"{where}, column {name}", dict(zip(names, shown, strict=True)))
    for odd in left_over[:SHOWN]:
        yield Example(_say_where(odd, lines), {names[0]: "has fewer", names[1]: _show_row(odd, columns, personal)})


def _say_where(odd: Odd, lines: dict[int, int]) -> str:
    return f"line {lines[odd.record]}" if odd.record in lines else "a row"


def _distance(one: Odd, other: Odd) -> int:
    return sum(a != b for a, b in zip(one.values, other.values, strict=True))


def _apart(one: Odd, other: Odd) -> int:
    return 0 if one.place is None or other.place is None else abs(one.place - other.place)


def _show_row(odd: Odd, columns: Sequence[str], personal: set[str]) -> str:
    shown = [
        f"{name}={show_value(value, personal=name in personal)}"
        for name, value in zip(columns, odd.values, strict=True)
    ]
    more = ", ..." if len(shown) > SHOWN else ""
    times = f"{odd.times} times " if odd.times > 1 else ""
    return f"{times}({', '.join(shown[:SHOWN])}{more})"


def _find_lines(upload: Upload, schema: TableSchema, records: Sequence[int | None]) -> dict[int, int]:
    """The physical lines of records of a file, by their numbers from 1."""
    wanted = {record for record in records if record is not None}
    lines: dict[int, int] = {}
    if not wanted:
        return lines
    with upload.path.open("rb") as stream:
        reader = RecordReader(stream, schema.dialect)
        reader.skip_lines(schema.dialect.skip_lines)
        for number, record in enumerate(reader, start=0 if schema.dialect.header else 1):
            if number in wanted:
                lines[number] = record.line
            if number >= max(wanted):
                break
    return lines

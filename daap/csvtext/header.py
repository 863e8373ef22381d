"""Matching a file's header to the schema, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daap.csvtext.lines import is_decodable, show_text
from daap.csvtext.records import Record, RecordReader
from daap.model.names import name_header, standardise
from daap.model.table import TableSchema
from daap.model.verdict import Code, DataError, ErrorLog, cut_value


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the schema's columns stand in a file.

    `positions` gives, for each column of the schema that the file has, its place from 0; `names`
    the standard name of every place; `line` the last physical line of the header.
    """

    positions: dict[str, int]
    names: tuple[str, ...]
    line: int

    @property
    def width(self) -> int:
        """Fields of each record."""
        return len(self.names)


def read_layout(reader: RecordReader, schema: TableSchema, log: ErrorLog) -> Layout | None:
    """Reads preamble and header; what is wrong goes to `log`. None where the file cannot be read further."""
    skipped = reader.skip_lines(schema.dialect.skip_lines)
    if not schema.dialect.header:
        names = tuple(column.name for column in schema.columns)
        return Layout({name: place for place, name in enumerate(names)}, names, reader.lines.number)
    record = next(iter(reader), None)
    reader.blank_lines.clear()
    if record is None:
        log.add(no_header(skipped))
        return None
    if fault := find_fault(record):
        log.add(
            DataError(
                fault, "a header line that can be read", line=record.line, value=cut_value(show_text(record.text))
            )
        )
        return None
    return match_header(reader.split(record), schema, record.line, reader.lines.number, log)


def no_header(skipped: int) -> DataError:
    """The error of a file that has nothing behind its `skipped` lines."""
    if skipped:
        return DataError(Code.MISSING_HEADER, f"a header after the {skipped} skipped lines", line=skipped)
    return DataError(Code.EMPTY_FILE, "a header line, then the rows; the file is empty")


def find_fault(record: Record) -> Code | None:
    """Why a header cannot be read, if so."""
    if record.fault:
        return record.fault
    if not is_decodable(record.text):
        return Code.ENCODING_ERROR
    return Code.NUL_CHARACTER if "\0" in record.text else None


def match_header(headers: Sequence[str], schema: TableSchema, line: int, last_line: int, log: ErrorLog) -> Layout:
    """The layout that `headers` give; what does not match the schema goes to `log`."""
    wanted = {standardise(column.name): column.name for column in schema.columns}
    names = [name_header(header, place) for place, header in enumerate(headers, 1)]
    positions: dict[str, int] = {}
    seen: set[str] = set()
    listed = cut_value(", ".join(wanted.values()))
    for place, (header, name) in enumerate(zip(headers, names, strict=True)):
        if fault := _judge_header(name, seen, wanted, listed):
            log.add(DataError(fault[0], fault[1], line=line, column=name or None, value=cut_value(header)))
        else:
            positions[wanted[name]] = place
        seen.add(name)
    for name, column in wanted.items():
        if name not in seen:
            log.add(DataError(Code.MISSING_COLUMN, f"a column {column} in the header", line=line, column=column))
    return Layout(positions, tuple(wanted.get(name, name) for name in names), last_line)


def _judge_header(name: str, seen: set[str], wanted: dict[str, str], listed: str) -> tuple[Code, str] | None:
    if not name:
        return Code.UNREADABLE_HEADER, "a header with a letter a-z or a digit in it"
    if name in seen:
        return Code.DUPLICATE_COLUMN, f"each column once; {name} is there already"
    if name not in wanted:
        return Code.EXTRA_COLUMN, f"only columns of the schema: {listed}"
    return None

"""Sifting: right records go on, each with its physical line; wrong ones go to the error log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from daap.csvtext.header import Layout
from daap.csvtext.lines import is_decodable, show_text
from daap.csvtext.records import MAX_RECORD, Record, RecordReader
from daap.model.table import TableSchema
from daap.model.verdict import MASK, Code, DataError, ErrorLog, cut_value

_PROGRESS_RECORDS = 50_000
_UTF8_WIDEST, _LINE_DIGITS = 4, 24


@dataclass(frozen=True, slots=True)
class Sifted:
    """How many records the file has, how many of them were right, and the most bytes of one written."""

    records: int
    right: int
    longest: int


def sift_records(
    reader: RecordReader,
    layout: Layout,
    schema: TableSchema,
    out: TextIO,
    log: ErrorLog,
    progress: Callable[[int], None],
) -> Sifted:
    """Writes every right record behind `layout` to `out` as `{line}{delimiter}{record}` with a line feed.

    The text of the record stays as it is, so that an engine reads what the producer wrote; only
    where a dialect has its own escape is it written with doubled quotes. What is wrong goes to
    `log`. `progress` is called now and then with the characters read.
    """
    sifter = _Sifter(reader, layout, schema, log)
    delimiter, own_escape = schema.dialect.delimiter, schema.dialect.own_escape
    records = right = longest = read = 0
    for record in reader:
        records += 1
        read += len(record.text) + 1
        if sifter.is_right(record):
            right += 1
            text = sifter.rewrite(record) if own_escape else record.text
            longest = max(longest, len(text))
            out.write(f"{record.line}{delimiter}{text}\n")
        if not records % _PROGRESS_RECORDS:
            progress(read)
    return Sifted(records, right, longest * _UTF8_WIDEST + _LINE_DIGITS)


class _Sifter:
    """Judges the structure of records of one file."""

    def __init__(self, reader: RecordReader, layout: Layout, schema: TableSchema, log: ErrorLog) -> None:
        self._reader, self._layout, self._schema, self._log = reader, layout, schema, log
        self._quote, self._delimiter = schema.dialect.quote, schema.dialect.delimiter
        self._exact = reader.grammar.of_width(layout.width) if reader.grammar else None
        self._masked = any(column.personal for column in schema.columns)

    def is_right(self, record: Record) -> bool:
        """Whether the record has no fault; logs it otherwise, and blank lines before it in a one-column table."""
        if self._reader.blank_lines:
            self._report_blanks()
        text = record.text
        if record.fault:
            return self._refuse(record, record.fault, _EXPECTED[record.fault])
        if not is_decodable(text):
            return self._refuse_encoding(record)
        if "\0" in text:
            return self._refuse(record, Code.NUL_CHARACTER, _EXPECTED[Code.NUL_CHARACTER])
        return self._has_width(record)

    def rewrite(self, record: Record) -> str:
        """The record with doubled quotes in place of escaped ones."""
        quote = self._quote
        fields = (field.replace(quote, quote * 2) for field in self._reader.split(record))
        return self._delimiter.join(f"{quote}{field}{quote}" if field else "" for field in fields)

    def _has_width(self, record: Record) -> bool:
        text, width = record.text, self._layout.width
        if self._exact and self._quote in text:
            if self._exact.fullmatch(text):
                return True
            found = len(self._reader.split(record))
        else:
            found = text.count(self._delimiter) + 1
            if found == width:
                return True
        code = Code.TOO_FEW_FIELDS if found < width else Code.TOO_MANY_FIELDS
        return self._refuse(record, code, f"{width} fields, as in the header; this record has {found}")

    def _refuse(self, record: Record, code: Code, expected: str, column: str | None = None) -> bool:
        value = MASK if self._masked else cut_value(show_text(record.text))
        self._log.add(DataError(code, expected, line=record.line, column=column, value=value))
        return False

    def _refuse_encoding(self, record: Record) -> bool:
        encoding = self._schema.dialect.encoding
        expected = f"text in {encoding}; declare the table's encoding if it is another one"
        return self._refuse(record, Code.ENCODING_ERROR, expected, self._find_column(record))

    def _find_column(self, record: Record) -> str | None:
        values = self._reader.split(record)
        if len(values) != self._layout.width:
            return None
        return next((n for n, v in zip(self._layout.names, values, strict=True) if not is_decodable(v)), None)

    def _report_blanks(self) -> None:
        if self._layout.width == 1:
            for line in self._reader.blank_lines:
                self._log.add(DataError(Code.BLANK_LINE, _EXPECTED[Code.BLANK_LINE], line=line, value=""))
        self._reader.blank_lines.clear()


_EXPECTED = {
    Code.BROKEN_QUOTE: "a quoted field to end at its closing quote, and quotes inside it doubled",
    Code.UNCLOSED_QUOTE: "a closing quote; the rest of the file could not be checked",
    Code.BROKEN_ESCAPE: "the escape character only before a quote or another escape",
    Code.RECORD_TOO_LONG: f"a record of at most {MAX_RECORD >> 20} MiB; the rest of the file could not be checked",
    Code.NUL_CHARACTER: "no NUL character; is the file in another encoding, such as utf-16?",
    Code.BLANK_LINE: 'no blank line between the rows of a table of one column; write "" for an empty value',
}

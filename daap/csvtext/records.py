"""The exact record reader: every record with the physical line it begins on, and what is wrong with it.

It is the contract's own reading of CSV structure, and the one that words the errors. The engine's
fast reader has to agree with it or is not believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from daap.csvtext.grammar import Grammar, build_grammar, split_fields
from daap.csvtext.lines import LineReader
from daap.model.table import Dialect
from daap.model.verdict import Code

MAX_RECORD = 16 << 20
"""Characters a record may have (16 Mi)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first physical line, its text without the line end, and its fault, if any."""

    line: int
    text: str
    fault: Code | None = None


class RecordReader:
    """Reads the records of one file in order. Blank lines are passed over and remembered."""

    def __init__(self, stream: BinaryIO, dialect: Dialect) -> None:
        self.dialect = dialect
        self.grammar: Grammar | None = build_grammar(dialect) if dialect.quote else None
        self.lines = LineReader(stream, dialect.encoding, MAX_RECORD + 1)
        self.blank_lines: list[int] = []
        """Blank lines since the last record; meant for tables of one column."""

    def skip_lines(self, count: int) -> int:
        """Passes over the preamble; returns how many lines there were."""
        return sum(1 for _ in range(count) if self.lines.read())

    def __iter__(self) -> Iterator[Record]:
        quote = self.dialect.quote
        while line := self.lines.read():
            body = line.rstrip("\r\n")
            if not body:
                self.blank_lines.append(self.lines.number)
                continue
            if len(body) > MAX_RECORD:
                yield Record(self.lines.number, body, Code.RECORD_TOO_LONG)
                return
            if quote and quote in body:
                record = self._read_quoted(line, body)
                yield record
                if record.fault in (Code.UNCLOSED_QUOTE, Code.RECORD_TOO_LONG):
                    return
            else:
                yield Record(self.lines.number, body)

    def _read_quoted(self, line: str, body: str) -> Record:
        grammar, start = self._grammar(), self.lines.number
        if grammar.whole.fullmatch(body):
            return Record(start, body)
        if not grammar.opens.fullmatch(body):
            return Record(start, body, self._name_fault(grammar.from_start, body))
        return self._read_open(grammar, start, line)

    def _read_open(self, grammar: Grammar, start: int, line: str) -> Record:
        parts, size = [line], len(line)
        while line := self.lines.read():
            body = line.rstrip("\r\n")
            parts.append(line)
            size += len(line)
            if size > MAX_RECORD:
                return Record(start, parts[0], Code.RECORD_TOO_LONG)
            if grammar.stays.fullmatch(body) or grammar.reopens.fullmatch(body):
                continue
            text = "".join(parts).removesuffix("\n").removesuffix("\r")
            if grammar.closes.fullmatch(body):
                return Record(start, text)
            return Record(start, text, self._name_fault(grammar.from_inside, body))
        return Record(start, parts[0].rstrip("\r\n"), Code.UNCLOSED_QUOTE)

    def _name_fault(self, right_part: re.Pattern[str], body: str) -> Code:
        match, escape = right_part.match(body), self.dialect.own_escape
        if match is None or not escape or body[match.end() : match.end() + 1] != escape:
            return Code.BROKEN_QUOTE
        in_quotes = match.end() in (match.end(group) for group in right_part.groupindex)
        return Code.BROKEN_ESCAPE if in_quotes else Code.BROKEN_QUOTE

    def _grammar(self) -> Grammar:
        assert self.grammar is not None  # noqa: S101 - only called where there is a quote character
        return self.grammar

    def split(self, record: Record) -> list[str]:
        """The values of a record without fault."""
        return split_fields(record.text, self.grammar, self.dialect.delimiter)

"""The value contract, read aloud in plain Python: slow, and written to be obviously right.

`judge` says what docs/value-contract.md says of a file. Engines are compared with it, so it shares no
reading code with any of them: it goes through the text one character at a time, and each type's rule
stands in one short function.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from daap.model.names import name_header, standardise
from daap.model.table import Column, Dialect, TableSchema
from daap.model.types import INTEGER_BITS
from daap.model.verdict import Code
from tests.oracle.patterns import written_by

MAX_RECORD = 16 * 1024 * 1024

# Where the structure breaks, no two readers need agree on what the rest of the file says.
BROKEN = frozenset(
    {
        Code.ENCODING_ERROR, Code.NUL_CHARACTER, Code.BROKEN_QUOTE, Code.UNCLOSED_QUOTE,
        Code.BROKEN_ESCAPE, Code.RECORD_TOO_LONG,
    }
)  # fmt: skip

Found = tuple[Code, int | None, str | None]
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is right: the rows (None for a refused file), or the errors as (code, line, column)."""

    rows: list[Row] | None
    errors: list[Found]

    @property
    def is_sound(self) -> bool:
        """Whether the file falls into records without doubt."""
        return not any(code in BROKEN for code, _, _ in self.errors)


class Misfit(Exception):
    """A text that does not fit its column."""

    def __init__(self, code: Code = Code.TYPE_ERROR) -> None:
        self.code = code


def judge(data: bytes, schema: TableSchema) -> Judgement:
    """The judgement of a file's bytes."""
    return _Judge(schema).judge(decode_text(data, schema.dialect.encoding))


# From bytes to characters

NO_TEXT = "\ud800"  # stands for bytes that are no text; no encoding gives it for bytes that are
_ODD_CHARACTERS = {NO_TEXT: Code.ENCODING_ERROR, "\0": Code.NUL_CHARACTER}

codecs.register_error("daap-mark", lambda error: (NO_TEXT, error.end))


def decode_text(data: bytes, encoding: str) -> str:
    """The characters of a file, without its byte order mark."""
    if encoding == "utf-16":
        codec, mark = ("utf-16-be" if data.startswith(b"\xfe\xff") else "utf-16-le"), "\ufeff"
    elif encoding in ("utf-8", "utf-8-sig"):
        codec, mark = "utf-8", "\ufeff"
    else:
        codec, mark = encoding, ""
    return data.decode(codec, "daap-mark").removeprefix(mark)


# From characters to records


@dataclass(slots=True)
class Record:
    """Fields as they stand between two line ends; `faults` where the text or its quoting is broken."""

    line: int
    fields: list[str] = field(default_factory=list)
    faults: list[Code] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands on the line."""
        return not self.fields and not self.faults


def escape_of(dialect: Dialect) -> str:
    """What makes a quote plain: the quote itself, unless another character is declared."""
    return dialect.escape or dialect.quote


class _Reader:
    """A machine that takes one character at a time; a line end, of one or two bytes, counts as one."""

    def __init__(self, dialect: Dialect, line: int) -> None:
        self.dialect = dialect
        self.escape = escape_of(dialect)
        self.line = line
        self.state: Callable[[str], Record | None] = self.begin_record
        self.record = Record(line)
        self.text = ""
        self.size = 0

    def read(self, text: str) -> Iterator[Record]:
        for char in split_characters(text):
            self.size += len(char.encode(errors="replace"))
            if self.size > MAX_RECORD:
                self.record.faults.append(Code.RECORD_TOO_LONG)
                yield self.record
                return
            if char in _ODD_CHARACTERS:
                self.record.faults.append(_ODD_CHARACTERS[char])
            done = self.state(char)
            self.line += char in ("\n", "\r\n", "\r")
            if done:
                yield done
                self.record, self.size = Record(self.line), 0
        yield from self.finish()

    def finish(self) -> Iterator[Record]:
        if self.state in (self.inside_quotes, self.behind_escape):
            if self.state == self.behind_escape:
                self.record.faults.append(Code.BROKEN_ESCAPE)  # the end of the file is no quote either
            self.record.faults.append(Code.UNCLOSED_QUOTE)
            yield self.record
        elif self.state != self.begin_record:
            self.end_field()
            yield self.record

    def begin_record(self, char: str) -> Record | None:
        return self.end_record() if is_line_end(char) else self.begin_field(char)

    def begin_field(self, char: str) -> Record | None:
        if self.dialect.quote and char == self.dialect.quote:
            self.state = self.inside_quotes
            return None
        return self.plain_field(char)

    def plain_field(self, char: str) -> Record | None:
        self.state = self.plain_field
        if is_line_end(char):
            self.end_field()
            return self.end_record()
        if char == self.dialect.delimiter:
            self.end_field()
            self.state = self.begin_field
        else:
            if char == self.dialect.quote:
                return self.break_record(Code.BROKEN_QUOTE, char)
            self.text += char
        return None

    def inside_quotes(self, char: str) -> Record | None:
        if self.escape != self.dialect.quote and char == self.escape:
            self.state = self.behind_escape
        elif char == self.dialect.quote:
            self.state = self.behind_quote
        else:
            self.text += char
        return None

    def behind_escape(self, char: str) -> Record | None:
        if char not in (self.dialect.quote, self.escape):
            return self.break_record(Code.BROKEN_ESCAPE, char)
        self.text += char
        self.state = self.inside_quotes
        return None

    def behind_quote(self, char: str) -> Record | None:
        """A second quote is one of the text, where doubling is the escape; else the field is over."""
        if char == self.dialect.quote == self.escape:
            self.text += char
            self.state = self.inside_quotes
            return None
        if char != self.dialect.delimiter and not is_line_end(char):
            return self.break_record(Code.BROKEN_QUOTE, char)
        return self.plain_field(char)

    def break_record(self, fault: Code, char: str) -> Record | None:
        """From where its quoting breaks, the rest of a record's line is passed over."""
        self.record.faults.append(fault)
        self.state = self.pass_over
        return self.pass_over(char)

    def pass_over(self, char: str) -> Record | None:
        self.text = ""
        return self.end_record() if is_line_end(char) else None

    def end_field(self) -> None:
        self.record.fields.append(self.text)
        self.text = ""

    def end_record(self) -> Record:
        self.state = self.begin_record
        return self.record


def split_characters(text: str) -> list[str]:
    """The characters of `text`, with CRLF as one."""
    return re.findall(r"\r\n|.", text, re.DOTALL)


def is_line_end(char: str) -> bool:
    return char in ("\n", "\r\n", "\r")


def drop_lines(text: str, count: int) -> tuple[str, int]:
    """`text` without its first `count` physical lines, and how many of them there were."""
    seen = 0
    while seen < count and (end := re.search(r"\r\n|\r|\n", text)):
        text, seen = text[end.end() :], seen + 1
    return text, seen


# From records to rows


class _Judge:
    def __init__(self, schema: TableSchema) -> None:
        self.schema = schema
        self.by_name = {standardise(column.name): column for column in schema.columns}
        self.rows: list[Row] = []
        self.errors: list[Found] = []

    def judge(self, text: str) -> Judgement:
        skipped = self.schema.dialect.skip_lines
        body, seen = drop_lines(text, skipped)
        if not text or not (skipped or text.strip("\r\n")):
            return self.refuse(Code.EMPTY_FILE, None)
        if seen < skipped or not body.strip("\r\n"):
            return self.refuse(Code.MISSING_HEADER, None)
        self.read_table(_Reader(self.schema.dialect, seen + 1).read(body))
        return Judgement(None, self.errors) if self.errors else Judgement(self.rows, [])

    def refuse(self, code: Code, line: int | None, column: str | None = None) -> Judgement:
        self.errors.append((code, line, column))
        return Judgement(None, self.errors)

    def read_table(self, records: Iterator[Record]) -> None:
        if not self.schema.dialect.header:
            self.read_records(records, list(self.schema.columns))
            return
        header = next(record for record in records if not record.is_blank)
        self.errors += [(fault, header.line, None) for fault in header.faults]
        if not header.faults:
            self.read_records(records, self.match_header(header))

    def match_header(self, header: Record) -> list[Column | None]:
        """The column of each field; None where the field is none of the schema's."""
        matched: list[Column | None] = []
        names = [name_header(text, position) for position, text in enumerate(header.fields, 1)]
        for position, name in enumerate(names):
            column = self.by_name.get(name)
            if not name:
                self.refuse(Code.UNREADABLE_HEADER, header.line)
            elif name in names[:position]:
                self.refuse(Code.DUPLICATE_COLUMN, header.line, name)
                column = None
            elif column is None:
                self.refuse(Code.EXTRA_COLUMN, header.line, name)
            matched.append(column)
        for name, column in self.by_name.items():
            if name not in names:
                self.refuse(Code.MISSING_COLUMN, header.line, column.name)
        return matched

    def read_records(self, records: Iterator[Record], columns: list[Column | None]) -> None:
        blanks: list[int] = []
        for record in records:
            if record.is_blank:
                blanks.append(record.line)
                continue
            if len(columns) == 1:
                self.errors.extend((Code.BLANK_LINE, line, None) for line in blanks)
            blanks = []
            self.read_record(record, columns)

    def read_record(self, record: Record, columns: list[Column | None]) -> None:
        if record.faults:
            self.errors += [(fault, record.line, None) for fault in record.faults]
        elif len(record.fields) < len(columns):
            self.refuse(Code.TOO_FEW_FIELDS, record.line)
        elif len(record.fields) > len(columns):
            self.refuse(Code.TOO_MANY_FIELDS, record.line)
        else:
            self.read_row(record, columns)

    def read_row(self, record: Record, columns: list[Column | None]) -> None:
        row: Row = {column.name: None for column in self.schema.columns}
        for text, column in zip(record.fields, columns, strict=True):
            if column:
                try:
                    row[column.name] = read_field(text, column)
                except Misfit as misfit:
                    self.refuse(misfit.code, record.line, column.name)
        self.rows.append(row)


# From texts to values


def read_field(text: str, column: Column) -> object:
    """The value that `text` means in `column`; raises Misfit."""
    if text == "" or text in column.null_values:
        if column.required:
            raise Misfit(Code.MISSING_VALUE)
        return None
    return read_value(text, column)


def read_value(text: str, column: Column) -> object:
    kind = column.type.kind
    if kind == "boolean":
        return read_boolean(text)
    if kind in ("string", "varchar", "char"):
        return read_text(text, column)
    if kind in ("date", "timestamp"):
        return read_time(text, column)
    if column.format is not None:
        text = plain_number(text, column)
    if kind in INTEGER_BITS:
        return read_integer(text, INTEGER_BITS[kind])
    if kind == "decimal":
        return read_decimal(text, column)
    return read_float(text) if kind == "float" else read_double(text)


def read_boolean(text: str) -> bool:
    match = re.fullmatch(r"(true|t|1)|false|f|0", text, re.ASCII | re.IGNORECASE)
    if not match:
        raise Misfit
    return match[1] is not None


def read_text(text: str, column: Column) -> str:
    if column.type.kind != "string" and len(text) > column.type.length:
        raise Misfit(Code.TOO_LONG)
    if column.type.kind == "char" and text.endswith(" "):
        raise Misfit(Code.TOO_LONG)
    return text


def read_integer(text: str, bits: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise Misfit
    value = Fraction(Decimal(text))  # unlike int(), takes leading zeros without limit
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise Misfit
    return int(value)


def read_decimal(text: str, column: Column) -> Decimal:
    match = re.fullmatch(r"([+-]?)([0-9]*)(?:\.([0-9]*))?", text)
    if not match or not (match[2] or match[3]):
        raise Misfit
    whole, fraction = match[2].lstrip("0"), (match[3] or "").rstrip("0")
    if len(whole) > column.type.precision - column.type.scale or len(fraction) > column.type.scale:
        raise Misfit
    return Decimal(f"{match[1]}{whole or '0'}.{fraction or '0'}")


def read_double(text: str) -> float:
    if text in ("NaN", "Infinity", "-Infinity"):
        return float(text)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise Misfit
    value = float(text)  # Python rounds to the nearest
    mantissa = re.split("[eE]", text)[0]
    if abs(value) == float("inf") or (value == 0 and re.search("[1-9]", mantissa)):
        raise Misfit
    return value


def read_float(text: str) -> float:
    """The nearest 32-bit number to the text itself; going through 64 bits would round twice."""
    double = read_double(text)
    if double == 0 or double != double or abs(double) == float("inf"):  # noqa: PLR0124 - NaN differs from itself
        return double
    if not 2.0**-151 < abs(double) < 2.0**129:
        raise Misfit
    exact = Fraction(Decimal(text))
    nearest = min(near_floats(abs(double)), key=lambda bits: (abs(_as_fraction(bits) - abs(exact)), bits % 2))
    if nearest in (0, _INFINITE):
        raise Misfit
    value = struct.unpack("<f", struct.pack("<I", nearest))[0]
    return value if double > 0 else -value


_INFINITE = 0x7F800000


def near_floats(double: float) -> list[int]:
    """The bits of the 32-bit numbers around a positive `double`; their order is that of the numbers."""
    try:
        bits = struct.unpack("<I", struct.pack("<f", double))[0]
    except OverflowError:
        bits = _INFINITE
    return [near for near in (bits - 1, bits, bits + 1) if 0 <= near <= _INFINITE]


def _as_fraction(bits: int) -> Fraction:
    """The number that `bits` stand for; infinity counts as the next number there would be."""
    if bits == _INFINITE:
        return Fraction(2**128)
    return Fraction(struct.unpack("<f", struct.pack("<I", bits))[0])


def plain_number(text: str, column: Column) -> str:
    """`text`, written by the column's declared format, as a plain number."""
    form = column.number_format
    sign, amount = _split_sign(text, form.negative, form.prefix)
    amount = _strip_unit(amount, form.prefix, form.suffix)
    if not sign:  # after the currency
        sign, amount = re.fullmatch(r"([+-]?)(.*)", amount, re.DOTALL).groups()
    whole, point, fraction = amount.partition(form.point)
    if point and form.point not in column.format:
        raise Misfit  # the example shows no decimal mark
    if form.grouping and re.fullmatch(f"[0-9]{{1,3}}({re.escape(form.grouping)}[0-9]{{3}})+", whole):
        whole = whole.replace(form.grouping, "")
    if not re.fullmatch("[0-9]*", whole + fraction):
        raise Misfit
    return f"{sign}{whole}.{fraction}" if point else sign + whole  # to be judged as any other number


def _split_sign(text: str, negative: str, prefix: str) -> tuple[str, str]:
    if negative == "parentheses" and text.startswith("(") and text.endswith(")"):
        return "-", _unsigned(text[1:-1], prefix)
    if negative == "trailing" and text.endswith("-"):
        return "-", _unsigned(text[:-1], prefix)
    return (text[0], _unsigned(text[1:], prefix)) if text[:1] in ("+", "-") else ("", text)


def _unsigned(text: str, prefix: str) -> str:
    """`text`; raises Misfit where it begins with another sign, before or after the currency."""
    if re.match(rf"({re.escape(prefix)} ?)?[+-]", text):
        raise Misfit
    return text


def _strip_unit(text: str, prefix: str, suffix: str) -> str:
    match = re.fullmatch(
        f"{re.escape(prefix)}{' ?' if prefix else ''}(.*?){' ?' if suffix else ''}{re.escape(suffix)}",
        text,
        re.DOTALL,
    )
    if not match:
        raise Misfit
    return match[1]


def read_time(text: str, column: Column) -> date | datetime:
    if column.type.kind == "date":
        moment = _only(written_by(column.format or "%Y-%m-%d", text))
        return moment.date()
    digits = 9 if column.fraction == "drop" else 3
    if column.format is not None:
        moment = _only(written_by(column.format, text))
        if moment.microsecond % 1000 and column.fraction != "drop":
            raise Misfit
    else:
        match = re.fullmatch(rf"(.{{10}})[ T](.{{8}})(?:\.([0-9]{{1,{digits}}}))?", text)
        if not match:
            raise Misfit
        moment = _only(written_by("%Y-%m-%d %H:%M:%S", f"{match[1]} {match[2]}"))
        moment = moment.replace(microsecond=int(f"{match[3] or '':0<6.6}"))
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _only(moments: set[datetime]) -> datetime:
    """The one moment that a text names; raises Misfit if it names none, or could name several."""
    if len(moments) != 1:
        raise Misfit
    return next(iter(moments))

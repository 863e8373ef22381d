"""Hypothesis strategies: schemas, tables, files that say them, and files that break."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from daap.model.formats import NumberFormat
from daap.model.names import standardise
from daap.model.table import Column, Dialect, TableSchema
from daap.model.types import INTEGER_BITS, INTEGERS, TEXTS
from tests.oracle.contract import Row, escape_of
from tests.oracle.near_misses import NEAR_MISSES
from tests.oracle.patterns import write_moment

DATE_FORMATS = (
    "%d-%b-%y", "%d/%m/%Y", "%-d/%-m/%Y", "%Y%m%d", "%d %B %Y", "%a %d %b %Y", "%A, %-d %B %Y", "%Y.%j",
    "%m-%d-%y", "%d.%m.%Y", "(%Y)%b_%d",
)  # fmt: skip
# With the smallest step of time that each tells.
TIMESTAMP_FORMATS = {
    "%d/%m/%Y %H:%M": timedelta(minutes=1), "%Y%m%dT%H%M%S": timedelta(seconds=1),
    "%d-%b-%Y %I:%M:%S %p": timedelta(seconds=1), "%-d/%-m/%Y %-I:%M %p": timedelta(minutes=1),
    "%d.%m.%Y %H:%M:%S.%g": timedelta(milliseconds=1), "%Y-%m-%d %H:%M:%S.%f": timedelta(milliseconds=1),
    "%Y-%m-%d": timedelta(days=1), "%j %Y %-H:%-M:%-S": timedelta(seconds=1),
}  # fmt: skip
NUMBER_FORMATS = (
    "£1,234.50", "1.234,50", "1 234,5 €", "(1,234.5)", "1,234.5-", "1'234.50", "1234,5", "$ 0.5", "12.5%",
    "(£1,234.50)", "1,234.5 kg-", "£1,234", "1_000.5",
)  # fmt: skip
NULL_VALUES = ("NULL", "n/a", "-", "0", "\\N", "NaN", " ", "1970-01-01", "\n", 'a"b')


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A good file, and the rows it says."""

    schema: TableSchema
    rows: list[Row]
    data: bytes


@dataclass(frozen=True, slots=True)
class Cell:
    """A field's text and the value it means."""

    text: str
    value: object


# Schemas

_PLAIN_DIALECT = st.just({})
_ODD_DIALECT = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "|", "\t", ":", "^", " ", ".", "x"]),
        "quote": st.sampled_from(['"', "'", "`", "~"]),
        "escape": st.sampled_from([None, None, "\\", "!", '"']),
    }
)
_UNQUOTED_DIALECT = st.fixed_dictionaries({"delimiter": st.sampled_from([";", "|", "\t"]), "quote": st.just("")})
_ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, object]:
    """A dialect's fields; plain ones often, since engines have shortcuts for those."""
    if draw(st.booleans()):
        return {}
    marks = draw(st.one_of(_PLAIN_DIALECT, _ODD_DIALECT, _UNQUOTED_DIALECT))
    rest = {
        "encoding": draw(_ENCODINGS),
        "header": draw(st.sampled_from([True, True, True, False])),
        "skipLines": draw(st.sampled_from([0, 0, 0, 1, 3])),
    }
    return marks | rest


_TYPES = st.one_of(
    st.sampled_from(["boolean", "string", "date", "timestamp", "float", "double", *INTEGER_BITS]),
    st.builds("varchar({})".format, st.integers(1, 12)),
    st.builds("char({})".format, st.integers(1, 12)),
    st.integers(1, 38).flatmap(
        lambda p: st.builds("decimal({},{})".format, st.just(p), st.integers(0, p))
    ),
)  # fmt: skip


@st.composite
def columns(draw: st.DrawFn, name: str) -> dict[str, object]:
    """The spec of one column."""
    text = draw(_TYPES)
    spec: dict[str, object] = {"name": name, "type": text}
    if text == "timestamp":
        spec["fraction"] = draw(st.sampled_from([None, None, "drop"]))
    if formats := _formats_of(text):
        spec["format"] = draw(st.one_of(st.none(), st.sampled_from(formats)))
    spec["nullValues"] = draw(st.lists(st.sampled_from(NULL_VALUES), max_size=2, unique=True))
    spec["required"] = draw(st.sampled_from([False, False, True]))
    return spec


def _formats_of(text: str) -> tuple[str, ...]:
    kind = text.partition("(")[0]
    if kind == "date":
        return DATE_FORMATS
    if kind == "timestamp":
        return tuple(TIMESTAMP_FORMATS)
    return () if kind in TEXTS or kind == "boolean" else NUMBER_FORMATS


_NAMES = st.one_of(
    st.sampled_from(["id", "net_amount", "column_1", "column_2", "a__b", "_x_", "2024", "select", "table"]),
    st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True),
)


@st.composite
def schemas(draw: st.DrawFn, most: int = 6) -> TableSchema:
    """A schema of one to `most` columns."""
    names = draw(st.lists(_NAMES, min_size=1, max_size=most, unique_by=standardise))
    return TableSchema.model_validate(
        {
            "tableDescription": "drawn",
            "columns": [draw(columns(name)) for name in names if name != "load_timestamp"] or [draw(columns("a"))],
            "dialect": {key: value for key, value in draw(dialects()).items() if value is not None},
        }
    )


# Values, each with a text that means it


def cells(column: Column, dialect: Dialect, *, alone: bool = False) -> st.SearchStrategy[Cell]:
    """Texts with their values that `column` takes and `dialect` can write."""
    wanted = _spellings(column, dialect).filter(
        lambda cell: cell.text and cell.text not in column.null_values and is_writable(cell.text, dialect)
    )
    if column.required:
        return wanted
    empties = [text for text in ("", *column.null_values) if is_writable(text, dialect, alone=alone)]
    return st.one_of(wanted, wanted, st.sampled_from([Cell(text, None) for text in empties])) if empties else wanted


def _spellings(column: Column, dialect: Dialect) -> st.SearchStrategy[Cell]:
    kind = column.type.kind
    if kind in TEXTS:
        return _texts(column, dialect)
    if kind == "date":
        return _dates(column)
    if kind == "timestamp":
        return _timestamps(column)
    if kind == "boolean":
        return _booleans()
    if form := column.number_format:
        return _formatted_numbers(column, form)
    return _floats(column) if kind in ("float", "double") else _exact_numbers(column)


def _booleans() -> st.SearchStrategy[Cell]:
    truths = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    return st.sampled_from(list(truths)).flatmap(
        lambda text: _any_case(text).map(lambda spelled: Cell(spelled, truths[text]))
    )


def _any_case(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([text, text.upper(), text.lower(), text.title()])


def characters(dialect: Dialect) -> st.SearchStrategy[str]:
    """Characters a file may hold, with those that mean something to a reader often among them.

    Left out: NUL, surrogates, and the two that a reader could take for a byte order mark.
    """
    marks = ["\r", "\n", "\r\n", " ", "\t", "'", '"', "\\", ",", dialect.delimiter, dialect.quote or "q",
             escape_of(dialect) or "e", "a", "0"]  # fmt: skip
    encoding = "utf-8" if dialect.encoding.startswith("utf") else dialect.encoding
    return st.one_of(st.sampled_from(marks), st.characters(codec=encoding, exclude_characters="\0\ufeff\ufffe"))


@st.composite
def _texts(draw: st.DrawFn, column: Column, dialect: Dialect) -> Cell:
    longest = column.type.length or 20
    text = "".join(draw(st.lists(characters(dialect), min_size=1, max_size=longest)))[:longest]
    if column.type.kind == "char" and text.endswith(" "):
        text = text[:-1] + "."
    return Cell(text, text)


_DECORATIONS = st.sampled_from(["", "", "", "+", "0", "+00"])


@st.composite
def _exact_numbers(draw: st.DrawFn, column: Column) -> Cell:
    value = draw(_amounts(column))
    sign, digits = (
        ("-", f"{value.copy_abs():f}")
        if value < 0
        else (draw(st.sampled_from(["", "", "+", "-"] if not value else ["", "+"])), f"{value:f}")
    )
    if column.type.kind in INTEGERS:
        return Cell(f"{sign}{draw(st.sampled_from(['', '0', '00']))}{digits}", int(value))
    return Cell(sign + draw(_respelled(digits)), value)


def _respelled(digits: str) -> st.SearchStrategy[str]:
    """The same decimal number in other words."""
    whole, _, fraction = digits.partition(".")
    spellings = [digits, "0" + digits, f"{whole}.{fraction}0"]
    if not fraction.strip("0"):
        spellings += [whole, f"{whole}."]
    if whole == "0" and fraction:
        spellings.append(f".{fraction}")
    return st.sampled_from(spellings)


def _amounts(column: Column) -> st.SearchStrategy[Decimal]:
    """Numbers that an exact column holds, the ends of its range among them."""
    kind, scale = column.type.kind, column.type.scale
    if kind in INTEGERS:
        most = 2 ** (INTEGER_BITS[kind] - 1) - 1
        least = -most - 1
    else:
        most = 10**column.type.precision - 1
        least = -most
    drawn = st.one_of(
        st.integers(least, most), st.integers(-min(200, most), min(200, most)), st.sampled_from([least, most])
    )
    return drawn.map(lambda number: Decimal(f"{number}e-{scale}"))


@st.composite
def _floats(draw: st.DrawFn, column: Column) -> Cell:
    width = 32 if column.type.kind == "float" else 64
    value = draw(st.floats(width=width))
    if value != value:  # noqa: PLR0124 - NaN differs from itself
        return Cell("NaN", float("nan"))
    if abs(value) == float("inf"):
        return Cell("Infinity" if value > 0 else "-Infinity", value)
    text = draw(st.sampled_from([repr(value), f"{value:.17g}", f"{value:.17E}"]))
    return Cell(text if text.startswith("-") else draw(st.sampled_from(["", "+", "0"])) + text, value)


@st.composite
def _formatted_numbers(draw: st.DrawFn, column: Column, form: NumberFormat) -> Cell:
    kind = column.type.kind
    places = 0 if kind in INTEGERS or form.point not in column.format else 2
    if kind == "decimal":
        places = min(places, column.type.scale)
        most = 10 ** (column.type.precision - column.type.scale + places) - 1
    elif kind in INTEGERS:
        most = 2 ** (INTEGER_BITS[kind] - 1) - 1
    else:
        most = 10**7 - 1  # a 32-bit number holds few more digits
    number = Decimal(f"{draw(st.integers(-most, most))}e-{places}")
    text = _write_number(number, form, grouped=draw(st.booleans()), gap=draw(st.sampled_from(["", " "])))
    if kind in INTEGERS:
        return Cell(text, int(number))
    return Cell(text, number if kind == "decimal" else _round_float(float(number), kind, negative=number.is_signed()))


def _round_float(value: float, kind: str, *, negative: bool) -> float:
    rounded = struct.unpack("<f", struct.pack("<f", value))[0] if kind == "float" else value
    return -abs(rounded) if negative else rounded


def _write_number(number: Decimal, form: NumberFormat, *, grouped: bool, gap: str) -> str:
    whole, _, fraction = f"{number.copy_abs():f}".partition(".")
    if grouped:
        whole = f"{int(whole):,}".replace(",", form.grouping)
    text = whole + (form.point + fraction if fraction else "")
    text = (form.prefix + gap if form.prefix else "") + text + (gap + form.suffix if form.suffix else "")
    if number >= 0:
        return text
    return {"minus": f"-{text}", "trailing": f"{text}-", "parentheses": f"({text})"}[form.negative]


_SHORT_YEARS = (datetime.fromisoformat("1969-01-01"), datetime.fromisoformat("2068-12-31T23:59:59"))


def _moments(pattern: str) -> st.SearchStrategy[datetime]:
    least, most = _SHORT_YEARS if "%y" in pattern else (datetime.min, datetime.max)  # noqa: DTZ901
    return st.datetimes(least, most)


def _any_names(moment: datetime, pattern: str) -> st.SearchStrategy[str]:
    """`moment` by `pattern`; names may be in any letter case, but a T is a T."""
    text = write_moment(moment, pattern)
    return st.just(text) if "T" in pattern else _any_case(text)


@st.composite
def _dates(draw: st.DrawFn, column: Column) -> Cell:
    pattern = column.format or "%Y-%m-%d"
    moment = draw(_moments(pattern))
    return Cell(draw(_any_names(moment, pattern)), moment.date())


@st.composite
def _timestamps(draw: st.DrawFn, column: Column) -> Cell:
    step = TIMESTAMP_FORMATS[column.format] if column.format else timedelta(milliseconds=1)
    drawn = draw(_moments(column.format or ""))
    moment = drawn - (drawn - datetime.min) % step  # noqa: DTZ901
    if column.format:
        return Cell(draw(_any_names(moment, column.format)), moment)
    text = moment.isoformat(sep=draw(st.sampled_from([" ", "T"])), timespec="milliseconds")
    if column.fraction == "drop":
        return Cell(text + draw(st.sampled_from(["", "9", "9999", "999999"])), moment)
    spellings = [text] + [text[:-cut] for cut in (1, 2) if text.endswith("0" * cut)]
    return Cell(draw(st.sampled_from([*spellings, text[:-4]] if text.endswith(".000") else spellings)), moment)


# Files


def is_writable(text: str, dialect: Dialect, *, alone: bool = False) -> bool:
    """Whether a field can say `text`; an empty field that stands alone on its line needs quotes."""
    try:
        text.encode(dialect.encoding)
    except UnicodeEncodeError:
        return False
    if dialect.quote:
        return True
    return not set(text) & {dialect.delimiter, "\r", "\n"} and bool(text or not alone)


def write_field(text: str, dialect: Dialect, *, quoted: bool, alone: bool) -> str:
    """`text` as a field, in quotes where it is asked for or has to be."""
    marks = {dialect.delimiter, dialect.quote, "\r", "\n"}
    if not dialect.quote or not (quoted or set(text) & marks or (alone and not text)):
        return text
    escape = escape_of(dialect)
    inner = "".join(escape + char if char in (dialect.quote, escape) else char for char in text)
    return dialect.quote + inner + dialect.quote


@st.composite
def good_files(draw: st.DrawFn, schema: TableSchema, most: int = 8) -> CsvFile:
    """A file of the schema, written in one of many ways, with the rows it says."""
    dialect, alone = schema.dialect, len(schema.columns) == 1
    makers = [cells(column, dialect, alone=alone) for column in schema.columns]
    table = draw(st.lists(st.tuples(*makers), max_size=most, min_size=0 if dialect.header else 1))
    order = list(range(len(makers)))
    if dialect.header:
        order = draw(st.permutations(order))
    records = [[record[place].text for place in order] for record in table]
    if dialect.header:
        names = [schema.columns[place].name for place in order]
        records.insert(0, [draw(headers(name, place, dialect)) for place, name in enumerate(names, 1)])
    text = draw(_written(records, dialect, alone=alone))
    rows = [
        dict(zip((column.name for column in schema.columns), (cell.value for cell in record), strict=True))
        for record in table
    ]
    return CsvFile(schema, rows, draw(encodings(text, dialect)))


@st.composite
def any_files(draw: st.DrawFn, most: int = 8) -> CsvFile:
    """A good file of any schema."""
    return draw(good_files(draw(schemas()), most))


@st.composite
def _written(draw: st.DrawFn, records: list[list[str]], dialect: Dialect, *, alone: bool) -> str:
    ends = draw(st.sampled_from([["\n"], ["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]]))
    chooser = draw(st.randoms(use_true_random=False))
    lines = [f"preamble {number}" + dialect.quote for number in range(dialect.skip_lines)]
    for place, record in enumerate(records):
        if chooser.random() < 0.1 and (not alone or (place == 0 and dialect.header)):
            lines.append("")
        always = chooser.random() < 0.2
        quoted = [always or chooser.random() < 0.3 for _ in record]
        fields = [
            write_field(text, dialect, quoted=quote, alone=alone) for text, quote in zip(record, quoted, strict=True)
        ]
        lines.append(dialect.delimiter.join(fields))
    text = "".join(line + chooser.choice(ends) for line in lines)
    return text.rstrip("\r\n") if lines[-1] and chooser.random() < 0.3 else text


_JUNK = st.sampled_from([" ", "-", "_", ". ", "/", "  ", " (£) ", "!"])


@st.composite
def headers(draw: st.DrawFn, name: str, position: int, dialect: Dialect) -> str:
    """A header that means `name`, as people spell them."""
    if name == f"column_{position}" and is_writable("", dialect, alone=True) and draw(st.booleans()):
        return ""
    words = re.findall("[a-z0-9]+", name)
    spelled = [draw(_any_case(word)) for word in words]
    text = spelled[0] + "".join(draw(_JUNK) + word for word in spelled[1:])
    text = draw(st.sampled_from(["", "", " ", '"', "("])) + text + draw(st.sampled_from(["", "", " ", "?"]))
    return text if is_writable(text, dialect) else name


def encodings(text: str, dialect: Dialect) -> st.SearchStrategy[bytes]:
    """The bytes that `text` may be, with and without a byte order mark."""
    if dialect.encoding in ("utf-8", "utf-8-sig"):
        return st.sampled_from([text.encode(), b"\xef\xbb\xbf" + text.encode()])
    if dialect.encoding == "utf-16":
        little, big = text.encode("utf-16-le"), text.encode("utf-16-be")
        return st.sampled_from([little, b"\xff\xfe" + little, b"\xfe\xff" + big])
    return st.just(text.encode(dialect.encoding))


# Files that break


def _tokens(dialect: Dialect) -> st.SearchStrategy[bytes]:
    quote, escape = dialect.quote or '"', escape_of(dialect) or "\\"
    texts = [dialect.delimiter, quote, escape, quote * 2, escape + quote, "\n", "\r", "\r\n", " ", "\t",
             "a", "1", "0", "-", ".", ",", "e5", "é", "٣", "\u2028", "\x0b", "\x85", "\u00a0",
             "\ufeff"]  # fmt: skip
    codec = "utf-16-le" if dialect.encoding == "utf-16" else dialect.encoding
    encoded = [text.encode(codec, "replace") for text in texts]
    return st.sampled_from([*encoded, *encoded, b"\0", b"\xff", b"\x81", b"\xc3", b"\xed\xa0\x80"])


@st.composite
def byte_soups(draw: st.DrawFn) -> CsvFile:
    """Bytes that mean something to a reader, in any order; mostly behind a header that fits."""
    count = draw(st.integers(1, 3))
    kinds = st.sampled_from(["string", "int", "date", "double"])
    dialect = {key: value for key, value in draw(dialects()).items() if value is not None}
    schema = TableSchema.model_validate(
        {
            "tableDescription": "soup",
            "columns": [{"name": "abc"[place], "type": draw(kinds)} for place in range(count)],
            "dialect": dialect,
        }
    )
    soup = b"".join(draw(st.lists(_tokens(schema.dialect), max_size=25)))
    if draw(st.sampled_from([True, True, True, False])):
        text = "p\n" * schema.dialect.skip_lines + schema.dialect.delimiter.join("abc"[:count]) + "\n"
        soup = text.encode("utf-16-le" if schema.dialect.encoding == "utf-16" else "ascii") + soup
    return CsvFile(schema, [], soup)


@st.composite
def broken_files(draw: st.DrawFn) -> CsvFile:
    """A good file that was changed in one to three places."""
    good = draw(any_files())
    data = good.data
    for _ in range(draw(st.integers(1, 3))):
        change = draw(st.sampled_from(_CHANGES))
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        data = change(data, place, draw(_tokens(good.schema.dialect)), good.schema.dialect)
    return CsvFile(good.schema, good.rows, data)


def _cut_byte(data: bytes, place: int, _token: bytes, _dialect: Dialect) -> bytes:
    return data[:place] + data[place + 1 :]


def _insert_token(data: bytes, place: int, token: bytes, _dialect: Dialect) -> bytes:
    return data[:place] + token + data[place:]


def _replace_byte(data: bytes, place: int, token: bytes, _dialect: Dialect) -> bytes:
    return data[:place] + token + data[place + 1 :]


def _cut_short(data: bytes, place: int, _token: bytes, _dialect: Dialect) -> bytes:
    return data[:place]


def _flip_digit(data: bytes, place: int, _token: bytes, _dialect: Dialect) -> bytes:
    match = re.compile(rb"[0-9]").search(data, place)
    return data[: match.start()] + b"7" + data[match.end() :] if match else data


def _drop_field(data: bytes, place: int, _token: bytes, dialect: Dialect) -> bytes:
    mark = dialect.delimiter.encode()
    start = data.find(mark, place)
    end = min(
        (found for found in (data.find(mark, start + 1), data.find(b"\n", start + 1)) if found > 0),
        default=len(data),
    )
    return data[:start] + data[end:] if start >= 0 else data


def _repeat_line(data: bytes, place: int, _token: bytes, _dialect: Dialect) -> bytes:
    start = data.rfind(b"\n", 0, place) + 1
    end = data.find(b"\n", place) + 1 or len(data)
    return data[:end] + data[start:end] + data[end:]


_Change = Callable[[bytes, int, bytes, Dialect], bytes]
_CHANGES: tuple[_Change, ...] = (
    _cut_byte, _insert_token, _insert_token, _insert_token, _replace_byte, _cut_short, _flip_digit,
    _drop_field, _repeat_line,
)  # fmt: skip


# Texts that nearly fit


def odd_texts(column: Column) -> st.SearchStrategy[str]:
    """Texts that a lenient reader might take for a value of the column, and good ones, changed or not."""
    good = _spellings(column, Dialect()).map(lambda cell: cell.text).filter(bool)
    changed = st.builds(_change_text, good, st.integers(0, 40), st.sampled_from(_ODD_CHARACTERS), st.booleans())
    return st.one_of(st.sampled_from(NEAR_MISSES), good, changed)


_ODD_CHARACTERS = (
    " ", "0", "1", "9", ".", ",", "-", "+", "e", "E", "_", ":", "T", "Z", "/", "x", "f", "d", "\t", "\n",
    "\u00a0", "٣", "１", "\u2212", "(", ")", "£", "%", "'", "é", "ſ", "",
)  # fmt: skip


def _change_text(text: str, place: int, odd: str, replace: bool) -> str:
    place %= len(text) + 1
    return text[:place] + odd + text[place + replace :]

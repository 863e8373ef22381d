"""Inferring a first spec from a file: what it certainly is, and text where it is not certain.

Every candidate type is held against every value by the value contract itself, so that the file
passes the spec that comes out. A reading that would change how a value looks (leading zeros) or
that could be taken in two ways (01/02/2024) is left as string.
"""

from __future__ import annotations

import codecs
import functools
import getpass
import io
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import duckdb

from daap.csvtext.header import find_fault, match_header
from daap.csvtext.records import RecordReader
from daap.csvtext.sift import sift_records
from daap.engines.duckdb.contract import unfit
from daap.engines.duckdb.reading import TextFile, select_texts
from daap.engines.duckdb.session import connect, translated
from daap.errors import InvalidName
from daap.model.names import LOAD_TIMESTAMP, check_column, check_product, check_table, name_header, standardise
from daap.model.product import Product
from daap.model.table import Column, Dialect, Encoding, TableSchema
from daap.model.verdict import Code, DataError, ErrorLog
from daap.ports.engine import Source

_SAMPLE = 64 << 10
_DELIMITERS = (",", ";", "\t", "|")
_PREAMBLE = 20
_HEAD_ROWS, _SAMPLE_VALUES = 1_000, 20
_DIRECTIVE_SHAPES = {"b": "[A-Za-z]+", "B": "[A-Za-z]+", "p": "[A-Za-z]+"}
_KIND_SHAPES = {
    "int": "[-+0-9]+", "bigint": "[-+0-9]+", "decimal": "[-+0-9.]+", "double": "[-+0-9.eE]+|NaN|-?Infinity",
    "boolean": "[A-Za-z01]{1,5}",
}  # fmt: skip
_MAX_WHOLE, _MAX_SCALE = 20, 18

_DATE_FORMATS = (
    None, "%d/%m/%Y", "%m/%d/%Y", "%-d/%-m/%Y", "%-m/%-d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%Y", "%-d.%-m.%Y", "%Y/%m/%d", "%Y%m%d", "%d-%b-%y", "%-d-%b-%y", "%d-%b-%Y", "%-d-%b-%Y", "%d %b %Y",
    "%-d %b %Y", "%d %B %Y", "%-d %B %Y", "%b %d, %Y", "%B %-d, %Y",
)  # fmt: skip
_STAMP_FORMATS = (None, "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M")
_NUMBER_EXAMPLES = (
    "1,234.50",
    "£1,234.50",
    "$1,234.50",
    "€1,234.50",
    "(1,234.50)",
    "1.234,50",
    "1.234,50 €",
    "1 234,50",
)
_CODE_LIKE = "regexp_full_match({text}, '[+-]?0[0-9]+([.][0-9]*)?|[+][0-9].*')"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A type a column might have, with its format."""

    type: str
    format: str | None = None

    @property
    def kind(self) -> str:
        """The type without its size."""
        return self.type.partition("(")[0]

    def resembles(self, text: str) -> bool:
        """A cheap look that sorts out most candidates: what is not so cannot fit."""
        return bool(_shape(self.kind, self.format).fullmatch(text))

    def column(self, name: str, description: str = "") -> Column:
        fields: dict[str, Any] = {"name": name, "type": self.type, "format": self.format, "description": description}
        return Column.model_validate(fields)


_STRING = _Candidate("string")


@dataclass(frozen=True, slots=True)
class _Size:
    """Of one column: how many values, the most digits in all and behind a mark, and how many look like codes (007)."""

    values: int
    digits: int
    fraction: int
    codes: int


def infer_product(source: Source, source_name: str, product: str, table: str) -> Product | DataError:
    """A draft product with one table that the file passes, or what keeps the file from being read.

    Structure errors further down do not matter here: the check finds them.
    """
    dialect = _infer_dialect(source)
    with tempfile.TemporaryDirectory(prefix="daap-infer-") as folder:
        schema = _infer_schema(source, source_name, dialect, Path(folder))
    if isinstance(schema, DataError):
        return schema
    return Product.model_validate(_draft_metadata(product, source_name) | {"tables": {table: schema.dump()}})


def name_after(file_name: str) -> tuple[str, str]:
    """A product and a table name made from a file's name."""
    stem = standardise(PurePosixPath(file_name).stem)[:100]
    table = stem if re.match("[a-z].", stem) else f"t_{stem}"
    return check_product(stem or "product"), check_table(table)


def _draft_metadata(product: str, source_name: str) -> dict[str, Any]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        user = "owner"
    return {
        "name": product,
        "description": f"Inferred from {source_name}; to be described by its owner",
        "domain": "unknown",
        "dataProductOwner": user,
        "dataProductOwnerDisplayName": user,
        "email": "owner@example.org",
        "status": "draft",
        "dpiaRequired": True,
        "retentionPeriod": 3650,
    }


def _infer_dialect(source: Source) -> Dialect:
    with source.open() as stream:
        encoding = _infer_encoding(stream)
    with source.open() as stream:
        sample = stream.read(_SAMPLE).decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    best = max((_score_dialect(sample, d) for d in _DELIMITERS), key=lambda scored: scored[0])
    return Dialect.model_validate({"encoding": encoding, "delimiter": best[1], "skipLines": best[2]})


def _infer_encoding(stream: BinaryIO) -> Encoding:
    """UTF-16 by its byte order mark, UTF-8 if all of the file is, else Windows' Western code page."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = stream.read(1 << 20)
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = stream.read(1 << 20)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _score_dialect(sample: str, delimiter: str) -> tuple[tuple[int, int], str, int]:
    """How well a delimiter explains the sample (records of its commonest width, that width), and the lines to skip."""
    dialect = Dialect.model_validate({"delimiter": delimiter})
    widths = list(_sample_widths(sample, dialect))
    if not widths:
        return (0, 0), delimiter, 0
    counts = [width for _, width, _ in widths]
    common = max(set(counts), key=lambda width: (counts.count(width) if width > 1 else 0, width))
    header = next((line for line, width, full in widths[:_PREAMBLE] if width == common and full), widths[0][0])
    return (counts.count(common) if common > 1 else 0, common), delimiter, header - 1


def _sample_widths(sample: str, dialect: Dialect) -> Iterator[tuple[int, int, bool]]:
    """Line, width and whether most fields hold text, of each record of the sample."""
    reader = RecordReader(io.BytesIO(sample.encode()), dialect)
    for record in reader:
        if record.fault is None:
            fields = reader.split(record)
            filled = sum(1 for field in fields if field.strip())
            yield record.line, len(fields), filled * 2 > len(fields)


def _infer_schema(source: Source, source_name: str, dialect: Dialect, folder: Path) -> TableSchema | DataError:
    with source.open() as stream:
        reader = RecordReader(stream, dialect)
        reader.skip_lines(dialect.skip_lines)
        header = next(iter(reader), None)
        if header is None:
            return DataError(Code.EMPTY_FILE, "a header line, then the rows; the file is empty")
        if fault := find_fault(header):
            return DataError(fault, "a header line that can be read", line=header.line)
        headers = reader.split(header)
        names = [name_header(text, place) for place, text in enumerate(headers, 1)]
        if error := _judge_names(names, header.line):
            return error
        texts = _text_schema(names, dialect, source_name)
        layout = match_header(headers, texts, header.line, reader.lines.number, ErrorLog())
        path = folder / "sifted.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            sifted = sift_records(reader, layout, texts, out, ErrorLog(), lambda _done: None)
    file = TextFile(str(path), dialect, layout, numbered=True, longest=sifted.longest)
    connection = connect(folder, "1GB", None)
    try:
        columns = _infer_columns(connection, file, texts, headers)
    finally:
        connection.close()
    return TableSchema.model_validate(texts.dump() | {"columns": [column.dump() for column in columns]})


def _judge_names(names: Sequence[str], line: int) -> DataError | None:
    for place, name in enumerate(names):
        if name in names[:place]:
            return DataError(Code.DUPLICATE_COLUMN, "each column once", line=line, column=name)
        try:
            check_column(name)
        except InvalidName as error:
            code = Code.UNREADABLE_HEADER if name != LOAD_TIMESTAMP else Code.EXTRA_COLUMN
            return DataError(code, str(error), line=line, column=name or None)
    return None


def _text_schema(names: Sequence[str], dialect: Dialect, source_name: str) -> TableSchema:
    return TableSchema.model_validate({
        "tableDescription": f"inferred from {source_name}",
        "columns": [{"name": name, "type": "string"} for name in names],
        "dialect": dialect.dump(),
    })  # fmt: skip


def _infer_columns(
    connection: duckdb.DuckDBPyConnection, file: TextFile, texts: TableSchema, headers: Sequence[str]
) -> list[Column]:
    """The first certain candidate of each column: a quick look at the first rows narrows, the whole file decides."""
    whole = f"({select_texts(file, texts)})"
    with translated("inferring types"):
        connection.execute(f"CREATE TEMP TABLE head AS SELECT * FROM {whole} LIMIT {_HEAD_ROWS}")
    width = len(texts.columns)
    seen = [_sample_values(connection, f"t{place}") for place in range(width)]
    likely = [
        [candidate for candidate in _list_candidates(size) if all(map(candidate.resembles, values))]
        for size, values in zip(_measure(connection, "head", width), seen, strict=True)
    ]
    narrowed = _fitting(connection, "head", likely)
    possible = [{(c.kind, c.format) for c in candidates} for candidates in narrowed]
    sizes = _measure(connection, whole, width)
    listed = [
        [c for c in _list_candidates(size) if not head or (c.kind, c.format) in head]
        for size, head in zip(sizes, possible, strict=True)
    ]
    fitting = _fitting(connection, whole, listed)
    return [
        _choose(candidates, column.name, header.strip())
        for candidates, column, header in zip(fitting, texts.columns, headers, strict=True)
    ]


def _sample_values(connection: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    statement = f"SELECT DISTINCT {text} FROM head WHERE {text} IS NOT NULL LIMIT {_SAMPLE_VALUES}"
    return [row[0] for row in connection.execute(statement).fetchall()]


@functools.cache
def _shape(kind: str, written: str | None) -> re.Pattern[str]:
    """A regular expression that every fitting text matches."""
    if kind in ("date", "timestamp"):
        pattern = written or ("%Y-%m-%d" if kind == "date" else "%Y-%m-%dT%H:%M:%S.*")
        parts = re.split(r"%-?([A-Za-z])", pattern)
        shaped = (_DIRECTIVE_SHAPES.get(p, "[0-9]+") if i % 2 else _literal_shape(p) for i, p in enumerate(parts))
        return re.compile("".join(shaped))
    return re.compile("[^A-Za-z/:]+" if written else _KIND_SHAPES.get(kind, ".*"), re.DOTALL)


def _literal_shape(text: str) -> str:
    return text.replace(".*", "\0").replace(".", "[.]").replace("\0", ".*").replace("T", "[T ]")


def _choose(candidates: Sequence[_Candidate], name: str, header: str) -> Column:
    if not candidates:
        return _STRING.column(name, header)
    first = candidates[0]
    if first.format and any(_is_swapped(first, other) for other in candidates[1:]):
        return _STRING.column(name, f"{header} (a date, but day and month could be either way round)".strip())
    return first.column(name, header)


def _is_swapped(one: _Candidate, other: _Candidate) -> bool:
    """Whether two date formats differ only in which of day and month comes first."""
    swap = str.maketrans("dm", "md")
    return one.kind == other.kind and other.format != one.format == (other.format or "").translate(swap)


def _measure(connection: duckdb.DuckDBPyConnection, relation: str, width: int) -> list[_Size]:
    """The sizes of all columns, in one pass."""
    parts = []
    for text in (f"t{place}" for place in range(width)):
        digits = f"regexp_replace({text}, '[^0-9.,]', '', 'g')"
        parts += [
            f"count({text})",
            f"coalesce(max(length(regexp_replace({digits}, '[^0-9]', '', 'g'))), 0)",
            f"coalesce(max(length(regexp_extract({digits}, '[.,]([0-9]*)$', 1))), 0)",
            f"count(*) FILTER (WHERE {_CODE_LIKE.format(text=text)})",
        ]
    with translated("inferring types"):
        row = connection.execute(f"SELECT {', '.join(parts)} FROM {relation}").fetchone() or ()
    return [_Size(*row[at : at + 4]) for at in range(0, len(row), 4)]


def _fitting(
    connection: duckdb.DuckDBPyConnection, relation: str, listed: Sequence[Sequence[_Candidate]]
) -> list[list[_Candidate]]:
    """Of each column's candidates those that every value fits, in one pass."""
    tests = [
        f"count(*) FILTER (WHERE {unfit(candidate.column('x'), f't{place}')})"
        for place, candidates in enumerate(listed)
        for candidate in candidates
    ]
    if not tests:
        return [[] for _ in listed]
    with translated("inferring types"):
        counts = iter(connection.execute(f"SELECT {', '.join(tests)} FROM {relation}").fetchone() or ())
    return [[candidate for candidate in candidates if not next(counts)] for candidates in listed]


def _list_candidates(size: _Size) -> list[_Candidate]:
    """What a column of this size might be, the most telling first; nothing where it holds no values."""
    if not size.values:
        return []
    dates = [_Candidate("date", f) for f in _DATE_FORMATS] + [_Candidate("timestamp", f) for f in _STAMP_FORMATS]
    if size.codes:
        return [*dates, _STRING]
    numbers = [_Candidate("int"), _Candidate("bigint")]
    if size.digits <= _MAX_WHOLE and size.fraction <= _MAX_SCALE:
        scale = max(size.fraction, 2)
        decimal = f"decimal({max(18, size.digits + scale)},{scale})"
        numbers += [_Candidate(decimal, example) for example in (None, *_NUMBER_EXAMPLES)]
    return [*numbers, *dates, _Candidate("double"), _Candidate("boolean"), _STRING]

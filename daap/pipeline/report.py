"""The report of a refused file: JSON for machines, the producer's own CSV with an error column for people."""

from __future__ import annotations

import io
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO, cast

from daap.csvtext.lines import show_text
from daap.csvtext.records import RecordReader
from daap.errors import ObjectMissing, StoreUnavailable, UnknownLoad
from daap.model.keys import annotated_key, report_key
from daap.model.loads import ErrorSummary, Receipt
from daap.model.table import Dialect, TableSchema
from daap.model.verdict import Code, DataError, Verdict
from daap.ports.engine import Source
from daap.ports.objects import ObjectStore

MAX_ANNOTATED = 100 << 20
"""Bytes of a file up to which the annotated CSV holds all its rows; beyond, only those with errors."""

_COLUMNS = ("daap_line", "daap_error")


def write_report(
    store: ObjectStore,
    receipt: Receipt,
    verdict: Verdict,
    source: Source | None,
    schema: TableSchema | None,
    scratch: Path | None = None,
) -> ErrorSummary:
    """Writes the reports of a refused file beside where it will lie, and returns their summary.

    Without a `schema` (the table is not registered) there is no annotated CSV.
    """
    key = report_key(receipt.load, receipt.file_id)
    store.put(key, json.dumps(_describe(receipt, verdict), indent=1, ensure_ascii=False).encode())
    annotated = None
    if schema is not None and source is not None and any(error.line for error in verdict.errors):
        annotated = annotated_key(receipt.load, receipt.file_id)
        _write_annotated(store, annotated, verdict, source, schema.dialect, scratch)
    by_code = {str(code): count for code, count in sorted(verdict.counts.items())}
    return _summarise(verdict.total, by_code, verdict.errors[0], key, annotated)


def _summarise(
    total: int, by_code: dict[str, int], first: DataError, report: str, annotated: str | None
) -> ErrorSummary:
    return ErrorSummary(total=total, by_code=by_code, first=str(first), report=report, annotated=annotated)


def read_summary(store: ObjectStore, receipt: Receipt) -> ErrorSummary | None:
    """The summary of reports that an earlier try has written; None if there are none."""
    key, annotated = report_key(receipt.load, receipt.file_id), annotated_key(receipt.load, receipt.file_id)
    try:
        report = json.loads(store.read(key)[0])
    except ObjectMissing:
        return None
    first = DataError(**{**report["errors"][0], "code": Code(report["errors"][0]["code"])})
    beside = next((info.key for info in store.list(annotated)), None)
    return _summarise(report["total"], report["byCode"], first, key, beside)


def read_report(store: ObjectStore, receipt: Receipt) -> dict[str, Any]:
    """The JSON report of a failed load; raises UnknownLoad if the load has none."""
    with suppress(ObjectMissing):
        if receipt.errors and receipt.errors.report:
            report: dict[str, Any] = json.loads(store.read(receipt.errors.report)[0])
            return report
    raise UnknownLoad(f"load {receipt.load} has no errors: it is {receipt.status}")


def _describe(receipt: Receipt, verdict: Verdict) -> dict[str, Any]:
    return {
        "load": str(receipt.load),
        "file": receipt.source_name,
        "total": verdict.total,
        "kept": len(verdict.errors),
        "byCode": {str(code): count for code, count in sorted(verdict.counts.items())},
        "errors": [error.dump() for error in verdict.errors],
    }


@contextmanager
def _scratch_file(folder: Path | None) -> Iterator[IO[bytes]]:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        raise StoreUnavailable(f"cannot write the report: {error.strerror or error}") from error


def _write_annotated(
    store: ObjectStore, key: str, verdict: Verdict, source: Source, dialect: Dialect, scratch: Path | None
) -> None:
    with _scratch_file(scratch) as file:
        # With a byte order mark, which spreadsheets need to see that it is UTF-8.
        out = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="", write_through=True)
        annotate_file(source, dialect, verdict.errors, out)
        out.detach()
        file.seek(0)
        store.put(key, cast(BinaryIO, file))


def annotate_file(source: Source, dialect: Dialect, errors: tuple[DataError, ...], out: TextIO) -> None:
    """Writes the records of a file to `out`, each behind its line and its errors; the preamble is left out.

    The new columns come first, so that no fault in a record can hide them.
    """
    by_line: dict[int, list[str]] = defaultdict(list)
    for error in errors:
        by_line[error.line or 0].append(_say(error))
    everything = source.size <= MAX_ANNOTATED
    with source.open() as stream:
        reader = RecordReader(stream, dialect)
        reader.skip_lines(dialect.skip_lines)
        is_header = dialect.header
        for record in reader:
            said = by_line.pop(record.line, [])
            if is_header:
                _write_row(out, dialect, _COLUMNS, record.text)
                for message in [*by_line.pop(0, []), *said]:
                    _write_row(out, dialect, (str(record.line), message), "")
            elif said or everything:
                _write_row(out, dialect, (str(record.line), "; ".join(said)), record.text)
            is_header = False
    if is_header:
        _write_row(out, dialect, _COLUMNS, "")
    _write_left(out, dialect, by_line)


def _write_left(out: TextIO, dialect: Dialect, by_line: dict[int, list[str]]) -> None:
    """Errors of lines that hold no record, such as a header that is not there."""
    for line, messages in sorted(by_line.items()):
        for message in messages:
            _write_row(out, dialect, (str(line) if line else "", message), "")


def _say(error: DataError) -> str:
    where = f"{error.column}: " if error.column else ""
    return f"{error.code}: {where}{error.expected}"


def _write_row(out: TextIO, dialect: Dialect, cells: tuple[str, str], record: str) -> None:
    quote = dialect.quote or '"'
    quoted = (f"{quote}{cell.replace(quote, quote * 2)}{quote}" if cell else "" for cell in cells)
    out.write(dialect.delimiter.join([*quoted, show_text(record)]) + "\r\n")

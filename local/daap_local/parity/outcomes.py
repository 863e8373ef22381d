"""What came of a file on either side: verdict, receipt, reports, and the bytes that were kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, BinaryIO

from daap.errors import ObjectMissing
from daap.model.keys import annotated_key, report_key
from daap.model.loads import LoadStatus, Receipt
from daap.model.table import Dialect
from daap.model.verdict import MASK, cut_value
from daap.pipeline.whereabouts import hash_object
from daap.ports.objects import ObjectStore
from daap_local.parity.differences import SHOWN, Difference, Example, Kind, Said
from daap_local.parity.plan import Upload
from daap_local.parity.sides import Arrival, Side

MAY_DIFFER = frozenset({"actor", "engine", "curated_by", "timings", "reached", "output_files", "rebuilt"})
"""What of a receipt says how and when the work was done, and not what came of it."""

_VERDICT = frozenset({"status", "errors"})
_ABSENT = "none"
Pair = tuple[Side, Side]


def compare_failures(pair: Pair, arrivals: tuple[Arrival, Arrival]) -> Iterator[Difference]:
    """The loads that came to no end; nothing can be said of them but that."""
    if any(arrival.failure for arrival in arrivals):
        said = {
            side.name: arrival.failure or say_verdict(arrival) for side, arrival in zip(pair, arrivals, strict=True)
        }
        yield _differ(Kind.FAILURE, arrivals[0].upload, "the load came to no end", said)


def compare_verdicts(pair: Pair, arrivals: tuple[Arrival, Arrival]) -> Iterator[Difference]:
    """Whether the file was accepted, and how many errors of each code were found."""
    said = {side.name: say_verdict(arrival) for side, arrival in zip(pair, arrivals, strict=True)}
    if len(set(said.values())) > 1:
        yield _differ(Kind.VERDICT, arrivals[0].upload, "the verdicts differ", said)


def say_verdict(arrival: Arrival) -> str:
    """What came of an upload, in a few words."""
    receipt = arrival.receipt
    if receipt is None:
        return arrival.failure or _ABSENT
    if receipt.status is not LoadStatus.FAILED:
        return f"{receipt.status}, {receipt.rows_written} rows" if receipt.kind == "table" else f"{receipt.status}"
    counts = receipt.errors.by_code if receipt.errors else {}
    return "refused, " + ", ".join(f"{code} {count}" for code, count in sorted(counts.items()))


def say_outcome(arrival: Arrival) -> str:
    """As say_verdict, and which engine curated, and why it was that one, where there was a choice."""
    writer = arrival.receipt.curated_by if arrival.receipt else None
    if writer is None:
        return say_verdict(arrival)
    return f"{say_verdict(arrival)}, by {writer.name}" + (f" ({writer.reason})" if writer.reason else "")


def compare_receipts(pair: Pair, upload: Upload, receipts: tuple[Receipt, Receipt]) -> Iterator[Difference]:
    """Every fact of the receipts but those of `MAY_DIFFER`, and those of the verdict where that differs already."""
    one, other = (receipt.model_dump(mode="json", by_alias=False) for receipt in receipts)
    left_out = MAY_DIFFER | (_VERDICT if receipts[0].status is not receipts[1].status else frozenset())
    for name in one.keys() - left_out:
        if one[name] != other[name]:
            said = _say(pair, json.dumps(one[name]), json.dumps(other[name]))
            yield _differ(Kind.RECEIPT, upload, f"{name} in the receipt", said)


def compare_kept(pair: Pair, upload: Upload, receipts: tuple[Receipt, Receipt], content: str) -> Iterator[Difference]:
    """Whether each side keeps the file byte for byte; `content` is the hash of the file itself."""
    found = [_hash_kept(side, upload, receipt) for side, receipt in zip(pair, receipts, strict=True)]
    if set(found) != {content}:
        told = f"the file that was kept is not the one that came, {content}"
        yield _differ(Kind.KEPT, upload, told, _say(pair, *found))


def _hash_kept(side: Side, upload: Upload, receipt: Receipt) -> str:
    zone = "fail" if receipt.status is LoadStatus.FAILED else "raw"
    try:
        return hash_object(side.lake.store, upload.key(zone))  # type: ignore[arg-type]  # one of the zones
    except ObjectMissing:
        return _ABSENT


def compare_reports(pair: Pair, upload: Upload, *, personal: bool) -> Iterator[Difference]:
    """The error report and the annotated CSV of a refused file, byte for byte."""
    one, other = (_read(side.lake.store, report_key(upload.load, upload.file_id)) for side in pair)
    if one != other:
        yield _differ_reports(pair, upload, one, other)
    yield from _compare_annotated(pair, upload, personal)


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.read(key)[0]
    except ObjectMissing:
        return None


def _differ_reports(pair: Pair, upload: Upload, one: bytes | None, other: bytes | None) -> Difference:
    reports = [json.loads(data) if data else {} for data in (one, other)]
    examples = [
        Example(f"{field}", _say(pair, json.dumps(a), json.dumps(b)))
        for field in sorted({*reports[0], *reports[1]} - {"errors"})
        if (a := reports[0].get(field)) != (b := reports[1].get(field))
    ]
    errors = zip_longest(*(report.get("errors", ()) for report in reports))
    examples += [
        Example(f"error {place}", _say(pair, _say_error(a), _say_error(b)))
        for place, (a, b) in enumerate(errors, start=1)
        if a != b
    ]
    said = _say(pair, *(_say_size(data) for data in (one, other)))
    told = "the error reports differ"
    return _differ(Kind.REPORT, upload, told, said, max(len(examples), 1), tuple(examples[:SHOWN]))


def _say_error(error: Mapping[str, Any] | None) -> str:
    if error is None:
        return _ABSENT
    where = f"line {error['line']}" + (f", column {error['column']}" if error["column"] else "")
    return f"{where}: {error['code']} {json.dumps(error['value'], ensure_ascii=False)} ({error['expected']})"


def _say_size(data: bytes | None) -> str:
    return _ABSENT if data is None else f"{len(data)} bytes"


def _compare_annotated(pair: Pair, upload: Upload, personal: bool) -> Iterator[Difference]:
    count, sizes, examples = 0, [0, 0], []
    with _opened(pair[0], upload) as one, _opened(pair[1], upload) as other:
        for line, (a, b) in enumerate(zip_longest(one, other), start=1):
            sizes = [sizes[0] + len(a or b""), sizes[1] + len(b or b"")]
            if a == b:
                continue
            count += 1
            if count <= SHOWN:
                examples.append(Example(f"line {line}", _say(pair, _show_line(a, personal), _show_line(b, personal))))
    if count:
        said = _say(pair, *(f"{size} bytes" for size in sizes))
        yield _differ(
            Kind.ANNOTATED, upload, f"{count} lines of the annotated CSV differ", said, count, tuple(examples)
        )


class _Nothing:
    """The lines of a file that is not there."""

    def __enter__(self) -> tuple[bytes, ...]:
        return ()

    def __exit__(self, *_: object) -> None: ...


def _opened(side: Side, upload: Upload) -> BinaryIO | _Nothing:
    try:
        return side.lake.store.open(annotated_key(upload.load, upload.file_id))
    except ObjectMissing:
        return _Nothing()


def _show_line(line: bytes | None, personal: bool) -> str:
    if line is None:
        return _ABSENT
    return MASK if personal else repr(cut_value(line.decode(errors="replace")))


def hash_file(upload: Upload) -> str:
    """The content hash of the file that is brought."""
    from daap.csvtext.scan import scan_file  # noqa: PLC0415 - numpy is slow to import

    with upload.path.open("rb") as stream:
        return scan_file(stream, Dialect()).content_hash


def _say(pair: Pair, one: str, other: str) -> Said:
    return {pair[0].name: one, pair[1].name: other}


def _differ(
    kind: Kind, upload: Upload, told: str, said: Said, count: int = 1, examples: tuple[Example, ...] = ()
) -> Difference:
    return Difference(kind, upload.table, told, said, upload.path.name, count, examples)

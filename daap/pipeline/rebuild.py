"""Parquet from raw history: where the check left none, where curated is made anew, and across a major version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daap.model.keys import file_key
from daap.model.loads import CuratorNote, Receipt, parse_load
from daap.model.table import Column, TableSchema
from daap.model.types import parse_type
from daap.model.verdict import Written
from daap.pipeline.lake import Lake

_TEXT, _NUMBER = parse_type("string"), parse_type("int")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the file of a load is read: its key, the schema of its text, and the columns to be written.

    `missing` are required columns that the file has no values for: then it cannot be read so at all.
    """

    key: str
    schema: TableSchema
    columns: Sequence[Column] | None = None
    missing: tuple[str, ...] = ()
    is_sure: bool = True
    """Whether the file is known to pass, because it passed the same rules before."""

    @property
    def judged(self) -> TableSchema:
        """The schema with any text allowed where a column is passed over."""
        if self.columns is None:
            return self.schema
        wanted = {(column.name, column.type) for column in self.columns}
        columns = tuple(
            c if (c.name, c.type) in wanted else Column(name=c.name, type=_TEXT) for c in self.schema.columns
        )
        return self.schema.model_copy(update={"columns": columns})


def raw_of(receipt: Receipt) -> str:
    """The raw file of a load that was not carried from another."""
    return file_key("raw", receipt.load, receipt.file_id, receipt.extension)


def find_schema(receipt: Receipt, lake: Lake) -> TableSchema:
    """The schema by which a load was checked, which may be an older one; raises NotRegistered."""
    if receipt.schema_version is None:
        return lake.registry.schema_of(receipt.load.ref)
    return lake.registry.schema_at(receipt.product, receipt.schema_version, receipt.table)


def find_origin(receipt: Receipt, lake: Lake) -> Receipt:
    """The load that brought the raw file of this one: itself, unless it was carried."""
    return lake.ledger.get(parse_load(receipt.carried_from)) if receipt.carried_from else receipt


def rebuild_load(receipt: Receipt, lake: Lake) -> Written:
    """Parquet of a load from its raw file, unseen by readers; raises EngineFailed if the file does not pass."""
    reading = plan_reading(receipt, lake)
    target = lake.catalogue.new_target(receipt.load)
    return lake.engine.curate(lake.source(reading.key), reading.schema, target, lake.progress, reading.columns)


def note_writer(written: Written) -> CuratorNote | None:
    """Which engine wrote, for the receipt; None where it is the one that was asked."""
    by = written.writer
    return CuratorNote(name=by.name, version=by.version, reason=by.reason) if by else None


def plan_reading(receipt: Receipt, lake: Lake) -> Reading:
    """How the raw file of a load is read for its own schema."""
    schema = find_schema(receipt, lake)
    if receipt.carried_from is None:
        return Reading(raw_of(receipt), schema)
    return plan_carry(find_origin(receipt, lake), schema, receipt.major, lake)


def plan_carry(origin: Receipt, schema: TableSchema, major: int, lake: Lake) -> Reading:
    """How the raw file of a load is read for a schema of its table in a later major version.

    A column that keeps its type is read by the rules of its time; one with another type by its new ones;
    one that was dropped is passed over; one that was added is NULL, also where one of its name was dropped before.
    """
    written_by, now = find_schema(origin, lake), {column.name: column for column in schema.columns}
    kept = _kept_until(origin, major, lake) & now.keys()
    read = tuple(_carry_column(column, now.get(column.name), column.name in kept) for column in written_by.columns)
    known = {column.name for column in written_by.columns} & kept
    missing = tuple(column.name for column in schema.columns if column.required and column.name not in known)
    reading = written_by.model_copy(update={"columns": read})
    same = all(a == b or a.name not in known for a, b in zip(written_by.columns, read, strict=True))
    return Reading(raw_of(origin), reading, schema.columns, missing, is_sure=same)


def _kept_until(origin: Receipt, major: int, lake: Lake) -> set[str]:
    """The columns of a load that no major version between has dropped."""
    kept = {column.name for column in find_schema(origin, lake).columns}
    for between in range(origin.major + 1, major):
        carried = lake.registry.schema_at(origin.product, f"v{between}.0", origin.table)
        kept &= {column.name for column in carried.columns}
    return kept


def _carry_column(then: Column, now: Column | None, is_kept: bool) -> Column:
    if now is None or not is_kept:
        return Column(name=then.name, type=_NUMBER if now and now.type == _TEXT else _TEXT)
    personal = now.personal or then.personal
    if now.type != then.type:
        return now.model_copy(update={"personal": personal})
    return then.model_copy(update={"required": now.required or then.required, "personal": personal})

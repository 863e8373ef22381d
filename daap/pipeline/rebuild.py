"""Parquet from raw history: where the check left none, where curated is made anew, and across a major version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daap.model.keys import file_key
from daap.model.loads import Receipt, parse_load
from daap.model.table import Column, TableSchema
from daap.model.types import parse_type
from daap.model.verdict import Written
from daap.pipeline.lake import Lake


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


def plan_reading(receipt: Receipt, lake: Lake) -> Reading:
    """How the raw file of a load is read for its own schema."""
    schema = find_schema(receipt, lake)
    if receipt.carried_from is None:
        return Reading(raw_of(receipt), schema)
    return plan_carry(find_origin(receipt, lake), schema, lake)


def plan_carry(origin: Receipt, schema: TableSchema, lake: Lake) -> Reading:
    """How the raw file of a load is read for a later schema of its table.

    A column that keeps its type is read by the rules of its time; one with another type by its new ones;
    one that was dropped is passed over; one that was added is NULL.
    """
    written_by, now = find_schema(origin, lake), {column.name: column for column in schema.columns}
    read = tuple(_carry_column(column, now.get(column.name)) for column in written_by.columns)
    known = {column.name for column in written_by.columns}
    missing = tuple(column.name for column in schema.columns if column.required and column.name not in known)
    reading = written_by.model_copy(update={"columns": read})
    same = all(a == b or b.name not in now for a, b in zip(written_by.columns, read, strict=True))
    return Reading(raw_of(origin), reading, schema.columns, missing, is_sure=same)


def _carry_column(then: Column, now: Column | None) -> Column:
    if now is None:
        return Column(name=then.name, type=parse_type("string"))
    if now.type != then.type:
        return now
    return then.model_copy(update={"required": now.required or then.required})

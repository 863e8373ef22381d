"""The load: one file for one table, its id, and its record, the receipt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from daap.errors import InvalidName
from daap.model.names import check_product, check_table
from daap.model.stamps import parse_stamp

_LOAD = re.compile(r"([^/]+)/v([1-9][0-9]{0,5})/([^/]+)/([^/]+)")


@dataclass(frozen=True, slots=True, order=True)
class TableRef:
    """A table of one major version of a product (or a files component of it)."""

    product: str
    major: int
    table: str

    def __post_init__(self) -> None:
        check_product(self.product)
        check_table(self.table)

    @property
    def database(self) -> str:
        """The database that holds the table: `{product}_v{major}`."""
        return f"{self.product}_v{self.major}"

    def __str__(self) -> str:
        return f"{self.product}/v{self.major}/{self.table}"


@dataclass(frozen=True, slots=True, order=True)
class LoadId:
    """Product, major version, table and load timestamp; written `spend/v1/march/20260131T235959Z`."""

    ref: TableRef
    stamp: str

    def __post_init__(self) -> None:
        parse_stamp(self.stamp)

    def __str__(self) -> str:
        return f"{self.ref}/{self.stamp}"


def parse_load(text: str) -> LoadId:
    """The load id that `text` names; raises InvalidName."""
    match = _LOAD.fullmatch(text)
    if not match:
        raise InvalidName(f"{text!r} is no load id; one looks like spend/v1/march/20260131T235959Z")
    return LoadId(TableRef(match[1], int(match[2]), match[3]), match[4])


class LoadStatus(StrEnum):
    """How far a load has come.

    `curated` and `failed` are final, as is `archived` for a files component; `expired` is what retention
    makes of a final one: its files are deleted.
    """

    LANDED = "landed"
    CHECKED = "checked"
    ARCHIVED = "archived"
    CURATED = "curated"
    FAILED = "failed"
    EXPIRED = "expired"


class _Record(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True,
        extra="forbid", frozen=True,
    )  # fmt: skip


class OutputFile(_Record):
    """One Parquet file of a snapshot: its key, rows and bytes."""

    key: str
    rows: int
    bytes: int


class ErrorSummary(_Record):
    """What was wrong with a file: how many errors in all and by code, the first in words, where the reports are."""

    total: int
    by_code: dict[str, int]
    first: str
    report: str
    annotated: str | None = None


class EngineNote(_Record):
    """Which engine did the work, and by which way through the file (`direct` or `careful`)."""

    name: str
    version: str
    path: str | None = None


class CuratorNote(_Record):
    """Which engine wrote the Parquet, and why it was this one."""

    name: str
    version: str
    reason: str | None = None


class Receipt(_Record):
    """The record of a load; one JSON object, written by compare-and-swap.

    `bytes` and `content_hash` are of the file as it came; `timings` are seconds by stage;
    `reached` is when each status was reached. `carried_from` is the load of an earlier major version
    whose raw file this snapshot was made from; `rebuilt` is when curated was last made again from raw.
    `engine` is what checked the file; it also curated it, unless `curated_by` says otherwise.
    """

    product: str
    major: int
    table: str
    load_timestamp: str
    file_id: str
    status: LoadStatus
    kind: Annotated[str, Field(pattern="^(table|file)$")] = "table"
    actor: str
    source_name: str
    extension: str = "csv"
    schema_version: str | None = None
    bytes: int | None = None
    content_hash: str | None = None
    rows_read: int | None = None
    rows_written: int | None = None
    output_files: tuple[OutputFile, ...] = ()
    errors: ErrorSummary | None = None
    engine: EngineNote | None = None
    curated_by: CuratorNote | None = None
    timings: dict[str, float] = {}
    reached: dict[LoadStatus, datetime] = {}
    carried_from: str | None = None
    rebuilt: datetime | None = None

    @property
    def load(self) -> LoadId:
        """The id of the load this is the record of."""
        return LoadId(TableRef(self.product, self.major, self.table), self.load_timestamp)

    @property
    def is_final(self) -> bool:
        """Whether nothing is left to be done."""
        done = LoadStatus.ARCHIVED if self.kind == "file" else LoadStatus.CURATED
        return self.status in (done, LoadStatus.FAILED, LoadStatus.EXPIRED)

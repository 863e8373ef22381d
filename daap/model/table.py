"""The schema of a table: its columns, and the dialect its CSV files are written in."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from daap.model.formats import NumberFormat, check_time_format, parse_number_format
from daap.model.names import ColumnName, standardise
from daap.model.types import NUMBERS, TIMES, TypeField

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]

MAX_COLUMNS = 4_096
_MARKS = frozenset(map(chr, range(0x20, 0x7F))) | {"\t"}


class SpecModel(BaseModel):
    """Base of everything read from a spec: camelCase fields, nothing unknown, frozen."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=False, validate_by_alias=True,
        serialize_by_alias=True, extra="forbid", frozen=True,
    )  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """As plain data, as in a spec, leaving out what is at its default."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Column(SpecModel):
    """One column.

    `format` says how the text is written where it is not plain (see `daap.model.formats`);
    `null_values` are texts that mean NULL besides the empty field; `required` refuses NULL;
    `personal` masks values in reports; `fraction: drop` lets a timestamp have more digits than the
    three that are kept.
    """

    name: ColumnName
    type: TypeField
    description: str = ""
    required: StrictBool = False
    format: str | None = None
    personal: StrictBool = False
    null_values: tuple[str, ...] = ()
    fraction: Literal["drop"] | None = None

    @model_validator(mode="after")
    def _check_format(self) -> Self:
        if self.fraction and self.type.kind != "timestamp":
            raise ValueError(f"fraction is for timestamp columns; {self.name} is {self.type}")
        if self.format is None:
            return self
        if self.type.kind in ("date", "timestamp"):
            check_time_format(self.format, self.type.kind)
        elif self.type.kind in NUMBERS:
            parse_number_format(self.format)
        else:
            raise ValueError(f"format is for dates, timestamps and numbers; {self.name} is {self.type}")
        return self

    @property
    def time_format(self) -> str | None:
        """The strftime pattern of a date or timestamp column that declares one."""
        return self.format if self.type.kind in TIMES else None

    @property
    def number_format(self) -> NumberFormat | None:
        """The number format of a numeric column that declares one."""
        return parse_number_format(self.format) if self.format and self.type.kind in NUMBERS else None


class Dialect(SpecModel):
    """How a table's CSV files are written; the default is RFC 4180 in UTF-8 with one header line.

    `quote` may be empty (no quoting). `escape` is the character that makes a quote inside quotes
    plain; by default the quote itself, doubled. `skip_lines` lines before the header are no data.
    Source: https://www.rfc-editor.org/rfc/rfc4180
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    encoding: Encoding = "utf-8"
    header: StrictBool = True
    skip_lines: Annotated[StrictInt, Field(ge=0, le=1_000)] = 0

    @field_validator("delimiter")
    @classmethod
    def _one_mark(cls, value: str) -> str:
        if value not in _MARKS:
            raise ValueError("one plain character, such as , ; | or a tab")
        return value

    @field_validator("quote", "escape")
    @classmethod
    def _no_mark_or_one(cls, value: str | None) -> str | None:
        if value and value not in _MARKS:
            raise ValueError("one plain character, or nothing")
        return value or ("" if value == "" else None)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.delimiter in (self.quote, self.escape):
            raise ValueError("delimiter, quote and escape must be different characters")
        if self.escape and not self.quote:
            raise ValueError("an escape needs a quote character")
        return self

    @property
    def escape_mark(self) -> str:
        """The character that escapes a quote; the quote itself unless declared."""
        return self.escape or self.quote

    @property
    def own_escape(self) -> str | None:
        """The escape character, where it is another one than the quote."""
        return self.escape if self.escape and self.escape != self.quote else None


class TableSchema(SpecModel):
    """A table: what it holds, its columns in order, and the dialect of its files."""

    table_description: str
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=MAX_COLUMNS)]
    dialect: Dialect = Dialect()

    @field_validator("columns")
    @classmethod
    def _unique_names(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        seen: dict[str, str] = {}
        for column in columns:
            standard = standardise(column.name)
            if standard in seen:
                raise ValueError(f"columns {seen[standard]} and {column.name} have the same standard name")
            seen[standard] = column.name
        return columns

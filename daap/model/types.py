"""Column types, by the names Athena and Glue give them.

Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

Kind = Literal[
    "boolean", "tinyint", "smallint", "int", "bigint", "float", "double",
    "decimal", "string", "varchar", "char", "date", "timestamp",
]  # fmt: skip

INTEGER_BITS: dict[Kind, int] = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
INTEGERS = frozenset(INTEGER_BITS)
FLOATS: frozenset[Kind] = frozenset({"float", "double"})
TEXTS: frozenset[Kind] = frozenset({"string", "varchar", "char"})
NUMBERS: frozenset[Kind] = INTEGERS | FLOATS | {"decimal"}
TIMES: frozenset[Kind] = frozenset({"date", "timestamp"})

ALLOWED = (
    "boolean, tinyint, smallint, int, bigint, float, double, decimal(p,s), string, varchar(n), char(n), date, timestamp"
)
MAX_PRECISION, MAX_VARCHAR, MAX_CHAR = 38, 65535, 255

_TYPE = re.compile(r"(?P<kind>[a-z]+)(?:\(\s*(?P<first>[0-9]{1,6})\s*(?:,\s*(?P<second>[0-9]{1,6})\s*)?\))?")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A parsed type: `length` for varchar and char, `precision` and `scale` for decimal."""

    kind: Kind
    length: int = 0
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.kind == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return f"{self.kind}({self.length})" if self.length else self.kind


def parse_type(text: str) -> ColumnType:
    """The type that `text` names, such as `decimal(18,2)`; raises ValueError saying what is allowed."""
    match = _TYPE.fullmatch(text.strip().lower())
    if not match or match["kind"] not in get_args(Kind):
        raise ValueError(f"{text!r} is not a type; allowed are {ALLOWED}")
    kind = cast(Kind, match["kind"])
    first, second = (int(n) if n else None for n in (match["first"], match["second"]))
    if kind == "decimal":
        return _decimal(text, first, second)
    if kind in ("varchar", "char"):
        return _sized(kind, first, second)
    if first is not None:
        raise ValueError(f"{text!r}: {kind} takes no length")
    return ColumnType(kind)


def _decimal(text: str, precision: int | None, scale: int | None) -> ColumnType:
    if precision is None or scale is None:
        raise ValueError(f"{text!r} needs a precision and a scale, such as decimal(18,2)")
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        raise ValueError(f"{text!r}: precision is 1 to {MAX_PRECISION}, and scale at most the precision")
    return ColumnType("decimal", precision=precision, scale=scale)


def _sized(kind: Kind, length: int | None, second: int | None) -> ColumnType:
    most = MAX_VARCHAR if kind == "varchar" else MAX_CHAR
    if length is None or second is not None or not 1 <= length <= most:
        raise ValueError(f"{kind} needs a length from 1 to {most}, such as {kind}(20)")
    return ColumnType(kind, length=length)


def _coerce(value: Any) -> ColumnType:  # noqa: ANN401 - whatever a spec holds
    if isinstance(value, ColumnType):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a type is text; allowed are {ALLOWED}")
    return parse_type(value)


TypeField = Annotated[
    ColumnType,
    BeforeValidator(_coerce),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["decimal(18,2)", "string", "date"]}),
]

"""Hive's types as trees: parsed from their text, printed as Hive, Presto and DuckDB name them.

Source: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from daap.engines.duckdb.sql import identifier
from daap_local.athena.faults import AthenaFault

SIMPLE = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "binary": "BLOB", "date": "DATE",
    "timestamp": "TIMESTAMP",
}  # fmt: skip
_PRESTO = {"int": "integer", "float": "real", "string": "varchar", "binary": "varbinary", "timestamp": "timestamp(3)"}
_SAME = {"integer": "int", "dec": "decimal", "numeric": "decimal"}
INTEGERS = frozenset({"tinyint", "smallint", "int", "bigint"})
MAX_PRECISION = 38
_DEFAULT_DECIMAL = (10, 0)
_TOKEN = re.compile(r"\s*(?:(?P<quoted>`(?:[^`]|``)*`)|(?P<word>[^\s<>(),:`]+)|(?P<mark>[<>(),:]))")


@dataclass(frozen=True, slots=True)
class HiveType:
    """A type: `numbers` are precision and scale or a length, `names` a struct's fields, `parts` the inner types."""

    kind: str
    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    parts: tuple[HiveType, ...] = ()

    @property
    def nested(self) -> bool:
        """Whether this is an array, a map or a struct."""
        return bool(self.parts)

    def __str__(self) -> str:
        if self.kind == "struct":
            fields = (f"{name}:{part}" for name, part in zip(self.names, self.parts, strict=True))
            return f"struct<{','.join(fields)}>"
        if self.parts:
            return f"{self.kind}<{','.join(map(str, self.parts))}>"
        return self.kind + (f"({','.join(map(str, self.numbers))})" if self.numbers else "")


def parse_type(text: str) -> HiveType:
    """The tree of a Hive type text such as `map<string,array<decimal(10,2)>>`. Raises AthenaFault."""
    reader = _Reader(text)
    parsed = reader.type()
    if reader.peek():
        raise reader.wrong()
    return parsed


def simple_type(kind: str, numbers: tuple[int, ...]) -> HiveType:
    """A type without inner types, its name normalised and its numbers checked. Raises AthenaFault."""
    kind = _SAME.get(kind, kind)
    if kind in SIMPLE and not numbers:
        return HiveType(kind)
    if kind == "decimal" and len(numbers) <= len(_DEFAULT_DECIMAL):
        return HiveType(kind, _decimal(numbers))
    if kind in ("char", "varchar") and len(numbers) == 1 and numbers[0] > 0:
        return HiveType(kind, numbers)
    raise AthenaFault("INVALID_COLUMN_TYPE", f"'{HiveType(kind, numbers)}' is not a type of Hive's")


def _decimal(numbers: tuple[int, ...]) -> tuple[int, int]:
    precision, scale = (*numbers, 0)[:2] if numbers else _DEFAULT_DECIMAL
    if not 1 <= precision <= MAX_PRECISION or not 0 <= scale <= precision:
        raise AthenaFault("INVALID_COLUMN_TYPE", f"decimal({precision},{scale}) is out of range")
    return precision, scale


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [match.group().strip() for match in _TOKEN.finditer(text)]
        self._at = 0
        if "".join(self._tokens) != re.sub(r"\s+", "", text):
            self._tokens = [""]

    def wrong(self) -> AthenaFault:
        return AthenaFault("INVALID_COLUMN_TYPE", f"'{self._text}' is not a type of Hive's")

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *allowed: str) -> str:
        token = self.peek()
        if not token or (allowed and token not in allowed):
            raise self.wrong()
        self._at += 1
        return token

    def type(self) -> HiveType:
        kind = self.take().lower()
        if kind in ("array", "map"):
            return self._collection(kind)
        if kind == "struct":
            return self._struct()
        return simple_type(kind, self._numbers())

    def _numbers(self) -> tuple[int, ...]:
        if self.peek() != "(":
            return ()
        numbers, mark = [], self.take()
        while mark != ")":
            word = self.take()
            if not word.isdecimal():
                raise self.wrong()
            numbers.append(int(word))
            mark = self.take(",", ")")
        return tuple(numbers)

    def _collection(self, kind: str) -> HiveType:
        self.take("<")
        parts = [self.type()]
        if kind == "map":
            self.take(",")
            parts.append(self.type())
        self.take(">")
        return HiveType(kind, parts=tuple(parts))

    def _struct(self) -> HiveType:
        names, parts = [], []
        mark = self.take("<")
        while mark != ">":
            names.append(self.take().strip("`").lower())
            self.take(":")
            parts.append(self.type())
            mark = self.take(",", ">")
        return HiveType("struct", names=tuple(names), parts=tuple(parts))


def presto_text(type_: HiveType) -> str:
    """The type as Athena's query engine names it: `row(a integer)`, `varchar`, `timestamp(3)`."""
    if type_.kind == "struct":
        fields = (f"{name} {presto_text(part)}" for name, part in zip(type_.names, type_.parts, strict=True))
        return f"row({', '.join(fields)})"
    if type_.parts:
        return f"{type_.kind}({', '.join(map(presto_text, type_.parts))})"
    return _PRESTO.get(type_.kind, str(type_))


def duckdb_text(type_: HiveType) -> str:
    """The DuckDB type that holds the values of `type_`."""
    if type_.kind == "struct":
        fields = (
            f"{identifier(name)} {duckdb_text(part)}" for name, part in zip(type_.names, type_.parts, strict=True)
        )
        return f"STRUCT({', '.join(fields)})"
    if type_.kind == "map":
        return f"MAP({', '.join(map(duckdb_text, type_.parts))})"
    if type_.kind == "array":
        return f"{duckdb_text(type_.parts[0])}[]"
    if type_.kind == "decimal":
        return f"DECIMAL({type_.numbers[0]},{type_.numbers[1]})"
    return SIMPLE.get(type_.kind, "VARCHAR")

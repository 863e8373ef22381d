"""Trino's types: their texts, Hive's names for them, DuckDB's types that hold them, and what GetQueryResults tells.

Sources: https://trino.io/docs/current/language/types.html,
https://docs.aws.amazon.com/athena/latest/ug/data-types.html and
https://docs.aws.amazon.com/athena/latest/APIReference/API_ColumnInfo.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from daap_local.athena.faults import AthenaFault, unsupported

MAX_DECIMAL = 38
MAX_FRACTION = 6
"""DuckDB's timestamps carry microseconds; longer fractions are refused."""


@dataclass(frozen=True, slots=True)
class Type:
    """A Trino type: `params` are lengths or precisions, `args` the parts of a nested type, `fields` a row's names."""

    name: str
    params: tuple[int, ...] = ()
    args: tuple[Type, ...] = ()
    fields: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        return type_text(self)

    @property
    def numeric(self) -> bool:
        """Whether arithmetic is defined on it."""
        return self.name in NUMERIC

    @property
    def textual(self) -> bool:
        """Whether it is varchar or char."""
        return self.name in {"varchar", "char"}


INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMERIC = (*INTEGERS, "decimal", "real", "double")
ZONED, ZONED_TIME = "timestamp with time zone", "time with time zone"
WITH_ZONE = frozenset({ZONED, ZONED_TIME})
"""Types whose equal values may differ: the same moment in several zones."""

UNKNOWN = Type("unknown")
BOOLEAN = Type("boolean")
TINYINT, SMALLINT, INTEGER, BIGINT = (Type(name) for name in INTEGERS)
REAL, DOUBLE = Type("real"), Type("double")
VARCHAR, VARBINARY, JSON, DATE = Type("varchar"), Type("varbinary"), Type("json"), Type("date")
TIME, TIMESTAMP, TIMESTAMP_TZ = Type("time", (3,)), Type("timestamp", (3,)), Type(ZONED, (3,))
TIME_TZ = Type(ZONED_TIME, (3,))
DAY_INTERVAL, MONTH_INTERVAL = Type("interval day to second"), Type("interval year to month")
UUID, IPADDRESS = Type("uuid"), Type("ipaddress")

_SIMPLE = {
    "boolean": BOOLEAN, "tinyint": TINYINT, "smallint": SMALLINT, "integer": INTEGER, "int": INTEGER, "bigint": BIGINT,
    "real": REAL, "float": REAL, "double": DOUBLE, "double precision": DOUBLE, "varchar": VARCHAR, "string": VARCHAR,
    "char": Type("char", (1,)), "varbinary": VARBINARY, "binary": VARBINARY, "json": JSON, "date": DATE,
    "time": TIME, "timestamp": TIMESTAMP, ZONED: TIMESTAMP_TZ, "unknown": UNKNOWN, "uuid": UUID,
    ZONED_TIME: TIME_TZ, IPADDRESS.name: IPADDRESS,
    "decimal": Type("decimal", (38, 0)), DAY_INTERVAL.name: DAY_INTERVAL, MONTH_INTERVAL.name: MONTH_INTERVAL,
    "timestamp without time zone": TIMESTAMP, "dec": Type("decimal", (38, 0)), "numeric": Type("decimal", (38, 0)),
}  # fmt: skip
_DUCKDB = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT",
    "real": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR", "char": "VARCHAR", "varbinary": "BLOB",
    "json": "VARCHAR", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP", "unknown": "INTEGER", "uuid": "UUID",
    ZONED: "STRUCT(u TIMESTAMP, z VARCHAR)", ZONED_TIME: "STRUCT(u TIME, z INTEGER)", IPADDRESS.name: "BLOB",
    DAY_INTERVAL.name: "BIGINT", MONTH_INTERVAL.name: "INTEGER",
}  # fmt: skip
_ELSEWHERE = frozenset({"hyperloglog", "p4hyperloglog", "setdigest", "tdigest", "qdigest", "geometry",
                        "sphericalgeography", "number", "color", "function"})  # fmt: skip
"""Types that Trino has and this translation does not."""
_NOT_IN_HIVE = frozenset({"json", ZONED, "time", ZONED_TIME, "unknown", "uuid", IPADDRESS.name, DAY_INTERVAL.name,
                           MONTH_INTERVAL.name})  # fmt: skip
_HIVE = {"integer": "int", "real": "float", "varbinary": "binary", "varchar": "string"}
_PRECISION = {
    "boolean": 0, "tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "real": 17, "double": 17,
    "varchar": 2147483647, "varbinary": 1073741824, "json": 0, "date": 0, "time": 3, "timestamp": 3, ZONED: 3,
    ZONED_TIME: 3,
}  # fmt: skip


def decimal(precision: int, scale: int) -> Type:
    """decimal(precision, scale)."""
    return Type("decimal", (precision, scale))


def varchar(length: int) -> Type:
    """varchar(length)."""
    return Type("varchar", (length,))


def array(element: Type) -> Type:
    """array(element)."""
    return Type("array", args=(element,))


def map_of(key: Type, value: Type) -> Type:
    """map(key, value)."""
    return Type("map", args=(key, value))


def row(*parts: tuple[str | None, Type]) -> Type:
    """row(name type, ...)."""
    return Type("row", args=tuple(part[1] for part in parts), fields=tuple(part[0] for part in parts))


def type_text(kind: Type) -> str:
    """The type as Trino writes it, e.g. by typeof."""
    if kind.name == "row":
        parts = (f"{_field_text(name)}{part}" for name, part in zip(kind.fields, kind.args, strict=True))
        return f"row({', '.join(parts)})"
    if kind.args:
        return f"{kind.name}({', '.join(str(part) for part in kind.args)})"
    if kind.name in WITH_ZONE:
        return kind.name.replace(" ", f"({kind.params[0]}) ", 1)
    inner = ",".join(str(number) for number in kind.params)
    return f"{kind.name}({inner})" if inner else kind.name


def _field_text(name: str | None) -> str:
    if name is None:
        return ""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name)
    return f"{name} " if plain else '"' + name.replace('"', '""') + '" '


def with_zone(kind: Type) -> bool:
    """Whether values of a type have a time zone, somewhere in them."""
    return kind.name in WITH_ZONE or any(map(with_zone, kind.args))


def field_names(kind: Type) -> tuple[str, ...]:
    """The names that a row's fields bear in DuckDB: the row's own, or made up where those are missing or double."""
    names = [(name or "").lower() for name in kind.fields]
    if all(names) and len(set(names)) == len(names):
        return tuple(name or "" for name in kind.fields)
    return tuple(f"field{number}" for number in range(len(names)))


def duckdb_type(kind: Type) -> str:
    """The DuckDB type that holds values of this type."""
    if kind.name == "decimal":
        return f"DECIMAL({kind.params[0]},{kind.params[1]})"
    if kind.name == "array":
        return duckdb_type(kind.args[0]) + "[]"
    if kind.name == "map":
        return f"MAP({duckdb_type(kind.args[0])}, {duckdb_type(kind.args[1])})"
    if kind.name == "row":
        parts = zip(field_names(kind), kind.args, strict=True)
        return f"STRUCT({', '.join(f'{quoted(name)} {duckdb_type(part)}' for name, part in parts)})"
    return _DUCKDB[kind.name]


def hive_type(kind: Type) -> str:
    """The type as Glue and Hive write it. Raises NOT_SUPPORTED for types that no Hive table can hold."""
    if kind.name == "row":
        if None in kind.fields:
            raise AthenaFault(
                "NOT_SUPPORTED", f"Anonymous row type is not supported in Hive. Please give each field a name: {kind}"
            )
        parts = zip(kind.fields, kind.args, strict=True)
        return f"struct<{','.join(f'{name}:{hive_type(part)}' for name, part in parts)}>"
    if kind.args:
        return f"{kind.name}<{','.join(hive_type(part) for part in kind.args)}>"
    if kind.name in _NOT_IN_HIVE:
        raise AthenaFault("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    if kind.name in {"decimal", "char"} or (kind.name == "varchar" and kind.params):
        return type_text(kind)
    return _HIVE.get(kind.name, kind.name)


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a string literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A result column's ColumnInfo: type name, precision, scale, case sensitivity."""

    type: str
    precision: int
    scale: int
    case_sensitive: bool


def metadata(kind: Type) -> Metadata:
    """What GetQueryResults' ResultSetMetadata tells of a column of this type."""
    if kind.name == "decimal":
        return Metadata("decimal", kind.params[0], kind.params[1], False)
    name = {"real": "float", "unknown": "unknown"}.get(kind.name, kind.name)
    precision = kind.params[0] if kind.textual and kind.params else _PRECISION.get(kind.name, 0)
    return Metadata(name, precision, 0, kind.textual)


def parse_type(text: str) -> Type:
    """The type that a Presto or Hive type text names. Raises NOT_SUPPORTED for a type that is not known."""
    reader = _TypeReader(text)
    kind = reader.read()
    if reader.rest():
        raise unsupported(f"Type {text}")
    return kind


_TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|[A-Za-z_$0-9]+|[^\s])')
_PAIRS = {"(": ")", "<": ">"}


class _TypeReader:
    """Reads one type from text, in Presto's form (`array(row(a bigint))`) or Hive's (`array<struct<a:bigint>>`)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def rest(self) -> list[str]:
        return self._tokens[self._at :]

    def _peek(self) -> str:
        return self._tokens[self._at].lower() if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token: str = self._tokens[self._at] if self._at < len(self._tokens) else ""
        self._at += 1
        return token

    def read(self) -> Type:
        name = self._take().lower()
        if name in {"array", "map", "row", "struct"} and self._peek() in _PAIRS:
            return self._nested("row" if name == "struct" else name)
        numbers = self._numbers()
        return self._sized(name + self._suffix(name), numbers)

    def _suffix(self, name: str) -> str:
        words = {"timestamp": 3, "time": 3, "double": 1, "interval": 3}.get(name, 0)
        following = [token.lower() for token in self.rest()[:words]]
        if following[:1] in (["with"], ["without"], ["precision"], ["day"], ["year"]):
            self._at += len(following)
            return " " + " ".join(following)
        return ""

    def _numbers(self) -> tuple[int, ...]:
        if self._peek() != "(":
            return ()
        self._take()
        numbers = []
        while (part := self._take()) not in {")", ""}:
            if part != ",":
                numbers.append(self._number(part))
        return tuple(numbers)

    def _number(self, token: str) -> int:
        if not token.isdigit():
            raise unsupported(f"Type {self._text}")
        return int(token)

    def _sized(self, name: str, numbers: tuple[int, ...]) -> Type:
        if name in _ELSEWHERE:
            raise unsupported(f"Type {name}")
        base = _SIMPLE.get(name)
        if base is None:
            raise AthenaFault("TYPE_NOT_FOUND", f"line 1:1: Unknown type: {self._text}")
        if not numbers or name == "string":
            return base
        return checked(Type(base.name, numbers if base.name != "decimal" or len(numbers) > 1 else (numbers[0], 0)))

    def _nested(self, name: str) -> Type:
        close = _PAIRS[self._take()]
        args: list[Type] = []
        fields: list[str | None] = []
        while self._peek() not in {close, ""}:
            fields.append(self._field() if name == "row" else None)
            args.append(self.read())
            if self._peek() == ",":
                self._take()
        self._take()
        return Type(name, args=tuple(args), fields=tuple(fields) if name == "row" else ())

    def _field(self) -> str | None:
        """A field's name, or None where only a type stands."""
        following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ""
        if following in {",", ")", "("} and self._peek() in {*_SIMPLE, "array", "map", "row"}:
            return None
        name = self._take()
        if self._peek() == ":":
            self._take()
        return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def checked(kind: Type) -> Type:
    """The type, if its parameters are within bounds."""
    if kind.name in {"timestamp", "time", ZONED, ZONED_TIME} and kind.params[0] > MAX_FRACTION:
        raise unsupported(f"Type {kind}")
    if kind.name == "decimal" and (not 1 <= kind.params[0] <= MAX_DECIMAL or kind.params[1] > kind.params[0]):
        raise AthenaFault("INVALID_PARAMETER_VALUE", f"Invalid decimal type: {kind}")
    return kind

"""What a translation knows while it goes: typed SQL, the names in scope, and what one query shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlglot import exp

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql.model import Resolver, Scan, View
from daap_local.athena.sql.types import Type
from daap_local.athena.tables import TableName

Origin = tuple[str, str]
"""A column of a scan: (token, column name)."""


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression in DuckDB's SQL with its Trino type; `value` is set for literals alone."""

    sql: str
    type: Type
    value: Any = None
    literal: bool = False
    origins: tuple[Origin, ...] = ()
    zone: str | None = None
    """Of a timestamp with time zone: the zone that all its values have, where that is known."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column that can be named: `qualifiers` are the parts of its table's name; None means that it has no name."""

    name: str | None
    typed: Typed
    qualifiers: tuple[str, ...] = ()
    needs: frozenset[Origin] = frozenset()
    """The columns of scans that must be read to compute it."""
    hidden: bool = False
    written: str | None = None
    """The name as it was written, for the header of a result."""

    def matches(self, parts: tuple[str, ...]) -> bool:
        """Whether a name (table parts first, column last) means this field."""
        if self.name != parts[-1]:
            return False
        wanted = parts[:-1]
        return not wanted or self.qualifiers[-len(wanted) :] == wanted


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields of a FROM clause, and the scope of the query around it."""

    fields: tuple[Field, ...] = ()
    parent: Scope | None = None
    lambdas: tuple[tuple[str, Typed], ...] = ()

    def find(self, parts: tuple[str, ...]) -> list[Field]:
        """The fields that a name can mean in the innermost scope that has any."""
        found = [item for item in self.fields if item.matches(parts)]
        if found or self.parent is None:
            return found
        return self.parent.find(parts)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query in DuckDB's SQL: its columns as fields whose SQL is the bare quoted alias that the query gives them."""

    sql: str
    fields: tuple[Field, ...]
    needs: frozenset[Origin] = frozenset()
    simple: bool = False
    """Whether a filter on its columns may as well be put on what it reads (no grouping, windows or limits)."""


Handler = Callable[["Env", Any], Typed]


@dataclass(slots=True)
class Session:
    """What all parts of one translation share."""

    resolve: Resolver
    started: datetime
    handlers: Mapping[type[exp.Expr], Handler]
    query: Callable[[Env, exp.Expr], Compiled]
    parameters: list[exp.Expr] = field(default_factory=list)
    marker: str = "scan"
    scans: dict[str, Scan] = field(default_factory=dict)
    predicates: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, dict[str, Type]] = field(default_factory=dict)
    columns: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """The columns of each scan, with the SQL that names them."""
    views: list[TableName] = field(default_factory=list)
    opened: tuple[View, ...] = ()
    aliases: int = 0

    def alias(self) -> str:
        """A name for a relation that nothing else in the translated query has."""
        self.aliases += 1
        return f"t{self.aliases}"


@dataclass(frozen=True, slots=True)
class Env:
    """Where an expression stands: the names in scope, and what is allowed there."""

    session: Session
    scope: Scope = Scope()
    database: str | None = None
    catalog: str | None = None
    ctes: Mapping[str, tuple[str, Compiled]] = field(default_factory=dict)
    windows: Mapping[str, exp.Window] = field(default_factory=dict)
    aggregates: str | None = None
    """None where aggregates may stand, else the clause that forbids them."""
    needs: set[Origin] = field(default_factory=set)
    inside: bool = False
    """Inside an aggregate's arguments."""

    def typed(self, node: exp.Expr) -> Typed:
        """The translation of an expression. Raises NOT_SUPPORTED for a kind of expression that is not known."""
        handler = self.session.handlers.get(type(node))
        if handler is None:
            raise fault("NOT_SUPPORTED", f"{type(node).__name__} is not supported here", node)
        return handler(self, node)

    def within(self, scope: Scope) -> Env:
        """The same place with other names in scope."""
        return replace(self, scope=scope)

    def collecting(self) -> Env:
        """The same place, with a set of its own for what is read."""
        return replace(self, needs=set())


def position(node: exp.Expr | None) -> tuple[int, int]:
    """Line and column where a node begins, as far as its tokens tell."""
    if isinstance(node, exp.Table | exp.Column):
        node = next((part for part in map(node.args.get, ("catalog", "db", "table")) if part), node.this)
    for part in node.walk(bfs=False) if node is not None else ():
        if part.meta and "line" in part.meta:
            meta = part.meta
            return meta["line"], max(1, meta["col"] - (meta["end"] - meta["start"]))
    return 1, 1


def fault(code: str, message: str, node: exp.Expr | None = None) -> AthenaFault:
    """A fault that begins with the position of a node, as Trino's do."""
    line, column = position(node)
    return AthenaFault(code, f"line {line}:{column}: {message}")


def uncommon(what: str, types: Sequence[Type], node: exp.Expr) -> AthenaFault:
    """The fault of values that have no common type; the first two that differ are named."""
    other = next((kind for kind in types[1:] if kind != types[0]), types[-1])
    listed = ", ".join(dict.fromkeys(str(kind) for kind in types))
    return fault(
        "TYPE_MISMATCH",
        f"{what} must be the same type or coercible to a common type. "
        f"Cannot find common type between {types[0]} and {other}, all types (without duplicates): [{listed}]",
        node,
    )


def only(node: exp.Expr, *known: str) -> None:
    """Refuse a node that has parts which the translation does not know."""
    for name, value in node.args.items():
        if value and name not in known and name not in {"comments"}:
            raise fault(
                "NOT_SUPPORTED", f"{name.rstrip('_').upper()} of {type(node).__name__} is not supported here", node
            )


@contextmanager
def opening(session: Session, view: View, name: TableName) -> Iterator[None]:
    """Keep account of the views being inlined. Raises VIEW_IS_RECURSIVE for a view that is inside itself."""
    if view in session.opened:
        raise AthenaFault("VIEW_IS_RECURSIVE", f"Statement would create a recursive view: {name.table}")
    before = session.opened
    session.opened = (*before, view)
    try:
        yield
    finally:
        session.opened = before

"""What a translation is made from and what it yields; the server codes against these alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from daap_local.athena.sql.types import Type
from daap_local.athena.tables import TableName


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as the resolver answers it: its columns (partition keys last), each with a Hive or Presto type text.

    `hidden` columns (`$path`, `$file_size`, ...) can be named in a query but are no part of `*`.
    """

    columns: tuple[tuple[str, str], ...]
    partition_keys: tuple[str, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A view as the resolver answers it: its Athena SQL, and the database in which its bare names are looked up."""

    sql: str
    database: str | None = None
    catalog: str | None = None


Resolver = Callable[[TableName], "Relation | View | None"]
"""Answers what a name stands for (always with `database` filled in where the query has one), or None."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One reading of a table: under `token` the translated SQL expects a source that yields `columns`.

    `columns` are the columns that the SQL names, hidden ones included: the source must yield them all. `read` are
    those of them whose values matter (none: only the number of rows counts); DuckDB itself leaves out the others.
    `predicate` is DuckDB SQL over the partition keys as quoted column names, typed as the table has them: partitions
    where it is not true need not be read (where it fails, read them all). None where nothing can be said. `token` is
    unlike in every translation.
    """

    token: str
    name: TableName
    columns: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    predicate: str | None = None


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result: `type` as Trino has it; see `metadata` for what GetQueryResults tells of it."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Translated:
    """A query in DuckDB's SQL, with holes (`Scan.token`) where the tables' sources belong."""

    text: str
    columns: tuple[ResultColumn, ...]
    scans: tuple[Scan, ...] = ()
    views: tuple[TableName, ...] = field(default=())
    display: str = ""
    """As `text`, with every value in the text form that Athena's results show (VARCHAR, NULL stays NULL)."""

    def sql(self, sources: Mapping[str, str]) -> str:
        """The query as DuckDB runs it, with native values, for CTAS, INSERT and UNLOAD.

        `sources` gives a SELECT, or a quoted relation's name, for the token of every scan.
        """
        return _filled(self.text, self.scans, sources)

    def display_sql(self, sources: Mapping[str, str]) -> str:
        """As `sql`, with values as Athena's results show them: what SELECT writes to its CSV and GetQueryResults."""
        return _filled(self.display or self.text, self.scans, sources)


def _filled(text: str, scans: tuple[Scan, ...], sources: Mapping[str, str]) -> str:
    for scan in scans:
        source = sources[scan.token]
        text = text.replace(scan.token, source if source.startswith('"') else f"({source})")
    return text

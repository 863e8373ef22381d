"""From an Athena query's text to DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlglot
from sqlglot import exp

from daap_local.athena.faults import AthenaFault, SyntaxFault
from daap_local.athena.sql.model import Resolver, ResultColumn, Scan, Translated, View
from daap_local.athena.sql.types import VARCHAR
from daap_local.athena.tables import TableName


def translate(
    sql: str,
    resolve: Resolver,
    *,
    database: str | None = None,
    catalog: str | None = None,
    parameters: Sequence[str] = (),
    started: datetime | None = None,
) -> Translated:
    """Translate a query (SELECT, WITH, VALUES, TABLE) of Athena's engine v3.

    `parameters` are the SQL literals that stand for `?`; `started` is what now() answers (UTC).
    Raises AthenaFault: SyntaxFault, COLUMN_NOT_FOUND, TABLE_NOT_FOUND, FUNCTION_NOT_FOUND, TYPE_MISMATCH, NOT_SUPPORTED...
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="athena")
    except sqlglot.ParseError as error:
        raise SyntaxFault(str(error)) from error
    scans = []
    for number, table in enumerate(tree.find_all(exp.Table)):
        name = TableName(table.name, table.db or database, table.catalog or catalog)
        relation = resolve(name)
        if relation is None or isinstance(relation, View):
            raise AthenaFault("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{name.database}.{name.table}' does not exist")
        scan = Scan(f'"scan {number}"', name, tuple(column for column, _ in relation.columns))
        scans.append(scan)
        table.replace(exp.alias_(exp.Table(this=exp.to_identifier(f"scan {number}", quoted=True)), table.alias_or_name, table=True))
    columns = tuple(ResultColumn(part.alias_or_name or f"_col{at}", VARCHAR) for at, part in enumerate(tree.selects))
    return Translated(tree.sql(dialect="duckdb"), columns, tuple(scans))

"""Queries put to the translation and run by DuckDB over a few small tables."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from daap_local.athena import sql
from daap_local.athena.tables import TableName

STARTED = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
TABLES = {
    "sales": sql.Relation(
        (
            ("id", "bigint"),
            ("item", "string"),
            ("price", "decimal(10,2)"),
            ("weight", "double"),
            ("sold_at", "timestamp"),
            ("tags", "array<string>"),
            ("attributes", "map<string,int>"),
            ("address", "struct<city:string,zip:string>"),
            ("day", "date"),
            ("region", "string"),
        ),
        partition_keys=("day", "region"),
        hidden=(("$path", "varchar"),),
    ),
    "items": sql.Relation((("item", "varchar(10)"), ("stock", "int"))),
}
ROWS = {
    "sales": """SELECT * FROM (VALUES
        (1::BIGINT, 'apple', 1.50::DECIMAL(10,2), 0.1::DOUBLE, TIMESTAMP '2024-01-02 03:04:05', ['a', 'b'],
         MAP {'x': 1::INTEGER}, {'city': 'Ulm', 'zip': '89073'}, DATE '2024-01-02', 'eu', 's3://b/1'),
        (2, 'pear', 2.25, 'NaN'::DOUBLE, NULL, NULL, NULL, NULL, DATE '2024-01-03', 'us', 's3://b/2'))
        AS t(id, item, price, weight, sold_at, tags, attributes, address, day, region, "$path")""",
    "items": "SELECT * FROM (VALUES ('apple', 5::INTEGER), ('plum', NULL)) AS t(item, stock)",
}
VIEWS = {"recent": sql.View("SELECT id, day AS sold_on, region FROM sales WHERE day > DATE '2024-01-01'", "shop")}


def resolve(name: TableName) -> sql.Relation | sql.View | None:
    """The tables of the database `shop`."""
    if name.database != "shop":
        return None
    return TABLES.get(name.table) or VIEWS.get(name.table)


def translated(query: str, *parameters: str) -> sql.Translated:
    """A query's translation, in the database `shop`."""
    return sql.translate(query, resolve, database="shop", parameters=parameters, started=STARTED)


def sources(made: sql.Translated) -> dict[str, str]:
    """Where the rows of each scan come from."""
    return {scan.token: ROWS[scan.name.table] for scan in made.scans}


def shown(query: str, *parameters: str) -> list[tuple[str | None, ...]]:
    """The rows of a query as results show them."""
    made = translated(query, *parameters)
    text = made.display_sql(sources(made))
    with duckdb.connect() as connection:
        sql.install(connection, text)
        try:
            return connection.execute(text).fetchall()
        except duckdb.Error as error:
            raise sql.fault_of(error) from error


def row(query: str, *parameters: str) -> tuple[str | None, ...]:
    """The only row of a query."""
    (only,) = shown(query, *parameters)
    return only


def value(expression: str) -> str | None:
    """What an expression shows."""
    return row(f"SELECT {expression}")[0]

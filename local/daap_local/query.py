"""SQL over a lake's folders. Each query has its own database in memory, so no lock stands in anyone's way."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from daap.engines.duckdb.contract import duckdb_type
from daap.engines.duckdb.sql import identifier, literal
from daap.errors import EngineFailed, InvalidQuery, NotRegistered
from daap.model.keys import table_prefix
from daap.model.loads import TableRef
from daap.model.names import LOAD_TIMESTAMP
from daap.ports.catalogue import Catalogue, TableEntry
from daap.ports.query import QueryEngine
from daap_local.folder_store import FolderStore

LOGS = "daap_logs"
_LATEST = "_latest"
_BATCH_ROWS = 10_000
_SHOWN = 10
_EVENT_COLUMNS = {
    "time": "TIMESTAMP", "level": "VARCHAR", "stage": "VARCHAR", "message": "VARCHAR", "product": "VARCHAR",
    "table": "VARCHAR", "load": "VARCHAR", "actor": "VARCHAR", "rows": "BIGINT", "seconds": "DOUBLE",
    "codeVersion": "VARCHAR", "schemaVersion": "VARCHAR", "fileId": "VARCHAR", "key": "VARCHAR", "byCode": "JSON",
}  # fmt: skip
_READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


class FolderQuery(QueryEngine):
    """DuckDB over the curated Parquet and the logs."""

    def __init__(self, store: FolderStore, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue

    def query(self, sql: str) -> pa.RecordBatchReader:
        """See QueryEngine. Only one statement that reads is run."""
        connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        try:
            statement = _single_statement(connection, sql)
            self._confine(connection)
            for name in connection.get_table_names(sql, qualified=True):
                self._add_view(connection, name.partition(" AS ")[0])
            return connection.execute(statement).to_arrow_reader(_BATCH_ROWS)
        except duckdb.CatalogException as error:
            raise InvalidQuery(f"{error}\n\nA table is named with its database; {self._list_tables()}") from error
        except duckdb.IOException as error:
            raise EngineFailed(f"the query could not read its files: {error}") from error
        except duckdb.Error as error:
            raise InvalidQuery(str(error)) from error

    def _confine(self, connection: duckdb.DuckDBPyConnection) -> None:
        """From here on the connection opens nothing but the lake's curated data and logs."""
        folders = ", ".join(literal(self._store.locate(zone)) for zone in ("curated/", "logs/"))
        connection.execute(f"SET allowed_directories = [{folders}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")

    def _add_view(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        """Makes the table that a query names known to the connection; other names are left to DuckDB's own words."""
        database, _, table = name.replace('"', "").rpartition(".")
        if not database:
            return
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(database)}")
        if database.lower() == LOGS and table.lower() == "events":
            select = self._select_events()
        else:
            select = self._select_table(database, table)
        connection.execute(f"CREATE OR REPLACE VIEW {identifier(database)}.{identifier(table)} AS {select}")

    def _select_table(self, database: str, table: str) -> str:
        entry = self._find_entry(database, table)
        latest = table.lower() != entry.ref.table.lower()
        stamps = self._catalogue.snapshots(entry.ref)
        if not stamps:
            return _select_nothing(entry)
        folder = Path(self._store.locate(table_prefix("curated", entry.ref)))
        files = str(folder / f"{LOAD_TIMESTAMP}={stamps[-1] if latest else '*'}" / "*.parquet")
        read = (
            f"SELECT * FROM read_parquet({literal(files)}, hive_partitioning = true, "
            f"hive_types = {{'{LOAD_TIMESTAMP}': VARCHAR}}, union_by_name = {str(entry.widened).lower()})"
        )
        columns = ", ".join(identifier(column.name) for column in entry.schema.columns)
        if entry.widened:  # a snapshot from before a column was added has NULL there
            read = f"{_select_nothing(entry)} UNION ALL BY NAME {read}"
        return f"SELECT {columns}, {LOAD_TIMESTAMP} FROM ({read})"

    def preview(self, ref: TableRef, rows: int) -> pa.RecordBatchReader:
        """See QueryEngine."""
        self._catalogue.table(ref.database, ref.table)
        return self.query(f"SELECT * FROM {identifier(ref.database)}.{identifier(ref.table + _LATEST)} LIMIT {rows:d}")

    def _find_entry(self, database: str, table: str) -> TableEntry:
        try:
            return self._catalogue.table(database, table)
        except NotRegistered:
            pass
        try:
            if table.lower().endswith(_LATEST):
                return self._catalogue.table(database, table[: -len(_LATEST)])
        except NotRegistered:
            pass
        raise NotRegistered(f"there is no table {database}.{table}; {self._list_tables()}")

    def _list_tables(self) -> str:
        """The tables there are, in words; the first ten."""
        names = [f"{entry.ref.database}.{entry.ref.table}" for entry in self._catalogue.tables()]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"there are {', '.join(names[:_SHOWN])}{more}" if names else "there are no tables yet"

    def _select_events(self) -> str:
        files = self._store.folder("logs/events/")
        if not any(files.glob("date=*/*.jsonl")):
            columns = ", ".join(f"NULL::{type_} AS {identifier(n)}" for n, type_ in _EVENT_COLUMNS.items())
            return f"SELECT {columns} WHERE false"
        types = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in _EVENT_COLUMNS.items())
        return (
            f"SELECT * FROM read_json({literal(str(files / 'date=*' / '*.jsonl'))}, "
            f"format = 'newline_delimited', columns = {{{types}}})"
        )


def _single_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = connection.extract_statements(sql)
    if not statements:
        raise InvalidQuery("there is no statement")
    if len(statements) != 1:
        raise InvalidQuery(f"one statement at a time; these are {len(statements)}")
    if statements[0].type not in _READING:
        raise InvalidQuery("only SELECT is allowed: curated data is never changed by hand")
    return statements[0]


def _select_nothing(entry: TableEntry) -> str:
    columns = [f"NULL::{duckdb_type(column.type)} AS {identifier(column.name)}" for column in entry.schema.columns]
    return f"SELECT {', '.join(columns)}, NULL::VARCHAR AS {LOAD_TIMESTAMP} WHERE false"

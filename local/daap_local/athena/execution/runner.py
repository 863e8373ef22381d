"""From a statement to what carries it out, and from what went wrong to Athena's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb

from daap.errors import Cancelled
from daap_local.athena import statements as s
from daap_local.athena.execution import errors
from daap_local.athena.execution.context import Job, World
from daap_local.athena.execution.record import CANCELLED, FAILED, SUCCEEDED, Execution, Outcome
from daap_local.athena.execution.results import Text, write_text
from daap_local.athena.execution.session import Session
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.reading import fault_in
from daap_local.athena.sql import fault_of

Handler = Callable[[Job, Any], "Outcome | Text | None"]


class Runner:
    """Carries executions out, one at a time for each thread that calls it."""

    def __init__(self, world: World, handlers: dict[type, Handler]) -> None:
        self._world, self._handlers = world, handlers

    def run(self, execution: Execution, session: Session) -> None:
        """Brings an execution to its end; raises nothing."""
        job = Job(self._world, execution, session, datetime.now(UTC))
        try:
            outcome = self._carry_out(job)
            session.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the query has failed and the server lives on
            self._fail(execution, session, error)
        else:
            execution.outcome = outcome
            execution.mark("executed")
            execution.end(SUCCEEDED)
        finally:
            session.close()

    def _carry_out(self, job: Job) -> Outcome:
        statement = job.request.statement
        found = self._handlers[type(statement)](job, statement)
        if isinstance(found, Outcome):
            return found
        return write_text(job, found or Text())

    def _fail(self, execution: Execution, session: Session, error: Exception) -> None:
        fault = _fault_of(error, session)
        if isinstance(fault, Cancelled):
            execution.end(CANCELLED, str(fault))
            return
        failure = errors.with_leftovers(errors.failure_of(fault), execution.request)
        execution.end(FAILED, failure.message, failure)


def _fault_of(error: Exception, session: Session) -> Exception:
    """DuckDB's errors as Athena's; whatever comes after the memory was used up is that."""
    if session.exhausted.is_set() or isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return AthenaFault("EXHAUSTED_RESOURCES", "Query exhausted resources at this scale factor")
    if session.stopped.is_set() or isinstance(error, duckdb.InterruptException):
        return Cancelled("Query cancelled by user")
    if isinstance(error, duckdb.Error):
        return fault_in(error) or fault_of(error)
    return error


def select_handlers() -> dict[type, Handler]:
    """What carries out each kind of statement; loaded with the first one."""
    from daap_local.athena.execution import (  # noqa: PLC0415 - see above
        databases,
        partitions,
        preparing,
        selecting,
        showing,
        tables,
        views,
        writing,
    )

    return {
        s.Query: selecting.run_query, s.Explain: selecting.run_explain,
        s.CreateDatabase: databases.create_database, s.DropDatabase: databases.drop_database,
        s.SetDatabaseProperties: databases.set_database_properties,
        s.CreateTable: tables.create_table, s.DropTable: tables.drop_table, s.DropView: tables.drop_view,
        s.AddColumns: tables.add_columns, s.ReplaceColumns: tables.replace_columns,
        s.ChangeColumn: tables.change_column, s.SetTableProperties: tables.set_properties,
        s.SetLocation: partitions.set_location, s.AddPartitions: partitions.add_partitions,
        s.DropPartitions: partitions.drop_partitions, s.RenamePartition: partitions.rename_partition,
        s.RepairTable: partitions.repair_table, s.ShowPartitions: partitions.show_partitions,
        s.CreateView: views.create_view, s.ShowCreateView: views.show_view, s.DescribeView: views.describe_view,
        s.ShowDatabases: showing.show_databases, s.ShowTables: showing.show_tables, s.ShowViews: showing.show_views,
        s.ShowColumns: showing.show_columns, s.ShowCreateTable: showing.show_create,
        s.ShowTableProperties: showing.show_properties, s.Describe: showing.describe,
        s.CreateTableAs: writing.create_table_as, s.InsertInto: writing.insert_into, s.Unload: writing.unload,
        s.Prepare: preparing.prepare, s.Deallocate: preparing.deallocate,
    }  # fmt: skip

"""CREATE, DROP and ALTER DATABASE."""

from __future__ import annotations

from daap_local.athena import statements as s
from daap_local.athena.catalog.faults import EntityExists, EntityMissing
from daap_local.athena.execution.context import Job
from daap_local.athena.faults import AthenaFault

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


def create_database(job: Job, statement: s.CreateDatabase) -> None:
    """CREATE DATABASE."""
    given = {"Name": statement.name, "Parameters": dict(statement.properties)}
    if statement.comment:
        given["Description"] = statement.comment
    if statement.location:
        given["LocationUri"] = statement.location
    try:
        job.catalog.create_database(given)
    except EntityExists:
        if not statement.if_not_exists:
            raise AthenaFault("FAILED", f"{_TASK}Database {statement.name} already exists") from None


def drop_database(job: Job, statement: s.DropDatabase) -> None:
    """DROP DATABASE; one that holds tables needs CASCADE."""
    try:
        job.catalog.database(statement.name)
    except EntityMissing:
        if statement.if_exists:
            return
        raise AthenaFault(
            "FAILED", f"SemanticException [Error 10072]: Database does not exist: {statement.name}"
        ) from None
    if not statement.cascade and job.catalog.tables(statement.name):
        inner = f"InvalidOperationException(message:Database {statement.name} is not empty. One or more tables exist.)"
        raise AthenaFault("FAILED", f"{_TASK}{inner}")
    job.catalog.delete_database(statement.name)


def set_database_properties(job: Job, statement: s.SetDatabaseProperties) -> None:
    """ALTER DATABASE SET DBPROPERTIES."""
    before = job.catalog.database(statement.name)
    kept = {key: before[key] for key in ("Name", "Description", "LocationUri") if before.get(key)}
    parameters = {**(before.get("Parameters") or {}), **statement.properties}
    job.catalog.update_database(statement.name, {**kept, "Parameters": parameters})

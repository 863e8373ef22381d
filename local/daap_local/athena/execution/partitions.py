"""Partitions: ALTER TABLE ADD, DROP, RENAME, SET LOCATION; MSCK REPAIR TABLE; SHOW PARTITIONS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from daap_local.athena import statements as s
from daap_local.athena.catalog.convert import storage_input
from daap_local.athena.catalog.faults import EntityExists, EntityMissing
from daap_local.athena.catalog.port import Json
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.metafile import ColumnInfo
from daap_local.athena.execution.pruning import NULL_VALUE
from daap_local.athena.execution.results import Text
from daap_local.athena.execution.sources import as_folder
from daap_local.athena.execution.tables import set_table_location
from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.paths import partition_name, partition_values
from daap_local.athena.tables import GlueTable

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
_ORDERS: dict[str, Callable[[int], bool]] = {
    "=": lambda c: c == 0, "<>": lambda c: c != 0, "!=": lambda c: c != 0, "<": lambda c: c < 0, "<=": lambda c: c <= 0,
    ">": lambda c: c > 0, ">=": lambda c: c >= 0,
}  # fmt: skip


def add_partitions(job: Job, statement: s.AddPartitions) -> None:
    """ALTER TABLE ADD PARTITION."""
    table = _partitioned(job, statement.name.table, job.table(statement.name))
    known = {tuple(one["Values"]) for one in job.catalog.partitions(table.database, table.name)}
    given = []
    for spec, location in statement.partitions:
        values = values_of(table, spec)
        if values not in known:
            given.append(partition_input(table, values, location))
        elif not statement.if_not_exists:
            raise AthenaFault("FAILED", f"{_TASK}AlreadyExistsException(message:Partition already exists.)")
    job.catalog.create_partitions(table.database, table.name, given)


def _partitioned(job: Job, name: str, table: GlueTable) -> GlueTable:
    job.session.check()
    if not table.partition_keys:
        raise AthenaFault("FAILED", f"SemanticException [Error 10059]: table {name} is not partitioned")
    return table


def values_of(table: GlueTable, spec: s.PartitionSpec) -> tuple[str, ...]:
    """A partition's values in the order of the table's keys; raises where a key is missing or unknown."""
    given = {key.lower(): value for key, value in spec.items()}
    keys = [key.name for key in table.partition_keys]
    if set(given) != set(keys):
        raise AthenaFault("FAILED", f"SemanticException partition spec {spec} does not name the keys {', '.join(keys)}")
    return tuple(given[key] for key in keys)


def partition_input(table: GlueTable, values: Sequence[str], location: str | None = None) -> Json:
    """A PartitionInput; without a location, the folder that Hive would use."""
    keys = [key.name for key in table.partition_keys]
    named = partition_name(keys, [None if value == NULL_VALUE else value for value in values])
    place = location or f"{as_folder(table.storage.location)}{named}/"
    storage = {**storage_input(table.storage, table.columns), "Location": as_folder(place)}
    return {"Values": list(values), "StorageDescriptor": storage, "Parameters": {}}


def drop_partitions(job: Job, statement: s.DropPartitions) -> None:
    """ALTER TABLE DROP PARTITION; the files stay."""
    table = _partitioned(job, statement.name.table, job.table(statement.name))
    every = [tuple(one["Values"]) for one in job.catalog.partitions(table.database, table.name)]
    for conditions in statement.partitions:
        found = [values for values in every if _meets(table, values, conditions)]
        if not found and not statement.if_exists:
            raise AthenaFault("FAILED", "SemanticException [Error 10006]: Partition not found")
        for values in found:
            job.catalog.delete_partition(table.database, table.name, values)
        every = [values for values in every if values not in found]


def _meets(table: GlueTable, values: Sequence[str], conditions: Iterable[tuple[str, str, str]]) -> bool:
    row = {key.name: (value, key.type) for key, value in zip(table.partition_keys, values, strict=True)}
    for name, order, wanted in conditions:
        if name.lower() not in row:
            raise AthenaFault("FAILED", f"SemanticException [Error 10002]: Invalid column reference {name}")
        value, type_ = row[name.lower()]
        if not _ORDERS[order](_compared(value, wanted, type_)):
            return False
    return True


def _compared(left: str, right: str, type_: str) -> int:
    """Numbers by their value, everything else as text."""
    if type_.startswith(("tinyint", "smallint", "int", "bigint")):
        try:
            return (int(left) > int(right)) - (int(left) < int(right))
        except ValueError:
            pass
    return (left > right) - (left < right)


def rename_partition(job: Job, statement: s.RenamePartition) -> None:
    """ALTER TABLE PARTITION RENAME TO PARTITION: the files stay where they are."""
    table = _partitioned(job, statement.name.table, job.table(statement.name))
    old, new = values_of(table, statement.old), values_of(table, statement.new)
    before = _existing(job, table, old)
    storage = before.get("StorageDescriptor") or {}
    given = {"Values": list(new), "StorageDescriptor": storage, "Parameters": before.get("Parameters") or {}}
    try:
        job.catalog.update_partition(table.database, table.name, old, given)
    except EntityExists:
        raise AthenaFault("FAILED", f"{_TASK}Rename: partition already exists") from None


def set_location(job: Job, statement: s.SetLocation) -> None:
    """ALTER TABLE [PARTITION] SET LOCATION."""
    if statement.partition is None:
        set_table_location(job, statement)
        return
    table = _partitioned(job, statement.name.table, job.table(statement.name))
    values = values_of(table, statement.partition)
    before = _existing(job, table, values)
    storage = {**(before.get("StorageDescriptor") or {}), "Location": statement.location}
    given = {"Values": list(values), "StorageDescriptor": storage, "Parameters": before.get("Parameters") or {}}
    job.catalog.update_partition(table.database, table.name, values, given)


def _existing(job: Job, table: GlueTable, values: Sequence[str]) -> Json:
    try:
        return job.catalog.partition(table.database, table.name, values)
    except EntityMissing:
        named = partition_name([key.name for key in table.partition_keys], list(values))
        raise AthenaFault("FAILED", f"SemanticException [Error 10006]: Partition not found {named}") from None


def repair_table(job: Job, statement: s.RepairTable) -> Text:
    """MSCK REPAIR TABLE: adds the partitions whose folders lie below the table's location; removes none."""
    table = _partitioned(job, statement.name.table, job.table(statement.name))
    keys = [key.name for key in table.partition_keys]
    known = {tuple(one["Values"]) for one in job.catalog.partitions(table.database, table.name)}
    fresh = sorted(_found_values(job, table, keys) - known)
    job.catalog.create_partitions(table.database, table.name, [partition_input(table, one) for one in fresh])
    names = [f"{table.name}:{partition_name(keys, list(values))}" for values in fresh]
    missing = ["\t".join(["Partitions not in metastore:", *names])] if names else []
    added = [f"Repair: Added partition to metastore {name}" for name in names]
    return Text([ColumnInfo("result", "string")] if names else [], [*missing, *added])


def _found_values(job: Job, table: GlueTable, keys: Sequence[str]) -> set[tuple[str, ...]]:
    location = as_folder(table.storage.location)
    found = set()
    for info in job.objects.list(location):
        job.session.check()
        values = partition_values(info.uri[len(location) :].rpartition("/")[0], keys)
        if values is not None:
            found.add(tuple(NULL_VALUE if value is None else value for value in values))
    return found


def show_partitions(job: Job, statement: s.ShowPartitions) -> Text:
    """SHOW PARTITIONS."""
    table = _partitioned(job, statement.name.table, job.table(statement.name))
    keys = [key.name for key in table.partition_keys]
    lines = [
        partition_name(keys, [None if value == NULL_VALUE else value for value in one["Values"]])
        for one in job.catalog.partitions(table.database, table.name)
    ]
    return Text([ColumnInfo("partition", "string")], sorted(lines))

"""What a query's tables are made of: partitions pruned first, then the files listed, then read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from daap_local.athena.execution.context import Job
from daap_local.athena.execution.pruning import nulled, prune
from daap_local.athena.hive.columnar import BY_INDEX
from daap_local.athena.hive.formats import format_of_serde
from daap_local.athena.hive.paths import is_hidden
from daap_local.athena.hive.reading import DataFile, Footers, Opener, select_files
from daap_local.athena.objects.port import CanLocate, ObjectInfo
from daap_local.athena.sql import Scan
from daap_local.athena.tables import GlueTable, Partition

_TIME = "$file_modified_time"
HIDDEN = (("$path", "varchar"), ("$file_size", "bigint"), (_TIME, "timestamp(3) with time zone"),
          ("$partition", "varchar"))  # fmt: skip


def source_of(job: Job, scan: Scan, table: GlueTable) -> str:
    """A SELECT of what one reading of a table yields; counts what it touches."""
    partitions = prune(job, table, scan.predicate) if table.partition_keys else None
    files = list_files(job, table, partitions)
    footers = job.world.footers or Footers()
    selected = select_files(
        table, files, job.session.connect(), job.open, only=scan.columns, footers=footers, valued=scan.read
    )
    usage = job.execution.usage
    usage.files += len(files)
    usage.partitions += len(partitions or ())
    read = {column.name.lower() for column in table.columns} & {name.lower() for name in scan.read}
    for file in files:
        usage.bytes += _scanned(table, file, footers, read, job.open)
    return selected


def _scanned(table: GlueTable, file: DataFile, footers: Footers, read: Collection[str], opener: Opener) -> int:
    """The bytes that have to be read of a file: of Parquet, those of the columns, which is none for a count."""
    storage = file.storage or table.storage
    by_name = storage.serde_properties.get(BY_INDEX, "").lower() != "true"
    if format_of_serde(storage.serde) == "PARQUET" and (by_name or not read):
        return footers.footer(file, opener).bytes_of(read)
    return file.size


def list_files(job: Job, table: GlueTable, partitions: Sequence[Partition] | None) -> list[DataFile]:
    """The data files of a table, or of some of its partitions."""
    job.session.check()
    if partitions is None:
        return [_data_file(job, info, (), None) for info in _below(job, table.storage.location)]
    listed: dict[str, list[ObjectInfo]] = {}
    found = []
    for partition in partitions:
        job.session.check()
        folder = as_folder(partition.storage.location)
        infos = listed[folder] if folder in listed else listed.setdefault(folder, _below(job, folder))
        values = tuple(nulled(partition.values))
        found += [_data_file(job, info, values, partition) for info in infos]
    return found


def _below(job: Job, location: str) -> list[ObjectInfo]:
    """The objects that hold data: empty ones, and those that begin with a point or an underscore, do not."""
    found = job.objects.list(as_folder(location)) if location else ()
    return [info for info in found if info.size and not is_hidden(info.uri)]


def as_folder(location: str) -> str:
    """A location with a slash at its end."""
    return location if location.endswith("/") else f"{location}/"


def _data_file(job: Job, info: ObjectInfo, values: tuple[str | None, ...], partition: Partition | None) -> DataFile:
    path = job.objects.locate(info.uri) if isinstance(job.objects, CanLocate) else None
    return DataFile(info.uri, info.size, info.modified, values, path, partition.storage if partition else None)

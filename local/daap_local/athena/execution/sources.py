"""What a query's tables are made of: partitions pruned first, then the files listed, then read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from daap_local.athena.execution.bucketing import prune_buckets
from daap_local.athena.execution.context import Job
from daap_local.athena.execution.pruning import nulled, prune
from daap_local.athena.hive.columnar import BY_INDEX
from daap_local.athena.hive.formats import format_of_serde
from daap_local.athena.hive.paths import is_hidden
from daap_local.athena.hive.projection import escaped_location
from daap_local.athena.hive.reading import DataFile, Footers, Opener, select_files
from daap_local.athena.objects.port import ObjectInfo
from daap_local.athena.sql import Scan
from daap_local.athena.tables import GlueTable, Partition, Storage

_FEW, _STRAYS = 8, 100
_TIME = "$file_modified_time"
HIDDEN = (("$path", "varchar"), ("$file_size", "bigint"), (_TIME, "timestamp(3) with time zone"),
          ("$partition", "varchar"))  # fmt: skip


def source_of(job: Job, scan: Scan, table: GlueTable) -> str:
    """A SELECT of what one reading of a table yields; counts what it touches."""
    partitions = prune(job, table, scan.predicate) if table.partition_keys else None
    files = list(prune_buckets(job, table, list_files(job, table, partitions), scan.predicate))
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
        return [_data_file(info, (), None) for info in _below(job, table.storage.location)]
    places = [_places(table, one) for one in partitions]
    listed = _listed(job, table, {place for own in places for place in own})
    found = []
    for partition, own in zip(partitions, places, strict=True):
        infos = next((listed[place] for place in own if listed[place]), [])
        values = tuple(nulled(partition.values))
        found += [_data_file(info, values, partition.storage) for info in infos]
    return found


def _places(table: GlueTable, partition: Partition) -> list[str]:
    """Where a partition's files may lie: the first folder that has some is taken."""
    escaped = escaped_location(table, partition.values)
    return [as_folder(partition.storage.location), *([escaped] if escaped else [])]


def _listed(job: Job, table: GlueTable, folders: Collection[str]) -> dict[str, list[ObjectInfo]]:
    """The data files in each folder."""
    base = as_folder(table.storage.location)
    found = _list_together(job, [folder for folder in folders if folder.startswith(base)])
    return found | {folder: _below(job, folder) for folder in folders if folder not in found}


def _list_together(job: Job, folders: Sequence[str]) -> dict[str, list[ObjectInfo]]:
    """Many folders by one listing of what their names have in common; none where too much else lies among them."""
    job.session.check()
    if len(folders) < _FEW:
        return {}
    found: dict[str, list[ObjectInfo]] = {folder: [] for folder in folders}
    depths = sorted({folder.count("/") for folder in folders})
    strays = 0
    for info in job.objects.list(_shared_start(folders)):
        job.session.check()
        parts = info.uri.split("/")
        places = [infos for depth in depths if (infos := found.get("/".join([*parts[:depth], ""]))) is not None]
        strays += not places
        if strays > _STRAYS * len(folders):
            return {}
        for infos in places if _has_data(info) else ():
            infos.append(info)
    return found


def _shared_start(texts: Collection[str]) -> str:
    """What all the texts begin with: what the first and the last of them do."""
    first, last = min(texts), max(texts)
    differs = (place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(differs, min(len(first), len(last)))]


def _below(job: Job, location: str) -> list[ObjectInfo]:
    job.session.check()
    found = job.objects.list(as_folder(location)) if location else ()
    return [info for info in found if _has_data(info)]


def _has_data(info: ObjectInfo) -> bool:
    """Empty objects, and those whose name begins with a point or an underscore, hold none."""
    return bool(info.size) and not is_hidden(info.uri)


def as_folder(location: str) -> str:
    """A location with a slash at its end."""
    return location if location.endswith("/") else f"{location}/"


def _data_file(info: ObjectInfo, values: tuple[str | None, ...], storage: Storage | None) -> DataFile:
    return DataFile(info.uri, info.size, info.modified, values, info.path, storage)

"""Glue's API over the catalogue: databases, tables, versions, partitions, and their batches.

Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daap_local.athena.api.expressions import matching
from daap_local.athena.api.faults import ApiFault, invalid_request
from daap_local.athena.api.ordering import ordered
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.protocol import Json, Operation, Service
from daap_local.athena.catalog.faults import EntityMissing, GlueFault
from daap_local.athena.catalog.port import GlueCatalog

_PAGE = 1000
_SMALL_PAGE = 100


def glue_service(catalog: GlueCatalog) -> Service:
    """Glue as a JSON service."""
    return Service("glue", Glue(catalog).operations(), _invalid, _translate)


def _invalid(message: str) -> ApiFault:
    return ApiFault("InvalidInputException", message)


def _translate(error: Exception) -> ApiFault | None:
    return ApiFault(error.code, str(error)) if isinstance(error, GlueFault) else None


@dataclass(frozen=True, slots=True)
class Glue:
    """The operations."""

    catalog: GlueCatalog

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "GetDatabases": self.databases, "GetDatabase": self.database, "CreateDatabase": self.create_database,
            "UpdateDatabase": self.update_database, "DeleteDatabase": self.delete_database,
            "GetTables": self.tables, "GetTable": self.table, "CreateTable": self.create_table,
            "UpdateTable": self.update_table, "DeleteTable": self.delete_table,
            "BatchDeleteTable": self.delete_tables, "GetTableVersions": self.versions,
            "GetTableVersion": self.version, "DeleteTableVersion": self.delete_version,
            "BatchDeleteTableVersion": self.delete_versions, "SearchTables": self.search,
            "GetPartitions": self.partitions, "GetPartition": self.partition,
            "BatchGetPartition": self.get_partitions, "CreatePartition": self.create_partition,
            "BatchCreatePartition": self.create_partitions, "UpdatePartition": self.update_partition,
            "BatchUpdatePartition": self.update_partitions, "DeletePartition": self.delete_partition,
            "BatchDeletePartition": self.delete_partitions, "GetPartitionIndexes": _no_indexes,
            "GetTags": _no_tags,
        }  # fmt: skip

    def databases(self, given: Json) -> Json:
        """GetDatabases."""
        page, token = _page(self.catalog.databases(), given, _SMALL_PAGE)
        return {"DatabaseList": page, "NextToken": token}

    def database(self, given: Json) -> Json:
        """GetDatabase."""
        return {"Database": self.catalog.database(given["Name"])}

    def create_database(self, given: Json) -> None:
        """CreateDatabase."""
        self.catalog.create_database(given["DatabaseInput"])

    def update_database(self, given: Json) -> None:
        """UpdateDatabase."""
        self.catalog.update_database(given["Name"], given["DatabaseInput"])

    def delete_database(self, given: Json) -> None:
        """DeleteDatabase."""
        self.catalog.delete_database(given["Name"])

    def tables(self, given: Json) -> Json:
        """GetTables; the expression is a regular expression for names, as Hive has them."""
        found = self.catalog.tables(given["DatabaseName"])
        if expression := given.get("Expression"):
            found = [table for table in found if _like(expression, table["Name"])]
        page, token = _page(found, given, _SMALL_PAGE)
        return {"TableList": page, "NextToken": token}

    def search(self, given: Json) -> Json:
        """SearchTables, by text anywhere in a table's metadata."""
        if given.get("Filters") or given.get("SortCriteria"):
            raise _invalid("SearchTables with Filters or SortCriteria is not supported here")
        every = [table for one in self.catalog.databases() for table in self.catalog.tables(one["Name"])]
        found = [table for table in every if _mentions(table, given.get("SearchText") or "")]
        page, token = _page(found, given, _SMALL_PAGE)
        return {"TableList": page, "NextToken": token}

    def table(self, given: Json) -> Json:
        """GetTable."""
        return {"Table": ordered(self.catalog.table(given["DatabaseName"], given["Name"]))}

    def create_table(self, given: Json) -> None:
        """CreateTable."""
        table = given.get("TableInput") or {}
        if given.get("OpenTableFormatInput") or _is_iceberg(table):
            raise _invalid("Iceberg tables are not supported here")
        if given.get("PartitionIndexes"):
            raise _invalid("partition indexes (PartitionIndexes) are not supported here")
        self.catalog.create_table(given["DatabaseName"], table)

    def update_table(self, given: Json) -> None:
        """UpdateTable."""
        archive = not given.get("SkipArchive")
        self.catalog.update_table(given["DatabaseName"], given["TableInput"], archive=archive)

    def delete_table(self, given: Json) -> None:
        """DeleteTable."""
        self.catalog.delete_table(given["DatabaseName"], given["Name"])

    def delete_tables(self, given: Json) -> Json:
        """BatchDeleteTable."""
        delete = self.catalog.delete_table
        return _each(given["TablesToDelete"], lambda n: delete(given["DatabaseName"], n), lambda n: {"TableName": n})

    def versions(self, given: Json) -> Json:
        """GetTableVersions."""
        page, token = _page(self.catalog.versions(given["DatabaseName"], given["TableName"]), given, _SMALL_PAGE)
        return {"TableVersions": page, "NextToken": token}

    def version(self, given: Json) -> Json:
        """GetTableVersion."""
        found = self.catalog.versions(given["DatabaseName"], given["TableName"])
        wanted = given.get("VersionId") or found[0]["VersionId"]
        for one in found:
            if one["VersionId"] == wanted:
                return {"TableVersion": one}
        raise EntityMissing(f"Version {wanted} not found.")

    def delete_version(self, given: Json) -> None:
        """DeleteTableVersion."""
        self.catalog.delete_version(given["DatabaseName"], given["TableName"], given["VersionId"])

    def delete_versions(self, given: Json) -> Json:
        """BatchDeleteTableVersion."""
        names = (given["DatabaseName"], given["TableName"])
        return _each(
            given["VersionIds"],
            lambda version: self.catalog.delete_version(*names, version),
            lambda version: {"TableName": names[1], "VersionId": version},
        )

    def partitions(self, given: Json) -> Json:
        """GetPartitions."""
        table = self.catalog.table(given["DatabaseName"], given["TableName"])
        found = self.catalog.partitions(given["DatabaseName"], given["TableName"])
        if expression := given.get("Expression"):
            found = matching(expression, table.get("PartitionKeys") or [], found)
        if segment := given.get("Segment"):
            found = found[segment["SegmentNumber"] :: segment["TotalSegments"]]
        page, token = _page(found, given, _PAGE)
        if given.get("ExcludeColumnSchema"):
            page = [_without_columns(one) for one in page]
        return {"Partitions": page, "NextToken": token}

    def partition(self, given: Json) -> Json:
        """GetPartition."""
        return {"Partition": self.catalog.partition(*_names(given), given["PartitionValues"])}

    def get_partitions(self, given: Json) -> Json:
        """BatchGetPartition."""
        found, missing = [], []
        for wanted in given["PartitionsToGet"]:
            try:
                found.append(self.catalog.partition(*_names(given), wanted["Values"]))
            except EntityMissing:
                missing.append(wanted)
        return {"Partitions": found, "UnprocessedKeys": missing}

    def create_partition(self, given: Json) -> None:
        """CreatePartition."""
        self.catalog.create_partition(*_names(given), given["PartitionInput"])

    def create_partitions(self, given: Json) -> Json:
        """BatchCreatePartition."""
        self.catalog.table(*_names(given))
        return _each(
            given["PartitionInputList"],
            lambda one: self.catalog.create_partition(*_names(given), one),
            lambda one: {"PartitionValues": one.get("Values")},
        )

    def update_partition(self, given: Json) -> None:
        """UpdatePartition."""
        self.catalog.update_partition(*_names(given), given["PartitionValueList"], given["PartitionInput"])

    def update_partitions(self, given: Json) -> Json:
        """BatchUpdatePartition."""
        return _each(
            given["Entries"],
            lambda one: self.catalog.update_partition(*_names(given), one["PartitionValueList"], one["PartitionInput"]),
            lambda one: {"PartitionValueList": one["PartitionValueList"]},
        )

    def delete_partition(self, given: Json) -> None:
        """DeletePartition."""
        self.catalog.delete_partition(*_names(given), given["PartitionValues"])

    def delete_partitions(self, given: Json) -> Json:
        """BatchDeletePartition."""
        return _each(
            given["PartitionsToDelete"],
            lambda one: self.catalog.delete_partition(*_names(given), one["Values"]),
            lambda one: {"PartitionValues": one["Values"]},
        )


def _names(given: Json) -> tuple[str, str]:
    return given["DatabaseName"], given["TableName"]


def _page(items: list[Json], given: Json, most: int) -> tuple[list[Json], str | None]:
    try:
        page, token = cut_page(items, given.get("NextToken"), given.get("MaxResults"), most)
    except ApiFault as fault:
        raise _invalid(str(fault)) from None
    return list(page), token


def _each(items: Iterable[Any], do: Callable[[Any], None], name: Callable[[Any], Json]) -> Json:
    """What could not be done, each with its error, as Glue's batches answer."""
    errors = []
    for item in items:
        try:
            do(item)
        except GlueFault as error:
            errors.append({**name(item), "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": str(error)}})
    return {"Errors": errors}


def _like(expression: str, name: str) -> bool:
    pattern = expression.replace("*", ".*").replace("..*", ".*")
    try:
        return re.fullmatch(pattern, name, re.IGNORECASE) is not None
    except re.error:
        raise invalid_request(f"{expression!r} is no regular expression") from None


def _mentions(table: Json, text: str) -> bool:
    """Whether a text is part of any of the table's values, or is one of them where it stands in quotes."""
    wanted = text.lower()
    values = (value.lower() for value in _texts(table))
    if len(wanted) > 1 and wanted[0] == wanted[-1] == '"':
        return wanted[1:-1] in values
    return any(wanted in value for value in values)


def _texts(value: object) -> Iterator[str]:
    """The texts within a value of the catalogue's: its parameters, columns, comments and places too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, Sequence):
        yield from (text for one in value for text in _texts(one))


def _is_iceberg(table: Json) -> bool:
    return str((table.get("Parameters") or {}).get("table_type", "")).lower() == "iceberg"


def _without_columns(partition: Json) -> Json:
    storage = {key: value for key, value in (partition.get("StorageDescriptor") or {}).items() if key != "Columns"}
    return {**partition, "StorageDescriptor": storage}


def _no_indexes(_given: Json) -> Json:
    return {"PartitionIndexDescriptorList": []}


def _no_tags(_given: Json) -> Json:
    return {"Tags": {}}

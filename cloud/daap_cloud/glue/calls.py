"""The few calls of Glue that the catalogue makes, with daap's errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from daap.errors import ObjectMissing
from daap_cloud.glue.faults import calling, fault_of

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

Json = dict[str, Any]
"""A part of one of Glue's requests or answers, by Glue's own names."""


class GlueCalls:
    """Databases, tables and partitions; each method is one call, or one per page. Names are in lower case."""

    def __init__(self, client: GlueClient) -> None:
        self._client = client

    def create_database(self, name: str, description: str) -> None:
        """Makes a database; raises ObjectConflict if it is there."""
        with calling(f"make database {name}"):
            self._client.create_database(DatabaseInput={"Name": name, "Description": description})

    def delete_database(self, name: str) -> None:
        """Removes a database; one that is not there is no error."""
        with suppress(ObjectMissing), calling(f"remove database {name}"):
            self._client.delete_database(Name=name)

    def has_tables(self, database: str) -> bool:
        """Whether there is a table in a database."""
        try:
            with calling(f"list the tables of {database}"):
                pages = self._client.get_paginator("get_tables").paginate(DatabaseName=database)
                return any(page["TableList"] for page in pages)
        except ObjectMissing:
            return False

    def table(self, database: str, name: str) -> Json:
        """A table or view; raises ObjectMissing."""
        with calling(f"read table {database}.{name}"):
            return dict(self._client.get_table(DatabaseName=database, Name=name)["Table"])

    def create_table(self, database: str, table: Json) -> None:
        """Makes a table; raises ObjectConflict if it is there, ObjectMissing without its database."""
        given: Any = table
        with calling(f"make table {database}.{table['Name']}"):
            self._client.create_table(DatabaseName=database, TableInput=given)

    def update_table(self, database: str, table: Json, version: str) -> None:
        """Changes a table that is still at `version`; raises ObjectConflict if it is not, ObjectMissing.

        Old versions are not kept: they count towards a limit of the account.
        """
        given: Any = table
        with calling(f"change table {database}.{table['Name']}"):
            self._client.update_table(DatabaseName=database, TableInput=given, VersionId=version, SkipArchive=True)

    def delete_table(self, database: str, name: str) -> None:
        """Removes a table with its partitions; one that is not there is no error."""
        with suppress(ObjectMissing), calling(f"remove table {database}.{name}"):
            self._client.delete_table(DatabaseName=database, Name=name)

    def partition(self, database: str, table: str, value: str) -> Json:
        """A partition; raises ObjectMissing."""
        with calling(f"read partition {value} of {database}.{table}"):
            found = self._client.get_partition(DatabaseName=database, TableName=table, PartitionValues=[value])
        return dict(found["Partition"])

    def create_partition(self, database: str, table: str, value: str, storage: Json) -> None:
        """Adds a partition; raises ObjectConflict if it is there, ObjectMissing without its table."""
        given: Any = _partition(value, storage)
        with calling(f"add partition {value} to {database}.{table}"):
            self._client.create_partition(DatabaseName=database, TableName=table, PartitionInput=given)

    def update_partition(self, database: str, table: str, value: str, storage: Json) -> None:
        """Changes a partition; raises ObjectMissing."""
        entry: Any = {"PartitionValueList": [value], "PartitionInput": _partition(value, storage)}
        what = f"change partition {value} of {database}.{table}"
        with calling(what):
            answer: Mapping[str, Any] = self._client.batch_update_partition(
                DatabaseName=database, TableName=table, Entries=[entry]
            )
        for error in answer.get("Errors") or ():
            detail = error.get("ErrorDetail", {})
            raise fault_of(what, detail.get("ErrorCode", ""), detail.get("ErrorMessage", ""))

    def delete_partition(self, database: str, table: str, value: str) -> None:
        """Removes a partition; one that is not there is no error."""
        with suppress(ObjectMissing), calling(f"remove partition {value} of {database}.{table}"):
            self._client.delete_partition(DatabaseName=database, TableName=table, PartitionValues=[value])

    def values(self, database: str, table: str) -> Iterator[str]:
        """The values of all partitions; none of a table that is not there."""
        pages = self._client.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table, ExcludeColumnSchema=True
        )
        with suppress(ObjectMissing), calling(f"list the partitions of {database}.{table}"):
            for page in pages:
                for partition in page["Partitions"]:
                    yield partition["Values"][0]


def _partition(value: str, storage: Json) -> Json:
    return {"Values": [value], "StorageDescriptor": storage}

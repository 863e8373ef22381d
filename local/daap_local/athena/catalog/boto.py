"""The catalogue at a Glue endpoint: an emulator's, or AWS's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from daap.errors import StoreUnavailable
from daap_local.athena.catalog import faults
from daap_local.athena.catalog.port import GlueCatalog, Json
from daap_local.athena.objects.boto import make_client

_FAULTS: dict[str, type[faults.GlueFault]] = {
    kind.code: kind for kind in (faults.EntityMissing, faults.EntityExists, faults.InvalidEntity, faults.EntityRefused)
}
_BATCH = 100


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        found = error.response.get("Error", {})
        kind = _FAULTS.get(str(found.get("Code")))
        if kind:
            raise kind(str(found.get("Message"))) from error
        raise StoreUnavailable(f"the catalogue cannot do it: {error}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"the catalogue cannot be reached: {error}") from error


class BotoCatalog(GlueCatalog):
    """Glue at an endpoint."""

    def __init__(self, endpoint: str) -> None:
        self._client = make_client("glue", endpoint)

    def _list(self, verb: str, field: str, **given: Any) -> list[Json]:  # noqa: ANN401 - any parameters
        with _told():
            pages = self._client.get_paginator(verb).paginate(**given)
            return [_document(one) for page in pages for one in page[field]]

    def databases(self) -> list[Json]:
        """See GlueCatalog."""
        return self._list("get_databases", "DatabaseList")

    def database(self, name: str) -> Json:
        """See GlueCatalog."""
        with _told():
            return _document(self._client.get_database(Name=name.lower())["Database"])

    def create_database(self, given: Json) -> None:
        """See GlueCatalog."""
        with _told():
            self._client.create_database(DatabaseInput={**given, "Name": str(given["Name"]).lower()})

    def update_database(self, name: str, given: Json) -> None:
        """See GlueCatalog."""
        with _told():
            self._client.update_database(Name=name.lower(), DatabaseInput=given)

    def delete_database(self, name: str) -> None:
        """See GlueCatalog."""
        with _told():
            self._client.delete_database(Name=name.lower())

    def tables(self, database: str) -> list[Json]:
        """See GlueCatalog."""
        self.database(database)
        return self._list("get_tables", "TableList", DatabaseName=database.lower())

    def table(self, database: str, name: str) -> Json:
        """See GlueCatalog."""
        with _told():
            return _document(self._client.get_table(DatabaseName=database.lower(), Name=name.lower())["Table"])

    def create_table(self, database: str, given: Json) -> None:
        """See GlueCatalog."""
        table = {**given, "Name": str(given["Name"]).lower()}
        with _told():
            self._client.create_table(DatabaseName=database.lower(), TableInput=table)

    def update_table(self, database: str, given: Json, *, archive: bool = True) -> None:
        """See GlueCatalog."""
        with _told():
            self._client.update_table(DatabaseName=database.lower(), TableInput=given, SkipArchive=not archive)

    def delete_table(self, database: str, name: str) -> None:
        """See GlueCatalog."""
        with _told():
            self._client.delete_table(DatabaseName=database.lower(), Name=name.lower())

    def versions(self, database: str, name: str) -> list[Json]:
        """See GlueCatalog."""
        return self._list("get_table_versions", "TableVersions", DatabaseName=database.lower(), TableName=name.lower())

    def delete_version(self, database: str, name: str, version: str) -> None:
        """See GlueCatalog."""
        with _told():
            self._client.delete_table_version(DatabaseName=database.lower(), TableName=name.lower(), VersionId=version)

    def partitions(self, database: str, table: str) -> list[Json]:
        """See GlueCatalog."""
        return self._list("get_partitions", "Partitions", DatabaseName=database.lower(), TableName=table.lower())

    def partition(self, database: str, table: str, values: Sequence[str]) -> Json:
        """See GlueCatalog."""
        names = {"DatabaseName": database.lower(), "TableName": table.lower()}
        with _told():
            return _document(self._client.get_partition(**names, PartitionValues=list(values))["Partition"])

    def create_partition(self, database: str, table: str, given: Json) -> None:
        """See GlueCatalog."""
        names = {"DatabaseName": database.lower(), "TableName": table.lower()}
        with _told():
            self._client.create_partition(**names, PartitionInput=given)

    def create_partitions(self, database: str, table: str, given: Sequence[Json]) -> None:
        """See GlueCatalog."""
        names = {"DatabaseName": database.lower(), "TableName": table.lower()}
        for start in range(0, len(given), _BATCH):
            with _told():
                batch = list(given[start : start + _BATCH])
                errors = self._client.batch_create_partition(**names, PartitionInputList=batch).get("Errors")
            if errors:
                detail = errors[0].get("ErrorDetail", {})
                kind = _FAULTS.get(detail.get("ErrorCode", ""), faults.GlueFault)
                raise kind(str(detail.get("ErrorMessage")))

    def update_partition(self, database: str, table: str, values: Sequence[str], given: Json) -> None:
        """See GlueCatalog."""
        names = {"DatabaseName": database.lower(), "TableName": table.lower()}
        with _told():
            self._client.update_partition(**names, PartitionValueList=list(values), PartitionInput=given)

    def delete_partition(self, database: str, table: str, values: Sequence[str]) -> None:
        """See GlueCatalog."""
        names = {"DatabaseName": database.lower(), "TableName": table.lower()}
        with _told():
            self._client.delete_partition(**names, PartitionValues=list(values))


def _document(given: Any) -> Json:  # noqa: ANN401 - an answer of botocore's
    """An answer as plain JSON."""
    return {key: _plain(one) for key, one in given.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Times as seconds."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.timestamp() if isinstance(value, datetime) else value

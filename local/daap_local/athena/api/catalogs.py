"""Data catalogues, and what Athena tells of their databases and tables.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_TableMetadata.html
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from daap_local.athena.api.faults import invalid_request, metadata_fault
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.api.tags import Tags, catalog_arn
from daap_local.athena.catalog.faults import GlueFault
from daap_local.athena.catalog.port import GlueCatalog
from daap_local.athena.catalog.shelved import ACCOUNT
from daap_local.athena.execution.record import CATALOG
from daap_local.athena.shelf import Shelf

_KIND = "athena-catalog"
_MOST_LISTED = 50
_SERDE = {"InputFormat": "inputformat", "OutputFormat": "outputformat", "Location": "location"}


@dataclass(frozen=True, slots=True)
class Catalogs:
    """The operations on data catalogues: type GLUE of this account is the server's own, others are refused."""

    shelf: Shelf
    glue: GlueCatalog
    tags: Tags

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateDataCatalog": self.create, "GetDataCatalog": self.get, "ListDataCatalogs": self.list_all,
            "UpdateDataCatalog": self.update, "DeleteDataCatalog": self.delete, "GetDatabase": self.database,
            "ListDatabases": self.databases, "GetTableMetadata": self.table, "ListTableMetadata": self.tables,
        }  # fmt: skip

    def check(self, name: str) -> None:
        """Raises unless a query may name this catalogue."""
        if name.lower() != CATALOG.lower():
            self._find(name)

    def _find(self, name: str) -> Json:
        if name.lower() == CATALOG.lower():
            return {"Name": CATALOG, "Type": "GLUE", "Parameters": {"catalog-id": ACCOUNT}, "Status": "CREATE_COMPLETE"}
        found = self.shelf.get(_KIND, name.lower())
        if found is None:
            raise invalid_request(f"Data catalog {name} was not found")
        return found

    def create(self, given: Json) -> Json:
        """CreateDataCatalog."""
        name = given["Name"]
        if name.lower() == CATALOG.lower() or self.shelf.get(_KIND, name.lower()):
            raise invalid_request(f"DataCatalog {name} has already been created")
        data = _catalog(given)
        self.shelf.put(_KIND, name.lower(), data=data)
        self.tags.put(catalog_arn(name), given.get("Tags") or [])
        return {"DataCatalog": data}

    def get(self, given: Json) -> Json:
        """GetDataCatalog."""
        return {"DataCatalog": self._find(given["Name"])}

    def list_all(self, given: Json) -> Json:
        """ListDataCatalogs."""
        found = [self._find(CATALOG), *self.shelf.list(_KIND)]
        listed = [{"CatalogName": one["Name"], "Type": one["Type"], "Status": one["Status"]} for one in found]
        page, token = cut_page(listed, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"DataCatalogsSummary": list(page), "NextToken": token}

    def update(self, given: Json) -> Json:
        """UpdateDataCatalog."""
        before = self._changeable(given["Name"])
        self.shelf.put(_KIND, before["Name"].lower(), data=_catalog({**before, **given}))
        return {}

    def delete(self, given: Json) -> Json:
        """DeleteDataCatalog."""
        before = self._changeable(given["Name"])
        self.shelf.delete(_KIND, before["Name"].lower())
        self.tags.drop(catalog_arn(before["Name"]))
        return {"DataCatalog": {**before, "Status": "DELETE_COMPLETE"}}

    def _changeable(self, name: str) -> Json:
        if name.lower() == CATALOG.lower():
            raise invalid_request(f"{CATALOG} cannot be changed")
        return self._find(name)

    def database(self, given: Json) -> Json:
        """GetDatabase."""
        self._find(given["CatalogName"])
        with _told():
            return {"Database": _database(self.glue.database(given["DatabaseName"]))}

    def databases(self, given: Json) -> Json:
        """ListDatabases."""
        self._find(given["CatalogName"])
        with _told():
            found = [_database(one) for one in self.glue.databases()]
        page, token = cut_page(found, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"DatabaseList": list(page), "NextToken": token}

    def table(self, given: Json) -> Json:
        """GetTableMetadata."""
        self._find(given["CatalogName"])
        with _told():
            return {"TableMetadata": _table(self.glue.table(given["DatabaseName"], given["TableName"]))}

    def tables(self, given: Json) -> Json:
        """ListTableMetadata; the expression is a regular expression for names."""
        self._find(given["CatalogName"])
        with _told():
            found = self.glue.tables(given["DatabaseName"])
        wanted = [_table(one) for one in found if _matches(given.get("Expression"), one["Name"])]
        page, token = cut_page(wanted, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"TableMetadataList": list(page), "NextToken": token}


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except GlueFault as error:
        told = f"Status Code: 400; Error Code: {error.code}; Request ID: {uuid.uuid4()}; Proxy: null"
        raise metadata_fault(f"{error} (Service: AmazonDataCatalog; {told})") from error


def _matches(expression: str | None, name: str) -> bool:
    try:
        return not expression or re.fullmatch(expression, name, re.IGNORECASE) is not None
    except re.error:
        raise invalid_request(f"{expression!r} is no regular expression") from None


def _catalog(given: Json) -> Json:
    parameters = given.get("Parameters") or {}
    if given["Type"] != "GLUE" or parameters.get("catalog-id", ACCOUNT) != ACCOUNT:
        raise invalid_request(
            f"data catalogues of type {given['Type']} are not supported here, but for GLUE of {ACCOUNT}"
        )
    return {
        "Name": given["Name"], "Type": "GLUE", "Description": given.get("Description"), "Status": "CREATE_COMPLETE",
        "Parameters": {"catalog-id": ACCOUNT},
    }  # fmt: skip


def _database(given: Json) -> Json:
    return {
        "Name": given["Name"], "Description": given.get("Description"), "Parameters": given.get("Parameters") or {},
    }  # fmt: skip


def _table(given: Json) -> Json:
    """Athena puts the storage's settings among the parameters."""
    storage: Json = given.get("StorageDescriptor") or {}
    parameters: dict[str, Any] = dict(given.get("Parameters") or {})
    parameters |= {name: storage[field] for field, name in _SERDE.items() if storage.get(field) is not None}
    serde: Json = storage.get("SerdeInfo") or {}
    if serde.get("SerializationLibrary"):
        parameters["serde.serialization.lib"] = serde["SerializationLibrary"]
    parameters |= {f"serde.param.{key}": value for key, value in (serde.get("Parameters") or {}).items()}
    return {
        "Name": given["Name"], "CreateTime": given.get("CreateTime") or 0,
        "LastAccessTime": given.get("LastAccessTime") or 0, "TableType": given.get("TableType"),
        "Columns": _columns(storage.get("Columns")), "PartitionKeys": _columns(given.get("PartitionKeys")),
        "Parameters": parameters,
    }  # fmt: skip


def _columns(given: Any) -> list[Json]:  # noqa: ANN401 - JSON
    return [{key: one[key] for key in ("Name", "Type", "Comment") if one.get(key) is not None} for one in given or ()]

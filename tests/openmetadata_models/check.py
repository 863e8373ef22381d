"""Holds requests to OpenMetadata's own models. Runs in an environment of its own, which has them.

Takes a list of `{"method", "collection", "body"}` as JSON on standard input; prints what is wrong with each, as JSON.
"""

from __future__ import annotations

import json
import sys
import types
from importlib import import_module
from importlib.machinery import PathFinder


def find_models() -> None:
    """Makes the package known without running its own `__init__`, which wants all that ingestion needs."""
    found = PathFinder.find_spec("metadata")
    package = types.ModuleType("metadata")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["metadata"] = package


API, TYPE = "metadata.generated.schema.api", "metadata.generated.schema.type"
CREATED = {
    "services/databaseServices": (f"{API}.services.createDatabaseService", "CreateDatabaseServiceRequest"),
    "databases": (f"{API}.data.createDatabase", "CreateDatabaseRequest"),
    "databaseSchemas": (f"{API}.data.createDatabaseSchema", "CreateDatabaseSchemaRequest"),
    "tables": (f"{API}.data.createTable", "CreateTableRequest"),
    "domains": (f"{API}.domains.createDomain", "CreateDomainRequest"),
    "dataProducts": (f"{API}.domains.createDataProduct", "CreateDataProductRequest"),
    "classifications": (f"{API}.classification.createClassification", "CreateClassificationRequest"),
    "tags": (f"{API}.classification.createTag", "CreateTagRequest"),
}
ENTITY = "metadata.generated.schema.entity"
FOUND = {
    "databases": (f"{ENTITY}.data.database", "Database"),
    "databaseSchemas": (f"{ENTITY}.data.databaseSchema", "DatabaseSchema"),
    "tables": (f"{ENTITY}.data.table", "Table"),
    "dataProducts": (f"{ENTITY}.domains.dataProduct", "DataProduct"),
}
PATCHED = {
    "tags": (f"{TYPE}.tagLabel", "TagLabel"),
    "owners": (f"{TYPE}.entityReference", "EntityReference"),
    "domains": (f"{TYPE}.entityReference", "EntityReference"),
    "description": (f"{TYPE}.basic", "Markdown"),
    "retentionPeriod": (f"{TYPE}.basic", "Duration"),
}


def load(place: tuple[str, str]) -> type:
    """A model."""
    return getattr(import_module(place[0]), place[1])


def check(request: dict) -> None:
    """Raises what is wrong with a request."""
    if request["method"] == "PUT":
        load(CREATED[request["collection"]]).model_validate_json(json.dumps(request["body"]))
    elif request["method"] == "PATCH":
        for operation in request["body"]:
            name = operation["path"].rpartition("/")[2]
            if operation["op"] == "add" and name in PATCHED:
                value = operation["value"]
                for one in value if isinstance(value, list) else [value]:
                    load(PATCHED[name]).model_validate_json(json.dumps(one))


def check_fields(request: dict) -> None:
    """Raises for a field that an entity does not have: OpenMetadata refuses to be asked for one."""
    for name in filter(None, request.get("fields", "").split(",")):
        if name not in load(FOUND[request["collection"]]).model_fields:
            raise ValueError(f"there is no field {name}")


def main() -> None:
    """Checks each request."""
    find_models()
    wrong = []
    for request in json.load(sys.stdin):
        try:
            check(request)
            check_fields(request)
        except Exception as error:  # noqa: BLE001 - a model may raise anything, and each is told
            wrong.append(f"{request['method']} {request['collection']}: {error}")
    json.dump(wrong, sys.stdout)


if __name__ == "__main__":
    main()

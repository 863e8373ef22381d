"""Named queries.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_NamedQuery.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from daap_local.athena.api.faults import ApiFault, invalid_request
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.api.workgroups import WorkGroups
from daap_local.athena.shelf import Shelf

_KIND, _IDS, _TOKENS = "athena-named", "athena-named-id", "athena-named-token"
_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class NamedQueries:
    """The operations on named queries."""

    shelf: Shelf
    groups: WorkGroups

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateNamedQuery": self.create, "GetNamedQuery": self.get, "BatchGetNamedQuery": self.get_several,
            "ListNamedQueries": self.list_ids, "UpdateNamedQuery": self.update, "DeleteNamedQuery": self.delete,
        }  # fmt: skip

    def create(self, given: Json) -> Json:
        """CreateNamedQuery; the same token again gives the same query."""
        group = self.groups.settings(given.get("WorkGroup") or "primary", running=False).name
        token = given.get("ClientRequestToken")
        query = {key: given.get(key) for key in ("Name", "Description", "Database", "QueryString")}
        with self.shelf.transaction():
            known = self.shelf.get(_TOKENS, token) if token else None
            if known:
                return self._repeat(known, {**query, "WorkGroup": group})
            found = {**query, "WorkGroup": group, "NamedQueryId": str(uuid.uuid4())}
            self._save(found)
            if token:
                self.shelf.put(_TOKENS, token, data=found)
        return {"NamedQueryId": found["NamedQueryId"]}

    def _repeat(self, known: Json, query: Json) -> Json:
        if any(known[key] != value for key, value in query.items()):
            raise invalid_request("Idempotent parameters do not match")
        return {"NamedQueryId": known["NamedQueryId"]}

    def _save(self, query: Json) -> None:
        self.shelf.put(_KIND, query["WorkGroup"], query["NamedQueryId"], data=query)
        self.shelf.put(_IDS, query["NamedQueryId"], data={"WorkGroup": query["WorkGroup"]})

    def _find(self, name: str) -> Json:
        place = self.shelf.get(_IDS, name)
        found = self.shelf.get(_KIND, place["WorkGroup"], name) if place else None
        if found is None:
            raise invalid_request(f"NamedQuery {name} is not found.")
        return found

    def get(self, given: Json) -> Json:
        """GetNamedQuery."""
        return {"NamedQuery": self._find(given["NamedQueryId"])}

    def get_several(self, given: Json) -> Json:
        """BatchGetNamedQuery."""
        found: list[Json] = []
        missing: list[Json] = []
        for name in given["NamedQueryIds"]:
            try:
                found.append(self._find(name))
            except ApiFault as fault:
                missing.append({"NamedQueryId": name, "ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": str(fault)})
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}

    def list_ids(self, given: Json) -> Json:
        """ListNamedQueries."""
        group = self.groups.settings(given.get("WorkGroup") or "primary", running=False).name
        ids = [query["NamedQueryId"] for query in self.shelf.list(_KIND, group)]
        page, token = cut_page(ids, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"NamedQueryIds": list(page), "NextToken": token}

    def update(self, given: Json) -> Json:
        """UpdateNamedQuery."""
        with self.shelf.transaction():
            found = self._find(given["NamedQueryId"])
            changes: Json = {key: given[key] for key in ("Name", "Description", "QueryString") if key in given}
            self._save({**found, **changes})
        return {}

    def delete(self, given: Json) -> Json:
        """DeleteNamedQuery."""
        with self.shelf.transaction():
            found = self._find(given["NamedQueryId"])
            self.shelf.delete(_KIND, found["WorkGroup"], found["NamedQueryId"])
            self.shelf.delete(_IDS, found["NamedQueryId"])
        return {}

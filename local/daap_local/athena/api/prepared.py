"""Prepared statements.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from daap_local.athena.api.faults import ApiFault, invalid_request, not_found
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.api.workgroups import WorkGroups
from daap_local.athena.shelf import Shelf

_KIND = "athena-prepared"
_MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class PreparedStatements:
    """The operations on prepared statements."""

    shelf: Shelf
    groups: WorkGroups

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreatePreparedStatement": self.create, "GetPreparedStatement": self.get,
            "BatchGetPreparedStatement": self.get_several, "ListPreparedStatements": self.list_all,
            "UpdatePreparedStatement": self.update, "DeletePreparedStatement": self.delete,
        }  # fmt: skip

    def find(self, group: str, name: str) -> Json | None:
        """A statement, or None."""
        return self.shelf.get(_KIND, group, name)

    def save(self, group: str, name: str, text: str, description: str | None = None, *, anew: bool = True) -> None:
        """Keeps a statement; raises if it is to be new and is not."""
        with self.shelf.transaction():
            if anew and self.find(group, name):
                raise invalid_request(f"PreparedStatement {name} already exists in workGroup {group}")
            self.shelf.put(_KIND, group, name, data={
                "StatementName": name, "QueryStatement": text, "WorkGroupName": group, "Description": description,
                "LastModifiedTime": time.time(),
            })  # fmt: skip

    def drop(self, group: str, name: str) -> None:
        """Forgets a statement; raises if there is none."""
        self.need(group, name)
        self.shelf.delete(_KIND, group, name)

    def need(self, group: str, name: str) -> Json:
        """A statement that has to be there; raises ResourceNotFoundException."""
        self.groups.settings(group, running=False)
        found = self.find(group, name)
        if found is None:
            raise not_found(f"PreparedStatement {name} was not found in workGroup {group}", name)
        return found

    def create(self, given: Json) -> Json:
        """CreatePreparedStatement."""
        group = self.groups.settings(given["WorkGroup"], running=False).name
        self.save(group, given["StatementName"], given["QueryStatement"], given.get("Description"))
        return {}

    def get(self, given: Json) -> Json:
        """GetPreparedStatement."""
        return {"PreparedStatement": self.need(given["WorkGroup"], given["StatementName"])}

    def get_several(self, given: Json) -> Json:
        """BatchGetPreparedStatement."""
        found: list[Json] = []
        missing: list[Json] = []
        for name in given["PreparedStatementNames"]:
            try:
                found.append(self.need(given["WorkGroup"], name))
            except ApiFault as fault:
                code = {"ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": str(fault)}
                missing.append({"StatementName": name, **code})
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    def list_all(self, given: Json) -> Json:
        """ListPreparedStatements."""
        group = self.groups.settings(given["WorkGroup"], running=False).name
        found = self.shelf.list(_KIND, group)
        page, token = cut_page(found, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        listed = [{key: one[key] for key in ("StatementName", "LastModifiedTime")} for one in page]
        return {"PreparedStatements": listed, "NextToken": token}

    def update(self, given: Json) -> Json:
        """UpdatePreparedStatement."""
        before = self.need(given["WorkGroup"], given["StatementName"])
        description = given.get("Description", before.get("Description"))
        self.save(given["WorkGroup"], given["StatementName"], given["QueryStatement"], description, anew=False)
        return {}

    def delete(self, given: Json) -> Json:
        """DeletePreparedStatement."""
        self.drop(given["WorkGroup"], given["StatementName"])
        return {}

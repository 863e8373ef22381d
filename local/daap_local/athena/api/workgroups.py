"""Work groups: create, get, list, update, delete; and the settings they put on queries.

Source: https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from daap_local.athena.api.faults import invalid_request
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.api.tags import Tags, group_arn
from daap_local.athena.execution.record import ENGINE
from daap_local.athena.shelf import Shelf

PRIMARY = "primary"
_KIND = "athena-workgroup"
_MOST_LISTED = 50
_ENGINES = ("AUTO", ENGINE)
_REFUSED = {
    "ExecutionRole": "Spark", "AdditionalConfiguration": "Spark",
    "CustomerContentEncryptionConfiguration": "Spark", "IdentityCenterConfiguration": "IAM Identity Center",
    "QueryResultsS3AccessGrantsConfiguration": "S3 Access Grants",
    "ManagedQueryResultsConfiguration": "managed query results", "MonitoringConfiguration": "Spark",
}  # fmt: skip
_REMOVALS = {
    "RemoveOutputLocation": "OutputLocation", "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner", "RemoveAclConfiguration": "AclConfiguration",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """What a work group says about the queries in it."""

    name: str
    output: str | None
    encryption: dict[str, str] | None
    enforced: bool
    cutoff: int | None


@dataclass(frozen=True, slots=True)
class WorkGroups:
    """The operations on work groups; `primary` is always there."""

    shelf: Shelf
    tags: Tags
    results: str | None = None
    """Where results go by default, as far as `primary` says nothing else."""

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateWorkGroup": self.create, "GetWorkGroup": self.get, "ListWorkGroups": self.list_all,
            "UpdateWorkGroup": self.update, "DeleteWorkGroup": self.delete, "ListEngineVersions": list_engines,
        }  # fmt: skip

    def settings(self, name: str, *, running: bool = True) -> Settings:
        """What holds for a query in a work group; raises if there is none, or if it is disabled and `running`."""
        group = self._find(name)
        if running and group["State"] != "ENABLED":
            raise invalid_request(f"WorkGroup {name} is disabled.")
        configuration = group["Configuration"]
        place = configuration.get("ResultConfiguration") or {}
        return Settings(
            name, place.get("OutputLocation"), place.get("EncryptionConfiguration"),
            bool(configuration.get("EnforceWorkGroupConfiguration")), configuration.get("BytesScannedCutoffPerQuery"),
        )  # fmt: skip

    def _find(self, name: str) -> Json:
        found = self.shelf.get(_KIND, name)
        if found is None and name == PRIMARY:
            place = {"ResultConfiguration": {"OutputLocation": self.results} if self.results else {}}
            return _group(PRIMARY, {**place, "EnforceWorkGroupConfiguration": False}, "")
        if found is None:
            raise invalid_request(f"WorkGroup {name} is not found.")
        return found

    def create(self, given: Json) -> Json:
        """CreateWorkGroup."""
        name = given["Name"]
        configuration = dict(given.get("Configuration") or {})
        _check(configuration)
        configuration.setdefault("EnforceWorkGroupConfiguration", True)
        with self.shelf.transaction():
            if name == PRIMARY or self.shelf.get(_KIND, name):
                raise invalid_request("WorkGroup is already created")
            self.shelf.put(_KIND, name, data=_group(name, configuration, given.get("Description") or ""))
        self.tags.put(group_arn(name), given.get("Tags") or [])
        return {}

    def get(self, given: Json) -> Json:
        """GetWorkGroup."""
        return {"WorkGroup": self._find(given["WorkGroup"])}

    def list_all(self, given: Json) -> Json:
        """ListWorkGroups."""
        found = {one["Name"]: one for one in (self._find(PRIMARY), *self.shelf.list(_KIND))}
        listed = [_summary(found[name]) for name in sorted(found)]
        page, token = cut_page(listed, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"WorkGroups": list(page), "NextToken": token}

    def update(self, given: Json) -> Json:
        """UpdateWorkGroup."""
        with self.shelf.transaction():
            group = self._find(given["WorkGroup"])
            group["State"] = given.get("State") or group["State"]
            group["Description"] = given.get("Description", group.get("Description"))
            group["Configuration"] = _updated(group["Configuration"], given.get("ConfigurationUpdates") or {})
            self.shelf.put(_KIND, group["Name"], data=group)
        return {}

    def delete(self, given: Json) -> Json:
        """DeleteWorkGroup."""
        name = given["WorkGroup"]
        if name == PRIMARY:
            raise invalid_request("The primary WorkGroup cannot be deleted")
        with self.shelf.transaction():
            self._find(name)
            held = [kind for kind in ("athena-named", "athena-prepared") if self.shelf.list(kind, name)]
            if held and not given.get("RecursiveDeleteOption"):
                raise invalid_request(f"WorkGroup {name} is not empty")
            for kind in held:
                self.shelf.delete_below(kind, name)
            self.shelf.delete(_KIND, name)
        self.tags.drop(group_arn(name))
        return {}


def list_engines(_given: Json) -> Json:
    """ListEngineVersions."""
    return {"EngineVersions": [{"SelectedEngineVersion": v, "EffectiveEngineVersion": ENGINE} for v in _ENGINES]}


def _group(name: str, configuration: Json, description: str) -> Json:
    settings: dict[str, Any] = {
        "PublishCloudWatchMetricsEnabled": False,
        "RequesterPaysEnabled": False,
        **configuration,
    }
    settings["EngineVersion"] = _engine(configuration.get("EngineVersion") or {})
    return {
        "Name": name, "State": "ENABLED", "Configuration": settings, "Description": description,
        "CreationTime": time.time(),
    }  # fmt: skip


def _engine(given: Json) -> Json:
    selected = given.get("SelectedEngineVersion") or "AUTO"
    if selected not in _ENGINES:
        raise invalid_request(f"the engine version {selected!r} is not supported here")
    return {"SelectedEngineVersion": selected, "EffectiveEngineVersion": ENGINE}


def _check(configuration: Json) -> None:
    """Refuses by name what would be done only by half."""
    for field, what in _REFUSED.items():
        value = configuration.get(field)
        if value and value not in ({"Enabled": False}, {"EnableS3AccessGrants": False}):
            raise invalid_request(f"{what} ({field}) is not supported here")
    if configuration.get("RequesterPaysEnabled"):
        raise invalid_request("requester pays buckets (RequesterPaysEnabled) are not supported here")


def _updated(before: Json, updates: Json) -> Json:
    _check(updates)
    after = {**before, **{key: value for key, value in updates.items() if not _is_order(key)}}
    after["ResultConfiguration"] = _updated_place(
        before.get("ResultConfiguration") or {}, updates.get("ResultConfigurationUpdates") or {}
    )
    if updates.get("RemoveBytesScannedCutoffPerQuery"):
        after.pop("BytesScannedCutoffPerQuery", None)
    if "EngineVersion" in updates:
        after["EngineVersion"] = _engine(updates["EngineVersion"])
    return after


def _is_order(key: str) -> bool:
    return key.startswith("Remove") or key == "ResultConfigurationUpdates"


def _updated_place(before: Json, updates: Json) -> Json:
    removed = {field for order, field in _REMOVALS.items() if updates.get(order)}
    after = {**before, **{key: value for key, value in updates.items() if not _is_order(key)}}
    return {key: value for key, value in after.items() if key not in removed}


def _summary(group: Json) -> Json:
    engine = group["Configuration"].get("EngineVersion")
    return {
        **{key: group.get(key) for key in ("Name", "State", "Description", "CreationTime")},
        "EngineVersion": engine,
    }

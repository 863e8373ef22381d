"""A stack of CloudFormation: what it is, what a template would change of it, and carrying that out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from daap.errors import InvalidName
from daap_cloud.deploy.faults import DeployFailed
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

_CANCELLED = "cancelled"
_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
_BEGINNING = "REVIEW_IN_PROGRESS"
"""A stack of which there is only a change set yet."""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """What happened to one resource, as CloudFormation tells it."""

    moment: datetime
    status: str
    kind: str
    name: str
    reason: str

    @property
    def is_failure(self) -> bool:
        """Whether this went wrong of itself, and not only because something else did."""
        return self.status.endswith("_FAILED") and _CANCELLED not in self.reason.lower()


@dataclass(frozen=True, slots=True)
class Change:
    """What a template would do to one resource: `Add`, `Modify`, `Remove`, and whether it is made anew."""

    action: str
    kind: str
    name: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change set that may be carried out."""

    arn: str
    changes: tuple[Change, ...]


Tell = Callable[[StackEvent], None]


class Stack:
    """One stack, by name. Raises StoreUnavailable where CloudFormation cannot be asked; `pause` is in seconds."""

    def __init__(self, client: CloudFormationClient, name: str, pause: float = 3.0) -> None:
        self._client, self.name, self._pause = client, name, pause

    def find(self) -> StackTypeDef | None:
        """The stack as it is; None if there is none."""
        return self._describe(self.name)

    def _describe(self, name: str) -> StackTypeDef | None:
        with translated(f"look at the stack {self.name}"):
            try:
                found = self._client.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as error:
                if "does not exist" in str(error):
                    return None
                raise
        return None if found["StackStatus"] == _BEGINNING else found

    def outputs(self) -> dict[str, str]:
        """What the stack tells of itself; raises DeployFailed if there is none."""
        found = self.find()
        if found is None:
            raise DeployFailed(f"there is no stack {self.name} here; look at the region and the account")
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    def resources(self, kind: str) -> dict[str, str]:
        """The physical ids of the stack's resources of a kind, by their names in the template."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        with translated(f"list the resources of {self.name}"):
            listed = [one for page in pages for one in page["StackResourceSummaries"]]
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in listed
            if one["ResourceType"] == kind
            and one.get("PhysicalResourceId")
            and one["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def propose(self, template_url: str, known: set[str], given: Mapping[str, str]) -> Proposal | None:
        """What bringing the stack to a template would change; None if nothing.

        Parameters that are not given stay as they are. Raises InvalidName for one that the template does not
        have (`known`), DeployFailed where CloudFormation refuses the template.
        """
        if unknown := sorted(given.keys() - known):
            raise InvalidName(f"the template has no parameter {unknown[0]}; it has {', '.join(sorted(known))}")
        found = self._ready()
        with translated(f"ask what is to change in {self.name}"):
            made = self._client.create_change_set(
                StackName=self.name, ChangeSetName=f"daap-{uuid.uuid4().hex}", TemplateURL=template_url,
                ChangeSetType="UPDATE" if found else "CREATE", Capabilities=["CAPABILITY_IAM"],
                Parameters=_parameters(found, known, given), Tags=[{"Key": "project", "Value": "daap"}],
            )  # fmt: skip
            return self._await_proposal(made["Id"])

    def _ready(self) -> StackTypeDef | None:
        found = self.find()
        status = found["StackStatus"] if found else ""
        if status.endswith("_IN_PROGRESS"):
            raise DeployFailed(f"{self.name} is being changed already ({status}); wait for that")
        if found and status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):  # was never made; it can only be deleted
            self.delete(lambda _: None)
            return None
        return found

    def _await_proposal(self, arn: str) -> Proposal | None:
        while True:
            told = self._client.describe_change_set(ChangeSetName=arn)
            if told["Status"] == "CREATE_COMPLETE":
                return Proposal(arn, tuple(self._list_changes(arn)))
            if told["Status"] == "FAILED":
                self._client.delete_change_set(ChangeSetName=arn)
                reason = told.get("StatusReason", "")
                if any(words in reason for words in _NO_CHANGE):
                    return None
                raise DeployFailed(f"CloudFormation refuses the change: {reason}")
            time.sleep(self._pause)

    def _list_changes(self, arn: str) -> Iterator[Change]:
        token: dict[str, Any] = {}
        while True:
            page = self._client.describe_change_set(ChangeSetName=arn, **token)
            for one in page["Changes"]:
                told = one.get("ResourceChange", {})
                yield Change(
                    told.get("Action", ""), told.get("ResourceType", ""), told.get("LogicalResourceId", ""),
                    told.get("Replacement") == "True",
                )  # fmt: skip
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def withdraw(self, proposal: Proposal) -> None:
        """Gives up a proposal."""
        with translated("give up the change"):
            self._client.delete_change_set(ChangeSetName=proposal.arn)

    def carry_out(self, proposal: Proposal, tell: Tell) -> None:
        """Makes it so, and tells each event as it comes; raises DeployFailed with the reason of what failed."""
        seen = self._event_ids()
        with translated(f"change {self.name}"):
            self._client.execute_change_set(ChangeSetName=proposal.arn)
        self._follow(self.name, seen, tell)

    def delete(self, tell: Tell) -> None:
        """Deletes the stack; raises DeployFailed with the reason of what could not be deleted."""
        found = self.find()
        if found is None:
            return
        seen, stack_id = self._event_ids(), found.get("StackId", self.name)
        with translated(f"delete {self.name}"):
            self._client.delete_stack(StackName=self.name)
        self._follow(stack_id, seen, tell)  # once it is gone, only its id names it

    def protect(self, *, on: bool) -> None:
        """Keeps the stack from being deleted, or lets it be."""
        with translated(f"protect {self.name}"):
            self._client.update_termination_protection(StackName=self.name, EnableTerminationProtection=on)

    def _event_ids(self) -> set[str]:
        if self._describe(self.name) is None:
            return set()
        return {event_id for event_id, _ in self._new_events(self.name, set())}

    def _new_events(self, name: str, seen: set[str]) -> list[tuple[str, StackEvent]]:
        """Events that were not seen yet, the oldest first."""
        found = []
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=name)
        with translated(f"follow {self.name}"):
            for told in (event for page in pages for event in page["StackEvents"]):
                if told["EventId"] in seen:
                    break
                event = StackEvent(
                    told["Timestamp"], told.get("ResourceStatus", ""), told.get("ResourceType", ""),
                    told.get("LogicalResourceId", ""), told.get("ResourceStatusReason", ""),
                )  # fmt: skip
                found.append((told["EventId"], event))
        return found[::-1]

    def _follow(self, name: str, seen: set[str], tell: Tell) -> None:
        failures: list[StackEvent] = []
        while True:
            found = self._describe(name)  # before the events, so that the last ones are told too
            for event_id, event in self._new_events(name, seen):
                seen.add(event_id)
                tell(event)
                failures += [event] if event.is_failure else []
            status = found["StackStatus"] if found else _BEGINNING
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(self._pause)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
            raise DeployFailed(_say_failure(self.name, status, failures))


def _parameters(found: StackTypeDef | None, known: set[str], given: Mapping[str, str]) -> list[ParameterTypeDef]:
    before = {one["ParameterKey"] for one in found.get("Parameters", ())} if found else set()
    kept: list[ParameterTypeDef] = [
        {"ParameterKey": name, "UsePreviousValue": True} for name in sorted((before & known) - given.keys())
    ]
    changed: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in sorted(given.items())
    ]
    return kept + changed


def _say_failure(name: str, status: str, failures: list[StackEvent]) -> str:
    lines = [f"  {event.name} ({event.kind}): {event.reason}" for event in failures if event.name != name]
    return "\n".join([f"{name} is {status}", *(lines or ["  CloudFormation gives no reason; look at its events"])])

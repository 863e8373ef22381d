"""A product as it is registered, and how that is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from daap.errors import NotRegistered
from daap.model.loads import TableRef
from daap.model.product import Product
from daap.model.table import TableSchema
from daap.model.versions import Version, parse_version
from daap.registry.amend import find_table


@dataclass(frozen=True, slots=True)
class Change:
    """What made a version: the action in a word or two, who did it, and the details as plain data."""

    action: str
    actor: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Why, by whom and since when nothing of a product may be deleted."""

    reason: str
    actor: str
    since: datetime

    def dump(self) -> dict[str, str]:
        """As plain data."""
        return {"reason": self.reason, "actor": self.actor, "since": self.since.isoformat()}


@dataclass(frozen=True, slots=True)
class Registered:
    """A product as it is registered: its spec, its version and when it came.

    `lasts` are the last versions of earlier majors, whose databases stay readable; `carried` names,
    by table, the load of the major before from which the first snapshot of this one is made.
    `removing` are tables whose data are being deleted.
    """

    product: Product
    version: Version
    created: datetime
    updated: datetime
    change: Change = Change("registered", "unknown")
    lasts: tuple[Version, ...] = ()
    carried: dict[str, str] = field(default_factory=dict)
    legal_hold: LegalHold | None = None
    removing: tuple[str, ...] = ()
    deleting: bool = False

    def ref(self, table: str) -> TableRef:
        """The table of the current major version."""
        return TableRef(self.product.name, self.version.major, table)

    def schema(self, table: str) -> TableSchema:
        """The schema of a table; raises NotRegistered."""
        return find_table(self.product, table)

    @property
    def majors(self) -> tuple[int, ...]:
        """All major versions, the current one last."""
        return (*(version.major for version in self.lasts), self.version.major)

    def last_of(self, major: int) -> Version:
        """The last version of a major; raises NotRegistered."""
        for version in (self.version, *self.lasts):
            if version.major == major:
                return version
        raise NotRegistered(f"product {self.product.name} has no major version {major}; it is {self.version}")

    def as_record(self) -> Registered:
        """What stays true of the version for ever."""
        return replace(self, legal_hold=None, removing=(), deleting=False)

    def dump(self) -> dict[str, Any]:
        """As plain data, with the generated fields."""
        hold = self.legal_hold
        return {
            "version": str(self.version),
            "id": f"dp:{self.product.name}:{self.version}",
            "creationDate": self.created.isoformat(),
            "lastUpdated": self.updated.isoformat(),
            "action": self.change.action,
            "actor": self.change.actor,
            "changes": self.change.details,
            "earlierMajors": [str(version) for version in self.lasts],
            "legalHold": {"reason": hold.reason, "actor": hold.actor, "since": hold.since.isoformat()}
            if hold
            else None,
            "spec": self.product.dump(),
        }


def encode_head(registered: Registered) -> bytes:
    """A head as it is stored."""
    head = registered.dump() | {
        "carried": registered.carried, "removing": registered.removing, "deleting": registered.deleting,
    }  # fmt: skip
    return json.dumps(head, indent=1, ensure_ascii=False).encode()


def decode_head(data: bytes) -> Registered:
    """A stored head."""
    found = json.loads(data)
    hold = found["legalHold"]
    return Registered(
        product=Product.model_validate(found["spec"]),
        version=parse_version(found["version"]),
        created=datetime.fromisoformat(found["creationDate"]),
        updated=datetime.fromisoformat(found["lastUpdated"]),
        change=Change(found["action"], found["actor"], found["changes"]),
        lasts=tuple(parse_version(version) for version in found["earlierMajors"]),
        carried=found["carried"],
        legal_hold=LegalHold(hold["reason"], hold["actor"], datetime.fromisoformat(hold["since"])) if hold else None,
        removing=tuple(found["removing"]),
        deleting=found["deleting"],
    )

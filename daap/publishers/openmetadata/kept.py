"""What a PUT of OpenMetadata leaves as it was, for people may have edited it there: it is changed by a PATCH.

For a bot's PUT, a description, a display name, owners and domains stay where there are some, and tags are only
added. What daap says of its own products counts; tags that others gave stay. Source of the patches: https://www.rfc-editor.org/rfc/rfc6902
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from daap.publishers.openmetadata.entities import CLASSIFICATION
from daap.publishers.openmetadata.names import join_names

Entity = dict[str, Any]

_TEXTS = ("description", "displayName", "retentionPeriod")
_OURS = join_names(CLASSIFICATION) + "."


def find_differences(found: Entity, wanted: Entity, domain: Entity) -> list[Entity]:
    """The operations that bring an entity to what was asked for; `domain` is the one that is to be its only one."""
    return [
        *_compare_texts(found, wanted, ""), *_compare_owners(found, wanted), *_compare_domains(found, domain),
        *_compare_tags(found, wanted), *_compare_columns(found, wanted),
    ]  # fmt: skip


def _compare_texts(found: Entity, wanted: Entity, path: str) -> Iterator[Entity]:
    for name in _TEXTS:
        if wanted.get(name) and found.get(name) != wanted[name]:
            yield {"op": "add", "path": f"{path}/{name}", "value": wanted[name]}
    if not wanted.get("description") and found.get("description"):
        yield {"op": "remove", "path": f"{path}/description"}


def _compare_owners(found: Entity, wanted: Entity) -> Iterator[Entity]:
    """Owners are set where daap knows whom OpenMetadata means by them; else whoever is there stays."""
    owners = wanted.get("owners") or []
    if owners and _list_ids(found.get("owners")) != _list_ids(owners):
        yield {"op": "add", "path": "/owners", "value": owners}


def _compare_domains(found: Entity, domain: Entity) -> Iterator[Entity]:
    if {one["id"] for one in found.get("domains") or ()} != {domain["id"]}:
        yield {"op": "add", "path": "/domains", "value": [{"id": domain["id"], "type": "domain"}]}


def _list_ids(references: list[Entity] | None) -> set[str]:
    return {one["id"] for one in references or [] if not one.get("inherited")}


def _compare_tags(found: Entity, wanted: Entity) -> Iterator[Entity]:
    """Tags of daap's own classification that the product has no longer go."""
    labels: list[Entity] = found.get("tags") or []
    asked: list[Entity] = wanted.get("tags") or []
    kept = [one for one in labels if not _is_stale(one, asked)]
    missing = [one for one in asked if one["tagFQN"] not in {have["tagFQN"] for have in labels}]
    if missing or len(kept) < len(labels):
        yield {"op": "add", "path": "/tags", "value": [*kept, *missing]}


def _is_stale(one: Mapping[str, Any], asked: list[Entity]) -> bool:
    return one["tagFQN"].startswith(_OURS) and one["tagFQN"] not in {wanted["tagFQN"] for wanted in asked}


def _compare_columns(found: Entity, wanted: Entity) -> Iterator[Entity]:
    asked = {column["name"]: column for column in wanted.get("columns", ())}
    for place, column in enumerate(found.get("columns") or ()):
        if column["name"] in asked:
            yield from _compare_texts(column, asked[column["name"]], f"/columns/{place}")

"""Tags of work groups and data catalogues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daap_local.athena.api.faults import not_found
from daap_local.athena.api.paging import cut_page
from daap_local.athena.api.protocol import Json, Operation
from daap_local.athena.catalog.shelved import ACCOUNT
from daap_local.athena.shelf import Shelf

_KIND = "athena-tags"
_REGION = "us-east-1"
_MOST_LISTED = 200


def group_arn(name: str) -> str:
    """The name of a work group that tags are kept under; the region is left out, as there is but one server."""
    return f"workgroup/{name}"


def catalog_arn(name: str) -> str:
    """As group_arn, for a data catalogue."""
    return f"datacatalog/{name}"


@dataclass(frozen=True, slots=True)
class Tags:
    """The operations on tags."""

    shelf: Shelf

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "TagResource": self.tag, "UntagResource": self.untag, "ListTagsForResource": self.list_all,
        }  # fmt: skip

    def put(self, resource: str, tags: Sequence[Json]) -> None:
        """Begins the tags of a new resource."""
        self.shelf.put(_KIND, resource, data={tag["Key"]: tag.get("Value", "") for tag in tags})

    def drop(self, resource: str) -> None:
        """Forgets the tags of a resource that is gone."""
        self.shelf.delete(_KIND, resource)

    def tag(self, given: Json) -> Json:
        """TagResource."""
        resource, found = self._find(given)
        self.shelf.put(_KIND, resource, data=found | {tag["Key"]: tag.get("Value", "") for tag in given["Tags"]})
        return {}

    def untag(self, given: Json) -> Json:
        """UntagResource."""
        resource, found = self._find(given)
        kept = {key: value for key, value in found.items() if key not in given["TagKeys"]}
        self.shelf.put(_KIND, resource, data=kept)
        return {}

    def list_all(self, given: Json) -> Json:
        """ListTagsForResource."""
        _, found = self._find(given)
        tags = [{"Key": key, "Value": value} for key, value in sorted(found.items())]
        page, token = cut_page(tags, given.get("NextToken"), given.get("MaxResults"), _MOST_LISTED)
        return {"Tags": list(page), "NextToken": token}

    def _find(self, given: Json) -> tuple[str, Json]:
        """Resource and tags; the resource is the part of its ARN after the account."""
        resource = str(given["ResourceARN"]).split(":", 5)[-1]
        found = self.shelf.get(_KIND, resource)
        if found is None and resource != group_arn("primary"):
            raise not_found(f"the resource {given['ResourceARN']} does not exist", given["ResourceARN"])
        return resource, found or {}


def full_arn(resource: str) -> str:
    """An ARN as AWS writes it."""
    return f"arn:aws:athena:{_REGION}:{ACCOUNT}:{resource}"

"""Where the lake of a command is: in folders of this machine, or deployed, in AWS or in an emulator of it.

What a command does is the same in both: it works with the store, the registry, the lake or the query engine of the
place. Nothing is opened, and boto3 is not imported, before one of them is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from daap_local.root import find_root

if TYPE_CHECKING:
    from daap.pipeline.lake import Lake
    from daap.ports.query import QueryEngine
    from daap.registry.products import Registry
    from daap_cloud.s3_store import S3Store
    from daap_cloud.wiring import Deployment
    from daap_local.folder_store import FolderStore


@dataclass(frozen=True, slots=True)
class Choice:
    """What the options before the command name: a folder, or an endpoint and the stack there."""

    root: Path | None = None
    endpoint: str | None = None
    stack: str = "lake"

    def open(self) -> Place:
        """The place."""
        return DeployedPlace(self.endpoint, self.stack) if self.endpoint else FolderPlace(find_root(self.root))


class FolderPlace:
    """A lake in folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def store(self) -> FolderStore:
        """Its files; raises InvalidName for a path that DuckDB would read as a pattern."""
        from daap_local.bootstrap import open_store  # noqa: PLC0415

        return open_store(self.root)

    @property
    def registry(self) -> Registry:
        """Its products."""
        from daap_local.bootstrap import open_registry  # noqa: PLC0415

        return open_registry(self.root)

    @property
    def query(self) -> QueryEngine:
        """What answers SQL."""
        from daap_local.folder_catalogue import FolderCatalogue  # noqa: PLC0415
        from daap_local.query import FolderQuery  # noqa: PLC0415

        return FolderQuery(self.store, FolderCatalogue(self.store))

    def open_lake(self) -> Lake:
        """The lake with its engine."""
        from daap_local.bootstrap import open_lake  # noqa: PLC0415

        return open_lake(self.root)


class DeployedPlace:
    """A lake that is deployed: what the stack tells of itself says where its buckets are.

    The command works there by itself, with the rights of whoever calls it; no Lambda is asked to.
    """

    root = None

    def __init__(self, endpoint: str, stack: str) -> None:
        self._endpoint, self._stack = endpoint, stack

    @cached_property
    def _deployment(self) -> Deployment:
        from daap_local.deployed import open_deployed  # noqa: PLC0415 - boto3 is slow to import

        return open_deployed(self._endpoint, self._stack)

    @property
    def store(self) -> S3Store:
        """Its objects."""
        return self._deployment.store

    @property
    def registry(self) -> Registry:
        """Its products."""
        return self._deployment.registry

    @property
    def query(self) -> QueryEngine:
        """What answers SQL."""
        return self._deployment.query

    def open_lake(self) -> Lake:
        """The lake with the engine that the stack curates by."""
        return replace(self._deployment.lake, console=None)  # the command's own words are enough here


Place = FolderPlace | DeployedPlace

"""Wires a lake in AWS. Nothing is opened or imported before it is asked for: each Lambda needs only some of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daap.access.authenticator import Authenticator, chain
from daap.access.tokens import TokenStore
from daap_cloud.clients import Clients
from daap_cloud.s3_store import S3Store
from daap_cloud.settings import Settings, read_settings

if TYPE_CHECKING:
    from daap.api.backend import Backend
    from daap.pipeline.lake import Lake
    from daap.ports.catalogue import Catalogue
    from daap.ports.deferral import Work
    from daap.ports.publisher import CataloguePublisher
    from daap.ports.query import QueryEngine
    from daap.registry.products import Registry
    from daap_cloud.athena.runner import AthenaRunner
    from daap_cloud.engines import ChosenEngine


def open_deployment(environment: Mapping[str, str] = os.environ) -> Deployment:
    """What the environment of a Lambda describes; raises InvalidSpec where that is wrong."""
    return Deployment(read_settings(environment), Clients(), environment)


class Deployment:
    """The adapters of one deployment, each made when it is first asked for."""

    def __init__(self, settings: Settings, clients: Clients, environment: Mapping[str, str] | None = None) -> None:
        self.settings, self.clients = settings, clients
        self._environment = environment if environment is not None else {}

    @cached_property
    def store(self) -> S3Store:
        """The zones."""
        return S3Store(self.clients.s3, self.settings.zones)

    @cached_property
    def runner(self) -> AthenaRunner:
        """Athena."""
        from daap_cloud.athena.runner import AthenaRunner  # noqa: PLC0415

        settings = self.settings
        return AthenaRunner(self.clients.athena, settings.work_group, settings.results, settings.query_seconds)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tables in Glue."""
        from daap_cloud.glue.catalogue import GlueCatalogue  # noqa: PLC0415

        return GlueCatalogue(self.store, self.clients)

    @cached_property
    def registry(self) -> Registry:
        """The products."""
        from daap.registry.products import Registry  # noqa: PLC0415

        return Registry(self.store, self.catalogue)

    @cached_property
    def engine(self) -> ChosenEngine:
        """What checks and curates."""
        from daap_cloud.engines import make_engine  # noqa: PLC0415

        return make_engine(self.settings, self.clients, self.runner)

    @cached_property
    def query(self) -> QueryEngine:
        """What answers SQL."""
        from daap_cloud.athena.query import AthenaQuery  # noqa: PLC0415

        return AthenaQuery(self.runner, self.catalogue, self.clients.s3)

    @cached_property
    def lake(self) -> Lake:
        """All that the use cases work with; its audit events go to standard output too, which is CloudWatch."""
        from daap.pipeline.lake import Lake  # noqa: PLC0415

        return Lake(
            self.store, self.engine, self.catalogue, console=print_event, scratch=Path(self.settings.scratch),
            publisher=self.publisher,
        )  # fmt: skip

    @cached_property
    def publisher(self) -> CataloguePublisher | None:
        """The other catalogue that shows the products, if there is one."""
        from daap_cloud.publishing import deployed_publisher  # noqa: PLC0415

        return deployed_publisher(self.settings, self.clients, self.store)

    @cached_property
    def authenticator(self) -> Authenticator:
        """daap's own tokens, and an identity provider's where the environment names one."""
        from daap.access.oidc import OidcVerifier, read_settings  # noqa: PLC0415

        provider = read_settings(self._environment)
        return chain(TokenStore(self.store), OidcVerifier(provider) if provider else None)

    @cached_property
    def backend(self) -> Backend:
        """What the API works with."""
        from daap.api.backend import Backend  # noqa: PLC0415
        from daap.registry.directory import Directory  # noqa: PLC0415
        from daap_cloud.deferral import LambdaDeferral  # noqa: PLC0415
        from daap_cloud.presigner import S3Presigner  # noqa: PLC0415

        functions: dict[Work, str] = {
            "reload": self.settings.reload_function, "resync": self.settings.resync_function,
        }  # fmt: skip
        deferral = LambdaDeferral(self.clients.functions, functions) if all(functions.values()) else None
        public = self.settings.public_s3_url
        signer = self.clients.signing_s3(public) if public else None
        return Backend(
            self.lake, self.query, S3Presigner(self.clients.s3, self.store, signer), self.authenticator,
            Directory(self.store), deferral,
        )  # fmt: skip


def print_event(event: dict[str, Any]) -> None:
    """One audit event as a line of JSON; what a Lambda prints, CloudWatch keeps."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False, default=str) + "\n")

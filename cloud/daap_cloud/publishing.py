"""The other catalogue of a deployment, and the token it is called with."""

from __future__ import annotations

from daap.model.keys import HEADS
from daap.ports.objects import ObjectStore
from daap.ports.publisher import CataloguePublisher, PublishFailed
from daap.publishers.choice import make_publisher
from daap_cloud.clients import Clients
from daap_cloud.faults import translated
from daap_cloud.settings import Settings

SERVICE_TYPE = "Athena"
"""What answers SQL, as OpenMetadata calls it."""


def deployed_publisher(settings: Settings, clients: Clients, store: ObjectStore) -> CataloguePublisher | None:
    """What the settings choose. The token is read when something is published, by those Lambdas that may read it."""
    return make_publisher(
        settings.catalogue, store, settings.openmetadata_url, lambda: read_token(settings, clients),
        service_type=SERVICE_TYPE,
    )  # fmt: skip


def read_token(settings: Settings, clients: Clients) -> str:
    """The token of OpenMetadata's bot: the text of the secret. Raises PublishFailed, StoreUnavailable."""
    if not settings.openmetadata_secret:
        return settings.openmetadata_token.get_secret_value()
    with translated("read the token of OpenMetadata"):
        found = clients.secrets.get_secret_value(SecretId=settings.openmetadata_secret)
    if token := found.get("SecretString", "").strip():
        return token
    raise PublishFailed("the secret that DAAP_OPENMETADATA_SECRET names holds no text; put the bot's token there")


def named_product(key: str) -> str | None:
    """The product whose head lies under a key; None for another object."""
    name = key.removeprefix(HEADS).removesuffix(".json")
    return name if key == f"{HEADS}{name}.json" and "/" not in name else None

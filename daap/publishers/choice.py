"""Which catalogue products are shown in: one setting, the same on a laptop and in AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from daap.errors import InvalidSpec, SpecProblem
from daap.ports.objects import ObjectStore
from daap.ports.publisher import CataloguePublisher, PublishFailed

if TYPE_CHECKING:
    from daap.publishers.openmetadata.client import OpenMetadataClient


class CatalogueChoice(StrEnum):
    """No other catalogue, OpenMetadata, or pages that lie in the metadata zone."""

    NONE = "none"
    OPENMETADATA = "openmetadata"
    FILES = "files"


def read_choice(text: str) -> CatalogueChoice:
    """What DAAP_CATALOGUE says; raises InvalidSpec."""
    try:
        return CatalogueChoice(text or CatalogueChoice.NONE)
    except ValueError:
        allowed = ", ".join(CatalogueChoice)
        raise InvalidSpec([SpecProblem("DAAP_CATALOGUE", f"is {text!r}; allowed are {allowed}")]) from None


def make_publisher(
    choice: CatalogueChoice, store: ObjectStore, url: str, token: Callable[[], str], *,
    service_type: str = "CustomDatabase", patience: timedelta | None = None,
) -> CataloguePublisher | None:  # fmt: skip
    """The publisher of a choice. Nothing is opened before it publishes; `patience` is how long a call may take."""
    if choice is CatalogueChoice.NONE:
        return None
    if choice is CatalogueChoice.FILES:
        from daap.publishers.pages.publisher import PagesPublisher  # noqa: PLC0415 - only what is used is loaded

        return PagesPublisher(store)
    from daap.publishers.openmetadata.publisher import OpenMetadataPublisher  # noqa: PLC0415 - as above

    return OpenMetadataPublisher(lambda: _connect(url, token, patience), service_type)


def _connect(url: str, token: Callable[[], str], patience: timedelta | None) -> OpenMetadataClient:
    if not url.startswith(("http://", "https://")):
        raise PublishFailed(
            "DAAP_OPENMETADATA_URL has to be OpenMetadata's address, such as https://metadata.example.org"
        )
    try:
        from daap.publishers.openmetadata.client import PATIENCE, OpenMetadataClient  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise PublishFailed(f"{error.name} is not installed; install daap[catalogue]") from None
    return OpenMetadataClient(url, token, patience=patience or PATIENCE)

"""OpenMetadata as a catalogue of products: `PUT`s from the service down to the tables, then what is gone is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from daap.model.product import Metadata
from daap.ports.publisher import CataloguePublisher, Publication, PublishedDatabase, PublishFailed
from daap.publishers.openmetadata import entities
from daap.publishers.openmetadata.entities import CLASSIFICATION, SERVICE
from daap.publishers.openmetadata.kept import find_differences
from daap.publishers.openmetadata.names import join_names, make_name

if TYPE_CHECKING:
    from daap.publishers.openmetadata.client import OpenMetadataClient

Entity = dict[str, Any]

SERVICES, DATABASES, SCHEMAS, TABLES = "services/databaseServices", "databases", "databaseSchemas", "tables"
DOMAINS, PRODUCTS, CLASSIFICATIONS, TAGS = "domains", "dataProducts", "classifications", "tags"

_FIELDS = {PRODUCTS: "owners,tags,domains", DATABASES: "owners,tags,domains,dataProducts",
           SCHEMAS: "owners,tags,domains,dataProducts",
           TABLES: "owners,tags,domains,dataProducts,columns"}  # fmt: skip


class OpenMetadataPublisher(CataloguePublisher):
    """Publishes by the clients that `connect` makes, one for each product; `service_type` is what answers SQL."""

    name = "openmetadata"

    def __init__(self, connect: Callable[[], OpenMetadataClient], service_type: str = "CustomDatabase") -> None:
        self._connect, self._service_type = connect, service_type

    def publish(self, publication: Publication) -> None:
        """See CataloguePublisher."""
        with self._connect() as client:
            _Visit(client, publication, self._service_type).publish()

    def withdraw(self, product: str) -> None:
        """See CataloguePublisher. The data product goes first: its database is what tells of it."""
        with self._connect() as client:
            fqn = join_names(SERVICE, product)
            if database := client.find(DATABASES, fqn, "dataProducts"):
                _drop_products(client, database, product)
                client.delete(DATABASES, database["id"])


def _drop_products(client: OpenMetadataClient, database: Entity, product: str, *, but: str = "") -> None:
    """Deletes the data products that the database is an asset of and that bear its name."""
    for found in database.get("dataProducts") or ():
        if found.get("name") == product and found["id"] != but:
            client.delete(PRODUCTS, found["id"])


class _Visit:
    """One publication, told to one OpenMetadata."""

    def __init__(self, client: OpenMetadataClient, publication: Publication, service_type: str) -> None:
        self._client, self._publication, self._service_type = client, publication, service_type
        self._domain: Entity = {}

    def publish(self) -> None:
        self._ensure(SERVICES, SERVICE, entities.make_service(self._service_type))
        shared = self._share()
        product = self._put(PRODUCTS, entities.make_data_product(self._publication, shared))
        shared["dataProducts"] = [product.get("fullyQualifiedName") or self._publication.product.name]
        database = self._put(DATABASES, entities.make_database(self._publication, shared))
        _drop_products(self._client, database, self._publication.product.name, but=product["id"])
        for one in self._publication.databases:
            self._publish_schema(one, shared)
        self._drop_others(
            SCHEMAS, "database", (self._publication.product.name,), {one.name for one in self._publication.databases}
        )

    def _share(self) -> Entity:
        """What product, database, schemas and tables have in common: owners, domain and tags."""
        metadata = self._publication.product
        name = make_name(metadata.domain)
        self._domain = domain = self._ensure(DOMAINS, join_names(name), entities.make_domain(metadata))
        return {
            "owners": self._find_owners(metadata),
            "domains": [domain.get("fullyQualifiedName") or join_names(name)],
            "tags": [entities.label(fqn) for fqn in self._ensure_tags(metadata)],
        }

    def _ensure_tags(self, metadata: Metadata) -> list[str]:
        names = entities.name_tags(metadata)
        if names:
            self._ensure(CLASSIFICATIONS, CLASSIFICATION, entities.make_classification())
        for name in names:
            self._ensure(TAGS, join_names(CLASSIFICATION, name), entities.make_tag(name))
        return [join_names(CLASSIFICATION, name) for name in names]

    def _find_owners(self, metadata: Metadata) -> list[Entity]:
        """The owner as a user or a team of OpenMetadata; nobody where it knows none, for it may know them later."""
        for email in (metadata.data_product_owner, metadata.email):
            name, _, host = email.partition("@")
            user = self._client.find("users", join_names(name.lower())) if host else None
            if user and str(user.get("email", "")).lower() == email.lower():
                return [{"id": user["id"], "type": "user"}]
        for name in (metadata.data_product_owner, metadata.data_product_owner_display_name):
            if team := self._client.find("teams", join_names(make_name(name))):
                return [{"id": team["id"], "type": "team"}]
        return []

    def _publish_schema(self, database: PublishedDatabase, shared: Entity) -> None:
        self._put(SCHEMAS, entities.make_schema(self._publication, database, shared))
        for table in database.tables:
            self._put(TABLES, entities.make_table(self._publication, database, table, shared))
        self._drop_others(
            TABLES, "databaseSchema", (self._publication.product.name, database.name), set(database.tables)
        )

    def _ensure(self, collection: str, fqn: str, body: Entity) -> Entity:
        """Makes what is not daap's alone, where it is not there; what is there stays as people have made it."""
        return self._client.find(collection, fqn) or self._client.put(collection, body)

    def _put(self, collection: str, body: Entity) -> Entity:
        """Brings an entity to what `body` says, also where a PUT leaves parts as they were."""
        put = self._client.put(collection, body)
        found = self._client.find(collection, put.get("fullyQualifiedName", ""), _FIELDS[collection])
        if found is None:
            raise PublishFailed(f"OpenMetadata does not show {body['name']} of {collection}, which it has just taken")
        if differences := find_differences(found, body, self._domain):
            self._client.patch(collection, found, differences)
        return found

    def _drop_others(self, collection: str, parent: str, within: tuple[str, ...], kept: set[str]) -> None:
        """Deletes what lies in something of daap's own and is not, or no longer, of the product."""
        from daap.publishers.openmetadata.client import list_names  # noqa: PLC0415 - loads the network only when used

        there = list_names(self._client.list(collection, **{parent: join_names(SERVICE, *within)}))
        for name in there.keys() - kept:
            self._client.delete(collection, there[name])

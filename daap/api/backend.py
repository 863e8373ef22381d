"""What the API works with, wired once by an entry point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from daap.access.authenticator import Authenticator
from daap.access.grants import Action, Principal
from daap.errors import Forbidden, NotRegistered
from daap.model.product import Metadata
from daap.pipeline.lake import Lake
from daap.ports.deferral import Deferral
from daap.ports.presigner import Presigner
from daap.ports.query import QueryEngine
from daap.registry.directory import Directory
from daap.registry.heads import Registered

PRINCIPAL = "daap.principal"
"""Where in the ASGI scope the guard puts who calls."""


@dataclass(frozen=True)
class Backend:
    """The ports and use cases behind the API; with a `deferral`, what may take long is handed over to it."""

    lake: Lake
    query: QueryEngine
    presigner: Presigner
    authenticator: Authenticator
    directory: Directory
    deferral: Deferral | None = None


@dataclass(frozen=True)
class Caller:
    """Who calls, and the backend through which the call is answered."""

    principal: Principal
    backend: Backend

    @property
    def name(self) -> str:
        """What the audit log calls the caller."""
        return self.principal.name

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self.backend.lake

    def require(self, product: str, *actions: Action) -> None:
        """Raises Forbidden unless the caller may do one of the actions with the product.

        Who may not is told the same whether the product exists or not.
        """
        if not self.may(product, *actions):
            raise Forbidden(f"{self.name} may not {' or '.join(actions)} {product}")

    def may(self, product: str, *actions: Action) -> bool:
        """Whether the caller may do one of the actions with the product."""
        if any(self.principal.may(action, product, None) for action in actions):
            return True
        owner = self._find_owner(product) if self.principal.has_owner_scope else None
        return owner is not None and any(self.principal.may(action, product, owner) for action in actions)

    def require_new(self, metadata: Metadata) -> None:
        """Raises Forbidden unless the caller may register a product with this metadata."""
        if not self.principal.may(Action.MANAGE, metadata.name, metadata.data_product_owner):
            raise Forbidden(f"{self.name} may not register {metadata.name} for {metadata.data_product_owner}")

    def require_owner(self, product: str, owner: object) -> None:
        """Raises Forbidden unless the caller could manage the product also if it were this owner's."""
        if isinstance(owner, str) and not self.principal.may(Action.MANAGE, product, owner):
            raise Forbidden(f"{self.name} may not give {product} to {owner}")

    def sees(self, registered: Registered) -> bool:
        """Whether the product may be listed for the caller."""
        product = registered.product
        return any(self.principal.may(action, product.name, product.data_product_owner) for action in Action)

    def _find_owner(self, product: str) -> str | None:
        try:  # also of one that is being deleted: its owner may call again to go on with that
            return self.lake.registry.read_any(product).registered.product.data_product_owner
        except NotRegistered:
            return None


async def find_caller(request: Request) -> Caller:
    """The caller, whom the guard has let in."""
    return Caller(request.scope[PRINCIPAL], request.app.state.backend)


Call = Annotated[Caller, Depends(find_caller)]

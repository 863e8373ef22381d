"""What a call of the API needs, told by its method and path alone: for a gate that stands before the API.

The API asks again, and knows more: here a call is let through if it may be permitted, and stopped if it cannot be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from daap.access.grants import Action, Principal

_ROOT = "data-product"
_READERS = frozenset({Action.READ})
_SEERS = frozenset({Action.READ, Action.UPLOAD})
_SENDERS = frozenset({Action.UPLOAD})
_MANAGERS = frozenset({Action.MANAGE})
_CONTENT = frozenset({"preview", "file"})


@dataclass(frozen=True, slots=True)
class Need:
    """Any of `actions`, with `product`; where that is None, with any product at all."""

    product: str | None
    actions: frozenset[Action]


def find_need(method: str, path: str) -> Need | None:
    """What a call needs; None if the API has no such path, so that nobody needs to be let through to it.

    >>> find_need("GET", "/data-product/spend").product
    'spend'
    """
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] != _ROOT:
        return None
    if parts == [_ROOT]:
        return Need(None, frozenset(Action)) if method == "GET" else None
    if parts == [_ROOT, "register"] and method == "POST":
        return Need(None, _MANAGERS)
    return Need(parts[1], _find_actions(method, parts[2:]))


def _find_actions(method: str, rest: list[str]) -> frozenset[Action]:
    """By what stands behind the product: `table/{table}/...` or a word of its own."""
    of_table = rest[2:] if rest[:1] == ["table"] else []
    if method == "GET":
        return _READERS if of_table and of_table[-1] in _CONTENT else _SEERS
    return _SENDERS if of_table[:1] == ["upload"] else _MANAGERS


def may_call(principal: Principal, method: str, path: str, find_owner: Callable[[str], str | None]) -> bool:
    """Whether a call may be permitted; `find_owner` tells the owner of a product, None if there is none such.

    A product is only looked up for a principal whose grants go by owner.
    """
    need = find_need(method, path)
    if need is None:
        return False
    if need.product is None:
        return any(grant.permits(action) for grant in principal.grants for action in need.actions)
    if any(principal.may(action, need.product, None) for action in need.actions):
        return True
    owner = find_owner(need.product) if principal.has_owner_scope else None
    return owner is not None and any(principal.may(action, need.product, owner) for action in need.actions)

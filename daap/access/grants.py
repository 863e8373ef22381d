"""Grants: what a principal may do, and with which products.

A grant is written `admin`, or an action and a scope: `read:*` (all products), `upload:spend` (one, by
name), `manage:owner=alice@example.org` (those whose dataProductOwner is just this text). `manage` holds
`read` and `upload`; `upload` does not hold `read`; `admin` holds everything, tokens too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from daap.errors import InvalidName
from daap.model.names import check_product

ADMIN = "admin"
_ALL = "*"
_BY_OWNER = "owner="
_ALLOWED = "write admin, or read, upload or manage, then : and * or a product or owner=OWNER, as in upload:spend"
_MAX_NAME = 256
_OWNER = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,10000}")
"""What a dataProductOwner may be, but for line breaks and other control characters."""


class Action(StrEnum):
    """What can be done with a product."""

    READ = "read"
    UPLOAD = "upload"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission. `action` is None for admin; neither `product` nor `owner` means all products.

    Raises InvalidName for a product or an owner that none can have.
    """

    action: Action | None
    product: str | None = None
    owner: str | None = None

    def __post_init__(self) -> None:
        if None not in (self.product, self.owner) or (self.is_admin and not self.is_for_all):
            raise InvalidName("a grant has one scope, and admin has none")
        if self.product is not None:
            check_product(self.product)
        if self.owner is not None:
            _check_owner(self.owner)

    @property
    def is_admin(self) -> bool:
        """Whether it permits everything."""
        return self.action is None

    @property
    def is_for_all(self) -> bool:
        """Whether it is for every product."""
        return self.product is None and self.owner is None

    def permits(self, action: Action) -> bool:
        """Whether it permits the action with the products of its scope."""
        return self.action in (None, Action.MANAGE, action)

    def reaches(self, product: str, owner: str | None) -> bool:
        """Whether the product is in its scope; `owner` is None where it is unknown, and is then nobody's."""
        if self.is_for_all:
            return True
        return product == self.product if self.owner is None else owner == self.owner

    def __str__(self) -> str:
        if self.action is None:
            return ADMIN
        scope = _ALL if self.is_for_all else self.product or f"{_BY_OWNER}{self.owner}"
        return f"{self.action}:{scope}"


def parse_grant(text: str) -> Grant:
    """The grant that `text` names; raises InvalidName, which says what is allowed.

    >>> str(parse_grant("manage:owner=alice@example.org"))
    'manage:owner=alice@example.org'
    """
    if text == ADMIN:
        return Grant(None)
    action, colon, scope = text.partition(":")
    if action not in list(Action) or not colon:
        raise InvalidName(f"{_cut(text)} is no grant: {_ALLOWED}")
    try:
        return _read_scope(Action(action), scope)
    except InvalidName as error:
        raise InvalidName(f"{_cut(text)} is no grant: {error}; {_ALLOWED}") from None


def _read_scope(action: Action, scope: str) -> Grant:
    if scope == _ALL:
        return Grant(action)
    if scope.startswith(_BY_OWNER):
        return Grant(action, owner=scope.removeprefix(_BY_OWNER))
    return Grant(action, product=scope)


def _check_owner(owner: str) -> None:
    # A product's owner is kept without spaces at its ends, so a scope that has them would reach nothing.
    if owner != owner.strip() or not _OWNER.fullmatch(owner):
        raise InvalidName("an owner is a text without control characters, and without spaces at its ends")


def _cut(text: str) -> str:
    return repr(text) if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]!r}..."


def check_principal(name: str) -> str:
    """Returns `name`; raises InvalidName unless it is 1 to 256 printable characters.

    Printable is as in `str.isprintable`: no control characters, nor such as turn the direction of writing.
    """
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or name.isspace():
        raise InvalidName(f"principal {_cut(name)} is not allowed: use 1 to {_MAX_NAME} printable characters")
    return name


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a name, what it may do, and the id of the token it came with (None for a provider's)."""

    name: str
    grants: tuple[Grant, ...]
    token_id: str | None = None

    def __post_init__(self) -> None:
        check_principal(self.name)

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything."""
        return any(grant.is_admin for grant in self.grants)

    @property
    def has_owner_scope(self) -> bool:
        """Whether a product's owner can matter; if not, or if `may` says yes without one, no product need be read."""
        return any(grant.owner is not None for grant in self.grants)

    def may(self, action: Action, product: str, owner: str | None) -> bool:
        """Whether it may do this with a product; `owner` is None where it is unknown, or there is no such product."""
        return any(grant.reaches(product, owner) for grant in self._that_permit(action))

    def sees_all(self, action: Action) -> bool:
        """Whether it may do this with every product."""
        return any(grant.is_for_all for grant in self._that_permit(action))

    def _that_permit(self, action: Action) -> Iterable[Grant]:
        return (grant for grant in self.grants if grant.permits(action))

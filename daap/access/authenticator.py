"""Whom a token stands for, whichever kind it is of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from daap.access.grants import Principal
from daap.access.refusal import refuse_token
from daap.access.tokens import PREFIX

_JWT = re.compile(r"[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+")
"""Three parts in base64url (RFC 7519, section 3)."""


class Authenticator(Protocol):
    """What knows tokens of one kind, or of several."""

    def authenticate(self, text: str) -> Principal:
        """Whom the token `text` stands for.

        Raises Unauthenticated, with one message for every reason, and StoreUnavailable where that cannot
        be told now.
        """


@dataclass(frozen=True, slots=True)
class _Chain:
    tokens: Authenticator
    provider: Authenticator | None

    def authenticate(self, text: str) -> Principal:
        if text.startswith(PREFIX):
            return self.tokens.authenticate(text)
        if self.provider and _JWT.fullmatch(text):
            return self.provider.authenticate(text)
        raise refuse_token()


def chain(tokens: Authenticator, provider: Authenticator | None = None) -> Authenticator:
    """daap's own tokens go to `tokens`; what looks like a JWT to the identity provider's, if there is one."""
    return _Chain(tokens, provider)

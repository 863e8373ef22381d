"""The one answer to every token that is not valid."""

from __future__ import annotations

from daap.errors import Unauthenticated

_MESSAGE = "there is no valid token; send one that is whole, not expired and not revoked, or ask for a new one"


def refuse_token() -> Unauthenticated:
    """The error for any token: which of its parts is wrong would only help who guesses. Raise it `from None`."""
    return Unauthenticated(_MESSAGE)

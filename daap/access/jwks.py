"""A provider's keys, from a file or a URL, and the claims of a JWT that is signed by one of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jwt
from jwt import PyJWK, PyJWKClient, PyJWKSet

from daap.access.refusal import refuse_token
from daap.errors import StoreUnavailable

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Asymmetric ones alone. With HS* a provider's public key would be the secret; `none` signs nothing."""

_LEEWAY_SECONDS = 30
_TIMEOUT_SECONDS = 5
_MAX_LENGTH = 16_384  # of a whole token; servers take headers of about this length


class Keys(Protocol):
    """A provider's keys."""

    def find(self, kid: str | None) -> PyJWK | None:
        """The key with this id, or the only one if no id is given; raises StoreUnavailable."""


def open_keys(place: str, *, is_file: bool, cooldown: float) -> Keys:
    """The keys at a path or a URL; nothing is read before a key is asked for."""
    return FileKeys(Path(place)) if is_file else UrlKeys(place, cooldown)


class FileKeys:
    """Keys in a file, which is read again whenever it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, ...], list[PyJWK]] | None = None

    def find(self, kid: str | None) -> PyJWK | None:
        """See Keys."""
        with _translated(self._path):
            return _pick(self._load(), kid)

    def _load(self) -> list[PyJWK]:
        found = self._path.stat()
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._read
        if known and known[0] == version:
            return known[1]
        keys = _usable(PyJWKSet.from_dict(dict(json.loads(self._path.read_bytes()))).keys)
        self._read = (version, keys)  # one assignment, so that no other thread sees half of it
        return keys


class _PatientClient(PyJWKClient):
    """Asks a URL that has just failed no more for a while: each try may hold a worker as long as the timeout."""

    def __init__(self, url: str, cooldown: float) -> None:
        super().__init__(url, timeout=_TIMEOUT_SECONDS, cooldown_duration=cooldown)
        self._pause, self._rests_until = min(cooldown, _TIMEOUT_SECONDS), 0.0

    def fetch_data(self) -> Any:  # noqa: ANN401 - as the library's
        if time.monotonic() < self._rests_until:
            raise jwt.PyJWKClientConnectionError("it could not be read a moment ago; try again soon")
        try:
            return super().fetch_data()
        except Exception:
            self._rests_until = time.monotonic() + self._pause
            raise


class UrlKeys:
    """Keys behind a URL, kept for five minutes, and asked for anew when a token names one that is not known."""

    def __init__(self, url: str, cooldown: float) -> None:
        self._url = url
        self._client = _PatientClient(url, cooldown)

    def find(self, kid: str | None) -> PyJWK | None:
        """See Keys."""
        with _translated(self._url):
            # Known keys first, and without the lock that the client holds while it asks for new ones.
            key = _pick(_usable(self._client.get_jwk_set().keys), kid)
            return key or (self._ask(kid) if kid else None)

    def _ask(self, kid: str) -> PyJWK | None:
        try:
            return _pick(_usable([self._client.get_signing_key(kid)]), kid)
        except jwt.PyJWKClientConnectionError:
            raise
        except jwt.PyJWKClientError:
            return None


@contextmanager
def _translated(place: object) -> Iterator[None]:
    """What hinders the reading of keys, as StoreUnavailable: the token may well be right."""
    try:
        yield
    except (jwt.PyJWKClientError, jwt.PyJWKSetError, OSError, ValueError, TypeError) as error:
        raise StoreUnavailable(f"cannot read the identity provider's keys at {place}: {error}") from error


def _usable(keys: Iterable[PyJWK]) -> list[PyJWK]:
    return [key for key in keys if key.public_key_use in ("sig", None) and key.algorithm_name in ALGORITHMS]


def _pick(keys: list[PyJWK], kid: str | None) -> PyJWK | None:
    if kid is None:
        return keys[0] if len(keys) == 1 else None
    return next((key for key in keys if key.key_id == kid), None)


@dataclass(frozen=True, slots=True)
class JwtReader:
    """Reads JWTs of one issuer for one audience."""

    keys: Keys
    issuer: str
    audience: str

    def read_claims(self, text: str) -> dict[str, Any]:
        """The claims of a valid token; raises Unauthenticated for any other, StoreUnavailable without the keys."""
        if len(text) > _MAX_LENGTH:
            raise refuse_token()
        try:
            return self._verify(text)
        except (jwt.PyJWTError, ValueError, TypeError):  # a hostile token breaks the parser in its own ways
            raise refuse_token() from None

    def _verify(self, text: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(text)
        if header.get("alg") not in ALGORITHMS:
            raise refuse_token()  # before any key is asked for
        key = self.keys.find(header.get("kid"))
        if key is None:
            raise refuse_token()
        # The key is bound to its own algorithm, and a token that names another one is refused.
        return jwt.decode(
            text, key, algorithms=list(ALGORITHMS), issuer=self.issuer, audience=self.audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )  # fmt: skip

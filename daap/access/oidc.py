"""Tokens of an identity provider (OpenID Connect), as an alternative to daap's own.

A token is a JWT that the provider has signed. It is taken if its signature is by one of the provider's
keys, with an asymmetric algorithm, and its issuer, audience and time are right. Sources: RFC 7519 (JWT),
RFC 7517 (JWKS), RFC 8725 (what to look out for).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from daap.access.grants import Grant, Principal, parse_grant
from daap.access.refusal import refuse_token
from daap.errors import InvalidName, InvalidSpec, SpecProblem

_VARIABLES = {
    "issuer": "DAAP_OIDC_ISSUER", "audience": "DAAP_OIDC_AUDIENCE", "jwks": "DAAP_OIDC_JWKS",
    "grants_claim": "DAAP_OIDC_GRANTS_CLAIM", "name_claim": "DAAP_OIDC_NAME_CLAIM",
}  # fmt: skip
_NEEDED = ("issuer", "audience", "jwks")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The provider (`iss`), whom its tokens are to be for (`aud`), where its keys are, and which claims count.

    `jwks` is the path of a file, or an https URL (http only to this machine itself). Raises InvalidSpec
    for another one.
    """

    issuer: str
    audience: str
    jwks: str
    grants_claim: str = "daap_grants"
    name_claim: str = "sub"

    def __post_init__(self) -> None:
        if not self.is_file and not _is_safe(self.jwks):
            problem = f"{self.jwks!r} is neither a path nor an https URL; whoever changes keys on the way may do all"
            raise InvalidSpec([SpecProblem(_VARIABLES["jwks"], problem)])

    @property
    def is_file(self) -> bool:
        """Whether the keys lie in a file."""
        return "://" not in self.jwks


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def read_settings(environ: Mapping[str, str]) -> OidcSettings | None:
    """The settings in DAAP_OIDC_ISSUER, _AUDIENCE and _JWKS (_GRANTS_CLAIM, _NAME_CLAIM); None if none is set.

    Raises InvalidSpec, which names what is missing.
    """
    given = {name: environ[variable] for name, variable in _VARIABLES.items() if environ.get(variable)}
    if not given:
        return None
    if missing := [_VARIABLES[name] for name in _NEEDED if name not in given]:
        found = ", ".join(_VARIABLES[name] for name in given)
        raise InvalidSpec([SpecProblem(name, f"is not set, though {found} is; set all or none") for name in missing])
    return OidcSettings(**given)


class OidcVerifier:
    """Checks tokens of one provider; safe to use from many threads."""

    def __init__(self, settings: OidcSettings, cooldown: float = 30.0) -> None:
        """`cooldown` is how many seconds a URL is not asked again for keys that nobody knows of."""
        # Only a server with a provider needs what checks JWTs, which takes a while to import.
        from daap.access.jwks import JwtReader, open_keys  # noqa: PLC0415

        self._settings = settings
        keys = open_keys(settings.jwks, is_file=settings.is_file, cooldown=cooldown)
        self._reader = JwtReader(keys, settings.issuer, settings.audience)

    def authenticate(self, text: str) -> Principal:
        """See Authenticator. A grant that daap does not know is passed over."""
        claims = self._reader.read_claims(text)
        try:
            return Principal(_read_name(claims, self._settings.name_claim), self._read_grants(claims))
        except InvalidName:
            raise refuse_token() from None

    def _read_grants(self, claims: dict[str, Any]) -> tuple[Grant, ...]:
        listed = claims.get(self._settings.grants_claim)
        texts = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
        return tuple(dict.fromkeys(grant for grant in map(_try_grant, texts) if grant))


def _read_name(claims: dict[str, Any], claim: str) -> str:
    name = claims.get(claim)
    if not isinstance(name, str):
        raise refuse_token()
    return name


def _try_grant(text: str) -> Grant | None:
    try:
        return parse_grant(text)
    except InvalidName:
        return None

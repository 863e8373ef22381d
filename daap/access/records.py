"""A token as it is stored: all but its secret, of which a salted hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from daap.access.grants import Grant, Principal, check_principal, parse_grant
from daap.errors import InvalidName
from daap.model.keys import token_key

State = Literal["valid", "expired", "revoked"]

_SALT_BYTES = 16
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What may be told of a token: whose it is, what it permits, and its moments (aware, in UTC)."""

    id: str
    principal: str
    grants: tuple[Grant, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> State:
        """Whether it is valid at the moment `now`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "valid"

    def as_principal(self) -> Principal:
        """Whom the token stands for."""
        return Principal(self.principal, self.grants, self.id)

    def dump(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "id": self.id,
            "principal": self.principal,
            "grants": [str(grant) for grant in self.grants],
            "created": self.created.isoformat(),
            "expires": self.expires.isoformat() if self.expires else None,
            "revoked": self.revoked.isoformat() if self.revoked else None,
        }


@dataclass(frozen=True, slots=True)
class SecretHash:
    """A secret's salt and hash."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str, salt: bytes | None = None) -> Self:
        """The hash of a secret, with a salt of its own."""
        salt = salt or secrets.token_bytes(_SALT_BYTES)
        # A slow hash makes up for secrets that can be guessed. These cannot: they are 256 bits of chance,
        # so a fast keyed one gives nothing away either, and a request is not held up by it.
        return cls(salt, hashlib.blake2b(secret.encode(), key=salt, digest_size=_HASH_BYTES).digest())

    def matches(self, secret: str) -> bool:
        """Whether it is the secret's; takes as long for any of the same length."""
        return hmac.compare_digest(SecretHash.of(secret, self.salt).digest, self.digest)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One object in the store."""

    info: TokenInfo
    secret: SecretHash

    def encode(self) -> bytes:
        """As JSON."""
        hashed = {"salt": self.secret.salt.hex(), "hash": self.secret.digest.hex()}
        return json.dumps(self.info.dump() | hashed, indent=1, ensure_ascii=False).encode()


def decode_record(data: bytes) -> TokenRecord:
    """The record in `data`; raises ValueError where it is none (only a hand could have made such)."""
    try:
        found = json.loads(data)
        info = TokenInfo(
            id=found["id"],
            principal=check_principal(found["principal"]),
            grants=tuple(map(parse_grant, found["grants"])),
            created=_read_moment(found["created"]),
            expires=_read_moment(found["expires"]) if found["expires"] is not None else None,
            revoked=_read_moment(found["revoked"]) if found["revoked"] is not None else None,
        )
        token_key(info.id)
        return TokenRecord(info, _read_hash(found["salt"], found["hash"]))
    except (KeyError, ValueError, TypeError, AttributeError, InvalidName) as error:
        raise ValueError(f"no record of a token: {error!r}") from None


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return moment


def _read_hash(salt: str, digest: str) -> SecretHash:
    found = SecretHash(bytes.fromhex(salt), bytes.fromhex(digest))
    if (len(found.salt), len(found.digest)) != (_SALT_BYTES, _HASH_BYTES):
        raise ValueError("the salt or the hash is cut")
    return found

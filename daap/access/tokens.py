"""daap's own tokens: one small object each, read anew for every request, so a revoked one ends at once.

A token is `daap_{id}_{secret}`. The id is no secret: it names the object, and is what lists and logs show.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from daap.access.grants import Grant, Principal, check_principal
from daap.access.records import SecretHash, TokenInfo, TokenRecord, decode_record
from daap.access.refusal import refuse_token
from daap.errors import DaapError, InvalidSpec, ObjectConflict, ObjectMissing, SpecProblem, StoreUnavailable
from daap.model.keys import token_key
from daap.ports.objects import ABSENT, ObjectStore

PREFIX = "daap_"
"""What every token begins with; scanners for leaked secrets can look for it."""

TOKENS = "metadata/access-tokens/"
_FIRST = f"{TOKENS}first.json"
"""Written with the first token, and never removed. No id is as short, so it is no token's object."""

_ID_LETTERS = string.ascii_lowercase + string.digits
_SECRET_LETTERS = string.ascii_letters + string.digits  # a double click takes the whole token
_ID_LENGTH = 16
_SECRET_LENGTH = 43  # of 62 letters: 256 bits
_TOKEN = re.compile(rf"{PREFIX}(?P<id>[a-z0-9]{{{_ID_LENGTH}}})_(?P<secret>[a-zA-Z0-9]{{{_SECRET_LENGTH}}})")
_KEY = re.compile(rf"{TOKENS}[a-z0-9]{{{_ID_LENGTH}}}\.json")


class UnknownToken(DaapError):
    """No token has this id."""


class _SpoiltRecord(StoreUnavailable):
    """Somebody has edited or copied a record by hand."""


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class TokenStore:
    """Makes, lists, revokes and checks tokens. What is asked of the store may raise StoreUnavailable."""

    def __init__(self, store: ObjectStore, clock: Callable[[], datetime] = utc_now) -> None:
        self._store, self._clock = store, clock

    def create(self, principal: str, grants: Iterable[Grant], expires: datetime | None = None) -> tuple[str, TokenInfo]:
        """A new token, to be shown once, and what is kept of it; `expires` is aware.

        Raises InvalidName for a wrong principal, InvalidSpec if there are no grants or it is expired already.
        """
        token, info = self._write(principal, tuple(dict.fromkeys(grants)), expires)
        self._mark_first(info)
        return token, info

    def create_first(self, principal: str) -> str | None:
        """A token for everything, if none was ever made; of several that call at once, one gets it.

        The token's own object is written before the mark that decides, so a process that dies in between
        leaves a token that nobody knows, never a lake that takes itself for settled without one.
        """
        if not self.is_empty():
            return None
        token, info = self._write(principal, (Grant(None),), None)
        if self._mark_first(info):
            return token
        self._store.delete(token_key(info.id))
        return None

    def is_empty(self) -> bool:
        """Whether no token was ever made; looks at one object, however many tokens there are."""
        try:
            self._store.stat(_FIRST)
        except ObjectMissing:
            return True
        return False

    def list(self) -> Iterator[TokenInfo]:
        """All tokens, expired and revoked ones too, in no order that means anything."""
        for info in self._store.list(TOKENS):
            if _KEY.fullmatch(info.key):
                with suppress(ObjectMissing):  # the loser of a race for the first token has taken it back
                    yield self._read(info.key)[0].info

    def revoke(self, token_id: str) -> TokenInfo:
        """Ends a token at once and for ever; one that is revoked stays as it is.

        Raises InvalidName for what is no id, UnknownToken for one that no token has.
        """
        key = token_key(token_id)
        while True:
            try:
                record, version = self._read(key)
            except ObjectMissing:
                raise UnknownToken(f"there is no token {token_id}; list them with: daap-local token list") from None
            if record.info.revoked:
                return record.info
            ended = replace(record, info=replace(record.info, revoked=self._clock()))
            with suppress(ObjectConflict):  # another process revokes it too
                self._store.put(key, ended.encode(), version)
                return ended.info

    def authenticate(self, text: str) -> Principal:
        """Whom a token stands for; raises Unauthenticated, with the same message for every reason."""
        match = _TOKEN.fullmatch(text)
        if not match:
            raise refuse_token()
        record = self._find(match["id"])
        # An id that nobody has costs the same hash and comparison, so time tells nothing of it.
        secret = record.secret if record else SecretHash(bytes(16), bytes(32))
        is_right = secret.matches(match["secret"])
        if record is None or not is_right or record.info.state(self._clock()) != "valid":
            raise refuse_token()
        return record.info.as_principal()

    def _write(self, principal: str, grants: tuple[Grant, ...], expires: datetime | None) -> tuple[str, TokenInfo]:
        now = self._clock()
        _check_terms(grants, expires, now)
        token_id, secret = _random(_ID_LETTERS, _ID_LENGTH), _random(_SECRET_LETTERS, _SECRET_LENGTH)
        ends = expires.astimezone(UTC) if expires else None
        info = TokenInfo(token_id, check_principal(principal), grants, now, ends)
        self._store.put(token_key(token_id), TokenRecord(info, SecretHash.of(secret)).encode(), ABSENT)
        return f"{PREFIX}{token_id}_{secret}", info

    def _mark_first(self, info: TokenInfo) -> bool:
        """Notes that there is a token; whether this was the first."""
        try:
            self._store.put(_FIRST, f'{{"id": "{info.id}"}}'.encode(), ABSENT)
        except ObjectConflict:
            return False
        return True

    def _find(self, token_id: str) -> TokenRecord | None:
        try:
            return self._read(token_key(token_id))[0]
        except (ObjectMissing, _SpoiltRecord):
            return None  # a record that somebody has spoilt lets nobody in

    def _read(self, key: str) -> tuple[TokenRecord, str]:
        data, version = self._store.read(key)
        try:
            record = decode_record(data)
        except ValueError:
            record = None
        if record is None or token_key(record.info.id) != key:
            raise _SpoiltRecord(f"{key} is not the record of its token any more; restore it or delete it")
        return record, version


def _check_terms(grants: tuple[Grant, ...], expires: datetime | None, now: datetime) -> None:
    problems = []
    if not grants:
        problems.append(SpecProblem("grants", "there are none; give at least one, such as read:*"))
    if expires and expires <= now:
        problems.append(SpecProblem("expires", f"{expires.isoformat(timespec='seconds')} is past"))
    if problems:
        raise InvalidSpec(problems)


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))

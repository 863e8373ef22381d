"""daap's own tokens: made once, never kept, and refused without a word of why."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.access.grants import Grant, Principal, parse_grant
from daap.access.records import SecretHash, decode_record
from daap.access.tokens import TOKENS, TokenStore, UnknownToken
from daap.errors import InvalidName, InvalidSpec, StoreUnavailable, Unauthenticated
from daap.model.keys import check_key, token_key
from daap.ports.objects import ANYTHING, Expect, ObjectStore
from daap.testing.memory_store import MemoryStore
from daap_local.folder_store import FolderStore

GRANTS = (parse_grant("upload:spend"), parse_grant("read:*"), parse_grant("manage:owner=Équipe 1"))
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
STORES = {"memory": lambda _path: MemoryStore(), "folder": FolderStore}


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Desk:
    """A store with the tokens in it."""

    store: ObjectStore
    clock: Clock = field(default_factory=Clock)

    @property
    def tokens(self) -> TokenStore:
        return TokenStore(self.store, self.clock)

    def create(self, **terms) -> str:
        return self.tokens.create("ann", GRANTS, **terms)[0]

    def record(self) -> tuple[str, dict]:
        """The key and the content of the only token's object."""
        (key,) = (info.key for info in self.store.list(TOKENS) if not info.key.endswith("/first.json"))
        return key, json.loads(self.store.read(key)[0])


@pytest.fixture(params=STORES)
def desk(request, tmp_path) -> Desk:
    return Desk(STORES[request.param](tmp_path))


def refusal_of(tokens: TokenStore, text: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        tokens.authenticate(text)
    assert caught.value.__cause__ is None
    return str(caught.value)


def id_of(token: str) -> str:
    return token.split("_")[1]


def swap(token: str, place: int) -> str:
    """The token with another character at `place`."""
    return token[:place] + ("b" if token[place] == "a" else "a") + token[place + 1 :]


def test_a_token_stands_for_its_principal(desk):
    token, info = desk.tokens.create("ann", GRANTS)
    assert desk.tokens.authenticate(token) == Principal("ann", GRANTS, info.id)


def test_a_token_names_its_id_and_holds_a_long_secret(desk):
    tokens = [desk.create() for _ in range(20)]
    assert len({id_of(token) for token in tokens}) == 20
    assert all(re.fullmatch("daap_[a-z0-9]{16}_[A-Za-z0-9]{43}", token) for token in tokens)
    assert 62**43 >= 2**256


def test_of_the_secret_only_a_salted_hash_is_kept(desk):
    token = desk.create()
    _, record = desk.record()
    secret = token.rpartition("_")[2]
    assert set(record) == {"id", "principal", "grants", "salt", "hash", "created", "expires", "revoked"}
    assert record["grants"] == ["upload:spend", "read:*", "manage:owner=Équipe 1"]
    for info in desk.store.list("metadata/"):
        assert secret.encode() not in desk.store.read(info.key)[0]
    assert "lastUsed" not in record


def test_the_same_secret_has_another_hash_each_time():
    assert SecretHash.of("x" * 43).digest != SecretHash.of("x" * 43).digest
    assert SecretHash.of("x" * 43).matches("x" * 43)
    assert not SecretHash.of("x" * 43).matches("x" * 42 + "y")


def test_a_hash_shows_nothing_of_itself():
    hashed = SecretHash.of("x" * 43)
    assert hashed.digest.hex() not in repr(hashed)
    assert repr(hashed.digest) not in repr(hashed)


def test_a_token_ends_when_it_expires(desk):
    token = desk.create(expires=START + timedelta(days=1))
    desk.clock.now = START + timedelta(days=1, microseconds=-1)
    assert desk.tokens.authenticate(token).name == "ann"
    desk.clock.now = START + timedelta(days=1)
    refusal_of(desk.tokens, token)


def test_an_expiry_in_another_time_zone_is_the_same_moment(desk):
    there = START.astimezone(datetime.strptime("+0500", "%z").tzinfo)
    _, info = desk.tokens.create("ann", GRANTS, expires=there + timedelta(hours=1))
    assert info.dump()["expires"] == "2026-01-31T13:00:00+00:00"


def test_a_revoked_token_ends_at_once(desk):
    token, other = desk.create(), desk.create()
    assert desk.tokens.revoke(id_of(token)).state(START) == "revoked"
    refusal_of(desk.tokens, token)
    assert desk.tokens.authenticate(other).name == "ann"


def test_revoking_again_changes_nothing(desk):
    token = desk.create()
    first = desk.tokens.revoke(id_of(token))
    desk.clock.now += timedelta(days=1)
    assert desk.tokens.revoke(id_of(token)) == first
    assert first.revoked == START


def test_a_token_that_never_was_cannot_be_revoked(desk):
    with pytest.raises(UnknownToken, match="there is no token 0123456789abcdef"):
        desk.tokens.revoke("0123456789abcdef")


def test_what_is_no_id_is_refused_without_being_said(desk):
    token = desk.create()
    for text in (token, token.rpartition("_")[2], "first", "", "../../x", "0123456789ABCDEF", "0123456789abcde\n"):
        with pytest.raises(InvalidName) as caught:
            desk.tokens.revoke(text)
        assert not text or text not in str(caught.value)
    assert desk.tokens.authenticate(token)


def test_every_invalid_token_gets_the_same_words(desk):
    token, revoked, expired = desk.create(), desk.create(), desk.create(expires=START + timedelta(days=1))
    desk.tokens.revoke(id_of(revoked))
    desk.clock.now = START + timedelta(days=2)
    head, _, secret = token.rpartition("_")
    wrong = {
        "wrong secret": swap(token, len(token) - 1), "wrong first letter": swap(token, len(head) + 1),
        "unknown id": swap(token, 5), "another's secret": f"daap_{id_of(revoked)}_{secret}",
        "revoked": revoked, "expired": expired, "empty": "", "prefix": "daap_", "no secret": head,
        "empty secret": f"{head}_", "short": token[:-1], "long": f"{token}x", "upper": token.upper(),
        "newline": f"{token}\n", "space": f" {token}", "nul": f"{token}\0", "inner nul": token.replace("_", "\0"),
        "other prefix": token.replace("daap", "DAAP"), "no prefix": token.removeprefix("daap_"),
        "path": f"daap_../../../etc/x_{secret}", "marker": f"daap_first_{secret}", "huge": "daap_" + "a" * 10_000_000,
        "unicode": f"{head}_{'é' * 43}", "wide digits": f"daap_{'１' * 16}_{secret}", "surrogate": f"{token}\ud800",
        "hash": f"{head}_{SecretHash.of(secret).digest.hex()[:43]}", "bearer": f"Bearer {token}", "jwt": "a.b.c",
    }  # fmt: skip
    assert {refusal_of(desk.tokens, text) for text in wrong.values()} == {refusal_of(desk.tokens, "x")}
    assert desk.tokens.authenticate(token).name == "ann"


@given(st.text(max_size=80))
def test_no_other_text_is_ever_a_token(text):
    desk = Desk(MemoryStore())
    desk.create()
    refusal_of(desk.tokens, text)
    refusal_of(desk.tokens, f"daap_{text}")


@given(st.integers(0, 200), st.characters())
def test_a_token_with_any_one_character_changed_is_refused(place, letter):
    desk = Desk(MemoryStore())
    token = desk.create()
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        refusal_of(desk.tokens, changed)


@pytest.mark.parametrize(
    "change",
    [
        {"hash": ""}, {"hash": "00"}, {"hash": "zz"}, {"hash": None}, {"salt": ""}, {"salt": "00" * 65}, {"salt": 1},
        {"grants": ["admin:*"]}, {"grants": "admin"}, {"grants": None}, {"revoked": False}, {"revoked": ""},
        {"expires": 0}, {"expires": "2027-01-01T00:00:00"}, {"created": None}, {"principal": ""}, {"principal": 7},
        {"id": "0123456789abcdef"}, {"id": 7}, {"id": "first"},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_spoilt_by_hand_lets_nobody_in_and_is_named(desk, change):
    token = desk.create()
    key, record = desk.record()
    desk.store.put(key, json.dumps(record | change).encode())
    assert refusal_of(desk.tokens, token) == refusal_of(desk.tokens, "x")
    with pytest.raises(StoreUnavailable, match=re.escape(key)):
        list(desk.tokens.list())


@pytest.mark.parametrize("data", [b"", b"\0", b"[]", b"{}", b"null", b'"x"', b"\xff", b'{"id": '])
def test_a_record_that_is_no_json_object_is_none(data):
    with pytest.raises(ValueError, match="no record of a token"):
        decode_record(data)


def test_a_record_under_another_id_lets_nobody_in(desk):
    token = desk.create()
    _, record = desk.record()
    desk.store.put(token_key("0123456789abcdef"), json.dumps(record).encode())
    refusal_of(desk.tokens, f"daap_0123456789abcdef_{token.rpartition('_')[2]}")


def test_a_store_that_cannot_be_read_is_no_wrong_token(desk):
    class Broken(MemoryStore):
        def read(self, key: str) -> tuple[bytes, str]:
            raise StoreUnavailable(f"cannot read {key}")

    token = desk.create()
    with pytest.raises(StoreUnavailable):
        TokenStore(Broken()).authenticate(token)


def test_all_tokens_are_listed_with_their_state(desk):
    kept, ended, past = desk.create(), desk.create(), desk.create(expires=START + timedelta(days=1))
    desk.tokens.revoke(id_of(ended))
    later = START + timedelta(days=2)
    states = {info.id: info.state(later) for info in desk.tokens.list()}
    assert states == {id_of(kept): "valid", id_of(ended): "revoked", id_of(past): "expired"}


def test_what_is_listed_is_what_was_created(desk):
    _, info = desk.tokens.create("Ann Lee", GRANTS, START + timedelta(days=1))
    assert list(desk.tokens.list()) == [info]
    assert (info.principal, info.grants, info.created) == ("Ann Lee", GRANTS, START)


def test_a_grant_given_twice_is_kept_once(desk):
    _, info = desk.tokens.create("ann", [*GRANTS, *GRANTS])
    assert info.grants == GRANTS


@pytest.mark.parametrize("name", ["", "x" * 257, "a\nb"])
def test_a_token_is_for_a_principal_that_can_be_named(desk, name):
    with pytest.raises(InvalidName):
        desk.tokens.create(name, GRANTS)
    assert list(desk.store.list("metadata/")) == []


def test_a_token_with_wrong_terms_is_not_made_and_all_of_them_are_told(desk):
    with pytest.raises(InvalidSpec) as caught:
        desk.tokens.create("ann", [], START)
    assert [problem.path for problem in caught.value.problems] == ["grants", "expires"]
    assert desk.tokens.is_empty()


def test_a_store_is_empty_until_any_token_was_made(desk):
    assert desk.tokens.is_empty()
    token = desk.create()
    assert not desk.tokens.is_empty()
    desk.tokens.revoke(id_of(token))
    assert not desk.tokens.is_empty()


def test_the_first_token_may_everything_and_is_made_once(desk):
    token = desk.tokens.create_first("admin")
    assert desk.tokens.authenticate(token).is_admin
    assert desk.tokens.create_first("admin") is None
    desk.tokens.revoke(id_of(token))
    assert desk.tokens.create_first("admin") is None
    assert len(list(desk.tokens.list())) == 1


def test_no_first_token_is_made_where_a_person_made_one(desk):
    desk.create()
    assert desk.tokens.create_first("admin") is None
    assert [info.principal for info in desk.tokens.list()] == ["ann"]


def test_of_many_first_starts_at_once_just_one_gets_the_token(desk):
    start = threading.Barrier(8)

    def begin(_number: int) -> str | None:
        start.wait()
        return desk.tokens.create_first("admin")

    with ThreadPoolExecutor(8) as pool:
        made = [token for token in pool.map(begin, range(8)) if token]
    assert len(made) == 1
    assert [info.id for info in desk.tokens.list()] == [id_of(made[0])]
    assert desk.tokens.authenticate(made[0]).is_admin


def test_a_first_start_that_dies_half_way_leaves_the_next_one_to_make_the_token():
    class Dying(MemoryStore):
        """Writes one object, and then no more."""

        dies = True

        def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
            if self.dies and list(self.list(TOKENS)):
                raise StoreUnavailable("cannot write: the disk is full")
            return super().put(key, data, expect)

    store = Dying()
    with pytest.raises(StoreUnavailable):
        TokenStore(store).create_first("admin")
    store.dies = False
    token = TokenStore(store).create_first("admin")
    assert TokenStore(store).authenticate(token).is_admin


def test_of_two_that_revoke_at_once_both_are_told_the_same():
    class Slow(MemoryStore):
        """Lets another one revoke between the reading and the writing."""

        def put(self, key: str, data: bytes | BinaryIO, expect: str | Expect = ANYTHING) -> str:
            if isinstance(expect, str) and not self.was_here:
                self.was_here = True
                self.others = TokenStore(self, Clock()).revoke(key[len(TOKENS) : -len(".json")])
            return super().put(key, data, expect)

        was_here = False

    desk = Desk(Slow())
    token = desk.create()
    desk.clock.now += timedelta(hours=1)
    assert desk.tokens.revoke(id_of(token)) == desk.store.others
    assert desk.store.others.revoked == START


def test_a_tokens_object_has_a_key_of_its_own():
    assert token_key("0123456789abcdef") == check_key("metadata/access-tokens/0123456789abcdef.json")
    for wrong in ("first", "", "0123456789abcdeF", "0123456789abcdef0", "../../raw/spend/a", "０123456789abcdef"):
        with pytest.raises(InvalidName):
            token_key(wrong)


def test_an_admin_token_is_written_as_one_word(desk):
    desk.tokens.create("root", [Grant(None)])
    assert desk.record()[1]["grants"] == ["admin"]

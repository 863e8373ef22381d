"""Tokens of an identity provider: only those that it signed, for us, for now."""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from daap.access.authenticator import chain
from daap.access.grants import Principal, parse_grant
from daap.access.oidc import OidcSettings, OidcVerifier, read_settings
from daap.access.tokens import TokenStore
from daap.errors import InvalidSpec, StoreUnavailable, Unauthenticated
from daap.testing.memory_store import MemoryStore

ISSUER, AUDIENCE = "https://login.example.org/", "daap"
MAKERS: dict[str, Callable[[], Any]] = {
    "RS": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@cache
def make_key(algorithm: str, name: str) -> Any:  # noqa: ARG001 - the cache tells keys apart by it
    """A private key, the same one for the same name."""
    return (MAKERS.get(algorithm) or MAKERS[algorithm[:2]])()


@dataclass(frozen=True)
class Signer:
    """One of the provider's keys."""

    kid: str | None = "k1"
    algorithm: str = "RS256"
    name: str = ""

    @property
    def private(self) -> Any:
        return make_key(self.algorithm, self.name)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public part, as a provider shows it."""
        public = get_default_algorithms()[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        return public | {"alg": self.algorithm, "use": "sig"} | ({"kid": self.kid} if self.kid else {})

    def sign(self, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; a claim that is None is left out."""
        named = {"kid": self.kid} if self.kid else {}
        kept = {name: value for name, value in (make_claims() | claims).items() if value is not None}
        return jwt.encode(kept, self.private, self.algorithm, headers={**named, **(headers or {})})


def make_claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "nbf": now, "exp": now + 600,
        "daap_grants": ["upload:spend", "read:*"],
    }  # fmt: skip


@dataclass
class Provider:
    """A provider whose keys lie in a file."""

    path: Path

    def show(self, *keys: dict[str, Any]) -> None:
        """Puts other keys in the place of those there are."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"keys": keys}))
        fresh.replace(self.path)

    def verifier(self, **settings: str) -> OidcVerifier:
        return OidcVerifier(OidcSettings(ISSUER, AUDIENCE, str(self.path), **settings))


@pytest.fixture
def provider(tmp_path) -> Provider:
    provider = Provider(tmp_path / "jwks.json")
    provider.show(Signer().jwk)
    return provider


@pytest.fixture
def verifier(provider) -> OidcVerifier:
    return provider.verifier()


def is_refused(verifier: Any, text: str) -> bool:
    with pytest.raises(Unauthenticated) as caught:
        verifier.authenticate(text)
    assert caught.value.__cause__ is None
    with pytest.raises(Unauthenticated) as other:
        TokenStore(MemoryStore()).authenticate("x")
    return str(caught.value) == str(other.value)


def encode(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: dict[str, Any], secret: bytes | None = None, **claims: Any) -> str:
    """A token that is put together by hand; signed by HMAC with `secret`, if at all."""
    text = f"{encode(header)}.{encode(make_claims() | claims)}"
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(str(header.get("alg")), "sha256")
    signature = hmac.new(secret, text.encode(), digest).digest() if secret is not None else b""
    return f"{text}.{encode(signature)}"


# What is taken


def test_a_token_that_the_provider_signed_is_taken(verifier):
    grants = (parse_grant("upload:spend"), parse_grant("read:*"))
    assert verifier.authenticate(Signer().sign()) == Principal("ann", grants, None)


@pytest.mark.parametrize(
    "algorithm",
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
)
def test_every_usual_asymmetric_algorithm_is_taken(provider, algorithm):
    signer = Signer(algorithm=algorithm)
    provider.show(signer.jwk)
    assert provider.verifier().authenticate(signer.sign()).name == "ann"


def test_a_key_that_names_no_algorithm_is_one_for_rs256(provider):
    jwk = {name: value for name, value in Signer().jwk.items() if name not in ("alg", "use")}
    provider.show(jwk)
    assert provider.verifier().authenticate(Signer().sign()).name == "ann"


def test_one_of_several_audiences_may_be_ours(verifier):
    assert verifier.authenticate(Signer().sign(aud=["other", AUDIENCE])).name == "ann"


def test_clocks_may_differ_by_half_a_minute(verifier):
    now = time.time()
    assert verifier.authenticate(Signer().sign(exp=now - 20, nbf=None)).name == "ann"
    assert verifier.authenticate(Signer().sign(nbf=now + 20, iat=now + 20)).name == "ann"


def test_the_claims_of_name_and_grants_can_be_others(provider):
    verifier = provider.verifier(name_claim="email", grants_claim="https://example.org/roles")
    token = Signer().sign(email="ann@example.org", **{"https://example.org/roles": ["admin"]})
    principal = verifier.authenticate(token)
    assert (principal.name, principal.is_admin) == ("ann@example.org", True)


@pytest.mark.parametrize(
    ("claim", "grants"),
    [
        (["read:*", "offline_access", "read:Spend", 7, None, ["admin"], {"admin": 1}, "ADMIN"], ["read:*"]),
        (["read:*", "read:*"], ["read:*"]), ([], []), (None, []), ("admin", []), ({"admin": True}, []), (7, []),
    ],
)  # fmt: skip
def test_grants_that_are_not_known_give_nothing(verifier, claim, grants):
    assert list(map(str, verifier.authenticate(Signer().sign(daap_grants=claim)).grants)) == grants


# What is refused


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example.org/"}, {"iss": ISSUER.rstrip("/")}, {"iss": None}, {"iss": [ISSUER]},
        {"iss": ""}, {"aud": "other"}, {"aud": None}, {"aud": []}, {"aud": ["other"]}, {"aud": "daap2"},
        {"aud": "da"}, {"aud": {"daap": 1}}, {"aud": 7}, {"aud": ["daap", 7]}, {"exp": None}, {"exp": 0},
        {"exp": "never"}, {"exp": []}, {"exp": True}, {"exp": float("nan")}, {"exp": float("inf")},
        {"nbf": 9e9}, {"nbf": "x"}, {"iat": 9e9}, {"iat": {}}, {"sub": None}, {"sub": 7}, {"sub": ""},
        {"sub": "a\nb"}, {"sub": "x" * 257}, {"sub": ["ann"]}, {"sub": "\ud800"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_with_a_wrong_claim_is_refused(verifier, claims):
    try:
        token = Signer().sign(**claims)
    except (TypeError, ValueError, jwt.PyJWTError):  # the library would not even write it
        token = sign_by_hand(make_claims() | claims)
    assert is_refused(verifier, token)


def sign_by_hand(claims: dict[str, Any]) -> str:
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.api_jws.encode(json.dumps(kept).encode(), Signer().private, "RS256", headers={"kid": "k1"})


def test_a_token_is_refused_from_half_a_minute_after_its_end(verifier):
    now = time.time()
    assert is_refused(verifier, Signer().sign(exp=now - 31))
    assert is_refused(verifier, Signer().sign(nbf=now + 40, iat=None))
    assert is_refused(verifier, Signer().sign(iat=now + 40, nbf=None))


def test_a_token_by_another_key_of_the_same_name_is_refused(verifier):
    assert is_refused(verifier, Signer(name="evil").sign())


def test_a_token_by_a_key_that_the_provider_does_not_show_is_refused(verifier):
    assert is_refused(verifier, Signer(kid="k2", name="other").sign())
    assert is_refused(verifier, Signer(kid="k2").sign())


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(provider, verifier, algorithm):
    public = Signer().private.public_key()
    forms = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(Signer().jwk).encode(),
        provider.path.read_bytes(),
        Signer().jwk["n"].encode(),
        b"",
    ]
    for secret in forms:
        assert is_refused(verifier, forge({"alg": algorithm, "typ": "JWT", "kid": "k1"}, secret, daap_grants=["admin"]))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], ["none"], {}, True])
def test_a_token_that_is_not_signed_is_refused(verifier, algorithm):
    for header in ({"alg": algorithm}, {"alg": algorithm, "kid": "k1"}):
        assert is_refused(verifier, forge(header))
        assert is_refused(verifier, forge(header, b"x"))
    assert is_refused(verifier, forge({"kid": "k1"}))


def test_a_shared_secret_among_the_keys_signs_nothing(provider):
    secret = b"s" * 64
    provider.show(Signer().jwk, {"kty": "oct", "kid": "k2", "alg": "HS256", "k": encode(secret)})
    verifier = provider.verifier()
    assert is_refused(verifier, forge({"alg": "HS256", "kid": "k2"}, secret))
    assert verifier.authenticate(Signer().sign())


def test_a_key_signs_with_its_own_algorithm_alone(provider):
    provider.show(Signer(algorithm="RS256").jwk)
    verifier = provider.verifier()
    for algorithm in ("RS384", "RS512", "PS256"):
        token = jwt.encode(make_claims(), Signer().private, algorithm, headers={"kid": "k1"})
        assert is_refused(verifier, token)


def test_a_key_for_encryption_signs_nothing(provider):
    provider.show(Signer().jwk | {"use": "enc"})
    assert is_refused(provider.verifier(), Signer().sign())


def test_a_key_that_is_too_short_signs_nothing(provider):
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    jwk = get_default_algorithms()["RS256"].to_jwk(weak.public_key(), as_dict=True)
    provider.show(jwk | {"kid": "weak", "alg": "RS256"})
    text = f"{encode({'alg': 'RS256', 'kid': 'weak'})}.{encode(make_claims())}"
    signature = get_default_algorithms()["RS256"].sign(text.encode(), weak)
    assert is_refused(provider.verifier(), f"{text}.{encode(signature)}")


def test_a_token_cannot_bring_its_own_key_along(verifier):
    evil = Signer(kid="k2", name="evil")
    for headers in ({"jwk": evil.jwk}, {"jku": "http://127.0.0.1:1/jwks"}, {"x5u": "http://127.0.0.1:1/x"}):
        assert is_refused(verifier, evil.sign(headers=headers))
        assert is_refused(verifier, Signer(name="evil").sign(headers=headers))


def test_a_header_that_has_to_be_understood_and_is_not_is_refused(verifier):
    assert is_refused(verifier, Signer().sign(headers={"crit": ["exp"], "exp": 1}))
    assert is_refused(verifier, forge({"alg": "RS256", "kid": "k1", "b64": False, "crit": ["b64"]}))


def test_a_changed_token_is_refused(verifier):
    header, claims, signature = Signer().sign().split(".")
    richer = encode(make_claims() | {"daap_grants": ["admin"]})
    for text in (
        f"{header}.{richer}.{signature}", f"{header}.{claims}.", f"{header}.{claims}", f".{claims}.{signature}",
        f"{header}..{signature}", f"{header}.{claims}.{signature[:-4]}", f"{header}.{claims}.{signature}.{signature}",
        f"{header}.{claims}.{signature}\n", f"{header}.{claims}.{signature}\0", f" {header}.{claims}.{signature}",
        f"{header}.{claims}.{signature[::-1]}", f"{claims}.{header}.{signature}", "..", "", ".", "a.b.c",
    ):  # fmt: skip
        assert is_refused(verifier, text)


def test_odd_tokens_are_refused(verifier):
    header = encode({"alg": "RS256", "kid": "k1"})
    deep, long = b"[" * 5_000, b"9" * 10_000
    for text in (
        "é.é.é", "\ud800.a.b", "\0.\0.\0", "a" * 20_000, "." * 10_000, "a." * 8_000, f"{header}.{encode(deep)}.AA",
        f"{encode(deep)}.e30.AA", f"{encode(long)}.e30.AA", f"{encode(b'null')}.e30.AA", f"{encode(b'[]')}.e30.AA",
        f"{encode({'alg': 'RS256', 'kid': 7})}.e30.AA", f"{encode({'alg': 'RS256', 'kid': ['k1']})}.e30.AA",
        f"{encode(b'{' + b'}' * 9)}.e30.AA", f"{encode(bytes(range(256)))}.e30.AA", f"{header}.{encode(b'[1]')}.AA",
    ):  # fmt: skip
        assert is_refused(verifier, text)


def test_a_token_that_is_too_long_is_refused_though_it_is_signed(verifier):
    assert is_refused(verifier, Signer().sign(note="x" * 20_000))


@pytest.fixture(scope="module")
def lasting(tmp_path_factory) -> OidcVerifier:
    provider = Provider(tmp_path_factory.mktemp("keys") / "jwks.json")
    provider.show(Signer().jwk)
    return provider.verifier()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_HEADER_NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "cty"])


@given(
    st.dictionaries(_HEADER_NAMES, _VALUES | st.sampled_from(["RS256", "k1", "HS256"]), max_size=4),
    st.binary(max_size=40),
    st.binary(max_size=40),
)
def test_whatever_a_header_says_an_unsigned_token_is_refused(lasting, header, claims, signature):
    assert is_refused(lasting, f"{encode(header)}.{encode(claims)}.{encode(signature)}")


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "daap_grants"]), _VALUES))
def test_whatever_signed_claims_say_the_answer_is_a_principal_or_a_refusal(lasting, claims):
    try:
        principal = lasting.authenticate(sign_by_hand(make_claims() | claims))
    except Unauthenticated:
        return
    assert isinstance(principal, Principal)
    assert not principal.is_admin


# Keys that come and go


def test_a_new_key_in_the_file_is_taken_and_an_old_one_no_more(provider, verifier):
    old, new = Signer("k1"), Signer("k2", name="new")
    assert verifier.authenticate(old.sign())
    provider.show(old.jwk, new.jwk)
    assert verifier.authenticate(old.sign())
    assert verifier.authenticate(new.sign())
    provider.show(new.jwk)
    assert is_refused(verifier, old.sign())
    assert verifier.authenticate(new.sign())


def test_a_key_without_a_name_is_used_if_it_is_the_only_one(provider):
    signer = Signer(kid=None)
    provider.show(signer.jwk)
    verifier = provider.verifier()
    assert verifier.authenticate(signer.sign())
    provider.show(signer.jwk, Signer("k2", name="new").jwk)
    assert is_refused(verifier, signer.sign())


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"7", b"{}", b'{"keys": 7}', b'{"keys": [7]}', b"\xff"])
def test_keys_that_cannot_be_read_are_no_wrong_token(provider, content):
    verifier = provider.verifier()
    if content is None:
        provider.path.unlink()
    else:
        provider.path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"cannot read the identity provider's keys at .*jwks\.json"):
        verifier.authenticate(Signer().sign())


def test_a_key_of_an_unknown_kind_does_not_spoil_the_others(provider):
    provider.show({"kty": "PQC", "kid": "q"}, {"kid": "x"}, {"kty": "RSA", "kid": "r", "n": "!"}, Signer().jwk)
    assert provider.verifier().authenticate(Signer().sign())


@dataclass
class Site:
    """A provider's keys over HTTP; `answer` is what it says to the next who asks."""

    url: str = ""
    answer: tuple[int, bytes] = (200, b"")
    asked: int = 0

    def show(self, *keys: dict[str, Any]) -> None:
        self.answer = (200, json.dumps({"keys": keys}).encode())

    def verifier(self, cooldown: float = 0) -> OidcVerifier:
        return OidcVerifier(OidcSettings(ISSUER, AUDIENCE, self.url), cooldown)


@pytest.fixture
def site(monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site = Site()
    site.show(Signer().jwk)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked += 1
            status, body = site.answer
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}/jwks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def test_keys_behind_a_url_are_asked_for_once(site):
    verifier = site.verifier()
    assert site.asked == 0
    for _ in range(5):
        assert verifier.authenticate(Signer().sign()).name == "ann"
    assert site.asked == 1


def test_a_new_key_behind_a_url_is_asked_for_when_a_token_names_it(site):
    old, new = Signer("k1"), Signer("k2", name="new")
    verifier = site.verifier()
    assert verifier.authenticate(old.sign())
    site.show(new.jwk)
    assert verifier.authenticate(new.sign())
    assert is_refused(verifier, old.sign())


def test_tokens_of_strangers_do_not_make_us_ask_again_and_again(site):
    verifier = site.verifier(cooldown=60)
    for number in range(5):
        assert is_refused(verifier, Signer(f"unknown{number}").sign())
    assert site.asked == 1


def test_junk_does_not_make_us_ask_at_all(site):
    verifier = site.verifier()
    for text in ("a.b.c", forge({"alg": "none"}), forge({"alg": "HS256", "kid": "k1"}, b"x")):
        assert is_refused(verifier, text)
    assert site.asked == 0


@pytest.mark.parametrize(
    "answer",
    [(500, b""), (404, b"{}"), (302, b""), (200, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b"\xff")],
    ids=str,
)
def test_a_url_that_does_not_give_keys_is_no_wrong_token(site, answer):
    site.answer = answer
    verifier = site.verifier()
    with pytest.raises(StoreUnavailable, match="cannot read the identity provider's keys at http"):
        verifier.authenticate(Signer().sign())
    site.show(Signer().jwk)
    assert verifier.authenticate(Signer().sign())


def test_known_keys_outlast_a_url_that_fails(site):
    verifier = site.verifier()
    verifier.authenticate(Signer().sign())
    site.answer = (500, b"")
    with pytest.raises(StoreUnavailable):
        verifier.authenticate(Signer("k2", name="new").sign())
    assert verifier.authenticate(Signer().sign()).name == "ann"


def test_a_url_that_fails_is_left_alone_for_a_while(site):
    """Else each request would hold a worker until the time is out, known keys or not."""
    verifier = site.verifier(cooldown=60)
    site.answer = (500, b"")
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            verifier.authenticate(Signer().sign())
    assert site.asked == 1


def test_a_url_where_nobody_listens_is_no_wrong_token():
    verifier = OidcVerifier(OidcSettings(ISSUER, AUDIENCE, "http://127.0.0.1:1/jwks"))
    with pytest.raises(StoreUnavailable):
        verifier.authenticate(Signer().sign())


def test_a_key_without_a_name_behind_a_url_is_used_if_it_is_the_only_one(site):
    signer = Signer(kid=None)
    site.show(signer.jwk)
    assert site.verifier().authenticate(signer.sign()).name == "ann"


def test_many_threads_may_ask_at_once(site):
    verifier, failed = site.verifier(), []

    def ask() -> None:
        try:
            verifier.authenticate(Signer().sign())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


# Settings

GIVEN = {"DAAP_OIDC_ISSUER": ISSUER, "DAAP_OIDC_AUDIENCE": AUDIENCE, "DAAP_OIDC_JWKS": "/etc/daap/jwks.json"}


def test_without_settings_there_is_no_provider():
    assert read_settings({}) is None
    assert read_settings({"PATH": "/bin", "DAAP_ROOT": "/lake"}) is None
    assert read_settings(dict.fromkeys(GIVEN, "")) is None


def test_settings_come_from_the_environment():
    assert read_settings(GIVEN) == OidcSettings(ISSUER, AUDIENCE, "/etc/daap/jwks.json", "daap_grants", "sub")
    more = GIVEN | {"DAAP_OIDC_GRANTS_CLAIM": "roles", "DAAP_OIDC_NAME_CLAIM": "email"}
    assert read_settings(more) == OidcSettings(ISSUER, AUDIENCE, "/etc/daap/jwks.json", "roles", "email")


@pytest.mark.parametrize("left", [*GIVEN, "DAAP_OIDC_GRANTS_CLAIM", "DAAP_OIDC_NAME_CLAIM"])
def test_partial_settings_name_all_that_is_missing(left):
    with pytest.raises(InvalidSpec) as caught:
        read_settings({left: "x", **({"DAAP_OIDC_JWKS": ""} if left != "DAAP_OIDC_JWKS" else {})})
    assert [problem.path for problem in caught.value.problems] == [name for name in GIVEN if name != left]
    assert left in str(caught.value)


@pytest.mark.parametrize(
    "jwks",
    ["https://login.example.org/jwks", "http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]/x", "a.json"],
)
def test_keys_come_from_a_path_or_over_https(jwks):
    assert read_settings(GIVEN | {"DAAP_OIDC_JWKS": jwks}).jwks == jwks


@pytest.mark.parametrize(
    "jwks",
    [
        "http://login.example.org/jwks", "ftp://login.example.org/x", "file:///etc/jwks.json", "https://", "data://x",
        "http://localhost.evil.org/x", "http://127.0.0.1@evil.org/x", "https://[x/", "HTTP://evil.org/x",
    ],
)  # fmt: skip
def test_keys_do_not_come_over_what_others_can_change(jwks):
    with pytest.raises(InvalidSpec, match="DAAP_OIDC_JWKS"):
        read_settings(GIVEN | {"DAAP_OIDC_JWKS": jwks})


def test_a_program_without_a_provider_does_not_load_what_checks_jwts():
    code = "import sys, daap.access.oidc, daap.access.authenticator as a; sys.exit('jwt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own words


# Both kinds


def test_each_kind_of_token_goes_to_who_knows_it(verifier):
    tokens = TokenStore(MemoryStore())
    own = tokens.create_first("root")
    either = chain(tokens, verifier)
    assert either.authenticate(own).name == "root"
    assert either.authenticate(Signer().sign()).name == "ann"


def test_without_a_provider_a_jwt_is_refused_like_any_other_text():
    alone = chain(TokenStore(MemoryStore()))
    assert is_refused(alone, Signer().sign())
    assert is_refused(alone, "")


@given(st.text(max_size=60))
def test_any_other_text_is_refused(lasting, text):
    either = chain(TokenStore(MemoryStore()), lasting)
    for shape in (text, f"daap_{text}", f"{text}.{text}.{text}", f"eyJ.{text}"):
        assert is_refused(either, shape)


def test_a_jwt_that_begins_like_our_own_token_is_none_of_either(verifier):
    assert is_refused(chain(TokenStore(MemoryStore()), verifier), f"daap_{Signer().sign()}")

"""API Gateway asks whether a call may go through, and is answered for this one call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daap.access.grants import parse_grant
from daap.access.tokens import TokenStore
from daap.errors import InvalidName, StoreUnavailable, Unauthenticated
from daap.testing.memory_store import MemoryStore
from daap_cloud import handlers
from daap_cloud.authorizer import answer_call, literal_arn, parse_call

OWNERS = {"spend": "ann@example.org"}
API = "arn:aws:execute-api:eu-west-2:123456789012:abc123/v1"


@pytest.fixture
def tokens() -> TokenStore:
    return TokenStore(MemoryStore())


@pytest.fixture
def ask(tokens) -> Callable[..., dict]:
    def ask(grant: str, call: str, token: str | None = None) -> dict:
        made = token or tokens.create("bob", [parse_grant(grant)])[0]
        event = {"type": "TOKEN", "authorizationToken": made, "methodArn": f"{API}/{call}"}
        return answer_call(event, tokens, OWNERS.get)

    return ask


def effect_of(policy: dict) -> str:
    (statement,) = policy["policyDocument"]["Statement"]
    return statement["Effect"]


@pytest.mark.parametrize(("grant", "call", "effect"), [
    ("read:spend", "GET/data-product/spend", "Allow"),
    ("read:spend", "DELETE/data-product/spend", "Deny"),
    ("read:spend", "GET/data-product/other", "Deny"),
    ("upload:spend", "POST/data-product/spend/table/march/upload", "Allow"),
    ("upload:spend", "GET/data-product/spend/table/march/preview", "Deny"),
    ("manage:owner=ann@example.org", "DELETE/data-product/spend", "Allow"),
    ("manage:owner=ann@example.org", "DELETE/data-product/other", "Deny"),
    ("admin", "POST/data-product/register", "Allow"),
    ("read:*", "POST/data-product/register", "Deny"),
    ("read:nothing", "GET/data-product", "Allow"),
    ("admin", "GET/somewhere", "Deny"),
    ("admin", "GET/", "Deny"),
    ("admin", "GET", "Deny"),
])  # fmt: skip
def test_the_registrys_rules_answer(ask, grant, call, effect):
    assert effect_of(ask(grant, call)) == effect


def test_the_answer_is_about_the_one_call_and_says_who_calls(ask):
    policy = ask("admin", "GET/data-product/spend")
    assert policy == {
        "principalId": "bob",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{API}/GET/data-product/spend"},
        ]},
    }  # fmt: skip


def test_no_path_opens_others(ask):
    """A call may be made for a path that holds what a policy takes for a pattern."""
    policy = ask("read:*", "GET/data-product/*")
    (statement,) = policy["policyDocument"]["Statement"]
    assert statement["Resource"] == f"{API}/GET/data-product/${{*}}"
    assert literal_arn("a?b$c") == "a${?}b${$}c"


def test_a_token_may_come_as_a_bearers(ask, tokens):
    token = tokens.create("bob", [parse_grant("admin")])[0]
    assert effect_of(ask("", "GET/data-product/spend", f"Bearer {token}")) == "Allow"


@pytest.mark.parametrize(
    "token", [" ", "Bearer ", "daap_x_y", "a" * 20_000, "words", "daap_" + "a" * 16 + "_" + "b" * 43]
)
def test_no_valid_token_is_nobody(ask, token):
    with pytest.raises(Unauthenticated):
        ask("", "GET/data-product/spend", token)


@pytest.mark.parametrize("arn", ["", "arn:aws:s3:::bucket", "arn:aws:execute-api:r:1:api", "x" * 1000])
def test_what_is_no_method_is_said_to_be_so(arn):
    with pytest.raises(InvalidName):
        parse_call(arn)


class Wired:
    """A deployment with tokens alone."""

    def __init__(self, authenticator) -> None:
        self.authenticator = authenticator


def test_the_handler_says_unauthorized_in_api_gateways_own_word(monkeypatch, tokens, capsys):
    monkeypatch.setattr(handlers, "deployment", lambda: Wired(tokens))
    event = {"authorizationToken": "daap_secret", "methodArn": f"{API}/GET/data-product/spend"}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handlers.authorizer(event, None)
    assert "secret" not in "".join(capsys.readouterr())


def test_the_handler_lets_nobody_in_while_it_cannot_tell(monkeypatch, capsys):
    class Hindered:
        def authenticate(self, _text: str):
            raise StoreUnavailable("cannot read metadata/access-tokens/x.json: SlowDown")

    monkeypatch.setattr(handlers, "deployment", lambda: Wired(Hindered()))
    event = {"authorizationToken": "daap_secret", "methodArn": f"{API}/GET/data-product/spend"}
    with pytest.raises(handlers.HandlerFailed, match="cannot be told now"):
        handlers.authorizer(event, None)
    told = "".join(capsys.readouterr())
    assert "SlowDown" in told
    assert "secret" not in told

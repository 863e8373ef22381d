"""The lake on an emulator: its stack, a first token, and what to tell a person of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import boto3

from daap.access.grants import parse_grant
from daap_cloud.deploy.release import Release, release_stack
from daap_cloud.deploy.stack import Stack, StackEvent
from daap_cloud.deploy.target import Target
from daap_cloud.deploy.tokens import make_token, open_store
from daap_local.cloud.services import CREDENTIALS

_PRINCIPAL = "admin"
_TOKEN_DAYS = 30
_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Deployed:
    """A lake that can be used: its stack's name, the API's address and a token that may do everything."""

    stack: str
    api: str
    token: str


def open_emulator(endpoint: str) -> Target:
    """The emulator, with the credentials that it takes and not one's own."""
    key, secret, region = CREDENTIALS.values()
    session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)
    return Target(session, endpoint.rstrip("/"))


def deploy_lake(endpoint: str, name: str, release: Release, say: Callable[[str], None]) -> Deployed:
    """Deploys the stack, or brings it up to date, and makes a token for 30 days. Raises as release_stack."""
    target = open_emulator(endpoint)
    stack = Stack(target.formation, name, _PAUSE)
    if release_stack(target, stack, release, _tell(say), say) is None:
        say(f"{name} is up to date")
    outputs = stack.outputs()
    store = open_store(target.clients.s3, outputs)
    expires = datetime.now(UTC) + timedelta(days=_TOKEN_DAYS)
    token, _ = make_token(store, _PRINCIPAL, [parse_grant("admin")], expires)
    return Deployed(name, outputs["ApiUrl"], token)


def _tell(say: Callable[[str], None]) -> Callable[[StackEvent], None]:
    """Only what fails is told: the emulator makes the rest in seconds."""

    def tell(event: StackEvent) -> None:
        if event.is_failure:
            say(f"{event.status} {event.kind} {event.name} {event.reason}")

    return tell


def describe(lake: Deployed, url: str, athena: str, glue: str) -> str:
    """What a person needs to begin with."""
    key, secret, region = CREDENTIALS.values()
    others = f"AWS_ENDPOINT_URL_ATHENA={athena}" + (f" AWS_ENDPOINT_URL_GLUE={glue}" if glue != url else "")
    return f"""\
API:    {lake.api}
Token:  {lake.token}  (for {_TOKEN_DAYS} days, may do everything)

A first call:
  curl -H 'authorizationToken: {lake.token}' {lake.api}/data-product

For AWS's own tools, and for daap-local --endpoint {url} --stack {lake.stack}:
  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={region}
  export AWS_ENDPOINT_URL={url} {others}
"""

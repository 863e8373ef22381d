"""API Gateway's question whether a call may go through, answered by the registry's own rules.

The answer is for one call: it is not to be cached, so that a token that is revoked ends at once.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from daap.access.authenticator import Authenticator
from daap.access.permissions import may_call
from daap.errors import InvalidName, Unauthenticated

_ARN = re.compile(
    r"arn:[a-z-]+:execute-api:[^:]*:[^:]*:(?P<api>[^/]+)/(?P<stage>[^/]+)/(?P<method>[A-Z]+)(?P<path>/.*)?", re.DOTALL
)
_MAX_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class Call:
    """A call that waits for its answer."""

    arn: str
    method: str
    path: str


def parse_call(arn: str) -> Call:
    """The call that a method's ARN names; raises InvalidName."""
    match = _ARN.fullmatch(arn)
    if not match:
        raise InvalidName("that is no ARN of a method of an API")
    return Call(arn, match["method"], match["path"] or "/")


def answer_call(
    event: Mapping[str, Any], authenticator: Authenticator, find_owner: Callable[[str], str | None]
) -> dict[str, Any]:
    """The policy for a call; raises Unauthenticated where there is no valid token."""
    call = parse_call(str(event.get("methodArn", "")))
    token = str(event.get("authorizationToken") or "").removeprefix("Bearer ").strip()
    if not token or len(token) > _MAX_TOKEN:
        raise Unauthenticated("there is no valid token")
    principal = authenticator.authenticate(token)
    allowed = may_call(principal, call.method, call.path, find_owner)
    return make_policy(principal.name, call.arn, allowed=allowed)


def make_policy(principal: str, arn: str, *, allowed: bool) -> dict[str, Any]:
    """A policy about one method, as API Gateway reads it."""
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow" if allowed else "Deny", "Resource": literal_arn(arn)}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def literal_arn(arn: str) -> str:
    """The ARN as a pattern that means just itself: `*`, `?` and `$` in a policy would mean more."""
    return re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", arn)

"""STS: who one is. Clients ask it for the account's number before they name a bucket for results."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.responses import Response

from daap_local.athena.catalog.shelved import ACCOUNT

_IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:user/local</Arn><UserId>LOCAL</UserId><Account>{ACCOUNT}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"""
_REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>InvalidAction</Code><Message>only GetCallerIdentity is served here</Message></Error></ErrorResponse>"""


def answer_sts(body: bytes) -> Response:
    """GetCallerIdentity; everything else is refused."""
    action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    known = action == "GetCallerIdentity"
    return Response(_IDENTITY if known else _REFUSED, 200 if known else 400, media_type="text/xml")

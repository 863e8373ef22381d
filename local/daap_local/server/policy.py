"""The policy of a presigned POST: what a form may bring, signed so that the client cannot change it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from daap_local.server.refusals import UploadRefused
from daap_local.server.signing import ALGORITHM, Signer, format_amz, name_credential, read_credential

_UNBOUND = frozenset({"policy", "x-amz-signature"})
_IGNORED = "x-ignore-"
_RANGE = "content-length-range"
_MD5_SIZE = 16
_STATUSES = ("200", "201", "204")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a form that holds up may do: put between `least` and `most` bytes with this MD5 under `key`."""

    key: str
    md5: bytes
    least: int
    most: int
    status: int


@dataclass(frozen=True, slots=True)
class _Policy:
    expires: datetime
    exact: Mapping[str, str]
    least: int
    most: int


def sign_fields(
    signer: Signer, bucket: str, fields: Mapping[str, str], max_bytes: int, lifetime: timedelta
) -> dict[str, str]:
    """The fields of a form in the order to send them: those given, each bound to its value, then the signature's."""
    now = signer.now()
    stamp = format_amz(now)
    day = stamp[:8]
    signed = {
        **fields,
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": name_credential(day),
        "x-amz-date": stamp,
    }
    policy = _write_policy({"bucket": bucket, **signed}, max_bytes, now + lifetime)
    return {**signed, "policy": policy, "x-amz-signature": signer.sign(day, policy)}


def _write_policy(exact: Mapping[str, str], max_bytes: int, expires: datetime) -> str:
    conditions: list[object] = [{name: value} for name, value in exact.items()]
    conditions.append([_RANGE, 1, max_bytes])
    expiration = expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()


def check_form(signer: Signer, bucket: str, fields: Mapping[str, str]) -> Grant:
    """What the fields (names in lower case) that came before the file allow; raises UploadRefused."""
    policy = _read_policy(_check_signature(signer, fields))
    if signer.now() >= policy.expires:
        raise UploadRefused("AccessDenied", "the form has expired; ask for a new one")
    _meet_conditions(policy, {**fields, "bucket": bucket})
    return Grant(
        key=f"{bucket}/{fields['key']}",
        md5=read_md5(fields["content-md5"]),
        least=policy.least,
        most=policy.most,
        status=_read_status(fields.get("success_action_status", "")),
    )


def _check_signature(signer: Signer, fields: Mapping[str, str]) -> str:
    """The policy as it was sent, now known to be ours."""
    missing = [name for name in ("policy", "x-amz-credential", "x-amz-signature", "key") if name not in fields]
    if missing:
        raise UploadRefused("AccessDenied", f"the form lacks {', '.join(missing)}, or has it after the file")
    day = read_credential(fields["x-amz-credential"])
    if day is None:
        raise UploadRefused("InvalidAccessKeyId", "the form was not signed by this lake")
    if not signer.is_signed(day, fields["policy"], fields["x-amz-signature"]):
        raise UploadRefused("SignatureDoesNotMatch", "the signature is not the policy's; send the form as it was given")
    return fields["policy"]


def _read_policy(text: str) -> _Policy:
    """A policy whose signature holds: only `sign_fields` can have written it."""
    document: dict[str, Any] = json.loads(base64.b64decode(text))
    exact: dict[str, str] = {}
    least = most = 0
    for condition in document["conditions"]:
        if isinstance(condition, dict):
            exact |= {name.lower(): value for name, value in condition.items()}
        else:
            _, least, most = condition
    return _Policy(datetime.fromisoformat(document["expiration"]), exact, least, most)


def _meet_conditions(policy: _Policy, given: Mapping[str, str]) -> None:
    for name, value in policy.exact.items():
        if given.get(name) != value:
            raise UploadRefused("AccessDenied", f"the field {name} is not as the form's policy has it")
    known = policy.exact.keys() | _UNBOUND
    extra = [name for name in given if name not in known and not name.startswith(_IGNORED)]
    if extra:
        raise UploadRefused("AccessDenied", f"the form's policy knows no field {extra[0]!a}; leave it out")


def read_md5(text: str) -> bytes:
    """An MD5 in base64, as in RFC 1864; raises UploadRefused."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _MD5_SIZE:
        raise UploadRefused("InvalidDigest", "Content-MD5 is no MD5 in base64 (24 characters)")
    return digest


def _read_status(text: str) -> int:
    """What to answer: 204 for anything that S3 does not know either."""
    return int(text) if text in _STATUSES else 204

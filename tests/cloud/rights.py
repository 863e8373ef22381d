"""What the template's roles may do, as sets of plain words: `data/curated/*: get put delete`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.cloud.template import Json, resources

_VERBS = {
    "s3:GetObject": "get", "s3:GetObjectTagging": "get", "s3:PutObject": "put", "s3:PutObjectTagging": "put",
    "s3:AbortMultipartUpload": "put", "s3:ListMultipartUploadParts": "put", "s3:DeleteObject": "delete",
    "s3:ListBucket": "list", "s3:GetBucketLocation": "list", "s3:ListBucketMultipartUploads": "list",
}  # fmt: skip
"""Actions on S3 that a function may have any use of."""

_BUCKET = re.compile(r"\$\{(?P<name>[A-Z][a-z]+)Bucket\.Arn\}(?P<rest>.*)")


@dataclass(frozen=True)
class Grant:
    """One action on one resource, by whom it is granted and under which name."""

    sid: str
    action: str
    resource: str


def role_of(function: Json) -> str:
    """The logical name of a function's role."""
    return str(function["Role"]["Fn::GetAtt"][0])


def grants_of(role: str) -> list[Grant]:
    """All that a role may do, by its own policy and by those it shares."""
    found = resources("IAM::Role")[role]
    shared = resources("IAM::ManagedPolicy")
    documents = [one["PolicyDocument"] for one in found.get("Policies", ())]
    documents += [shared[name]["PolicyDocument"] for name in map(_policy_name, found.get("ManagedPolicyArns", ()))]
    return [grant for document in documents for grant in read_document(document)]


def _policy_name(arn: Json) -> str:
    return str(arn["Fn::If"][1]["Ref"] if "Fn::If" in arn else arn["Ref"])


def read_document(document: Json) -> Iterator[Grant]:
    """The grants of a policy that only allows."""
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow", statement
        assert not {"NotAction", "NotResource"} & statement.keys(), statement
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Grant(statement["Sid"], action, _read_arn(resource))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _read_arn(value: object) -> str:
    if isinstance(value, str):
        return value
    assert isinstance(value, dict), value
    if "Fn::GetAtt" in value:
        name, attribute = value["Fn::GetAtt"]
        return f"${{{name}.{attribute}}}"
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    text = value["Fn::Sub"]
    return text if isinstance(text, str) else text[0].replace("${Name}", text[1]["Name"])


def storage_of(role: str) -> dict[str, set[str]]:
    """What a role may do in S3: verbs by `bucket` or `bucket/pattern of keys`."""
    found: dict[str, set[str]] = {}
    for grant in grants_of(role):
        if grant.action.startswith("s3:"):
            match = _BUCKET.fullmatch(grant.resource)
            assert match, grant
            found.setdefault(match["name"].lower() + match["rest"], set()).add(_VERBS[grant.action])
    return found

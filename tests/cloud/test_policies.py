"""Who may do what: each function has a role of its own, with what it needs and nothing else."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from tests.cloud.rights import grants_of, read_document, role_of, storage_of
from tests.cloud.template import functions, resources

_DEFINITIONS = {"metadata/product-heads/*": "get", "metadata/product-versions/*": "get", "metadata/*/v*/*.json": "get"}
_LOADS = {
    "metadata/load-receipts/*": "get put",
    "metadata/load-claims/*": "get put delete",
    "metadata/load-clocks/*": "get put",
}
_LISTED = {"metadata": "list", "data": "list"}
_RESULTS = {"results": "list", "results/*": "get put"}
_PUSHES = {"metadata/catalogue-pushes/*": "get put delete", "metadata/catalogue-pages/*": "get put delete"}
_AUDIT = {"logs/events/*": "put"}
_CURATED = {"data/curated/*": "get put delete", "metadata/catalogue-tables/*": "get put", **_RESULTS}
_INGEST = {
    **_AUDIT, **_DEFINITIONS, **_LOADS, **_LISTED, **_CURATED,
    "landing": "list", "landing/*": "get put delete", "data/raw/*": "get put", "data/fail/*": "get put",
}  # fmt: skip
_OWNING = {
    **_AUDIT, **_LISTED, **_CURATED, "landing": "list", "landing/*": "get put delete",
    "metadata/product-heads/*": "get put delete", "metadata/product-versions/*": "get put delete",
    "metadata/*/v*/*.json": "get put delete", "metadata/load-receipts/*": "get put delete",
    "metadata/load-claims/*": "get put delete", "metadata/load-clocks/*": "get put delete",
    "metadata/catalogue-tables/*": "get put delete", "data/raw/*": "get delete", "data/fail/*": "get delete",
}  # fmt: skip
STORAGE = {
    "landing_to_raw": _INGEST,
    "athena_load": _INGEST,
    "api": {**_OWNING, "metadata/access-tokens/*": "get", "metadata/catalogue-pushes/*": "get"},
    "authorizer": {"metadata": "list", "metadata/access-tokens/*": "get", "metadata/product-heads/*": "get"},
    "push_to_catalogue": {
        **_AUDIT, **_DEFINITIONS, "metadata": "list", **_PUSHES,
    },
    "reload": {**_AUDIT, **_DEFINITIONS, **_LOADS, **_LISTED, **_CURATED, "data/raw/*": "get"},
    "resync": {
        **_OWNING, "data/raw/*": "get put delete", "data/fail/*": "get put delete",
        **_PUSHES,
    },
    "retention": {
        **_AUDIT, **_DEFINITIONS, **_LOADS, **_LISTED, "metadata/catalogue-tables/*": "get put delete",
        "data/raw/*": "get delete", "data/fail/*": "get delete", "data/curated/*": "get delete",
    },
}  # fmt: skip
"""Which function may touch what in S3, and how."""

EVERYWHERE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""Actions that AWS knows no resources for.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
"""

_SERVICES = {"athena", "glue", "lambda", "logs", "s3", "secretsmanager", "sqs", "xray"}
_HANDLERS = sorted(STORAGE)


def test_the_table_has_every_function():
    assert set(STORAGE) == set(functions())


def test_each_role_has_one_function_and_each_function_a_role():
    roles = [role_of(one) for one in functions().values()]
    assert len(set(roles)) == len(roles)
    assert set(roles) == set(resources("IAM::Role")) - {"StageLoggingRole"}


@pytest.mark.parametrize("handler", _HANDLERS)
def test_only_lambda_takes_the_role(handler):
    trust = resources("IAM::Role")[role_of(functions()[handler])]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]


@pytest.mark.parametrize("handler", _HANDLERS)
def test_actions_are_named_one_by_one(handler):
    for grant in grants_of(role_of(functions()[handler])):
        service, _, action = grant.action.partition(":")
        assert service in _SERVICES
        assert action.isalpha(), grant


@pytest.mark.parametrize("handler", _HANDLERS)
def test_resources_are_named_where_aws_can(handler):
    for grant in grants_of(role_of(functions()[handler])):
        if grant.resource == "*":
            assert grant.action in EVERYWHERE, grant
        else:
            assert grant.resource.startswith(("arn:${AWS::Partition}:", "${")), grant
            assert not grant.resource.endswith(":*"), grant


@pytest.mark.parametrize("handler", _HANDLERS)
def test_a_function_touches_only_what_it_needs(handler):
    wanted = {place: set(verbs.split()) for place, verbs in STORAGE[handler].items()}
    assert storage_of(role_of(functions()[handler])) == wanted


@pytest.mark.parametrize("handler", _HANDLERS)
@pytest.mark.parametrize(
    ("key", "verb", "allowed"),
    [
        ("metadata/access-tokens/k3v9x0a2m4q8t1zb.json", "get", {"api", "authorizer"}),
        ("metadata/access-tokens/v3v9x0a2m4q8t1zb.json", "get", {"api", "authorizer"}),
        ("metadata/access-tokens/k3v9x0a2m4q8t1zb.json", "put", set()),
        ("metadata/access-tokens/first.json", "delete", set()),
        ("logs/events/date=2026-01-31/x.jsonl", "get", set()),
        ("logs/events/date=2026-01-31/x.jsonl", "delete", set()),
        ("logs/access/landing/x", "put", set()),
        ("metadata/product-heads/spend.json", "put", {"api", "resync"}),
        ("data/raw/spend/v1/march/load_timestamp=20260131T235959Z/x.csv", "delete", {"api", "resync", "retention"}),
    ],
)
def test_what_nobody_else_may(handler, key, verb, allowed):
    """By the patterns themselves, which match more than their table shows."""
    storage = storage_of(role_of(functions()[handler]))
    may = any(verb in verbs and "/" in place and fnmatchcase(key, place) for place, verbs in storage.items())
    assert may == (handler in allowed)


def test_only_what_publishes_reads_the_catalogues_secret():
    may = {
        handler
        for handler, function in functions().items()
        if any(grant.action.startswith("secretsmanager:") for grant in grants_of(role_of(function)))
    }
    assert may == {"push_to_catalogue", "resync"}


def test_functions_call_only_what_goes_on_with_their_work():
    called = {
        handler: {grant.resource.rpartition("${AWS::StackName}-")[2] for grant in found}
        for handler, function in functions().items()
        if (found := [one for one in grants_of(role_of(function)) if one.action == "lambda:InvokeFunction"])
    }
    assert called == {
        "api": {"reload", "resync"}, "reload": {"reload"}, "resync": {"resync"}, "retention": {"retention"}
    }  # fmt: skip


def test_tables_that_are_changed_are_products_or_of_a_moment():
    changes = ("glue:Create", "glue:Update", "glue:Delete", "glue:BatchUpdate")
    for function in functions().values():
        for grant in grants_of(role_of(function)):
            if grant.action.startswith(changes):
                name = grant.resource.rpartition("${AWS::AccountId}:")[2]
                assert name.startswith("catalog") or name.split("/")[1] in ("*_v*", "daap_work"), grant


def test_a_shared_policy_is_used_and_allows_only():
    used = {
        name["Ref"] if "Ref" in name else name["Fn::If"][1]["Ref"]
        for role in resources("IAM::Role").values()
        for name in role.get("ManagedPolicyArns", ())
        if "Fn::Sub" not in name
    }
    assert used == set(resources("IAM::ManagedPolicy"))
    for policy in resources("IAM::ManagedPolicy").values():
        assert list(read_document(policy["PolicyDocument"]))

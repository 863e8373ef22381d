"""What the template promises of buckets, queues, functions and the API, whatever it is deployed to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from daap.api.app import OPEN_PATHS
from daap.api.guard import HEADER
from daap_cloud import handlers
from daap_cloud.glue.logs import logs_table
from daap_cloud.settings import PREFIX, Settings, read_settings
from tests.cloud.template import find_parts, functions, handler_of, name_deployment, resources, template

_BUCKETS = ["LandingBucket", "DataBucket", "MetadataBucket", "LogsBucket", "ResultsBucket"]
_CREATED = ["Object Created"]
_CALLED_BY_API_GATEWAY = {"api", "authorizer"}


def _attribute(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def _function_name(handler: str) -> str:
    return next(name for name, one in resources("Lambda::Function").items() if handler_of(one) == handler)


def _defaults(value: object) -> str:
    """A value of an environment, with a parameter's default or any name that a bucket could have."""
    if isinstance(value, dict):
        parameter = template()["Parameters"].get(value.get("Ref"), {})
        return str(parameter.get("Default", "some-name" if "Bucket" in str(value) else "some_name"))
    return str(value)


def _environment(handler: str) -> dict[str, object]:
    variables: dict[str, object] = functions()[handler]["Environment"]["Variables"]
    return variables


def _reckon(value: dict[str, Any]) -> object:
    """What a Sub without names or a Join comes to."""
    if value.keys() == {"Fn::Join"}:
        mark, parts = value["Fn::Join"]
        return mark.join(parts)
    return value["Fn::Sub"] if value.keys() == {"Fn::Sub"} else value


def test_there_are_just_these_buckets():
    assert sorted(resources("S3::Bucket")) == sorted(_BUCKETS)


@pytest.mark.parametrize("name", _BUCKETS)
def test_a_bucket_is_private_encrypted_and_owned(name):
    bucket = resources("S3::Bucket")[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@pytest.mark.parametrize("name", _BUCKETS)
def test_a_bucket_takes_tls_only(name):
    document = next(
        one["PolicyDocument"] for one in resources("S3::BucketPolicy").values() if one["Bucket"] == {"Ref": name}
    )
    statements = [one["Fn::If"][1] if "Fn::If" in one else one for one in document["Statement"]]
    refusing = {one["Sid"]: one for one in statements if one["Effect"] == "Deny"}
    assert refusing["OnlyTls"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert refusing["OnlyNewTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    for one in refusing.values():
        assert one["Principal"] == "*"
        assert one["Action"] == "s3:*"
        assert one["Resource"] == [_attribute(name), {"Fn::Sub": f"${{{name}.Arn}}/*"}]


@pytest.mark.parametrize("name", _BUCKETS)
def test_history_is_kept_and_what_is_left_over_goes(name):
    bucket = resources("S3::Bucket")[name]
    assert ("VersioningConfiguration" in bucket) == (name != "ResultsBucket")
    rules = {one["Id"]: one for one in bucket["LifecycleConfiguration"]["Rules"]}
    assert {one["Status"] for one in rules.values()} == {"Enabled"}
    assert int(rules["AbortUploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]) in (1, 2)
    if "VersioningConfiguration" in bucket:
        assert rules["ForgetVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "NoncurrentDays"}}
        assert rules["TidyMarkers"]["ExpiredObjectDeleteMarker"] is True


@pytest.mark.parametrize("name", ["LandingBucket", "DataBucket", "MetadataBucket"])
def test_no_file_expires_but_by_its_products_retention(name):
    rules = resources("S3::Bucket")[name]["LifecycleConfiguration"]["Rules"]
    assert not any("ExpirationInDays" in rule for rule in rules)


def test_events_come_from_the_buckets_that_functions_follow():
    told = {name for name, one in resources("S3::Bucket").items() if "NotificationConfiguration" in one}
    assert told == {"LandingBucket", "DataBucket", "MetadataBucket"}


@pytest.mark.parametrize(
    ("rule", "handler", "bucket", "prefix", "kinds"),
    [
        ("LandingRule", "landing_to_raw", "LandingBucket", None, _CREATED),
        ("LoadRule", "athena_load", "DataBucket", "raw/", _CREATED),
        (
            "CatalogueRule",
            "push_to_catalogue",
            "MetadataBucket",
            "product-heads/",
            ["Object Created", "Object Deleted"],
        ),
    ],
)
def test_an_event_goes_to_its_function(rule, handler, bucket, prefix, kinds):
    found = resources("Events::Rule")[rule]
    pattern = found["EventPattern"]
    assert pattern["source"] == ["aws.s3"]
    assert pattern["detail-type"] == kinds
    assert pattern["detail"]["bucket"] == {"name": [{"Ref": bucket}]}
    assert pattern["detail"].get("object") == ({"key": [{"prefix": prefix}]} if prefix else None)
    assert [one["Arn"] for one in found["Targets"]] == [_attribute(_function_name(handler))]


@pytest.mark.parametrize("handler", ["retention", "resync"])
def test_upkeep_has_its_schedule(handler):
    found = [
        one
        for one in resources("Events::Rule").values()
        if one["Targets"][0]["Arn"] == _attribute(_function_name(handler))
    ]
    assert len(found) == 1
    assert found[0]["ScheduleExpression"]["Ref"].lower() == f"{handler}schedule"
    assert json.loads(found[0]["Targets"][0]["Input"]) == {"product": None, "actor": "schedule"}


@pytest.mark.parametrize("rule", sorted(resources("Events::Rule")))
def test_what_cannot_be_delivered_is_kept(rule):
    (target,) = resources("Events::Rule")[rule]["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    queue = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    policy = next(one for one in resources("SQS::QueuePolicy").values() if one["Queues"] == [{"Ref": queue}])
    allowed, refused = policy["PolicyDocument"]["Statement"]
    assert refused["Fn::If"][1]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert _attribute(rule) in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]
    allowing = [one for one in resources("Lambda::Permission").values() if one["SourceArn"] == _attribute(rule)]
    assert [one["FunctionName"]["Ref"] for one in allowing] == [target["Arn"]["Fn::GetAtt"][0]]


def test_every_queue_is_encrypted_and_watched():
    watched = {
        one["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for one in resources("CloudWatch::Alarm").values()
        if one["Namespace"] == "AWS/SQS" and one["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == set(resources("SQS::Queue"))
    assert all(one["SqsManagedSseEnabled"] is True for one in resources("SQS::Queue").values())


@pytest.mark.parametrize("handler", sorted(set(functions()) - _CALLED_BY_API_GATEWAY))
def test_work_that_fails_is_tried_again_and_then_kept(handler):
    name = _function_name(handler)
    found = [one for one in resources("Lambda::EventInvokeConfig").values() if one["FunctionName"] == {"Ref": name}]
    assert len(found) == 1
    assert found[0]["MaximumRetryAttempts"] == 2
    assert found[0]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] in resources("SQS::Queue")


@pytest.mark.parametrize("handler", sorted(functions()))
def test_a_function_is_what_its_package_says(handler):
    function, named = functions()[handler], f"daap_cloud.handlers.{handler}"
    assert callable(getattr(handlers, handler))
    assert function["ImageConfig"] == {"Fn::If": ["UsesImage", {"Command": [named]}, {"Ref": "AWS::NoValue"}]}
    assert function["Handler"] == {"Fn::If": ["UsesImage", {"Ref": "AWS::NoValue"}, named]}
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert int(_defaults(function["Timeout"])) <= 900


@pytest.mark.parametrize("handler", sorted(functions()))
def test_a_function_is_watched_and_its_log_ends(handler):
    name, function = _function_name(handler), functions()[handler]
    group = resources("Logs::LogGroup")[function["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{function['FunctionName']['Fn::Sub']}"
    assert group["RetentionInDays"] == {"Ref": "LogDays"}
    metrics = {
        one["MetricName"]
        for one in resources("CloudWatch::Alarm").values()
        if one.get("Dimensions") == [{"Name": "FunctionName", "Value": {"Ref": name}}]
    }
    assert metrics == {"Errors", "Throttles"}


@pytest.mark.parametrize("handler", sorted(functions()))
def test_settings_can_be_read_from_a_functions_environment(handler):
    variables = _environment(handler)
    settings = read_settings({name: _defaults(value) for name, value in variables.items()})
    assert settings.engine == "athena"
    buckets = {name: variables[f"{PREFIX}{name.upper()}"] for name in Settings.model_fields if name.endswith("_bucket")}
    assert buckets == {f"{one}_bucket": {"Ref": f"{one.title()}Bucket"} for one in
                       ("landing", "data", "metadata", "logs", "results")}  # fmt: skip


def test_every_setting_is_given_to_some_function():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    elsewhere = {"DAAP_SCRATCH", "DAAP_OPENMETADATA_TOKEN"}  # /tmp is the only place; a token is kept as a secret
    assert known - elsewhere <= {name for handler in functions() for name in _environment(handler)}


@pytest.mark.parametrize("handler", sorted(functions()))
def test_an_endpoint_is_named_for_emulators_only(handler):
    named = {name: value for name, value in _environment(handler).items() if name.startswith("AWS_")}
    assert named == {
        "AWS_ENDPOINT_URL": {"Fn::If": ["IsEmulated", {"Ref": "EndpointUrl"}, {"Ref": "AWS::NoValue"}]},
        "AWS_ENDPOINT_URL_ATHENA": {
            "Fn::If": ["HasAthenaEndpoint", {"Ref": "AthenaEndpointUrl"}, {"Ref": "AWS::NoValue"}]
        },
        "AWS_ENDPOINT_URL_GLUE": {"Fn::If": ["HasGlueEndpoint", {"Ref": "GlueEndpointUrl"}, {"Ref": "AWS::NoValue"}]},
    }


def test_a_token_is_asked_for_everywhere_but_where_the_api_asks_for_none():
    paths = {name: one["PathPart"] for name, one in resources("ApiGateway::Resource").items()}
    methods = resources("ApiGateway::Method").values()
    unguarded = {(paths[one["ResourceId"]["Ref"]], one["HttpMethod"]) for one in methods if "AuthorizerId" not in one}
    assert unguarded == {("health", "GET"), ("openapi.json", "GET"), ("docs", "GET"), ("{proxy+}", "GET")}
    assert {f"/{path}" for path, _ in unguarded} - {"/{proxy+}"} == set(OPEN_PATHS)
    files = resources("ApiGateway::Resource")["DocsFilesResource"]
    assert files["ParentId"] == {"Ref": "DocsResource"}
    guarded = [one for one in methods if "AuthorizerId" in one]
    assert [one["HttpMethod"] for one in guarded] == ["ANY"]
    assert guarded[0]["AuthorizationType"] == {"Fn::If": ["UsesAuthorizer", "CUSTOM", "NONE"]}
    assert guarded[0]["AuthorizerId"]["Fn::If"][:2] == ["UsesAuthorizer", {"Ref": "TokenAuthorizer"}]
    assert template()["Parameters"]["UseAuthorizer"]["Default"] == "true"


def test_no_answer_of_the_authorizer_is_remembered():
    (authorizer,) = resources("ApiGateway::Authorizer").values()
    assert int(authorizer["AuthorizerResultTtlInSeconds"]) == 0
    assert authorizer["IdentitySource"] == f"method.request.header.{HEADER}"


def test_a_change_of_the_api_is_deployed():
    """If this fails: python -m tests.cloud.template."""
    assert list(resources("ApiGateway::Deployment")) == [name_deployment()]


def test_gateways_own_answers_have_the_form_of_the_apis():
    for one in resources("ApiGateway::GatewayResponse").values():
        text = one["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"text"')
        assert json.loads(text)["error"].keys() == {"message"}


def test_nothing_that_logs_requests_logs_tokens_or_bodies():
    (stage,) = resources("ApiGateway::Stage").values()
    assert stage["MethodSettings"][0]["DataTraceEnabled"] is False
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert not any("authorizationToken" in value or "apiKey" in value for value in line.values())


def test_the_log_is_the_table_that_athena_reads():
    (table,) = resources("Glue::Table").values()
    text = json.dumps(table["TableInput"]).replace("${LogsBucket}", "BUCKET")
    plain = json.loads(text, object_hook=_reckon)
    assert plain == logs_table("BUCKET")


def test_the_dashboard_is_json_over_things_that_are_there():
    (board,) = resources("CloudWatch::Dashboard").values()
    widgets = json.loads(board["DashboardBody"]["Fn::Sub"])["widgets"]
    named = {part for part in find_parts(widgets) if isinstance(part, str) and part.startswith("${")}
    known = set(template()["Resources"]) | set(template()["Parameters"])
    assert {one.strip("${}").partition(".")[0] for one in named if "AWS::" not in one} <= known
    places = [(one["x"], one["y"]) for one in widgets]
    assert len(set(places)) == len(places)


def test_every_parameter_is_used_and_described():
    used = {part["Ref"] for part in find_parts(template()) if isinstance(part, dict) and "Ref" in part}
    text = json.dumps(template()["Resources"]) + json.dumps(template()["Outputs"])
    for name, parameter in template()["Parameters"].items():
        assert name in used or f"${{{name}}}" in text, name
        assert parameter["Description"], name


def test_the_manual_lists_every_parameter():
    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    for name, parameter in template()["Parameters"].items():
        default = f"`{parameter['Default']}`" if parameter["Default"] != "" else ""
        assert f"| `{name}` | {default} | {parameter['Description']} |\n" in page, name


def test_results_lie_where_the_settings_say():
    (group,) = resources("Athena::WorkGroup").values()
    settings = group["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    location = settings["ResultConfiguration"]["OutputLocation"]["Fn::Sub"].replace("${ResultsBucket}", "some-name")
    environment = {name: _defaults(value) for name, value in _environment("api").items()}
    assert read_settings(environment).results == location

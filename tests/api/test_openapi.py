"""The API describes itself: whole, right, and without a token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from daap import __version__
from tests.api.site import HOME, PAYMENTS, message_of

ALWAYS = {"400", "401", "403", "405", "413", "503"}


@pytest.fixture(scope="module")
def document(still) -> dict[str, Any]:
    return still.bearer(None).get("/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return document["components"]["schemas"][node["$ref"].rpartition("/")[2]]
    return node


def body_schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, operation in operations(document):
        if "requestBody" in operation:
            yield name, resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])


def make_example(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A body from the examples of its required fields."""
    return {name: resolve(document, schema["properties"][name])["examples"][0] for name in schema["required"]}


def test_it_is_a_valid_openapi_3_1_document(document):
    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)] == []


def test_every_schema_in_it_is_a_valid_json_schema(document):
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})


def test_every_reference_in_it_leads_somewhere(document):
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names == document["components"]["schemas"].keys()


def test_it_tells_what_it_is(document):
    assert document["info"]["title"] == "daap"
    assert document["info"]["version"] == __version__
    assert "authorizationToken" in document["info"]["description"]


def test_every_call_has_an_id_of_its_own_a_summary_a_description_and_a_tag(document):
    found = list(operations(document))
    assert len({operation["operationId"] for _, operation in found}) == len(found)
    for name, operation in found:
        assert operation["summary"], name
        assert operation["description"].endswith("."), name
        assert len(operation["tags"]) == 1, name


def test_every_parameter_is_explained(document):
    told = {
        f"{name}: {parameter['name']}"
        for name, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    }
    assert told == set()


def test_every_call_but_health_needs_the_token(document):
    (scheme,) = document["components"]["securitySchemes"].items()
    assert scheme[1]["name"] == "authorizationToken"
    assert (scheme[1]["type"], scheme[1]["in"]) == ("apiKey", "header")
    for name, operation in operations(document):
        assert operation.get("security") == (None if name == "GET /health" else [{scheme[0]: []}]), name


def test_every_call_tells_its_failures_with_their_one_form(document):
    for name, operation in operations(document):
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert failures.keys() >= ({"405"} if name == "GET /health" else ALWAYS), name
        assert "422" not in failures, name
        for status, answer in failures.items():
            assert answer["description"], (name, status)
            assert answer["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/FailureBody"}}}


def test_every_call_tells_what_it_answers(document):
    for name, operation in operations(document):
        done, *begun = (answer for status, answer in operation["responses"].items() if status < "300")
        assert bool(begun) == name.endswith(("/reload", "/resync")), name
        for success in (done, *begun):
            assert success["description"], name
            assert success["content"], name


def test_every_call_on_a_product_may_not_find_it(document):
    for name, operation in operations(document):
        assert ("404" in operation["responses"]) == ("{name}" in name), name


def test_every_body_has_an_example_that_fits_it(document):
    for name, schema in body_schemas(document):
        whole = {**schema, "components": document["components"]}
        example = make_example(document, schema)
        assert jsonschema_rs.is_valid(whole, example), name


def test_the_examples_do_what_they_say(empty, document):
    examples = {name: make_example(document, schema) for name, schema in body_schemas(document)}
    table = HOME + "/table/{table}"
    for call, status in (
        ("POST /data-product/register", 201), ("PUT /data-product/{name}", 200),
        (f"POST {table}/schema", 200), (f"POST {table}/schema/rehearse", 200), (f"POST {table}/upload", 200),
        (f"POST {table}/upload/multipart", 200), ("PUT /data-product/{name}/legal-hold", 200),
    ):  # fmt: skip
        method, _, path = call.partition(" ")
        documented = call.replace("/spend/", "/{name}/")
        answer = empty.admin.call(method, path.format(name="spend", table="payments"), json=examples.pop(documented))
        assert answer.status_code == status, answer.text
    assert examples.keys() == {
        "PUT /data-product/{name}/table/{table}/schema",
        "POST /data-product/{name}/table/{table}/upload/multipart/{upload_id}/complete",
    }
    schema = examples["PUT /data-product/{name}/table/{table}/schema"]
    assert "nothing changes" in message_of(empty.admin.put(f"{PAYMENTS}/schema", schema), 400)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_it_is_served_without_a_token(still, path):
    assert still.bearer(None).get(path).status_code == 200


def test_the_page_shows_this_document(still):
    page = still.bearer(None).get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "openapi.json" in page.text


def test_the_page_needs_nothing_from_elsewhere(still):
    page = still.bearer(None).get("/docs").text
    assert "https://" not in page
    for file in re.findall(r"docs/files/[^'\"]+", page):
        assert still.bearer(None).get(f"/{file}").status_code == 200


def test_uploads_by_a_form_are_no_part_of_it(document):
    """They are S3's, and in the cloud go to S3."""
    assert not [path for path in document["paths"] if path.startswith("/uploads")]

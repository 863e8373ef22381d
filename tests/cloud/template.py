"""The template as tests read it. `python -m tests.cloud.template` writes the name of the API's deployment anew."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from daap_cloud.deploy.template import find_template, parse_template

Json = dict[str, Any]

_COPIED = ("Resource", "Method", "Authorizer", "GatewayResponse", "RestApi")
_DEPLOYMENT = re.compile(r"\bDeployment[0-9a-f]{8}\b")


@cache
def template() -> Json:
    """The whole template."""
    return parse_template(find_template().read_text(encoding="utf-8"))


def resources(kind: str) -> dict[str, Json]:
    """Properties of the resources of a kind (`S3::Bucket`), by name."""
    found = template()["Resources"].items()
    return {name: one.get("Properties", {}) for name, one in found if one["Type"] == f"AWS::{kind}"}


def functions() -> dict[str, Json]:
    """Properties of the functions, by the name of their handler."""
    return {handler_of(one): one for one in resources("Lambda::Function").values()}


def handler_of(function: Json) -> str:
    """The name of a function's handler."""
    return str(function["Handler"]["Fn::If"][2]).rpartition(".")[2]


def name_deployment() -> str:
    """What the API's deployment has to be called: the name tells what it is a copy of."""
    copied = {kind: resources(f"ApiGateway::{kind}") for kind in _COPIED}
    return f"Deployment{hashlib.sha256(json.dumps(copied, sort_keys=True).encode()).hexdigest()[:8]}"


def find_parts(value: object) -> Iterator[Any]:
    """A value and everything in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from find_parts(one)


def main() -> None:
    """Writes the name of the API's deployment anew."""
    path = find_template()
    path.write_text(_DEPLOYMENT.sub(name_deployment(), path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

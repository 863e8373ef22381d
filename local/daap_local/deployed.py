"""Opens a deployed lake, in AWS or in an emulator of it, by the name of its stack."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from localstack_client.config import get_service_endpoint  # type: ignore[import-untyped]

from daap.errors import InvalidName, NotRegistered
from daap_cloud.clients import Clients
from daap_cloud.deploy.stack import Stack
from daap_cloud.deploy.target import find_target
from daap_cloud.faults import translated
from daap_cloud.settings import Settings
from daap_cloud.wiring import Deployment

AWS, LOCALSTACK = "aws", "localstack"
_SERVICES = ("s3", "glue", "athena", "lambda")
_BUCKETS = ("landing", "data", "metadata", "logs", "results")
_BY_PARAMETER = {"athena": "AthenaEndpointUrl", "glue": "GlueEndpointUrl"}


def open_deployed(endpoint: str, name: str) -> Deployment:
    """The lake that a stack is; `endpoint` is an emulator's address, `localstack` or `aws`.

    Raises InvalidName for another word, NotRegistered where there is no such stack, StoreUnavailable where nobody
    answers.
    """
    url = find_url(endpoint)
    with translated("find out which account of AWS is meant"):
        target = find_target(os.environ.get("AWS_REGION"), url)
    if not target.session.region_name:
        raise InvalidName("no AWS region is set; set AWS_REGION, or name it in the profile")
    stack = Stack(target.formation, name)
    found = stack.find()
    if found is None:
        where = f"at {url}" if url else f"in AWS, region {target.region}"
        raise NotRegistered(f"there is no stack {name} {where}; name another by --stack, or deploy it")
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}
    settings = _read_settings(stack.outputs(), parameters)
    clients = Clients(target.session, find_endpoints(url, parameters, os.environ) if url else None)
    return Deployment(settings, clients, os.environ)


def find_url(endpoint: str) -> str | None:
    """The emulator's address, or None for AWS; localstack-client knows LocalStack's (LOCALSTACK_HOST, USE_SSL)."""
    if endpoint == AWS:
        return None
    if endpoint == LOCALSTACK:
        return str(get_service_endpoint("cloudformation"))
    if not endpoint.startswith(("http://", "https://")):
        raise InvalidName(f"{endpoint!r} is no endpoint; give an address, as http://127.0.0.1:4566, localstack, or aws")
    return endpoint.rstrip("/")


def find_endpoints(url: str, parameters: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The address of each service: as AWS's own variables have it, else as the stack does, else the emulator's.

    The stack's are those that its functions see. They hold here only where the emulator's does too.
    """
    found = dict.fromkeys(_SERVICES, url)
    if parameters.get("EndpointUrl") == url:
        found |= {service: parameters[name] for service, name in _BY_PARAMETER.items() if parameters.get(name)}
    for service in _SERVICES:
        if given := environment.get(f"AWS_ENDPOINT_URL_{service.upper()}"):
            found[service] = given
    return found


def _read_settings(outputs: Mapping[str, str], parameters: Mapping[str, str]) -> Settings:
    try:
        given = {f"{zone}_bucket": outputs[f"{zone.capitalize()}Bucket"] for zone in _BUCKETS}
        given |= {"work_group": outputs["WorkGroup"], "engine": parameters["Engine"]}
    except KeyError as error:
        raise InvalidName(f"the stack is no lake of daap: it has no {error}") from None
    scratch = Path(tempfile.gettempdir()) / f"daap-{getpass.getuser()}"
    return Settings.model_validate({**given, "duckdb_max_bytes": parameters["DuckdbMaxBytes"], "scratch": str(scratch)})

"""Long work as a Lambda of its own, invoked as an event: AWS keeps that until it is done, or is a dead letter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from daap.ports.deferral import Deferral, Task, Work
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaDeferral(Deferral):
    """Starts the Lambda that is named for a kind of work."""

    def __init__(self, client: LambdaClient, functions: Mapping[Work, str]) -> None:
        self._client, self._functions = client, dict(functions)

    def start(self, task: Task) -> None:
        """See Deferral."""
        with translated(f"start the {task.work} of {task.product}"):
            invoke_event(self._client, self._functions[task.work], asdict(task))


def invoke_event(client: LambdaClient, function: str, event: Mapping[str, Any]) -> None:
    """Calls a Lambda without waiting for it. Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(dict(event)).encode())

"""Runs a handler as Lambda's own runtime does: `python lambda_worker.py MODULE.FUNCTION`, events and answers as lines.

Whatever the handler prints goes to standard error, which is its log. Standard library only, but for the handler.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

Handler = Callable[[dict[str, Any], object], Any]


class Context:
    """What a handler may ask of its call."""

    def __init__(self, seconds: float) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """How long the call may still take."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def serve(handler: Handler, seconds: float, answers: TextIO) -> None:
    """Answers each line of standard input, until that ends."""
    for line in sys.stdin:
        answers.write(json.dumps(_call(handler, json.loads(line), Context(seconds))) + "\n")
        answers.flush()


def _call(handler: Handler, event: dict[str, Any], context: Context) -> dict[str, Any]:
    try:
        return {"answer": handler(event, context)}
    except Exception as error:  # noqa: BLE001 - Lambda tells of every one
        return {"error": {"errorType": type(error).__name__, "errorMessage": str(error)}}


if __name__ == "__main__":
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # print() is the log
    module, _, name = sys.argv[1].rpartition(".")
    del sys.path[0]  # this folder's modules are none of the handler's
    serve(getattr(importlib.import_module(module), name), float(sys.argv[2]), own)

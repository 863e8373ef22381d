"""ministack whose EventBridge calls Lambda as AWS's does: an event that cannot be taken yet waits, and is not lost.

Run by its own interpreter: `python -m run_ministack`. ministack has retries and dead letters for calls that nobody
waits for, but its EventBridge calls functions once and past all that, so that what is throttled is gone.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import json
import runpy
import time
from contextvars import ContextVar
from typing import Any

_PAUSE = 0.1
_patient: ContextVar[bool] = ContextVar("patient", default=False)


def _mend_events() -> None:
    from ministack.services import eventbridge, lambda_svc  # type: ignore[import-not-found]  # noqa: PLC0415

    execute = lambda_svc._execute_function

    def execute_in_turn(function: Any, event: Any) -> Any:
        """A throttled event is tried again, which does not count as one of its tries."""
        while (result := execute(function, event)).get("throttle") and _patient.get():
            time.sleep(_PAUSE)
        return result

    def call_later(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if function and config:
            token = _patient.set(True)  # the thread of the call gets a copy
            try:
                record = lambda_svc._execution_record_for_config(function, config)
                lambda_svc.invoke_async_with_retry(record, json.loads(payload))
            finally:
                _patient.reset(token)

    lambda_svc._execute_function = execute_in_turn
    eventbridge._dispatch_to_lambda = call_later


if __name__ == "__main__":
    _mend_events()
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)

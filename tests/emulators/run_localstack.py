"""LocalStack with Lambda's functions as things that are kept, and never run: there is no Docker here.

Run by its own interpreter: `python run_localstack.py`. CloudFormation can make every function of a template then, each
of them active, with its settings to be read; somebody else has to run what it names (tests/support/lambdas.py).
"""

import runpy
import threading
from typing import Any


def _mend_packages() -> None:
    """`Lock | None` in an annotation is an error before Python 3.13, where Lock became a class."""
    real = threading.Lock

    class Lock:
        def __new__(cls) -> Any:
            return real()

    threading.Lock = Lock  # type: ignore[misc,assignment]
    try:
        import localstack.packages.api  # type: ignore[import-not-found]  # noqa: F401, PLC0415
    finally:
        threading.Lock = real  # type: ignore[misc]


def _forgo_docker() -> None:
    """A function is active at once: no image is fetched for it."""
    from localstack.services.lambda_.invocation import (  # type: ignore[import-not-found]  # noqa: PLC0415
        docker_runtime_executor,
    )

    executor = docker_runtime_executor.DockerRuntimeExecutor
    executor.prepare_version = classmethod(lambda _cls, _version: None)
    executor.validate_environment = classmethod(lambda _cls: True)


if __name__ == "__main__":
    _mend_packages()
    _forgo_docker()
    runpy.run_module("localstack.runtime.main", run_name="__main__", alter_sys=True)

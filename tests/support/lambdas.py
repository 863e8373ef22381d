"""Lambda where an emulator keeps functions and cannot run them: each runs in processes here, as it is configured there.

Calls that wait for nothing lie in a queue of SQS for each function, as in Lambda itself: they come again on an error,
twice, and go to the function's own dead letters then. Events of EventBridge are put there by the emulator.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.support.emulator import CREDENTIALS, REGION

_WORKER = Path(__file__).with_name("lambda_worker.py")
_LOOK_SECONDS = 2
PAUSE = 1
"""Seconds until a call that failed comes again; Lambda waits for one minute, then two."""


class FunctionError(Exception):
    """The handler raised, or its process ended; `told` is what Lambda's caller gets to see."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.told = {"errorType": kind, "errorMessage": message}


@dataclass(frozen=True)
class Function:
    """A function as the stack has it: its handler, environment, time in seconds, tries, and where failures go."""

    name: str
    handler: str
    environment: Mapping[str, str]
    seconds: float
    tries: int = 3
    dead_letters: str | None = None


class Worker:
    """A process that has the handler, for one call at a time."""

    def __init__(self, function: Function, code: Path, log: Path) -> None:
        self._function = function
        self._scratch = tempfile.TemporaryDirectory(prefix="daap-lambda-", ignore_cleanup_errors=True)
        known = {"PATH": os.environ["PATH"], "HOME": self._scratch.name, "PYTHONPATH": str(code), "AWS_REGION": REGION}
        own = {"AWS_LAMBDA_FUNCTION_NAME": function.name, "DAAP_SCRATCH": self._scratch.name}
        command = [sys.executable, "-u", _WORKER, function.handler, str(function.seconds)]
        with log.open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own words
                command, cwd=self._scratch.name, env={**known, **CREDENTIALS, **function.environment, **own},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True,
            )  # fmt: skip

    def call(self, event: Any) -> Any:
        """What the handler answers; raises FunctionError. A call that takes too long ends the process."""
        assert self.process.stdin
        assert self.process.stdout
        timer = threading.Timer(self._function.seconds, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps(event) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            raise FunctionError("Runtime.ExitError", "the process ended before it answered")
        told = json.loads(line)
        if "error" in told:
            raise FunctionError(told["error"]["errorType"], told["error"]["errorMessage"])
        return told["answer"]

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def end(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # what was still to be written is lost
                pipe.close()  # type: ignore[union-attr]
        self._scratch.cleanup()


@dataclass
class Pool:
    """The processes of one function, `most` at a time; more calls wait for their turn."""

    function: Function
    code: Path
    log: Path
    most: int
    _idle: list[Worker] = field(default_factory=list)
    _all: list[Worker] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._turns = threading.BoundedSemaphore(self.most)

    def call(self, event: Any) -> Any:
        """What the function answers; raises FunctionError."""
        with self._turns:
            worker = self._take()
            try:
                return worker.call(event)
            finally:
                self._put_back(worker)

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_running():
                    return worker
                self._forget(worker)
            worker = Worker(self.function, self.code, self.log)
            self._all.append(worker)
            return worker

    def _put_back(self, worker: Worker) -> None:
        with self._lock:
            if worker.is_running():
                self._idle.append(worker)
            else:
                self._forget(worker)

    def _forget(self, worker: Worker) -> None:
        self._all.remove(worker)
        worker.end()

    def processes(self) -> list[int]:
        """The ids of the processes."""
        with self._lock:
            return [worker.process.pid for worker in self._all]

    def end(self) -> None:
        """Ends the processes."""
        with self._lock:
            for worker in self._all:
                worker.end()


class Events:
    """The queue of a function's calls that nobody waits for, and the threads that take them from there."""

    def __init__(self, pool: Pool, sqs: Any) -> None:
        self._pool, self._sqs = pool, sqs
        seconds = str(int(pool.function.seconds))
        self.url: str = sqs.create_queue(
            QueueName=f"{pool.function.name}-events", Attributes={"VisibilityTimeout": seconds}
        )["QueueUrl"]
        self.arn: str = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(pool.most)]
        for thread in self._threads:
            thread.start()

    def put(self, event: Any) -> None:
        """Has the function called, soon."""
        self._sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(event))

    def end(self) -> None:
        """Lets each thread end its call; nothing more is taken."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                found = self._sqs.receive_message(
                    QueueUrl=self.url, WaitTimeSeconds=_LOOK_SECONDS, MessageSystemAttributeNames=["All"]
                )
                for message in found.get("Messages", ()):
                    self._take(message)
            except (ClientError, BotoCoreError):  # a message that could not be deleted comes again
                self._ended.wait(PAUSE)

    def _take(self, message: Mapping[str, Any]) -> None:
        """Does a call; it stays in the queue until it is done or is a dead letter."""
        handle = {"QueueUrl": self.url, "ReceiptHandle": message["ReceiptHandle"]}
        try:
            self._pool.call(json.loads(message["Body"]))
        except FunctionError as error:
            if int(message["Attributes"]["ApproximateReceiveCount"]) < self._pool.function.tries:
                self._sqs.change_message_visibility(**handle, VisibilityTimeout=PAUSE)
                return
            self._bury(message, error)
        self._sqs.delete_message(**handle)

    def _bury(self, message: Mapping[str, Any], error: FunctionError) -> None:
        function = self._pool.function
        if function.dead_letters is None:
            return
        letter = {
            "requestContext": {"functionArn": function.name, "condition": "RetriesExhausted"},
            "requestPayload": json.loads(message["Body"]), "responsePayload": error.told,
        }  # fmt: skip
        self._sqs.send_message(QueueUrl=function.dead_letters, MessageBody=json.dumps(letter))

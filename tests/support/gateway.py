"""API Gateway and Lambda's own API over functions that run here, as one small server.

A call of the API becomes an event of a proxy integration, once the authorizer has said that it may go through.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.emulator import REGION
from tests.support.lambdas import FunctionError

ACCOUNT = "000000000000"
TOKEN_HEADER = "authorizationToken"  # noqa: S105 - its name
_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_OPEN = re.compile(r"/(health|openapi\.json|docs(/.*)?)")
"""What the template's methods let through without a token."""

Invoke = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


@dataclass(frozen=True)
class Site:
    """What is served: how functions are called, now or later, and an API's id and stage.

    `call` waits for the answer and raises FunctionError, `put` waits for nothing; both take a function's full name.
    """

    call: Invoke
    put: Invoke
    stack: str
    api: str
    stage: str

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer to a request."""
        parts = urlsplit(target)
        if match := _INVOKE.fullmatch(parts.path):
            return self._invoke(unquote(match[1]), headers, body)
        stage, _, rest = parts.path.removeprefix("/").partition("/")
        if stage != self.stage:
            return _refuse(403, "Forbidden")
        return self._call_api(method, "/" + rest, parts.query, headers, body)

    def _invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        event = json.loads(body or b"{}")
        if headers.get("X-Amz-Invocation-Type") == "Event":
            self.put(name, event)
            return Reply(202)
        try:
            return Reply(200, json.dumps(self.call(name, event)).encode())
        except FunctionError as error:
            return Reply(200, json.dumps(error.told).encode(), (("X-Amz-Function-Error", "Unhandled"),))

    def _call_api(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        refusal = None if _OPEN.fullmatch(path) else self._ask(method, path, headers.get(TOKEN_HEADER))
        if refusal:
            return refusal
        event = self._make_event(method, path, query, headers, body)
        try:
            return _read_answer(self.call(f"{self.stack}-api", event))
        except FunctionError:
            return _refuse(502, "Internal server error")

    def _ask(self, method: str, path: str, token: str | None) -> Reply | None:
        """What the caller is told if the authorizer does not let the call through."""
        arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api}/{self.stage}/{method}{path}"
        if not token:
            return _refuse(401, "Unauthorized")
        event = {"type": "TOKEN", "methodArn": arn, "authorizationToken": token}
        try:
            policy = self.call(f"{self.stack}-authorizer", event)["policyDocument"]
        except FunctionError as error:
            known = error.told["errorMessage"] == "Unauthorized"  # just this text is API Gateway's 401
            return _refuse(401, "Unauthorized") if known else _refuse(500, "Authorizer failure")
        return None if may_invoke(policy, arn) else _refuse(403, "User is not authorized to access this resource")

    def _make_event(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, Any]:
        values = parse_qs(query, keep_blank_values=True)
        return {
            "resource": "/{proxy+}", "path": unquote(path), "httpMethod": method,
            "headers": dict(headers), "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": {name: many[-1] for name, many in values.items()} or None,
            "multiValueQueryStringParameters": values or None,
            "pathParameters": {"proxy": unquote(path).removeprefix("/")}, "stageVariables": None,
            "requestContext": {
                "accountId": ACCOUNT, "apiId": self.api, "stage": self.stage, "httpMethod": method,
                "path": f"/{self.stage}{path}", "resourcePath": "/{proxy+}", "protocol": "HTTP/1.1",
                "identity": {"sourceIp": "127.0.0.1", "userAgent": headers.get("User-Agent")},
            },
            "body": base64.b64encode(body).decode() if body else None, "isBase64Encoded": bool(body),
        }  # fmt: skip


def may_invoke(policy: Mapping[str, Any], arn: str) -> bool:
    """Whether a policy allows a call: some statement does, and none denies it."""
    effects = {
        one["Effect"] for one in policy["Statement"]
        if one["Action"] == "execute-api:Invoke" and _covers(one["Resource"], arn)
    }  # fmt: skip
    return effects == {"Allow"}


def _covers(pattern: str, arn: str) -> bool:
    """`*` and `?` stand for others, unless they stand in `${}`."""
    words = re.findall(r"\$\{[*?$]\}|.", pattern, re.DOTALL)
    meant = {"*": ".*", "?": "."}
    text = "".join(meant.get(word) or re.escape(word[2] if len(word) > 1 else word) for word in words)
    return re.fullmatch(text, arn, re.DOTALL) is not None


def _refuse(status: int, message: str) -> Reply:
    """An answer of API Gateway's own, in the form that the template gives these."""
    return Reply(status, json.dumps({"error": {"message": message}}).encode())


def _read_answer(answer: Mapping[str, Any]) -> Reply:
    body = answer.get("body") or ""
    data = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    many = answer.get("multiValueHeaders") or {}
    headers = [(name, value) for name, values in many.items() for value in values]
    headers += [(name, value) for name, value in (answer.get("headers") or {}).items() if name not in many]
    kept = tuple(one for one in headers if one[0].lower() != "content-length")
    return Reply(int(answer["statusCode"]), data, kept)


@contextmanager
def running_gateway(site: Callable[[], Site]) -> Iterator[str]:
    """Serves a site, which is asked for with each request, at the address that is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = site().answer(self.command, self.path, self.headers, body)  # type: ignore[arg-type]
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - the library's names

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

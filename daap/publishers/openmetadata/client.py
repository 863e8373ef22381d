"""A thin client of OpenMetadata's REST API: few verbs, retried, and errors in words.

Source: https://docs.open-metadata.org/api-reference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import httpx
import stamina

from daap.ports.publisher import PublishFailed
from daap.publishers.openmetadata.names import name_path

Entity = dict[str, Any]

ATTEMPTS, PATIENCE = 4, timedelta(seconds=30)
"""How often a call is tried, and for how long at most in all."""

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_MISSING, _DENIED, _FORBIDDEN = 404, 401, 403
_TOKEN = re.compile(r"[!-~]+")
_MAX_SAID = 300
_MAX_WAIT = 5.0
_PAGE = 500
_WHOLE = {"hardDelete": "true", "recursive": "true"}
_PATCH = {"Content-Type": "application/json-patch+json"}


class _Passing(Exception):
    """An answer that may be another one soon; `wait` is how long the server asks to wait, in seconds."""

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.wait = wait


def _should_retry(error: Exception) -> bool | float:
    if isinstance(error, _Passing):
        return error.wait if error.wait is not None else True
    return isinstance(error, httpx.TransportError)


class OpenMetadataClient:
    """Calls of one OpenMetadata, whose address is `url`; `token` gives the bot's JWT when it is first needed.

    Each method raises PublishFailed. The token goes into the header alone, and into no message.
    """

    def __init__(
        self, url: str, token: Callable[[], str], *, attempts: int = ATTEMPTS, patience: timedelta = PATIENCE,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> None:  # fmt: skip
        self._url, self._attempts, self._patience = url.rstrip("/"), attempts, patience
        self._http = httpx.Client(
            base_url=f"{self._url.removesuffix('/api')}/api/v1/", timeout=timeout, follow_redirects=False,
            headers={"Authorization": f"Bearer {_check_token(token())}", "Accept": "application/json"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def put(self, collection: str, body: Entity) -> Entity:
        """Makes an entity, or brings it to what `body` says; the answer is the whole entity, with its id."""
        return self._read(self._call("PUT", collection, json=body))

    def patch(self, collection: str, entity: Entity, operations: list[Entity]) -> None:
        """Changes parts of an entity that a PUT leaves as they are."""
        self._call("PATCH", f"{collection}/{entity['id']}", json=operations, headers=_PATCH)

    def find(self, collection: str, fqn: str, fields: str = "") -> Entity | None:
        """An entity by its fully qualified name; None for one that is not there."""
        found = self._call("GET", name_path(collection, fqn), params={"fields": fields} if fields else {}, missing=True)
        return self._read(found) if found else None

    def list(self, collection: str, **params: str) -> Iterator[Entity]:
        """All entities of a collection, page by page."""
        after = ""
        while True:
            page = {"limit": str(_PAGE), **params} | ({"after": after} if after else {})
            found = self._read(self._call("GET", collection, params=page), needs="data")
            yield from found["data"]
            before, after = after, (found.get("paging") or {}).get("after") or ""
            if after in ("", before):
                return

    def delete(self, collection: str, identity: str) -> None:
        """Removes an entity with all below it, for good; one that is not there is no error."""
        self._call("DELETE", f"{collection}/{identity}", params=_WHOLE, missing=True)

    def _call(self, method: str, path: str, *, missing: bool = False, **sent: Any) -> httpx.Response | None:  # noqa: ANN401
        """Sends a request until it is answered; None where nothing is there, if that may be so."""
        try:
            for attempt in stamina.retry_context(
                on=_should_retry, attempts=self._attempts, timeout=self._patience, wait_max=_MAX_WAIT
            ):
                with attempt:
                    answer = _check(self._http.request(method, path, **sent))
        except (_Passing, httpx.HTTPError, httpx.InvalidURL) as error:
            raise PublishFailed(f"OpenMetadata at {self._url} {_explain(error)}; it is tried again later") from None
        if answer.status_code == _MISSING and missing:
            return None
        if not answer.is_success:
            raise PublishFailed(f"OpenMetadata at {self._url} refused to {method} {path}: {_say(answer)}")
        return answer

    def _read(self, answer: httpx.Response | None, needs: str = "id") -> Entity:
        try:
            found = answer.json() if answer is not None else None
        except ValueError:
            found = None
        if not isinstance(found, dict) or needs not in found:
            raise PublishFailed(f"what answers at {self._url} is no OpenMetadata; look at DAAP_OPENMETADATA_URL")
        return found


def _check_token(token: str) -> str:
    """Returns a token that can be sent; raises PublishFailed, without the text."""
    if not _TOKEN.fullmatch(token):
        raise PublishFailed("there is no token for OpenMetadata, or none that can be one: give the JWT of daap's bot")
    return token


def _check(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in _PASSING:
        asked = answer.headers.get("Retry-After", "")
        raise _Passing(f"answered {_say(answer)}", min(float(asked), _MAX_WAIT) if asked.isdecimal() else None)
    return answer


def _explain(error: Exception) -> str:
    if isinstance(error, _Passing):
        return str(error)
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time"
    return f"cannot be reached ({error})"


def _say(answer: httpx.Response) -> str:
    """The status of an answer with what OpenMetadata says of it."""
    if answer.status_code == _DENIED:
        return "401: the token is not valid (any more); give daap's bot a new one"
    try:
        said = answer.json().get("message") or ""
    except (ValueError, AttributeError):
        said = ""
    hint = " (the bot's role has no right to it)" if answer.status_code == _FORBIDDEN else ""
    return f"{answer.status_code}{hint} {said[:_MAX_SAID]}".rstrip()


def list_names(entities: Iterator[Mapping[str, Any]]) -> dict[str, str]:
    """The ids of entities by their names."""
    return {entity["name"]: entity["id"] for entity in entities}

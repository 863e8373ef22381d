"""What goes wrong in Athena as daap's own errors.

Sources: https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html,
https://docs.aws.amazon.com/athena/latest/ug/error-reference.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from daap.errors import Cancelled, DaapError, EngineFailed, InvalidQuery, NotRegistered, StoreUnavailable
from daap_cloud.faults import code_of

_REFUSED = "InvalidRequestException"
_MALFORMED = "MALFORMED_QUERY"
_UNKNOWN = ("TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND")
_PASSING = ("EXHAUSTED_RESOURCES", "Query exhausted resources", "SlowDown", "reduce your request rate")
"""A query that fails for one of these may go through when it is run again, whoever Athena says is to blame."""
_OVER_LIMIT = "limit"
_USER = 2


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Raises what Athena's API answers while doing `what` (`start a query`) as one of daap's errors.

    InvalidQuery for SQL that cannot be parsed, EngineFailed for another request that it refuses (a work group
    that is not there), StoreUnavailable for all that may go through later.
    """
    try:
        yield
    except ClientError as error:
        raise _refusal_of(error, what) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"cannot {what}: {error}") from error


def _refusal_of(error: ClientError, what: str) -> DaapError:
    answer: Mapping[str, Any] = error.response
    message = str(answer.get("Error", {}).get("Message", error))
    if code_of(error) != _REFUSED:
        return StoreUnavailable(f"cannot {what}: {code_of(error)}: {message}")
    if answer.get("AthenaErrorCode") == _MALFORMED:
        return InvalidQuery(message)
    return EngineFailed(f"cannot {what}: {message}")


def failure_of(status: Mapping[str, Any], query: str) -> DaapError:
    """The error of a query that ended FAILED, by its `Status`; `query` is its id, by which a person finds it."""
    error = status.get("AthenaError") or {}
    reason = str(status.get("StateChangeReason") or error.get("ErrorMessage") or "Athena gives no reason")
    if error.get("Retryable") or any(sign in reason for sign in _PASSING):
        return StoreUnavailable(f"Athena could not finish query {query} now: {reason}")
    if reason.startswith(_UNKNOWN):
        return NotRegistered(reason)
    if error.get("ErrorCategory") == _USER:
        return InvalidQuery(reason)
    return EngineFailed(f"Athena could not finish query {query}: {reason}")


def cancellation_of(status: Mapping[str, Any], query: str) -> DaapError:
    """The error of a query that ended CANCELLED: by a person, or by a limit of the work group."""
    reason = str(status.get("StateChangeReason") or "")
    if _OVER_LIMIT in reason:
        return EngineFailed(f"Athena stopped query {query}: {reason}. The limit is the work group's")
    return Cancelled(f"query {query} was cancelled in Athena{': ' if reason else ''}{reason}")

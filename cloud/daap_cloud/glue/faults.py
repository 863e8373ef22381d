"""Glue's errors as daap's own.

Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-exceptions.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from daap.errors import DaapError, ObjectConflict, ObjectMissing, StoreUnavailable
from daap_cloud.faults import code_of

MISSING = "EntityNotFoundException"
CONFLICTS = frozenset({"AlreadyExistsException", "ConcurrentModificationException"})


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Raises what Glue answers while doing `what` (`read table a.b`) as one of daap's errors.

    ObjectMissing for what is not there, ObjectConflict for what is there already or was changed by another writer
    just now, StoreUnavailable for everything else.
    """
    try:
        yield
    except ClientError as error:
        raise fault_of(what, code_of(error), str(error.response.get("Error", {}).get("Message", ""))) from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"cannot {what}: {error}") from error


def fault_of(what: str, code: str, message: str) -> DaapError:
    """The error for one of Glue's codes."""
    if code == MISSING:
        return ObjectMissing(f"cannot {what}: {message or 'there is no such thing in Glue'}")
    if code in CONFLICTS:
        return ObjectConflict(f"cannot {what}: {message or 'another writer was faster'}")
    return StoreUnavailable(f"cannot {what}: {code}: {message}")

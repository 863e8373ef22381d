"""botocore's errors as daap's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from daap.errors import ObjectConflict, ObjectMissing, StoreUnavailable

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_CONFLICT = frozenset({"412", "409", "PreconditionFailed", "ConditionalRequestConflict"})
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""


def code_of(error: ClientError) -> str:
    """The error code of a service's answer."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises what S3 says while doing `what` (`read raw/...`) as ObjectMissing, ObjectConflict or StoreUnavailable."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _MISSING:
            raise ObjectMissing(f"cannot {what}: there is no such object") from None
        if code in _CONFLICT:
            raise ObjectConflict(f"cannot {what}: another writer was faster") from None
        raise StoreUnavailable(f"cannot {what}: {code or error}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"cannot {what}: {error}") from error

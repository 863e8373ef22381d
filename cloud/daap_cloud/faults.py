"""botocore's errors as daap's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from daap.errors import DaapError, ObjectConflict, ObjectMissing, StoreUnavailable

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_CONFLICT = frozenset({"412", "PreconditionFailed"})
_CLASH = frozenset({"409", "ConditionalRequestConflict", "OperationAborted"})
"""Two requests at one moment, of which S3 took neither, or one: to be sent again.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

_DENIED = "access is denied; give the role the right to it, and to the key that encrypts the bucket"
_SLOW = "S3 takes no more requests now; try again in a while"
_ELSEWHERE = "the bucket is in another region; set AWS_REGION to its own"
_FAULT = "S3 had a fault of its own; try again"
_WORDS = {
    "403": _DENIED,
    "AccessDenied": _DENIED,
    "Forbidden": _DENIED,
    "301": _ELSEWHERE,
    "PermanentRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "ExpiredToken": "the credentials have expired; get new ones",
    "InvalidAccessKeyId": "AWS does not know these credentials; look at AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the credentials are not right; look at AWS_SECRET_ACCESS_KEY",
    "SlowDown": _SLOW,
    "503": _SLOW,
    "ServiceUnavailable": _SLOW,
    "ThrottlingException": _SLOW,
    "RequestTimeout": "S3 waited too long for the data; try again",
    "500": _FAULT,
    "InternalError": _FAULT,
    **dict.fromkeys(_CLASH, "another request for the same object came at the same moment; try again"),
}
_CAUSES: tuple[tuple[type[BotoCoreError], str], ...] = (
    (EndpointConnectionError, "{error}; look at the network, and at AWS_ENDPOINT_URL if it is set"),
    (ConnectTimeoutError, "{error}; look at the network, and at AWS_ENDPOINT_URL if it is set"),
    (ReadTimeoutError, "no answer came in time ({error}); try again"),
    (
        NoCredentialsError,
        "there are no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    ),
    (PartialCredentialsError, "the AWS credentials are not complete ({error})"),
    (NoRegionError, "no AWS region is set; set AWS_REGION"),
)


def missing_bucket(bucket: str) -> str:
    """What to tell of a bucket that is not there."""
    named = f"bucket {bucket}" if bucket else "such bucket"
    return f"there is no {named}; look at the DAAP_..._BUCKET settings, or deploy the stack"


def code_of(error: ClientError) -> str:
    """The error code of a service's answer."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_clash(error: Exception) -> bool:
    """Whether S3 asks to send a request again because another one came between."""
    return isinstance(error, ClientError) and code_of(error) in _CLASH


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raises what S3 says while doing `what` (`read raw/...`) as ObjectMissing, ObjectConflict or StoreUnavailable."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate_fault(what, error) from error


def translate_fault(what: str, error: ClientError | BotoCoreError) -> DaapError:
    """What S3 or botocore said while doing `what`, as an error of daap's."""
    if isinstance(error, BotoCoreError):
        return StoreUnavailable(f"cannot {what}: {_explain(error)}")
    code = code_of(error)
    if code in _MISSING:
        return ObjectMissing(f"cannot {what}: there is no such object")
    if code in _CONFLICT:
        return ObjectConflict(f"cannot {what}: another writer was faster")
    if code == "NoSuchBucket":
        return StoreUnavailable(f"cannot {what}: {missing_bucket(str(error.response['Error'].get('BucketName', '')))}")
    told = error.response.get("Error", {}).get("Message") or code or error
    return StoreUnavailable(f"cannot {what}: {_WORDS.get(code, told)}" + (f" ({code})" if code else ""))


def _explain(error: BotoCoreError) -> str:
    words = next((words for kind, words in _CAUSES if isinstance(error, kind)), "{error}")
    return words.format(error=str(error).rstrip("."))

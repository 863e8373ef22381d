"""S3's REST API over folders: routes, and errors in S3's words.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from daap.errors import DaapError, InvalidName, ObjectMissing, StoreUnavailable
from daap_local.athena.api import s3_buckets, s3_multipart, s3_objects
from daap_local.athena.api.s3_body import drain
from daap_local.athena.api.s3_place import Call, Handler, Store
from daap_local.athena.api.s3_xml import S3Fault, answer_fault
from daap_local.athena.objects.faults import AccessRefused, BucketMissing, KeyConflict

_SUBRESOURCES = frozenset({
    "accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
    "legal-hold", "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls",
    "policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select",
    "session", "tagging", "torrent", "uploads", "uploadId", "versioning", "versions", "website",
})  # fmt: skip
_FAULTS: tuple[tuple[type[DaapError], str, int], ...] = (
    (BucketMissing, "NoSuchBucket", 404),
    (ObjectMissing, "NoSuchKey", 404),
    (AccessRefused, "AccessDenied", 403),
    (KeyConflict, "OperationAborted", 409),
    (InvalidName, "InvalidArgument", 400),
    (StoreUnavailable, "ServiceUnavailable", 503),
)


class S3:
    """The routes, by what is named (the service, a bucket, an object), the method and the subresource."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._routes: dict[tuple[str, str, str], Handler] = {
            **s3_buckets.ROUTES, **s3_objects.ROUTES, **s3_multipart.ROUTES,
        }  # fmt: skip

    async def answer(self, request: Request) -> Response:
        """The answer to one request."""
        try:
            call = self._read(request)
            return await self._find(call)(call)
        except S3Fault as error:
            fault = error
        except DaapError as error:
            fault = _fault_of(error)
        response = answer_fault(fault, request.url.path, empty=request.method == "HEAD")
        if not await drain(request):
            response.headers["Connection"] = "close"
        return response

    def _read(self, request: Request) -> Call:
        """Bucket and key from the path as it was sent, or the bucket from the host's name."""
        path = unquote(request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1"), errors="strict")
        host = request.headers.get("host", "").partition(":")[0]
        first, _, rest = path.removeprefix("/").partition("/")
        for suffix in (".s3.localhost", ".localhost"):
            if host.endswith(suffix):
                first, rest = host.removesuffix(suffix), path.removeprefix("/")
                break
        return Call(request, self._store, first, rest)

    def _find(self, call: Call) -> Handler:
        named = "object" if call.key else "bucket" if call.bucket else "service"
        asked = sorted(_SUBRESOURCES & set(call.query))
        handler = self._routes.get((named, call.request.method, asked[0] if asked else ""))
        if handler is None:
            what = f"{call.request.method} of {named}{' ?' + asked[0] if asked else ''}"
            raise S3Fault("NotImplemented", f"{what} is not supported here", 501)
        return handler


def _fault_of(error: DaapError) -> S3Fault:
    for kind, code, status in _FAULTS:
        if isinstance(error, kind):
            message = "The specified key does not exist." if code == "NoSuchKey" else str(error)
            return S3Fault(code, message, status)
    return S3Fault("InternalError", str(error), 500)

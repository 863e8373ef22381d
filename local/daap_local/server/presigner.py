"""The presigner on folders: its forms and addresses lead to the server that made them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from daap.errors import InvalidName
from daap.model.keys import check_key
from daap.ports.presigner import PartedUpload, Presigner, UploadForm
from daap_local.folder_store import FolderStore
from daap_local.server.parts import PartStore
from daap_local.server.policy import sign_fields
from daap_local.server.signing import Signer, format_amz, tell_time

LANDING = "landing"
"""The zone that takes uploads; it stands where S3 has the bucket."""

MAX_PARTS = 10_000


class FolderPresigner(Presigner):
    """Signs what `daap_local.server.routes` takes; other processes with the same secret take it too."""

    def __init__(
        self,
        store: FolderStore,
        base_url: str | Callable[[], str],
        secret: bytes,
        now: Callable[[], datetime] = tell_time,
    ) -> None:
        """`base_url` is where the routes are mounted, as clients see it; `secret` is `load_secret`'s."""
        self.store = store
        self.signer = Signer(secret, now)
        self.parts = PartStore(store)
        self._base_url = base_url

    @property
    def form_address(self) -> str:
        """Where forms are posted to."""
        return self._locate(f"uploads/{LANDING}")

    def sign_form(self, key: str, content_md5: str, max_bytes: int, lifetime: timedelta) -> UploadForm:
        """See Presigner."""
        fields = {"key": _below_landing(key), "Content-MD5": content_md5}
        return UploadForm(
            url=self.form_address,
            fields=sign_fields(self.signer, LANDING, fields, max_bytes, lifetime),
        )

    def start_parts(self, key: str, parts: int, lifetime: timedelta) -> PartedUpload:
        """See Presigner."""
        _below_landing(key)
        if not 1 <= parts <= MAX_PARTS:
            raise ValueError(f"{parts} parts; there must be 1 to {MAX_PARTS}")
        stamp, seconds = format_amz(self.signer.now()), str(int(lifetime.total_seconds()))
        handle = self.parts.start(key, parts)
        base = self._locate(f"uploads/parts/{handle}")
        urls = tuple(
            f"{base}/{number}?{urlencode(self._sign_part(key, handle, number, stamp, seconds))}"
            for number in map(str, range(1, parts + 1))
        )
        return PartedUpload(handle, urls)

    def _sign_part(self, key: str, handle: str, number: str, stamp: str, seconds: str) -> dict[str, str]:
        signature = self.signer.sign(stamp[:8], name_part(key, handle, number, stamp, seconds))
        return {"X-Amz-Date": stamp, "X-Amz-Expires": seconds, "X-Amz-Signature": signature}

    def finish_parts(self, key: str, handle: str, etags: Sequence[str]) -> None:
        """See Presigner."""
        _below_landing(key)
        self.parts.finish(key, handle, etags)

    def abort_parts(self, key: str, handle: str) -> None:
        """See Presigner."""
        _below_landing(key)
        self.parts.abort(key, handle)

    def _locate(self, path: str) -> str:
        base = self._base_url if isinstance(self._base_url, str) else self._base_url()
        return f"{base.rstrip('/')}/{path}"


def name_part(key: str, handle: str, number: str, stamp: str, seconds: str) -> str:
    """What the signature of a part's address covers."""
    return f"PUT\n{key}\n{handle}\n{number}\n{stamp}\n{seconds}"


def _below_landing(key: str) -> str:
    """The path of a key in landing, without the zone; raises InvalidName for any other key."""
    zone, _, path = check_key(key).partition("/")
    if zone != LANDING or any(part.startswith(".") for part in path.split("/")):
        raise InvalidName(f"{key!r} is no key for an upload; one looks like landing/spend/march/...")
    return path

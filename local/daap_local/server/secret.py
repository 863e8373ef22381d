"""The lake's secret for signing uploads: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import secrets
from pathlib import Path

from daap.errors import StoreUnavailable
from daap_local.files import make_folder, new_file, sync_path, translated, write_all
from daap_local.folder_store import FolderStore

_SIZE = 32
_OWNER_ONLY, _OWNER_ENTERS = 0o600, 0o700


def load_secret(root: Path) -> bytes:
    """The 32 random bytes in `{root}/.secrets/uploads.key`, made at the first call.

    Processes that call at once agree on one secret. Raises StoreUnavailable if the file cannot be
    read or written, or is damaged.
    """
    path = root / ".secrets" / "uploads.key"
    with translated(f"read {path}"):
        if not path.exists():
            with FolderStore(root).hold("uploads.key", wait=True):
                _make_secret(path)
        secret = path.read_bytes()
    if len(secret) != _SIZE:
        raise StoreUnavailable(f"{path} is damaged; delete it, and a new one is made (forms already handed out lapse)")
    return secret


def _make_secret(path: Path) -> None:
    """Under the lock: whoever comes second finds the first one's."""
    if path.exists():
        return
    make_folder(path.parent)
    path.parent.chmod(_OWNER_ENTERS)
    with new_file(path.parent) as (stream, temporary):
        temporary.chmod(_OWNER_ONLY)  # while it is still empty
        write_all(stream, secrets.token_bytes(_SIZE))
        temporary.replace(path)
    sync_path(path.parent)

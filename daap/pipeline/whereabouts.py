"""Where the file of a claim lies, and moving it when an earlier try may have come some way."""

from __future__ import annotations

from daap.errors import ObjectConflict, ObjectMissing
from daap.model.keys import file_key
from daap.model.table import Dialect
from daap.pipeline.claims import Claim
from daap.ports.objects import ObjectStore


def raw_key(claim: Claim) -> str:
    """The file's key once it is archived."""
    return file_key("raw", claim.load, claim.file_id, claim.extension)


def fail_key(claim: Claim) -> str:
    """The file's key once it is refused."""
    return file_key("fail", claim.load, claim.file_id, claim.extension)


def find_file(claim: Claim, store: ObjectStore) -> str | None:
    """The key the file lies under now. Later stages come first: a move leaves both names for a moment."""
    return next(
        (key for key in (raw_key(claim), fail_key(claim), claim.landing, claim.key) if exists(store, key)), None
    )


def exists(store: ObjectStore, key: str) -> bool:
    """Whether there is an object under `key`."""
    try:
        store.stat(key)
    except ObjectMissing:
        return False
    return True


def move_once(store: ObjectStore, source: str, target: str) -> None:
    """Moves a file that an earlier try may have moved already, wholly or but for its old name.

    Another file that has come under the old name meanwhile stays there.
    """
    if source == target:
        return
    try:
        store.move(source, target)
    except ObjectConflict:
        if have_same_content(store, source, target):
            store.delete(source)
    except ObjectMissing:
        store.stat(target)


def have_same_content(store: ObjectStore, one: str, other: str) -> bool:
    """Whether two objects hold the same bytes."""
    if store.stat(one).size != store.stat(other).size:
        return False
    return hash_object(store, one) == hash_object(store, other)


def hash_object(store: ObjectStore, key: str) -> str:
    """The content hash of an object."""
    from daap.csvtext.scan import scan_file  # noqa: PLC0415 - numpy is slow to import, and few calls need it

    with store.open(key) as stream:
        return scan_file(stream, Dialect()).content_hash

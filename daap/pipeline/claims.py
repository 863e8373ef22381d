"""Claims: which load a file in landing belongs to, from its arrival until its load is done.

A claim is made before anything else happens to the file and removed after everything else, so the
open claims are just the loads a restart has to go on with.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from daap.errors import ObjectConflict, ObjectMissing
from daap.model.keys import Drop, Upload, claim_key, clock_key, file_key
from daap.model.loads import LoadId, TableRef
from daap.model.stamps import format_stamp, next_stamp
from daap.ports.objects import ABSENT, Expect, ObjectInfo, ObjectStore

_NAMESPACE = uuid.UUID("7c1c62a1-6c1b-5f0e-9a52-6d5c0e1e9a3b")
_CLAIMS = "metadata/load-claims/"
_MAX_EXTENSION = 16


@dataclass(frozen=True, slots=True)
class Claim:
    """A file on its way: its id and extension, its load, where it was put down and by whom."""

    file_id: str
    product: str
    major: int
    table: str
    stamp: str
    key: str
    name: str
    extension: str
    actor: str

    @property
    def load(self) -> LoadId:
        """The load the file belongs to."""
        return LoadId(TableRef(self.product, self.major, self.table), self.stamp)

    @property
    def landing(self) -> str:
        """Where the file lies, in landing, while it is worked on."""
        return file_key("landing", self.load, self.file_id, self.extension)


def claim_file(store: ObjectStore, place: Drop | Upload, info: ObjectInfo, ref: TableRef, actor: str) -> Claim:
    """The claim of a file, made now or found; the same file gets the same one however often it is asked for."""
    if isinstance(place, Upload):
        file_id, stamp, extension = place.file_id, place.load.stamp, place.extension
    else:
        file_id, stamp = name_drop(info), None
        extension = _extension(place.name)
    if found := find_claim(store, file_id):
        return found
    stamp = stamp or allot_stamp(store, ref)
    name = info.key.rpartition("/")[2]
    return _put_claim(store, Claim(file_id, ref.product, ref.major, ref.table, stamp, info.key, name, extension, actor))


def name_drop(info: ObjectInfo) -> str:
    """The id of a dropped file, told by its place and version: each worker that is told of it names it alike."""
    return str(uuid.uuid5(_NAMESPACE, f"{info.key}|{info.version}"))


def announce_file(store: ObjectStore, ref: TableRef, name: str, actor: str) -> Claim:
    """A claim for a file called `name` that is about to be put down under the claim's landing key."""
    file_id, stamp, extension = str(uuid.uuid4()), allot_stamp(store, ref), _extension(name)
    key = file_key("landing", LoadId(ref, stamp), file_id, extension)
    return _put_claim(store, Claim(file_id, ref.product, ref.major, ref.table, stamp, key, name, extension, actor))


def _put_claim(store: ObjectStore, claim: Claim) -> Claim:
    try:
        store.put(claim_key(claim.file_id), _encode(claim), ABSENT)
    except ObjectConflict:
        return find_claim(store, claim.file_id) or claim
    return claim


def restamp_claim(store: ObjectStore, claim: Claim) -> Claim:
    """The claim with another load timestamp, for the case that its own is another file's."""
    _, token = store.read(claim_key(claim.file_id))
    moved = Claim(**{**asdict(claim), "stamp": allot_stamp(store, claim.load.ref)})
    store.put(claim_key(claim.file_id), _encode(moved), token)
    return moved


def find_claim(store: ObjectStore, file_id: str) -> Claim | None:
    """The open claim of a file, if there is one."""
    try:
        return _decode(store.read(claim_key(file_id))[0])
    except ObjectMissing:
        return None


def open_claims(store: ObjectStore) -> Iterator[Claim]:
    """The files on their way, in no order."""
    for info in store.list(_CLAIMS):
        try:
            yield _decode(store.read(info.key)[0])
        except ObjectMissing:
            continue  # done in the meantime


def drop_claim(store: ObjectStore, file_id: str) -> None:
    """Ends the claim of a file: its load is done, and logged."""
    store.delete(claim_key(file_id))


def allot_stamp(store: ObjectStore, ref: TableRef) -> str:
    """A load timestamp for a table: now, or a second behind the last one allotted if that is later."""
    while True:
        now = format_stamp(datetime.now(UTC))
        token: str | Expect = ABSENT
        try:
            data, token = store.read(clock_key(ref))
            stamp = max(now, next_stamp(data.decode()))
        except ObjectMissing:
            stamp = now
        try:
            store.put(clock_key(ref), stamp.encode(), token)
        except ObjectConflict:
            continue
        return stamp


def _extension(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    return suffix if suffix.isascii() and suffix.isalnum() and len(suffix) <= _MAX_EXTENSION else "bin"


def _encode(claim: Claim) -> bytes:
    return json.dumps(asdict(claim)).encode()


def _decode(data: bytes) -> Claim:
    return Claim(**json.loads(data))

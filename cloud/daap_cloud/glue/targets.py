"""Targets: the prefixes that engines write snapshots to, and which of two workers decides about one.

A target holds a small object beside its files, `_daap.json`, which readers of tables pass over. Who publishes a target
puts it there first, and who discards one does so as well; since only one of them can be the first, no worker
deletes files that another one is about to show.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from daap.errors import EngineFailed, ObjectConflict, ObjectMissing
from daap.model.keys import partition_prefix, table_prefix
from daap.model.loads import LoadId, OutputFile, TableRef
from daap.model.verdict import Written
from daap.ports.objects import ABSENT, ObjectInfo
from daap_cloud.glue.footers import Footers
from daap_cloud.s3_store import S3Store

MARK = "_daap.json"
GRACE = timedelta(minutes=30)
"""How long a publisher may be on its way, or a query: longer than a Lambda lives and a query in Athena runs.

Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
"""

_HIDDEN = ("_", ".")
_DISCARDED = b'{"discarded": true}'


class Targets:
    """The targets of loads, in the curated zone."""

    def __init__(self, store: S3Store, footers: Footers, grace: timedelta = GRACE) -> None:
        self._store, self._footers, self._grace = store, footers, grace

    def fresh(self, load: LoadId) -> str:
        """Where a snapshot of a load may be written, with a slash at its end."""
        return f"{self._store.locate(partition_prefix('curated', load))}{uuid.uuid4()}/"

    def claim(self, written: Written) -> tuple[OutputFile, ...]:
        """Takes a target for showing it, and returns its files; the same again is no error.

        Raises ObjectMissing if its files are gone, or are being discarded; EngineFailed if others lie beside them.
        """
        prefix = self._key(written.target)
        files = tuple(OutputFile(key=prefix + f.name, rows=f.rows, bytes=f.size) for f in written.files)
        mark = json.dumps({"files": [[f.name, f.rows, f.size] for f in written.files]}).encode()
        try:
            self._store.put(prefix + MARK, mark, ABSENT)
        except ObjectConflict:
            if self._store.read(prefix + MARK)[0] == _DISCARDED:
                raise ObjectMissing(f"{written.target} was discarded") from None
        self._check(prefix, files)
        return files

    def _check(self, prefix: str, files: tuple[OutputFile, ...]) -> None:
        found = {info.key: info.size for info in self._store.list(prefix) if _is_data(info.key)}
        wanted = {file.key: file.bytes for file in files}
        if wanted.items() - found.items():
            if not found:
                self._store.delete(prefix + MARK)
            raise ObjectMissing(f"{prefix} does not hold what was written there any more")
        if found.keys() - wanted.keys():
            raise EngineFailed(f"{prefix} holds files that no engine told of: {sorted(found.keys() - wanted.keys())}")

    def describe(self, location: str) -> tuple[OutputFile, ...]:
        """The files of a target that is visible, by its mark; without one, by what they say themselves."""
        prefix = self._key(location)
        try:
            told = json.loads(self._store.read(prefix + MARK)[0])["files"]
        except (ObjectMissing, KeyError):
            infos = [info for info in self._store.list(prefix) if _is_data(info.key)]
            return tuple(OutputFile(key=i.key, rows=self._footers.count_rows(i.key), bytes=i.size) for i in infos)
        return tuple(OutputFile(key=prefix + name, rows=rows, bytes=size) for name, rows, size in told)

    def retire(self, location: str) -> None:
        """Gives up a target that was visible until now.

        Queries that began before list its files one by one, and would lose rows unseen if some were gone. So they
        stay for a while, and go with the first discarding after that.
        """
        mark = self._key(location) + MARK
        try:
            told = self._store.read(mark)[0]
        except ObjectMissing:
            self.remove(location)
            return
        if self._grace:
            self._store.put(mark, told)  # its age counts from now
        else:
            self.remove(location)

    def remove(self, location: str) -> None:
        """Removes a target that is known not to be visible, and nothing below it: others may lie there.

        A lake that was copied here from folders has its snapshots one level higher.
        """
        prefix = self._key(location)
        for info in list(self._store.list(prefix)):
            if "/" not in info.key.removeprefix(prefix):
                self._store.delete(info.key)

    def remove_all(self, load: LoadId) -> None:
        """Removes everything of a load, visible or not."""
        self._store.sweep(partition_prefix("curated", load))

    def remove_table(self, ref: TableRef) -> None:
        """Removes everything of a table."""
        self._store.sweep(table_prefix("curated", ref))

    def left(self, load: LoadId) -> dict[str, list[ObjectInfo]]:
        """What lies there for a load, by the location of each target."""
        base = partition_prefix("curated", load)
        found: dict[str, list[ObjectInfo]] = {}
        for info in self._store.list(base):
            name, slash, _ = info.key.removeprefix(base).partition("/")
            if slash:
                found.setdefault(self._store.locate(f"{base}{name}/"), []).append(info)
        return found

    def discard(self, location: str, objects: Iterable[ObjectInfo]) -> None:
        """Removes a target that is not visible, unless a publisher took it just now; the mark goes last."""
        mark = self._key(location) + MARK
        taken = next((info for info in objects if info.key == mark), None)
        if taken is not None and self._is_taken(taken):
            return
        if taken is None:
            try:
                self._store.put(mark, _DISCARDED, ABSENT)
            except ObjectConflict:
                return
        for info in objects:
            if info.key != mark:
                self._store.delete(info.key)
        self._store.delete(mark)

    def _is_taken(self, mark: ObjectInfo) -> bool:
        if datetime.now(UTC) - mark.modified > self._grace:
            return False
        try:
            return self._store.read(mark.key)[0] != _DISCARDED
        except ObjectMissing:
            return True

    def _key(self, location: str) -> str:
        return f"curated/{location.removeprefix(self._store.locate('curated/')).rstrip('/')}/"


def _is_data(key: str) -> bool:
    return not key.rpartition("/")[2].startswith(_HIDDEN)

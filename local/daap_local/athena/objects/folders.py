"""Objects in folders: the lake's zones as buckets to read, and buckets of one's own beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from daap.model.keys import ZONES
from daap_local.athena.objects.faults import AccessRefused, BucketMissing, KeyConflict
from daap_local.athena.objects.paths import check_bucket
from daap_local.athena.objects.port import ObjectInfo, Objects, split_uri
from daap_local.athena.objects.tree import Tree
from daap_local.files import make_folder, translated

_WRITABLE_ZONES = frozenset({"landing"})


class FolderObjects(Objects):
    """Buckets below `home`, and the zones of the lake at `root`: those are read-only, but for landing."""

    def __init__(self, root: Path, home: Path) -> None:
        self._root, self._home = root, home

    def tree(self, bucket: str) -> Tree:
        """The folder of a bucket; raises BucketMissing."""
        check_bucket(bucket)
        zone = bucket in ZONES
        tree = Tree((self._root if zone else self._home) / bucket, plain=zone, writable=_is_writable(bucket))
        if not tree.root.is_dir():
            raise BucketMissing(f"The specified bucket does not exist: {bucket}")
        return tree

    def buckets(self) -> list[tuple[str, datetime]]:
        """Names and times of all buckets, in order."""
        folders = [self._root / zone for zone in ZONES]
        if self._home.is_dir():
            folders += [path for path in self._home.iterdir() if not path.name.startswith(".")]
        found = {path.name: path.stat().st_mtime for path in folders if path.is_dir()}
        return [(name, datetime.fromtimestamp(found[name], UTC)) for name in sorted(found)]

    def create_bucket(self, bucket: str) -> bool:
        """Makes a bucket, and says whether it is new."""
        if check_bucket(bucket) in ZONES:
            return False
        path = self._home / bucket
        new = not path.is_dir()
        with translated(f"create {bucket}"):
            make_folder(path)
        return new

    def delete_bucket(self, bucket: str) -> None:
        """Removes an empty bucket; raises KeyConflict for one that is not."""
        tree = self.tree(bucket)
        if tree.plain:
            raise AccessRefused(f"{bucket} is a zone of the lake and stays")
        if next(tree.walk(), None):
            raise KeyConflict("The bucket you tried to delete is not empty")
        with translated(f"delete {bucket}"):
            shutil.rmtree(tree.root)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Objects."""
        bucket, start = split_uri(prefix)
        for found in self.tree(bucket).walk(start):
            yield ObjectInfo(f"s3://{bucket}/{found.key}", found.size, found.modified, found.path)

    def stat(self, uri: str) -> ObjectInfo:
        """See Objects."""
        bucket, key = split_uri(uri)
        found = self.tree(bucket).stat(key)
        return ObjectInfo(uri, found.size, found.modified, found.path)

    def open(self, uri: str) -> BinaryIO:
        """See Objects."""
        bucket, key = split_uri(uri)
        return self.tree(bucket).open(key)

    def create(self, uri: str) -> BinaryIO:
        """See Objects."""
        bucket, key = split_uri(uri)
        return self.tree(bucket).create(key)

    def delete(self, uri: str) -> None:
        """See Objects."""
        bucket, key = split_uri(uri)
        self.tree(bucket).delete(key)


def _is_writable(bucket: str) -> bool:
    return bucket not in ZONES or bucket in _WRITABLE_ZONES

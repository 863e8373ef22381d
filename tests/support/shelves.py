"""A catalogue under test, with what tests write to its targets and find there."""

from __future__ import annotations

import io
import random
import shutil
from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

from daap.model.keys import ZONES
from daap.model.loads import LoadId, TableRef
from daap.ports.catalogue import Catalogue
from daap.testing.memory_catalogue import MemoryCatalogue
from daap_cloud.clients import Clients
from daap_cloud.glue.catalogue import GlueCatalogue
from daap_cloud.glue.targets import GRACE, MARK
from daap_cloud.s3_store import S3Store
from daap_cloud.settings import Settings
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from tests.support.emulator import make_session, make_settings, shared_emulator


class Shelf(ABC):
    """A catalogue, and the place where its snapshots lie."""

    catalogue: Catalogue

    @abstractmethod
    def write(self, target: str, name: str, data: bytes) -> None:
        """Writes a file below a target, as an engine does."""

    @abstractmethod
    def has(self, target: str) -> bool:
        """Whether there is anything below a target."""

    @abstractmethod
    def remove(self, target: str) -> None:
        """Removes what is below a target."""

    @abstractmethod
    def ids(self, load: LoadId) -> list[int]:
        """The ids in the visible snapshot of a load."""

    @abstractmethod
    def names(self) -> list[str]:
        """The names of all files anywhere, hidden ones too."""

    @abstractmethod
    def traces(self, ref: TableRef) -> list[str]:
        """Whatever there is that bears the name of a table or of its database."""

    @abstractmethod
    def everything(self) -> list[str]:
        """All that is there."""


class FolderShelf(Shelf):
    """A catalogue whose targets are folders."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self.catalogue, self._folder = catalogue, folder

    def write(self, target: str, name: str, data: bytes) -> None:
        """See Shelf."""
        Path(target).mkdir(parents=True, exist_ok=True)
        Path(target, name).write_bytes(data)

    def has(self, target: str) -> bool:
        """See Shelf."""
        return Path(target).exists()

    def remove(self, target: str) -> None:
        """See Shelf."""
        shutil.rmtree(target)

    def ids(self, load: LoadId) -> list[int]:
        """See Shelf."""
        files = sorted(self._folder.rglob(f"{load.ref.table}/load_timestamp={load.stamp}/*.parquet"))
        return [row["id"] for file in files for row in pq.ParquetFile(file).read().to_pylist()]

    def names(self) -> list[str]:
        """See Shelf. The locks that stay for the next writer are left out."""
        return sorted(p.name for p in self._folder.rglob("*") if p.is_file() and p.parent.name != ".locks")

    def traces(self, ref: TableRef) -> list[str]:
        """See Shelf."""
        return [str(path) for path in self._folder.rglob("*") if path.name in (ref.table, ref.database)]

    def everything(self) -> list[str]:
        """See Shelf."""
        return sorted(map(str, self._folder.rglob("*")))


class GlueShelf(Shelf):
    """A catalogue in Glue, with targets in S3, in an account of its own."""

    def __init__(self, clients: Clients, settings: Settings, grace: timedelta = GRACE) -> None:
        self.clients, self.settings = clients, settings
        self.store = S3Store(clients.s3, settings.zones)
        self.catalogue = GlueCatalogue(self.store, clients, grace)

    def write(self, target: str, name: str, data: bytes) -> None:
        """See Shelf."""
        bucket, prefix = split_uri(target)
        self.clients.s3.put_object(Bucket=bucket, Key=prefix + name, Body=data)

    def has(self, target: str) -> bool:
        """See Shelf."""
        return bool(self._keys(target))

    def remove(self, target: str) -> None:
        """See Shelf."""
        for key in self._keys(target):
            self.clients.s3.delete_object(Bucket=split_uri(target)[0], Key=key)

    def _keys(self, target: str) -> list[str]:
        bucket, prefix = split_uri(target)
        listed = self.clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for one in listed.get("Contents", ())]

    def ids(self, load: LoadId) -> list[int]:
        """See Shelf."""
        found = self.clients.glue.get_partition(
            DatabaseName=load.ref.database, TableName=load.ref.table.lower(), PartitionValues=[load.stamp]
        )
        location = found["Partition"]["StorageDescriptor"]["Location"]
        bucket, _ = split_uri(location)
        keys = [key for key in self._keys(location) if not key.endswith(MARK)]
        bodies = [self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        return [row["id"] for body in bodies for row in pq.read_table(io.BytesIO(body)).to_pylist()]

    def names(self) -> list[str]:
        """See Shelf. The marks of targets that hold data are left out."""
        keys = [PurePosixPath(info.key) for zone in ZONES for info in self.store.list(f"{zone}/")]
        held = {key.parent for key in keys if key.name != MARK}
        return sorted(key.name for key in keys if key.name != MARK or key.parent not in held)

    def traces(self, ref: TableRef) -> list[str]:
        """See Shelf."""
        keys = [info.key for zone in ZONES for info in self.store.list(f"{zone}/")]
        found = [key for key in keys if {ref.table, ref.database} & set(key.split("/"))]
        return found + [name for name in self._databases() if name.startswith(ref.database)]

    def _databases(self) -> list[str]:
        return [one["Name"] for one in self.clients.glue.get_databases()["DatabaseList"]]

    def everything(self) -> list[str]:
        """See Shelf."""
        return [info.key for zone in ZONES for info in self.store.list(f"{zone}/")] + self._databases()


def split_uri(location: str) -> tuple[str, str]:
    """The bucket and the rest of an s3:// address."""
    bucket, _, rest = location.removeprefix("s3://").partition("/")
    return bucket, rest


def new_account() -> str:
    """The number of an account that nobody has used yet; the emulator takes it as an access key."""
    return f"{random.randrange(10**12):012}"  # noqa: S311 - no secret


def account_clients(url: str, account: str = "", **others: str) -> Clients:
    """Clients of a new account of the emulator: a key of twelve digits names one."""
    return Clients(make_session(account or new_account()), {"s3": url, "glue": url, "athena": url, **others})


def folder_shelf(folder: Path) -> Shelf:
    """A lake of folders."""
    return FolderShelf(FolderCatalogue(FolderStore(folder)), folder)


def memory_shelf(folder: Path) -> Shelf:
    """A catalogue in memory."""
    return FolderShelf(MemoryCatalogue(folder), folder)


def glue_shelf(_folder: Path, grace: timedelta = timedelta(0)) -> GlueShelf:
    """Glue and S3 of the emulator, where by default nobody else is on the way."""
    clients = account_clients(shared_emulator())
    return GlueShelf(clients, make_settings(clients), grace)

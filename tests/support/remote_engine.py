"""Engines of the cloud on this machine: S3 and Glue of the emulator, Athena of daap's own server."""

from __future__ import annotations

import atexit
import os
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pyarrow as pa

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict, Written
from daap.ports.engine import Engine, Progress, Source, silent
from daap_cloud.athena.engine import WORK_DATABASE
from daap_cloud.athena.runner import AthenaRunner
from daap_cloud.clients import Clients
from daap_cloud.duckdb_s3 import S3Remote
from daap_cloud.engines import ChosenEngine, make_engine
from daap_cloud.s3_store import S3Store
from daap_cloud.settings import Settings
from tests.athena.serving import serving
from tests.oracle.harness import open_parquet
from tests.support.emulator import CREDENTIALS, cloud_clients, make_settings, shared_emulator

PLACE = "raw/spend/v1/march/load_timestamp="


@dataclass(frozen=True)
class Cloud:
    """Buckets, and the clients and settings that engines need."""

    clients: Clients
    settings: Settings

    @property
    def bucket(self) -> str:
        """Where raw and curated lie."""
        return self.settings.data_bucket

    @property
    def store(self) -> S3Store:
        """The zones."""
        return S3Store(self.clients.s3, self.settings.zones)

    @property
    def runner(self) -> AthenaRunner:
        """Athena."""
        settings = self.settings
        return AthenaRunner(self.clients.athena, settings.work_group, settings.results, settings.query_seconds)

    def engine(self, choice: str, **changed: object) -> ChosenEngine:
        """The engine of a deployment with this choice."""
        settings = Settings.model_validate({**self.settings.model_dump(), "engine": choice, **changed})
        return make_engine(settings, self.clients, self.runner)

    def put(self, data: bytes, name: str = "file.csv") -> Source:
        """A new file in a folder of its own, as a source."""
        key = f"{PLACE}{uuid.uuid4().hex}/{name}"
        self.clients.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return self.source(key, len(data))

    def source(self, key: str, size: int) -> Source:
        """A stored file as an engine takes it."""
        store = self.store
        return Source(store.locate(key), size, lambda: store.open(key))

    def new_target(self) -> str:
        """A place where nothing is."""
        return f"s3://{self.bucket}/curated/{uuid.uuid4().hex}/"

    def keys(self, address: str) -> list[str]:
        """The names of the objects below an address."""
        prefix = address.removeprefix(f"s3://{self.bucket}/")
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"].removeprefix(prefix) for page in pages for one in page.get("Contents", ())]

    def read(self, written: Written) -> pa.Table:
        """What was written, as one table."""
        files = [self._read(f"{written.target}{file.name}") for file in written.files]
        return pa.concat_tables(open_parquet(pa.BufferReader(data)).read() for data in files)

    def _read(self, address: str) -> bytes:
        key = address.removeprefix(f"s3://{self.bucket}/")
        return self.clients.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def fetch(self, address: str, folder: Path) -> None:
        """Copies the Parquet files below an address into a folder, which is only made if there are any."""
        for name in self.keys(address):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / local_name(name)).write_bytes(self._read(f"{address}{name}"))


def local_name(name: str) -> str:
    """A name that ends as folders want it; Athena's own do not."""
    return f"{name.removesuffix('.parquet')}.parquet"


@cache
def shared_cloud() -> Cloud:
    """The one that all tests of this process share: it ends with the process."""
    running = ExitStack()
    atexit.register(running.close)
    url = shared_emulator()
    os.environ.update({name: value for name, value in CREDENTIALS.items() if name not in os.environ})
    root = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="daap-athena-")))
    served = running.enter_context(serving(root, glue_endpoint=url, s3_endpoint=url))
    clients = cloud_clients(url, athena=served.url)
    clients.glue.create_database(DatabaseInput={"Name": WORK_DATABASE})
    return Cloud(clients, make_settings(clients, scratch=str(root / "scratch")))


class RemoteEngine(Engine):
    """An engine on S3 for files and targets of this machine, which are brought there and back."""

    def __init__(self, engine: Engine, cloud: Cloud) -> None:
        self.name, self.version = engine.name, engine.version
        self.inner, self._cloud = engine, cloud
        self._last: tuple[bytes, Source | None] = b"", None

    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        """See Engine."""
        return self.inner.check(self._bring(source), schema, progress)

    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        """See Engine."""
        address = self._cloud.new_target()
        try:
            written = self.inner.curate(self._bring(source), schema, address, progress, columns)
        finally:
            self._cloud.fetch(address, Path(target))
        files = tuple(replace(file, name=local_name(file.name)) for file in written.files)
        return replace(written, target=target, files=files)

    def _bring(self, source: Source) -> Source:
        """The file's copy in S3; one that is not there is not there either. The last one serves again."""
        try:
            with source.open() as stream:
                data = stream.read()
        except FileNotFoundError:
            return self._cloud.source(f"{PLACE}none/none.csv", source.size)
        known, copy = self._last
        if copy is None or data != known:
            copy = self._cloud.put(data)
            self._last = data, copy
        return copy


def duckdb_on_s3() -> Engine:
    """DuckDB, where source and target are in S3."""
    cloud = shared_cloud()
    return RemoteEngine(DuckDBEngine(remote=S3Remote(cloud.clients)), cloud)


def athena_engine() -> Engine:
    """What a deployment that chose Athena curates with."""
    cloud = shared_cloud()
    return RemoteEngine(cloud.engine("athena"), cloud)

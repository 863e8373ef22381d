"""A sample product, files for it, and small lakes to put them in."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import DaapError
from daap.model.events import FileLanded, Outcome
from daap.model.keys import file_key
from daap.model.loads import LoadId, Receipt, TableRef
from daap.model.product import Product
from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict, Written
from daap.pipeline.audit import EVENTS
from daap.pipeline.claims import open_claims
from daap.pipeline.evolve import Evolved, change_schema
from daap.pipeline.ingest import ingest_file
from daap.pipeline.lake import Lake
from daap.ports.engine import Engine, Progress, Source, silent
from daap.registry.spec import build_product, build_schema
from daap.testing.memory_catalogue import MemoryCatalogue
from daap.testing.memory_store import MemoryStore
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore
from daap_local.query import FolderQuery
from daap_local.watcher import Watcher

PRODUCT, TABLE, PAPERS = "shop", "orders", "papers"
TABLES = (TABLE, "sales", "returns")
BAD = b"id,customer,amount\n1,Ann,1.00\ntwo,Bob,oops\n"
"""Two errors, both in line 3."""

ID: dict[str, object] = {"name": "id", "type": "int", "required": True}
CUSTOMER: dict[str, object] = {"name": "customer", "type": "varchar(20)", "personal": True}
AMOUNT: dict[str, object] = {"name": "amount", "type": "decimal(18,2)"}
_COLUMNS = [ID, CUSTOMER, AMOUNT]


def make_product(name: str = PRODUCT, tables: tuple[str, ...] = TABLES, files: tuple[str, ...] = (PAPERS,)) -> Product:
    """A product whose tables all have the same three columns."""
    return build_product({
        "name": name, "description": "A sample", "domain": "test", "dataProductOwner": "owner",
        "dataProductOwnerDisplayName": "Owner", "email": "owner@example.org", "status": "published",
        "dpiaRequired": True, "retentionPeriod": 30,
        "tables": {table: {"tableDescription": "a sample", "columns": _COLUMNS} for table in tables},
        "files": {file: {"description": "a sample"} for file in files},
    })  # fmt: skip


def make_table(*columns: str | dict[str, object], **dialect: object) -> TableSchema:
    """A schema of columns, each `"name type"` or a whole spec; by default the sample's own."""
    listed = [
        dict(zip(("name", "type"), column.split(" ", 1), strict=True)) if isinstance(column, str) else column
        for column in columns or _COLUMNS
    ]
    return build_schema({"tableDescription": "a sample", "columns": listed, "dialect": dialect})


def make_csv(first: int = 1, rows: int = 3) -> bytes:
    """A good file; `first` is its first id."""
    lines = (f"{n},Customer {n},{n}.50\n" for n in range(first, first + rows))
    return ("id,customer,amount\n" + "".join(lines)).encode()


class SpoolingEngine(Engine):
    """DuckDB over stores that cannot locate their objects: each is first copied to a file."""

    name, version = DuckDBEngine.name, DuckDBEngine.version

    def __init__(self, engine: DuckDBEngine) -> None:
        self._engine = engine

    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        with _spooled(source) as local:
            return self._engine.check(local, schema, progress)

    def stage(
        self, source: Source, schema: TableSchema, target: str, progress: Progress = silent
    ) -> tuple[Verdict, Written | None]:
        with _spooled(source) as local:
            return self._engine.stage(local, schema, target, progress)

    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        with _spooled(source) as local:
            return self._engine.curate(local, schema, target, progress, columns)


@contextmanager
def _spooled(source: Source) -> Iterator[Source]:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file, source.open() as stream:
        shutil.copyfileobj(stream, file)
        file.flush()
        path = Path(file.name)
        yield Source(str(path), path.stat().st_size, lambda: path.open("rb"))


@dataclass
class Bench:
    """A lake to work on; files are dropped and taken in by key."""

    lake: Lake
    root: Path

    def register(self, product: Product | None = None) -> None:
        """Registers a product, the sample by default."""
        self.lake.registry.register(product or make_product())

    def drop(self, name: str, data: bytes, table: str = TABLE, product: str = PRODUCT) -> str:
        """Puts a file down in landing; returns its key."""
        key = f"landing/{product}/{table}/{name}"
        self.lake.store.put(key, data)
        return key

    def ingest(self, key: str, actor: str = "ann") -> Outcome:
        """Takes a file in, as an event about its key would."""
        return ingest_file(FileLanded(key, actor), self.lake)

    def take(self, name: str, data: bytes, table: str = TABLE, product: str = PRODUCT) -> Outcome:
        """Drops a file and takes it in."""
        return self.ingest(self.drop(name, data, table, product))

    def load(self, stamp: str, data: bytes, table: str = TABLE, product: str = PRODUCT, major: int = 1) -> Outcome:
        """Takes a file in whose load timestamp is given, as an upload of that moment would be."""
        key = file_key("landing", LoadId(TableRef(product, major, table), stamp), str(uuid.uuid4()))
        self.lake.store.put(key, data)
        return self.ingest(key)

    def change(self, *columns: str | dict[str, object], table: str = TABLE, **dialect: object) -> Evolved:
        """Gives a table of the sample product other columns."""
        return change_schema(self.lake, PRODUCT, table, make_table(*columns, **dialect), "ann")

    def read(self, key: str) -> bytes:
        """The content of an object."""
        return self.lake.store.read(key)[0]

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix."""
        return [info.key for info in self.lake.store.list(prefix)]

    def files(self, prefix: str) -> list[bytes]:
        """The contents of the files in a zone, its reports apart."""
        return [self.read(key) for key in self.keys(prefix) if ".errors." not in key]

    def receipts(self) -> list[Receipt]:
        """All receipts, the oldest first."""
        return sorted(self.lake.ledger.list(), key=lambda receipt: receipt.load_timestamp)

    def snapshots(self, table: str = TABLE, product: str = PRODUCT, major: int = 1) -> list[str]:
        """The load timestamps of a table's snapshots."""
        return list(self.lake.catalogue.snapshots(TableRef(product, major, table)))

    def contents(self, prefix: str = "metadata/") -> dict[str, bytes]:
        """All objects that begin with a prefix."""
        return {key: self.read(key) for key in self.keys(prefix)}

    def claims(self) -> list[str]:
        """The names of the files that are on their way."""
        return [claim.name for claim in open_claims(self.lake.store)]

    def events(self) -> list[dict[str, object]]:
        """The audit log."""
        return [json.loads(line) for key in self.keys(EVENTS) for line in self.read(key).decode().splitlines()]

    def query(self, sql: str) -> list[dict[str, object]]:
        """The rows of a query; for lakes on folders."""
        query = FolderQuery(self.lake.store, self.lake.catalogue)
        rows: list[dict[str, object]] = query.query(sql).read_all().to_pylist()
        return rows


@contextmanager
def quick_folder(fallback: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: a killed process, unlike a dead machine, loses no cached write."""
    shared = Path("/dev/shm")  # noqa: S108 - every Linux has it
    if not os.access(shared, os.W_OK):
        yield fallback
        return
    with tempfile.TemporaryDirectory(prefix="daap-test-", dir=shared, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def open_folders(root: Path, engine: DuckDBEngine, landing: Path | None = None) -> Bench:
    """A lake on folders."""
    store = FolderStore(root, {"landing": landing} if landing else None)
    return Bench(Lake(store, engine, FolderCatalogue(store)), root)


def open_memory(root: Path, engine: DuckDBEngine) -> Bench:
    """A lake in memory; Parquet is written below `root`."""
    return Bench(Lake(MemoryStore(), SpoolingEngine(engine), MemoryCatalogue(root)), root)


LAKES: dict[str, Callable[[Path, DuckDBEngine], Bench]] = {"folder": open_folders, "memory": open_memory}


class EndlessDrain(Exception):
    """A watcher that was to take what is there found no end."""


class FiniteWatcher(Watcher):
    """A watcher that gives up where it would go round for ever, so that a test fails rather than hangs."""

    looks_left = 200

    def __init__(self, lake: Lake, landing: Path) -> None:
        self.heard: list[Outcome | DaapError] = []
        super().__init__(lake, landing, "watcher", lambda _path, outcome: self.heard.append(outcome))

    def _look_around(self) -> None:
        self.looks_left -= 1
        if not self.looks_left:
            raise EndlessDrain(f"still waiting: {[str(path) for path in self._waiting]}")
        super()._look_around()


def drain_lake(lake: Lake, landing: Path) -> FiniteWatcher:
    """Takes everything in landing, as `daap-local watch --once` does; returns the watcher with what it heard."""
    watcher = FiniteWatcher(lake, landing)
    watcher.drain()
    return watcher

"""The side of the cloud: AWS itself, an emulator of it, or daap's own server of Athena, Glue and S3, started here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pyarrow as pa

from daap.model.loads import TableRef
from daap.pipeline.lake import Lake
from daap_cloud.clients import Clients
from daap_cloud.glue.calls import GlueCalls
from daap_cloud.settings import EngineChoice, Settings, read_settings
from daap_cloud.wiring import Deployment
from daap_local.athena.options import Options
from daap_local.parity.buckets import fresh_settings
from daap_local.parity.serving import serving
from daap_local.parity.sides import Columns, Side

_REGION = "eu-west-2"
_NAMED = {"s3": "S3", "glue": "Glue", "athena": "Athena"}
_FAKE = "local"
"""What the server takes for a key and its secret, as it takes anything."""

_SERVER_MEMORY = 2_000_000_000
_NAMES = {"integer": "int", "real": "float", "varchar": "string", "timestamp(3)": "timestamp"}
"""Athena's names of types in queries, by those in tables."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the cloud is: an emulator's address, that of its Athena, a stack, the environment.

    With none of them the cloud is on this machine, and ends with the comparison.
    """

    endpoint: str | None = None
    athena: str | None = None
    stack: str | None = None
    environment: Mapping[str, str] | None = None

    @property
    def has_buckets(self) -> bool:
        """Whether the environment names buckets, in which other products may be."""
        return bool((self.environment or {}).get("DAAP_LANDING_BUCKET"))

    @property
    def is_own(self) -> bool:
        """Whether everything is made for the comparison, and nobody else's."""
        return not (self.stack or self.has_buckets or self.endpoint)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Clients and settings, and in words where it is."""

    clients: Clients
    settings: Settings
    words: str


@contextmanager
def open_cloud(where: Where, scratch: Path) -> Iterator[Cloud]:
    """The cloud that is asked for, until the block ends; raises StoreUnavailable, InvalidSpec, InvalidName."""
    with _choose(where)(where, scratch) as cloud:
        yield cloud


def _choose(where: Where) -> Callable[[Where, Path], AbstractContextManager[Cloud]]:
    if where.stack:
        return _open_stack
    if where.has_buckets:
        return _open_buckets
    return _open_emulated if where.endpoint else _open_own


@contextmanager
def _closed_after(clients: Clients) -> Iterator[None]:
    """Ends the connections of the clients that were made, before what they are connected to ends."""
    try:
        yield
    finally:
        for name in _NAMED:
            if name in vars(clients):
                getattr(clients, name).close()


@contextmanager
def _open_own(where: Where, scratch: Path) -> Iterator[Cloud]:
    with serving(Options(scratch / "cloud", memory=_SERVER_MEMORY)) as url:
        session = boto3.session.Session(_FAKE, _FAKE, region_name=_REGION)
        clients = Clients(session, dict.fromkeys(_NAMED, url))
        with (
            _closed_after(clients),
            fresh_settings(clients, scratch, (where.environment or {}).get("DAAP_MEMORY")) as settings,
        ):
            yield Cloud(clients, settings, "S3, Glue and Athena of this machine")


@contextmanager
def _open_emulated(where: Where, scratch: Path) -> Iterator[Cloud]:
    """An emulator with nothing of daap's in it: buckets are made, and removed again."""
    from daap_cloud.deploy.target import find_target  # noqa: PLC0415 - for this way alone

    session = find_target(None, where.endpoint).session
    with _endpoints(where, session, scratch) as endpoints:
        clients = Clients(session, endpoints)
        with (
            _closed_after(clients),
            fresh_settings(clients, scratch, (where.environment or {}).get("DAAP_MEMORY")) as settings,
        ):
            words = ", ".join(f"{_NAMED[name]} at {url}" for name, url in endpoints.items())
            yield Cloud(clients, settings, words)


@contextmanager
def _endpoints(where: Where, session: boto3.session.Session, scratch: Path) -> Iterator[dict[str, str]]:
    """The addresses of services that are not AWS's own; beside an emulator, Athena is daap's unless it is named."""
    given = _objects_at(where)
    with ExitStack() as stack:
        athena = where.athena
        if where.endpoint and not athena:
            athena = stack.enter_context(_athena_for(session, given, scratch))
        yield {**given, "athena": athena} if athena else given


def _objects_at(where: Where) -> dict[str, str]:
    """Where objects and tables are, beside an emulator that may have no Glue (AWS_ENDPOINT_URL_GLUE)."""
    if not where.endpoint:
        return {}
    return {"s3": where.endpoint, "glue": (where.environment or {}).get("AWS_ENDPOINT_URL_GLUE") or where.endpoint}


@contextmanager
def _athena_for(session: boto3.session.Session, at: Mapping[str, str], scratch: Path) -> Iterator[str]:
    """daap's own Athena over an emulator's S3 and Glue; it takes its credentials from the environment."""
    given = {"AWS_DEFAULT_REGION": session.region_name}
    if (keys := session.get_credentials()) and keys.access_key and keys.secret_key:
        given |= {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        options = Options(scratch / "athena", glue_endpoint=at["glue"], s3_endpoint=at["s3"], memory=_SERVER_MEMORY)
        with serving(options) as url:
            yield url
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _open_stack(where: Where, scratch: Path) -> Iterator[Cloud]:
    """A lake by the name of its stack."""
    from daap_local.deployed import AWS, open_deployed  # noqa: PLC0415 - for this way alone

    deployed = open_deployed(where.endpoint or AWS, where.stack or "")
    clients = deployed.clients
    if where.athena:
        clients = Clients(clients.session, {**_objects_at(where), "athena": where.athena})
    settings = deployed.settings.model_copy(update={"scratch": str(scratch / "engine")})
    with _closed_after(clients):
        yield Cloud(clients, settings, f"stack {where.stack} {_say_place(where)}")


@contextmanager
def _open_buckets(where: Where, scratch: Path) -> Iterator[Cloud]:
    """A lake by the settings of its functions."""
    from daap_cloud.deploy.target import find_target  # noqa: PLC0415 - for this way alone

    settings = read_settings(where.environment or {}).model_copy(update={"scratch": str(scratch / "engine")})
    session = find_target(None, where.endpoint).session
    with _endpoints(where, session, scratch) as endpoints:
        clients = Clients(session, endpoints)
        with _closed_after(clients):
            yield Cloud(clients, settings, f"{settings.data_bucket} and its other buckets {_say_place(where)}")


def _say_place(where: Where) -> str:
    return f"at {where.endpoint}" if where.endpoint else "in AWS"


def open_side(cloud: Cloud, engine: EngineChoice) -> Side:
    """The side of the cloud whose files are curated by `engine`."""
    settings = cloud.settings.model_copy(update={"engine": engine})
    deployed = Deployment(settings, cloud.clients)
    lake = Lake(deployed.store, deployed.engine, deployed.catalogue, scratch=Path(settings.scratch))
    Path(settings.scratch).mkdir(parents=True, exist_ok=True)

    def columns(ref: TableRef) -> Mapping[str, Columns]:
        return {"Glue": _glue_columns(cloud.clients, ref), "Athena's information_schema": _told_columns(deployed, ref)}

    return Side(f"cloud-{engine}", f"{cloud.words}; curated by {engine}", lake, deployed.query, columns)


def _glue_columns(clients: Clients, ref: TableRef) -> Columns:
    table = GlueCalls(clients.glue).table(ref.database, ref.table.lower())
    listed = [*table["StorageDescriptor"]["Columns"], *table["PartitionKeys"]]
    return [(column["Name"], column["Type"]) for column in listed]


def _told_columns(deployed: Deployment, ref: TableRef) -> Columns:
    """What a client of Athena is told; the names of a table have been checked where its ref was made."""
    answer = deployed.query.query(
        "SELECT column_name, data_type FROM information_schema.columns "  # noqa: S608 - as above
        f"WHERE table_schema = '{ref.database}' AND table_name = '{ref.table.lower()}' ORDER BY ordinal_position"
    )
    rows = pa.RecordBatchReader.from_stream(answer).read_all().to_pylist()
    return [(row["column_name"], _NAMES.get(row["data_type"], row["data_type"])) for row in rows]


def is_missing_extension() -> bool:
    """Whether DuckDB's httpfs, by which files in S3 are checked, is not installed."""
    from daap.errors import EngineFailed  # noqa: PLC0415
    from daap_cloud.duckdb_s3 import find_extension  # noqa: PLC0415 - DuckDB is slow to import

    try:
        find_extension()
    except EngineFailed:
        return True
    return False

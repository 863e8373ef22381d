"""DuckDB on S3: its own extension from the package that brings it, and the credentials that boto3 finds.

Source: https://duckdb.org/docs/stable/core_extensions/httpfs/s3api
"""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path

from daap.engines.duckdb.remote import Remote
from daap.engines.duckdb.sql import literal
from daap.errors import EngineFailed, StoreUnavailable
from daap_cloud.clients import Clients
from daap_cloud.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PACKAGE = "duckdb_extension_httpfs"
_SECRET = "daap_s3"  # noqa: S105 - the name of DuckDB's secret
_SETTINGS = {
    "enable_global_s3_configuration": "false",  # nothing comes from the environment
    # A part's size is the first by 10,000: files of up to 100 GB in parts of 10 MB, eight of them in memory.
    "s3_uploader_max_filesize": "'100GB'",
    "s3_uploader_thread_limit": "8",
    "enable_server_cert_verification": "true",
}


@dataclass(frozen=True, slots=True)
class _Access:
    """What DuckDB signs with and asks; not shown where the object is."""

    key: str
    secret: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str
    endpoint: str


class S3Remote(Remote):
    """S3 for one DuckDB engine, by the credentials, the region and the endpoint of these clients.

    Temporary credentials are asked for again before each job, so that they are as fresh as boto3's own.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._known: _Access | None = None

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See Remote."""
        access = self._find_access()
        with self._lock:
            if self._known is None:
                _load_extension(connection)
            if self._known != access:
                _give_secret(connection, access)
                self._known = access

    def remove(self, address: str) -> None:
        """See Remote."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        with translated(f"delete {address}"):
            self._client.delete_object(Bucket=bucket, Key=key)

    @property
    def _client(self) -> S3Client:
        return self._clients.s3

    def _find_access(self) -> _Access:
        try:
            found = self._clients.session.get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except BotoCoreError as error:
            raise StoreUnavailable(f"cannot get AWS credentials: {error}") from error
        if frozen is None or not frozen.access_key:
            raise StoreUnavailable("there are no AWS credentials; give the function a role, or set AWS_PROFILE")
        meta = self._client.meta
        return _Access(
            frozen.access_key or "", frozen.secret_key or "", frozen.token, meta.region_name, meta.endpoint_url
        )


def find_extension() -> Path:
    """The file of DuckDB's httpfs of the version that runs; raises EngineFailed if it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    for folder in folders:
        path = folder / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
        if path.is_file():
            return path
    raise EngineFailed(f"DuckDB cannot reach S3: install duckdb-extension-httpfs=={duckdb.__version__}")


def _load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    path = find_extension()
    try:
        connection.execute(f"LOAD {literal(str(path))}")
        for name, value in _SETTINGS.items():
            connection.execute(f"SET GLOBAL {name} = {value}")
        connection.execute(f"SET GLOBAL ca_cert_file = {literal(str(get_cert_path(True)))}")
    except duckdb.Error as error:
        raise EngineFailed(f"DuckDB does not take {path}: {error}") from error


def _give_secret(connection: duckdb.DuckDBPyConnection, access: _Access) -> None:
    """The secret replaces the one before; jobs that have begun keep theirs."""
    endpoint = urlsplit(access.endpoint)
    options = {
        "KEY_ID": literal(access.key),
        "SECRET": literal(access.secret),
        "REGION": literal(access.region),
        "ENDPOINT": literal(endpoint.netloc),
        "URL_STYLE": "'path'",
        "USE_SSL": "false" if endpoint.scheme == "http" else "true",
    }
    if access.token:
        options["SESSION_TOKEN"] = literal(access.token)
    listed = ", ".join(f"{name} {value}" for name, value in options.items())
    try:
        connection.execute(f"CREATE OR REPLACE TEMPORARY SECRET {_SECRET} (TYPE s3, {listed})")
    except duckdb.Error:
        # Without DuckDB's own words, which may hold the statement.
        raise EngineFailed("DuckDB does not take the credentials for S3") from None

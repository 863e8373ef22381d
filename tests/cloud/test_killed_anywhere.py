"""A load whose worker is killed behind any call of AWS is whole in the end, and never lost, doubled or seen in part."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

import boto3
import pyarrow as pa
import pytest

from daap.errors import Busy
from daap.model.events import FileLanded
from daap.model.loads import LoadStatus, TableRef
from daap.pipeline import resync
from daap.pipeline.claims import Claim, announce_file, open_claims
from daap.pipeline.halves import curate_alone, land_alone
from daap.pipeline.resync import resync_product
from daap_cloud.clients import Clients
from daap_cloud.engines import ChosenEngine, make_engine
from daap_cloud.glue.catalogue import GlueCatalogue
from daap_cloud.glue.views import newest_of
from daap_cloud.settings import EngineChoice, Settings
from daap_cloud.wiring import Deployment
from tests.athena.serving import serving
from tests.oracle.harness import open_parquet
from tests.support.calls import Killed, killed_after
from tests.support.emulator import CREDENTIALS, make_settings, shared_emulator
from tests.support.lakes import BAD, TABLE, make_csv, make_product
from tests.support.processes import wait_until

pytestmark = pytest.mark.slow

ORDERS = TableRef("shop", 1, TABLE)
ROWS = 3
_ENOUGH = 100
"""More calls than a load makes."""


class Worker(Deployment):
    """A Lambda that remembers nothing, with an engine that was opened before; what nobody shows it removes at once."""

    def __init__(self, settings: Settings, clients: Clients, engine: ChosenEngine) -> None:
        super().__init__(settings, clients)
        self.catalogue = GlueCatalogue(self.store, clients, grace=timedelta(0))
        self.engine = engine


@dataclass
class Site:
    """A deployment, and a file on its way through it."""

    clients: Clients
    settings: Settings
    engines: dict[EngineChoice, ChosenEngine]
    claim: Claim | None = None
    data: bytes = b""

    def worker(self, engine: EngineChoice = EngineChoice.DUCKDB) -> Worker:
        """A worker with nothing in its memory."""
        return Worker(self.settings, self.clients, self.engines[engine])

    def send(self, data: bytes) -> None:
        """Puts a file down in landing."""
        self.data, store = data, self.worker().store
        self.claim = announce_file(store, ORDERS, "orders.csv", "ann")
        store.put(self.claim.landing, data)

    @property
    def sent(self) -> Claim:
        """The claim of the file."""
        assert self.claim
        return self.claim

    @property
    def raw(self) -> str:
        """Where the file is kept once it is accepted."""
        return self.sent.landing.replace("landing/", "raw/", 1)

    def land(self, worker: Worker) -> None:
        """What the event of the file in landing brings about."""
        land_alone(FileLanded(self.sent.landing), worker.lake)

    def curate(self, worker: Worker, patience: float = 0.0) -> None:
        """What the event of the file in raw brings about; there is none without a file."""
        if self.keys("raw/"):
            curate_alone(self.raw, worker.lake, "aws", patience)

    def keys(self, zone: str) -> list[str]:
        """What lies in a zone for the load."""
        stamp = self.sent.stamp
        return [
            info.key for info in self.worker().store.list(f"{zone}shop/") if f"/load_timestamp={stamp}/" in info.key
        ]

    def copies(self) -> list[bytes]:
        """The file wherever it is kept."""
        store, name = self.worker().store, self.sent.file_id
        found = [key for zone in ("landing/", "raw/", "fail/") for key in self.keys(zone)]
        return [store.read(key)[0] for key in found if name in key and ".errors." not in key]

    def shown(self) -> list[int]:
        """How many rows each visible snapshot of the load has, by what lies at its place."""
        place = {"DatabaseName": ORDERS.database, "TableName": TABLE}
        partitions = self.clients.glue.get_partitions(**place)["Partitions"]
        found = [one["StorageDescriptor"]["Location"] for one in partitions if one["Values"] == [self.sent.stamp]]
        return [self._count_rows(where) for where in found]

    def _count_rows(self, where: str) -> int:
        bucket, prefix = where.removeprefix("s3://").split("/", 1)
        listed = self.clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        files = [one["Key"] for one in listed if not one["Key"].endswith("/_daap.json")]
        bodies = [self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in files]
        return sum(open_parquet(pa.BufferReader(body)).metadata.num_rows for body in bodies)

    def await_athena(self) -> None:
        """Until Athena has nothing to do."""
        wait_until(lambda: not self._running())

    def _running(self) -> list[str]:
        athena = self.clients.athena
        if not (ids := athena.list_query_executions(WorkGroup=self.settings.work_group)["QueryExecutionIds"]):
            return []
        found = athena.batch_get_query_execution(QueryExecutionIds=ids[:5])["QueryExecutions"]
        return [one["QueryExecutionId"] for one in found if one["Status"]["State"] in ("QUEUED", "RUNNING")]

    def check_safe(self) -> None:
        """At every moment the file is somewhere, byte for byte, and its snapshot is seen whole or not at all."""
        assert self.data in self.copies()
        assert self.shown() in ([], [ROWS])

    def check_done(self) -> None:
        """In the end there is one snapshot, one receipt that says so, and nothing besides."""
        worker = self.worker()
        receipt = worker.lake.ledger.get(self.sent.load)
        assert (receipt.status, receipt.rows_read, receipt.rows_written) == (LoadStatus.CURATED, ROWS, ROWS)
        assert self.shown() == [ROWS]
        assert self.copies() == [self.data]
        assert self.keys("raw/") == [self.raw]
        assert sorted(key for key in self.keys("curated/") if not key.endswith("/_daap.json")) == sorted(
            file.key for file in receipt.output_files
        )
        assert [claim for claim in open_claims(worker.store) if claim.file_id == self.sent.file_id] == []
        view = self.clients.glue.get_table(DatabaseName=ORDERS.database, Name=f"{TABLE}_latest")["Table"]
        assert (newest_of(view) or "") >= self.sent.stamp

    def check_refused(self) -> None:
        """In the end the file is in fail, with its report."""
        receipt = self.worker().lake.ledger.get(self.sent.load)
        assert receipt.status is LoadStatus.FAILED
        assert receipt.errors
        assert receipt.errors.total == 2
        assert {receipt.errors.report, receipt.errors.annotated} < set(self.keys("fail/"))
        assert self.copies() == [self.data]
        assert len(self.keys("fail/")) == 3
        assert (self.shown(), self.keys("curated/")) == ([], [])
        assert list(open_claims(self.worker().store)) == []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    url, account = shared_emulator(), f"{uuid.uuid4().int % 10**12:012}"
    for name, value in {**CREDENTIALS, "AWS_ACCESS_KEY_ID": account}.items():  # Athena reads S3 and Glue with them
        monkeypatch.setenv(name, value)
    with serving(tmp_path / "athena", s3_endpoint=url, glue_endpoint=url) as athena:
        clients = Clients(boto3.session.Session(), {"s3": url, "glue": url, "athena": athena.url})
        settings = make_settings(clients, scratch=str(tmp_path / "scratch"))
        clients.glue.create_database(DatabaseInput={"Name": settings.work_database})
        opened = Deployment(settings, clients)
        engines = {
            choice: make_engine(settings.model_copy(update={"engine": choice}), clients, opened.runner)
            for choice in (EngineChoice.DUCKDB, EngineChoice.ATHENA)
        }
        site = Site(clients, settings, engines)
        site.worker().registry.register(make_product())
        yield site


def kill_everywhere(
    site: Site, data: Callable[[int], bytes], prepare: Callable[[], None], work: Callable[[], None], step: int = 1
) -> Iterator[int]:
    """Does the work on a new file for each call that it makes, and kills it there; ends when one is not killed.

    `step` is 1 for each call, 2 for each second one, ...
    """
    for calls in count(1, step):
        assert calls < _ENOUGH
        site.send(data(calls))
        prepare()
        try:
            with killed_after(site.clients, calls):
                work()
        except Killed:
            site.check_safe()
            yield calls
        else:
            return


def retry_both(site: Site, calls: int) -> None:
    """The events come again: of the file in raw before or after that of landing."""
    if calls % 2:
        with suppress(Busy):  # and so later once more
            site.curate(site.worker())
    site.land(site.worker())
    site.curate(site.worker())


def test_while_it_lands(site):
    tried = 0
    for calls in kill_everywhere(site, make_csv, lambda: None, lambda: site.land(site.worker())):
        retry_both(site, calls)
        site.check_done()
        tried = calls
    assert tried > 10


def test_while_it_is_refused(site):
    tried = 0
    for calls in kill_everywhere(site, lambda _calls: BAD, lambda: None, lambda: site.land(site.worker()), 3):
        retry_both(site, calls)
        site.check_refused()
        tried = calls
    assert tried > 10


@pytest.mark.parametrize(("engine", "step"), [(EngineChoice.ATHENA, 2), (EngineChoice.DUCKDB, 1)])
def test_while_it_is_curated(site, engine, step):
    sent = []
    for calls in kill_everywhere(
        site, make_csv, lambda: site.land(site.worker()), lambda: site.curate(site.worker(engine), 1.0), step
    ):
        retry_both(site, calls + 1)
        site.check_safe()
        sent.append((site.sent, site.data))
    assert len(sent) * step > 10
    site.await_athena()  # which goes on with its queries, whoever is gone
    assert [mended.error for mended in resync_product(site.worker().lake, "shop", "ann") if mended.error] == []
    for site.claim, site.data in sent:
        site.check_done()


def test_a_reconciler_alone_ends_it(site, monkeypatch):
    monkeypatch.setattr(resync, "AT_REST", timedelta(0))

    def work() -> None:
        site.land(site.worker())
        site.curate(site.worker())

    tried = 0
    for calls in kill_everywhere(site, make_csv, lambda: None, work, 4):
        assert [mended.error for mended in resync_product(site.worker().lake, "shop", "ann") if mended.error] == []
        site.check_done()
        tried = calls
    assert tried > 20

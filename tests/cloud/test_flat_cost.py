"""A load asks as much of AWS with two thousand snapshots behind it as with five."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from daap.model.events import FileLanded
from daap.model.keys import file_key
from daap.model.loads import LoadId, LoadStatus, Receipt, TableRef
from daap.pipeline.claims import announce_file
from daap.pipeline.halves import curate_alone, land_alone
from daap_cloud.clients import Clients
from daap_cloud.settings import EngineChoice
from daap_cloud.wiring import Deployment
from tests.athena.serving import serving
from tests.support.calls import counting_calls
from tests.support.emulator import CREDENTIALS, make_settings, shared_emulator
from tests.support.lakes import TABLE, make_csv, make_product

FEW, MANY = 5, 2_000
ORDERS = TableRef("shop", 1, TABLE)
_BATCH = 100
_SPARE = {"athena:GetQueryExecution"}
"""How often Athena is asked whether it is done depends on how long it takes."""


Deployments = dict[str, Deployment]


@pytest.fixture
def deployments(tmp_path: Path, monkeypatch) -> Iterator[Deployments]:
    """One lake, worked on by either engine."""
    url, account = shared_emulator(), f"{uuid.uuid4().int % 10**12:012}"
    for name, value in {**CREDENTIALS, "AWS_ACCESS_KEY_ID": account}.items():  # Athena reads S3 and Glue with them
        monkeypatch.setenv(name, value)
    with serving(tmp_path / "athena", s3_endpoint=url, glue_endpoint=url) as athena:
        clients = Clients(boto3.session.Session(), {"s3": url, "glue": url, "athena": athena.url})
        settings = make_settings(clients, scratch=str(tmp_path / "scratch"))
        clients.glue.create_database(DatabaseInput={"Name": settings.work_database})
        Deployment(settings, clients).registry.register(make_product())
        chosen = {name: settings.model_copy(update={"engine": EngineChoice(name)}) for name in ("athena", "duckdb")}
        yield {name: Deployment(one, clients) for name, one in chosen.items()}


def count_load(deployment: Deployment, number: int) -> Counter[str]:
    """What one more load asks for, from its upload to its snapshot."""
    claim = announce_file(deployment.store, ORDERS, f"{number}.csv", "ann")
    deployment.store.put(claim.landing, make_csv(number))
    with counting_calls(deployment.clients) as counts:
        land_alone(FileLanded(claim.landing), deployment.lake)
        outcome = curate_alone(claim.landing.replace("landing", "raw", 1), deployment.lake, "ann")
    assert outcome.receipt.status is LoadStatus.CURATED
    return Counter({name: count for name, count in counts.items() if name not in _SPARE})


def add_history(deployment: Deployment, number: int) -> None:
    """Snapshots as loads of earlier days left them: raw file, receipt and partition."""
    start = datetime.now(UTC) - timedelta(days=number)
    stamps = [f"{start + timedelta(minutes=place):%Y%m%dT%H%M%SZ}" for place in range(number)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda stamp: leave_load(deployment, LoadId(ORDERS, stamp)), stamps))
    glue, where = deployment.clients.glue, f"s3://{deployment.settings.data_bucket}/curated/{ORDERS}"
    described = glue.get_table(DatabaseName=ORDERS.database, Name=TABLE)["Table"]["StorageDescriptor"]
    for batch in (stamps[first : first + _BATCH] for first in range(0, number, _BATCH)):
        inputs = [
            {
                "Values": [stamp],
                "StorageDescriptor": {**described, "Location": f"{where}/load_timestamp={stamp}/one/"},
            }
            for stamp in batch
        ]
        glue.batch_create_partition(DatabaseName=ORDERS.database, TableName=TABLE, PartitionInputList=inputs)


def leave_load(deployment: Deployment, load: LoadId) -> None:
    name = str(uuid.uuid4())
    deployment.store.put(file_key("raw", load, name), b"id,customer,amount\n")
    receipt = Receipt(
        product="shop", major=1, table=TABLE, load_timestamp=load.stamp, file_id=name, status=LoadStatus.CURATED,
        actor="ann", source_name="old.csv",
    )  # fmt: skip
    deployment.lake.ledger.open(receipt)


def count_loads(deployments: Deployments, number: int) -> dict[str, Counter[str]]:
    """What one more load by each engine asks for."""
    return {name: count_load(one, number + place) for place, (name, one) in enumerate(deployments.items())}


def test_history_costs_a_load_nothing(deployments):
    lake = deployments["athena"]
    count_loads(deployments, 1)  # what is made once
    add_history(lake, FEW)
    few = count_loads(deployments, 3)
    add_history(lake, MANY)
    assert len(lake.catalogue.snapshots(ORDERS)) > MANY
    assert count_loads(deployments, 5) == few
    assert all(counts.total() < 75 for counts in few.values()), few

"""What a lake costs a month in AWS: `python -m bench.cost [--uploads 100] [--megabytes 10] [--kept-days 365]`.

The model is the published prices (`bench.prices`) times what a load was measured to ask for: one file of each of a few
sizes goes the whole way, from its upload to its snapshot, through the deployed adapters against an emulator of S3 and
Glue and daap's own Athena, once under each engine. boto3's calls, bytes scanned and bytes written are counted there
exactly; DuckDB's own reads by range are not counted, a few of them at $0.0000004 each. The seconds are this machine's,
Athena's too, whose own are better known from an account: put them in with `--athena-seconds`. `--json` prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3

from bench import prices
from bench.tpch import make_lineitem, make_spec
from daap.model.events import FileLanded
from daap.model.loads import LoadStatus, TableRef
from daap.pipeline.claims import announce_file
from daap.pipeline.halves import curate_alone, land_alone
from daap.registry.spec import build_product
from daap_cloud.clients import Clients
from daap_cloud.wiring import Deployment
from tests.athena.serving import serving
from tests.support.calls import counting_calls
from tests.support.emulator import CREDENTIALS, make_settings, running_emulator

ENGINES = ("athena", "duckdb")
SIZES_MB = (1, 10, 50)
MEMORY_GB = 3.0
"""What the template gives the Lambdas that check and convert."""

COLD_SECONDS = 1.0
"""What each call is billed besides its work: a start now and then, and the way in and out."""

_API_CALLS = 3
"""For the form, and twice to ask what became of it; each is two Lambdas, the call and the gate before it."""

_API_SECONDS = 0.15
_API_GB = MEMORY_GB + 0.5
_EVENTS = 2
_LOG_BYTES = 4_000
_REF = TableRef("tpch", 1, "lineitem")


@dataclass(frozen=True)
class Measured:
    """One load: its size, what it asked for, and how long each half worked, Athena's time counted."""

    engine: str
    bytes: int
    land_seconds: float
    curate_seconds: float
    calls: dict[str, int]
    scanned: int
    queries: int
    written: int


def measure_loads(rounds: int) -> list[Measured]:
    """Every size under each engine; of several rounds, the one with the least time."""
    with opened_deployments() as deployments:
        found = []
        for megabytes in SIZES_MB:
            data = cut_lineitem(megabytes << 20)
            for engine, deployment in deployments.items():
                tries = [measure_load(engine, deployment, data) for _ in range(rounds)]
                found.append(min(tries, key=lambda one: one.land_seconds + one.curate_seconds))
        return found


@contextmanager
def opened_deployments() -> Iterator[dict[str, Deployment]]:
    """A deployment for each engine, over one emulator."""
    os.environ.update(CREDENTIALS)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="daap-bench-")))
        url = opened.enter_context(running_emulator(AUTH="false"))
        athena = opened.enter_context(serving(folder / "athena", s3_endpoint=url, glue_endpoint=url))
        yield {engine: open_deployment(engine, url, athena.url, folder) for engine in ENGINES}


def open_deployment(engine: str, url: str, athena: str, folder: Path) -> Deployment:
    """A deployment in an account of its own, with the product."""
    os.environ["AWS_ACCESS_KEY_ID"] = "000000000000"
    clients = Clients(boto3.session.Session(), {"s3": url, "glue": url, "athena": athena})
    settings = make_settings(clients, engine=engine, scratch=str(folder / engine))
    if settings.work_database not in {one["Name"] for one in clients.glue.get_databases()["DatabaseList"]}:
        clients.glue.create_database(DatabaseInput={"Name": settings.work_database})
    deployment = Deployment(settings, clients)
    product = build_product({**make_spec(), "name": f"tpch_{engine}"})
    deployment.registry.register(product)
    return deployment


def cut_lineitem(most: int) -> bytes:
    """Lines of lineitem, of at most so many bytes."""
    with make_lineitem(0.1).open("rb") as file:
        return file.read(most).rpartition(b"\n")[0] + b"\n"


def measure_load(engine: str, deployment: Deployment, data: bytes) -> Measured:
    """One load from its upload to its snapshot."""
    ref = TableRef(f"tpch_{engine}", _REF.major, _REF.table)
    claim = announce_file(deployment.store, ref, f"{uuid.uuid4()}.csv", "bench")
    deployment.store.put(claim.landing, data)
    with counting_calls(deployment.clients) as calls, counting_scans(deployment) as scans:
        started = time.perf_counter()
        land_alone(FileLanded(claim.landing), deployment.lake)
        landed = time.perf_counter()
        outcome = curate_alone(claim.landing.replace("landing", "raw", 1), deployment.lake, "bench")
        ended = time.perf_counter()
    receipt = outcome.receipt  # type: ignore[union-attr] - asserted in the next line
    assert receipt.status is LoadStatus.CURATED
    assert receipt.curated_by.name == engine, receipt.curated_by
    written = sum(file.bytes for file in receipt.output_files)
    return Measured(
        engine, len(data), landed - started, ended - landed, dict(calls), sum(scans), len(scans), written
    )  # fmt: skip


@contextmanager
def counting_scans(deployment: Deployment) -> Iterator[list[int]]:
    """The bytes that each query of the block scanned, by Athena's own statistics."""
    scans: list[int] = []

    def note(parsed: dict[str, Any], **_given: object) -> None:
        execution = parsed.get("QueryExecution", {})
        if execution.get("Status", {}).get("State") == "SUCCEEDED":
            scans.append(execution["Statistics"]["DataScannedInBytes"])

    events = deployment.clients.athena.meta.events
    events.register("after-call.athena.GetQueryExecution", note)
    try:
        yield scans
    finally:
        events.unregister("after-call.athena.GetQueryExecution", note)


def price_load(load: Measured) -> dict[str, float]:
    """Dollars that one load costs, by service."""
    s3 = glue = 0.0
    for name, count in load.calls.items():
        service, operation = name.split(":")
        if service == "glue":
            glue += count * prices.GLUE_CALL
        elif service == "s3" and operation not in prices.S3_FREE:
            s3 += count * (prices.S3_WRITE if operation in prices.S3_WRITES else prices.S3_READ)
    seconds = load.land_seconds + load.curate_seconds + 2 * COLD_SECONDS
    api_seconds = _API_CALLS * _API_SECONDS * _API_GB
    billed = max(load.scanned, load.queries * prices.ATHENA_LEAST)
    return {
        "Athena": billed / 1e12 * prices.ATHENA_TB,
        "Lambda": (seconds * MEMORY_GB + api_seconds) * prices.LAMBDA_GB_SECOND
        + (2 + 2 * _API_CALLS) * prices.LAMBDA_CALL,
        "S3 requests": s3,
        "Glue": glue,
        "API, events, logs": _API_CALLS * prices.API_CALL + _EVENTS * prices.EVENT + _LOG_BYTES / 1e9 * prices.LOG_GB,
    }  # fmt: skip


def scale_load(loads: list[Measured], size: float) -> Measured:
    """A load of another size: its calls as measured, its seconds and bytes along the line through two measured ones."""
    below, above = max(
        ((one, two) for one, two in pairwise(loads) if one.bytes <= max(size, loads[0].bytes)),
        key=lambda pair: pair[0].bytes,
    )
    share = (size - below.bytes) / (above.bytes - below.bytes)

    def between(name: str) -> float:
        low, high = getattr(below, name), getattr(above, name)
        return max(0.0, low + share * (high - low))

    return Measured(
        below.engine, int(size), between("land_seconds"), between("curate_seconds"), above.calls,
        int(between("scanned")), above.queries, int(between("written")),
    )  # fmt: skip


def price_month(loads: list[Measured], uploads: float, megabytes: float, kept_days: float) -> dict[str, float]:
    """Dollars of a month with so many uploads a day of so many megabytes, once so many days are kept."""
    load = scale_load(loads, megabytes * 1e6)
    month = {name: cost * uploads * prices.MONTH_DAYS for name, cost in price_load(load).items()}
    kept = (load.bytes + load.written) * uploads * kept_days
    return {**month, "S3 storage": kept / 1e9 * prices.S3_GB_MONTH}


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--uploads", type=float, default=100.0, help="uploads a day")
    parser.add_argument("--megabytes", type=float, default=10.0, help="of each")
    parser.add_argument("--kept-days", type=float, default=365.0, help="for how long history is kept")
    parser.add_argument("--rounds", type=int, default=3, help="how often each load is measured")
    parser.add_argument("--athena-seconds", type=float, help="what Athena takes for a load, queue and all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    measured = measure_loads(given.rounds)
    if given.athena_seconds is not None:
        measured = [
            replace(one, curate_seconds=given.athena_seconds) if one.engine == "athena" else one for one in measured
        ]
    months = {
        engine: price_month(
            [one for one in measured if one.engine == engine], given.uploads, given.megabytes, given.kept_days
        )
        for engine in ENGINES
    }
    if given.json:
        print(json.dumps({"measured": [asdict(one) for one in measured], "months": months}, indent=1))
        return
    print_measured(measured)
    print(
        f"\n{given.uploads:g} uploads a day of {given.megabytes:g} MB, {given.kept_days:g} days kept: dollars a month"
    )
    print_months(months)


def print_measured(measured: list[Measured]) -> None:
    """What each load asked for."""
    print("engine     MB    land s  curate s  S3 write  S3 read  Glue  scanned MB  Parquet MB")
    for one in measured:
        kinds = Counter(_kind_of(name) for name, count in one.calls.items() for _ in range(count))
        print(
            f"{one.engine:8} {one.bytes / 1e6:5.1f} {one.land_seconds:9.2f} {one.curate_seconds:9.2f} "
            f"{kinds['write']:9} {kinds['read']:8} {kinds['glue']:5} "
            f"{one.scanned / 1e6:11.1f} {one.written / 1e6:11.1f}"
        )


def _kind_of(name: str) -> str:
    service, operation = name.split(":")
    if service != "s3":
        return service
    return "free" if operation in prices.S3_FREE else "write" if operation in prices.S3_WRITES else "read"


def print_months(months: dict[str, dict[str, float]]) -> None:
    """The bill of each engine, item by item."""
    print(f"{'':20}" + "".join(f"{engine:>12}" for engine in months))
    for item in next(iter(months.values())):
        print(f"{item:20}" + "".join(f"{month[item]:12.2f}" for month in months.values()))
    print(f"{'all':20}" + "".join(f"{sum(month.values()):12.2f}" for month in months.values()))


if __name__ == "__main__":
    main()

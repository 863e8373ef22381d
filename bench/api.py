"""How fast the API answers reads, and whether that depends on how many products there are.

    python -m bench.api [--reads 2000] [--counts 1 100 5000]

For each count a lake is filled, served by `daap-local serve`, and read over one kept connection after
the other and by four at once. Printed are reads per second, the median and the 99th percentile, and
the ratio of the medians to those of the smallest lake.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from daap.access.grants import parse_grant
from daap.access.tokens import TokenStore
from daap.model.product import Product
from daap.pipeline.claims import announce_file
from daap.pipeline.ingest import resume_claim
from daap.registry.products import Registry
from daap.registry.spec import build_product
from daap_local.bootstrap import open_lake, open_store
from daap_local.folder_catalogue import FolderCatalogue

CONNECTIONS = 4
READS = {
    "get product": "/data-product/p00000",
    "get schema": "/data-product/p00000/table/payments/schema",
    "list 50": "/data-product?limit=50",
    "search": "/data-product?search=payments+00000",
    "list loads": "/data-product/p00000/table/payments/loads",
    "preview": "/data-product/p00000/table/payments/preview",
}


def make_product(number: int) -> Product:
    """A product with one table of ten columns."""
    columns = [{"name": f"c{n}", "type": "string", "description": f"column {n}"} for n in range(10)]
    return build_product({
        "name": f"p{number:05}", "description": f"Payments of department {number:05}", "domain": "finance",
        "dataProductOwner": "ann", "dataProductOwnerDisplayName": "Ann", "email": "ann@example.org",
        "status": "published", "dpiaRequired": False, "retentionPeriod": 3650,
        "tables": {"payments": {"tableDescription": "Payments", "columns": columns}},
    })  # fmt: skip


def fill_lake(root: Path, count: int) -> str:
    """Registers `count` products, loads one snapshot of the first, and returns a token."""
    store = open_store(root)
    registry = Registry(store, FolderCatalogue(store))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: registry.register(make_product(number)), range(count)))
    lake = open_lake(root)
    claim = announce_file(store, registry.get("p00000").ref("payments"), "a.csv", "bench")
    lines = [",".join(f"c{n}" for n in range(10)), *[",".join("abcdefghij")] * 1_000]
    store.put(claim.landing, "\n".join(lines).encode())
    resume_claim(claim, lake)
    return TokenStore(store).create("bench", [parse_grant("admin")])[0]


@contextmanager
def served(root: Path) -> Iterator[int]:
    """A server over the lake, as a process of its own; yields its port."""
    program = str(Path(sys.executable).with_name("daap-local"))
    command = [program, "--root", str(root), "serve", "--port", "0", "--no-watch"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stderr
            line = next(line for line in process.stderr if " at http://" in line)
            yield int(line.split(" at http://")[1].split(" ")[0].rpartition(":")[2])
        finally:
            process.terminate()


def read_many(port: int, token: str, path: str, reads: int) -> list[float]:
    """The seconds of each of `reads` reads over one connection."""
    connection, seconds = http.client.HTTPConnection("127.0.0.1", port), []
    for _ in range(reads):
        started = time.perf_counter()
        connection.request("GET", path, headers={"authorizationToken": token})
        answer = connection.getresponse()
        body = answer.read()
        seconds.append(time.perf_counter() - started)
        assert answer.status == 200, body
    connection.close()
    return seconds


def read_at_once(port: int, token: str, path: str, reads: int) -> float:
    """Reads per second by several connections."""
    threads = [
        threading.Thread(target=read_many, args=(port, token, path, reads // CONNECTIONS)) for _ in range(CONNECTIONS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reads / (time.perf_counter() - started)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reads", type=int, default=2_000)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 100, 5_000])
    options = parser.parse_args()
    first: dict[str, float] = {}
    print(f"{os.cpu_count()} cores; {options.reads} reads each")
    print(f"{'products':>8}  {'read':<12} {'reads/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>6}")
    for count in options.counts:
        root = Path(tempfile.mkdtemp(prefix="daap-bench-"))
        try:
            token = fill_lake(root, count)
            with served(root) as port:
                for name, path in READS.items():
                    reads = options.reads // (10 if name == "preview" else 1)
                    read_many(port, token, path, 20)
                    seconds = read_many(port, token, path, reads)
                    median = statistics.median(seconds)
                    slowest = statistics.quantiles(seconds, n=100)[-1]
                    rate = read_at_once(port, token, path, reads)
                    ratio = median / first.setdefault(name, median)
                    shown = f"{rate:8.0f} {median * 1e3:8.2f} {slowest * 1e3:8.2f} {ratio:6.2f}"
                    print(f"{count:8}  {name:<12} {shown}", flush=True)
        finally:
            shutil.rmtree(root)


if __name__ == "__main__":
    main()

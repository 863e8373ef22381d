"""`python -m bench.flow`: how soon a small file is queryable, how many go through, and that history costs nothing."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daap.model.loads import TableRef
from daap.registry.spec import build_product
from daap_local.bootstrap import open_lake, open_registry
from daap_local.cli.ingest import ingest_path

_ROWS = 1_000
_COMMAND = str(Path(sys.executable).with_name("daap-local"))
_SPEC = {
    "name": "flow", "description": "bench", "domain": "bench", "dataProductOwner": "bench",
    "dataProductOwnerDisplayName": "bench", "email": "bench@example.org", "status": "draft",
    "dpiaRequired": False, "retentionPeriod": 1,
    "tables": {"payments": {
        "tableDescription": "payments",
        "columns": [
            {"name": "id", "type": "int"}, {"name": "payee", "type": "string"},
            {"name": "paid", "type": "date", "format": "%d/%m/%Y"},
            {"name": "amount", "type": "decimal(18,2)", "format": "£1,234.50"},
        ],
    }},
}  # fmt: skip


def main() -> None:
    """Parses the command line and runs all measurements."""
    parser = argparse.ArgumentParser(prog="python -m bench.flow", description=__doc__)
    parser.add_argument("--files", type=int, default=1_000, help="files to drain")
    parser.add_argument("--snapshots", type=int, default=5_000, help="snapshots behind the late ingests")
    given = parser.parse_args()
    measure_help()
    measure_latency()
    measure_drain(given.files)
    measure_history(given.snapshots)


def measure_help() -> None:
    """Prints the median time of `daap-local --help`."""
    times = []
    for _ in range(11):
        started = time.perf_counter()
        subprocess.run([_COMMAND, "--help"], check=True, capture_output=True)  # noqa: S603 - our own words
        times.append(time.perf_counter() - started)
    print(f"daap-local --help: median {statistics.median(times) * 1000:.0f} ms", flush=True)


def measure_latency(drops: int = 30) -> None:
    """Prints the median time from a file's move into landing to its partition being visible, while watching."""
    with _new_lake() as root:
        folder = root / "landing" / "flow" / "payments"
        folder.mkdir(parents=True)
        with _watching(root):
            times = [_drop_once(root, folder, place) for place in range(drops)]
    median, worst = statistics.median(times) * 1000, max(times) * 1000
    print(f"drop to queryable, {_ROWS} rows: median {median:.0f} ms, worst {worst:.0f} ms", flush=True)


def _drop_once(root: Path, folder: Path, place: int) -> float:
    """Seconds until the snapshot of one file is there for a query to read."""
    part = folder / f"{place}.part"
    part.write_text(_make_csv(place))
    curated = root / "curated" / "flow" / "v1" / "payments"
    before = len(list(curated.glob("load_timestamp=*")))
    started = time.perf_counter()
    part.rename(folder / f"{place}.csv")
    while len(list(curated.glob("load_timestamp=*"))) == before:
        time.sleep(0.001)
    return time.perf_counter() - started


def measure_drain(files: int) -> None:
    """Prints how many files of a thousand rows go through in a second."""
    with _new_lake() as root:
        folder = root / "landing" / "flow" / "payments"
        folder.mkdir(parents=True)
        for place in range(files):
            (folder / f"{place}.csv").write_text(_make_csv(place))
        started = time.perf_counter()
        command = [_COMMAND, "--root", str(root), "watch", str(root / "landing"), "--once"]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words
        seconds = time.perf_counter() - started
    print(f"drain: {files} files in {seconds:.1f} s, {files / seconds:.0f} files a second", flush=True)


def measure_history(snapshots: int, few: int = 5, sample: int = 100) -> None:
    """Prints the time of an ingest after many snapshots against after a few, as a ratio of medians."""
    with _new_lake() as root:
        file = root / "file.csv"
        file.write_text(_make_csv(0))
        lake, ref = open_lake(root), TableRef("flow", 1, "payments")

        def ingest() -> float:
            started = time.perf_counter()
            ingest_path(file, ref, lake)
            return time.perf_counter() - started

        times = [ingest() for _ in range(snapshots + sample)]
    early, late = statistics.median(times[few : few + sample]), statistics.median(times[snapshots:])
    print(f"ingest after {few} snapshots {early * 1000:.1f} ms, after {snapshots} {late * 1000:.1f} ms")
    print(f"history ratio {late / early:.2f}")


@contextmanager
def _new_lake() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="daap-bench-"))
    try:
        open_registry(root).register(build_product(_SPEC))
        yield root
    finally:
        shutil.rmtree(root)


@contextmanager
def _watching(root: Path) -> Iterator[None]:
    """A watcher in a process of its own, ready when the block begins."""
    command = [_COMMAND, "--root", str(root), "watch", str(root / "landing"), "--format", "text"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)  # noqa: S603 - our own words
    try:
        assert process.stdout is not None
        process.stdout.readline()  # "Watching ..."
        time.sleep(0.5)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)


def _make_csv(seed: int) -> str:
    rows = (
        f'{seed + n},Payee {n % 97},{n % 28 + 1:02}/03/2025,"£{n % 9 + 1},{n % 900 + 100}.50"' for n in range(_ROWS)
    )
    return "id,payee,paid,amount\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()

"""One measured run in a process of its own: `python -m bench.measure ingest|bare FILE FOLDER` prints JSON."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.tpch import bare_copy, make_spec


def run_apart(kind: str, source: Path, folder: Path) -> dict[str, float]:
    """Runs one measurement in a new process; gives wall and processor seconds and peak memory in MB."""
    command = [sys.executable, "-m", "bench.measure", kind, str(source), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _prepare_ingest(source: Path, folder: Path) -> Callable[[], None]:
    from daap.registry.spec import build_product  # noqa: PLC0415 - not in the bare process
    from daap_local.bootstrap import open_lake  # noqa: PLC0415
    from daap_local.cli.ingest import ingest_path  # noqa: PLC0415

    lake = open_lake(folder)
    registered, _ = lake.registry.register(build_product(make_spec()))
    return lambda: print(ingest_path(source, registered.ref("lineitem"), lake))


def _prepare_bare(source: Path, folder: Path) -> Callable[[], None]:
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect()
    return lambda: print(connection.execute(bare_copy(source, folder / "bare.parquet")).fetchall())


def _main(kind: str, source: Path, folder: Path) -> None:
    run = {"ingest": _prepare_ingest, "bare": _prepare_bare}[kind](source, folder)
    started, before = time.perf_counter(), time.process_time()
    run()
    seconds, processor = time.perf_counter() - started, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "peak_mb": peak}))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))

"""`python -m bench.ingest`: what ingestion costs against DuckDB alone, in time and in memory."""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from bench.measure import run_apart
from bench.tpch import make_lineitem

_TIMES = 8


def main() -> None:
    """Parses the command line and runs the comparisons."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H scale factor (1 is 766 MB of CSV)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of both")
    parser.add_argument("--no-memory", action="store_true", help="leave out the run at eight times the size")
    given = parser.parse_args()
    source = make_lineitem(given.scale)
    print(f"lineitem, scale {given.scale:g}: {source.stat().st_size / 1e6:.0f} MB", flush=True)
    peak = compare_times(source, given.rounds)
    if not given.no_memory:
        compare_memory(make_lineitem(given.scale * _TIMES), peak)


def compare_times(source: Path, rounds: int) -> float:
    """Prints the ratio of wall times, ingest to bare COPY, in alternating rounds; returns ingest's peak memory."""
    runs: dict[str, list[dict[str, float]]] = {"bare": [], "ingest": []}
    for place in range(rounds):
        for kind, done in runs.items():
            done.append(_run_once(kind, source))
        told = ", ".join(f"{kind} {done[-1]['seconds']:.2f} s" for kind, done in runs.items())
        print(f"  round {place + 1}: {told}", flush=True)
    median = {kind: statistics.median(run["seconds"] for run in done) for kind, done in runs.items()}
    peaks = {kind: statistics.median(run["peak_mb"] for run in done) for kind, done in runs.items()}
    print(f"median: bare {median['bare']:.2f} s, ingest {median['ingest']:.2f} s")
    print(f"ratio {median['ingest'] / median['bare']:.2f}")
    print(f"peak memory: bare {peaks['bare']:.0f} MB, ingest {peaks['ingest']:.0f} MB")
    return peaks["ingest"]


def compare_memory(source: Path, peak: float) -> None:
    """Prints how ingest's peak memory grows with eight times the input."""
    large = {kind: _run_once(kind, source) for kind in ("bare", "ingest")}
    print(
        f"at {_TIMES}x size: bare {large['bare']['seconds']:.1f} s, {large['bare']['peak_mb']:.0f} MB; "
        f"ingest {large['ingest']['seconds']:.1f} s, {large['ingest']['peak_mb']:.0f} MB"
    )
    print(f"memory ratio {large['ingest']['peak_mb'] / peak:.2f}")


def _run_once(kind: str, source: Path) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="daap-bench-", dir=source.parent))
    try:
        return run_apart(kind, source, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

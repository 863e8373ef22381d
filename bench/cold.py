"""How long a Lambda's cold start imports and wires: `python -m bench.cold [--rounds 10] [--python PATH]`.

Each round is a fresh interpreter, from its first import to the deployment ready for the first event; medians of wall
and processor seconds, the interpreter's own start left out. It runs in the environment in which the emulator runs
Lambdas, which has the libraries of the image and no others. With `--importtime HANDLER`: what took longest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path

PYTHON = Path(__file__).parent.parent / ".venv-ministack" / "bin" / "python"
_WIRED = """
from daap_cloud.settings import Settings
from daap_cloud.clients import Clients
from daap_cloud.wiring import Deployment
import boto3, daap_cloud.handlers
_names = {f"{zone}_bucket": "lake" for zone in ("landing", "data", "metadata", "logs", "results")}
_session = boto3.session.Session("id", "secret", region_name="eu-west-2")
_wired = Deployment(Settings.model_validate(_names), Clients(_session), {})
"""

STARTS = {
    "landing_to_raw": f"import daap.pipeline.halves{_WIRED}_wired.lake",
    "athena_load": f"import daap.pipeline.halves{_WIRED}_wired.lake",
    "api": f"import daap.api.app, mangum{_WIRED}daap.api.app.create_app(_wired.backend)",
    "authorizer": f"import daap_cloud.authorizer{_WIRED}_wired.authenticator",
    "reload": f"import daap_cloud.upkeep{_WIRED}_wired.lake",
}
"""What each handler does before its first event, as a program."""

_TIMED = """
import time
_wall, _cpu = time.perf_counter(), time.process_time()
exec({code!r})
import json
print(json.dumps([time.perf_counter() - _wall, time.process_time() - _cpu]))
"""
_LISTED = 15


def measure_start(handler: str, rounds: int, python: Path) -> tuple[float, float]:
    """Median wall and processor seconds of a handler's start."""
    code = _TIMED.format(code=STARTS[handler])
    found = [json.loads(_run(python, "-c", code).stdout) for _ in range(rounds)]
    return statistics.median(wall for wall, _ in found), statistics.median(cpu for _, cpu in found)


def _run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *words], capture_output=True, text=True, check=True)  # noqa: S603


def list_slowest(handler: str, python: Path) -> list[str]:
    """The imports that took longest by themselves, the longest last."""
    lines = _run(python, "-X", "importtime", "-c", STARTS[handler]).stderr.splitlines()
    timed = [line for line in lines if line.startswith("import time:") and "self" not in line]
    return sorted(timed, key=lambda line: int(line.split(":")[1].split("|")[0]))[-_LISTED:]


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--python", type=Path, default=PYTHON, help="the interpreter; .venv-ministack's if not given")
    parser.add_argument("--importtime", choices=STARTS, help="list what took longest instead")
    given = parser.parse_args()
    if given.importtime:
        print("\n".join(list_slowest(given.importtime, given.python)))
        return
    for handler in STARTS:
        wall, cpu = measure_start(handler, given.rounds, given.python)
        print(f"{handler:15} {wall:6.3f} s, processor {cpu:6.3f} s (median of {given.rounds})")


if __name__ == "__main__":
    main()

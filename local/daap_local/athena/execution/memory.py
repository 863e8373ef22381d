"""How much memory this process and this machine have."""

from __future__ import annotations

import os
import re
from pathlib import Path

from daap.errors import InvalidQuery

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}  # fmt: skip
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes of a text such as `4GB` or `512MiB`; raises InvalidQuery."""
    found = _SIZE.fullmatch(text)
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None:
        raise InvalidQuery(f"{text!r} is no size; one looks like 4GB or 512MiB")
    return int(float(found[1]) * unit)


def cap_memory(size: int) -> None:
    """From here on the process gets no more than about `size` bytes beyond what it has; asking for more fails.

    DuckDB's own limit leaves out what one call of a function makes, such as a text of a hundred gigabytes. Systems
    that know no such limit go without.
    """
    try:
        import resource  # noqa: PLC0415 - not there on every system

        told = re.findall(r"VmData:\s+([0-9]+)", Path("/proc/self/status").read_text(encoding="ascii"))
        held = int(told[0]) << 10
        resource.setrlimit(resource.RLIMIT_DATA, (held + size, resource.RLIM_INFINITY))
    except (ImportError, OSError, ValueError, IndexError):
        return


def used_memory() -> int:
    """Bytes of memory that this process holds now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")

"""Where the lake is."""

from __future__ import annotations

from pathlib import Path


def find_root(given: Path | None = None) -> Path:
    """The lake's folder: the one given, or the nearest from here up that holds `landing`, or the current one."""
    if given is not None:
        return given.absolute()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "landing").is_dir()), here)

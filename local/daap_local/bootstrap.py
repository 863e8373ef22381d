"""Wires a lake on folders. Nothing is opened before a function here is called."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from daap.engines.duckdb.engine import DuckDBEngine
from daap.engines.duckdb.infer import infer_product
from daap.errors import InvalidName
from daap.pipeline.audit import Console
from daap.pipeline.lake import Lake
from daap.ports.engine import Progress, silent
from daap.registry.products import Registry
from daap_local.catalogue import local_publisher
from daap_local.files import make_folder, translated
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore

_STALE_SECONDS = 24 * 3600


def open_store(root: Path, landing: Path | None = None) -> FolderStore:
    """The folders of a lake; raises InvalidName for a path that DuckDB would read as a pattern."""
    if set(str(root)) & set("*?[]"):
        raise InvalidName(f"the lake's folder {root} has one of * ? [ ] in its path; rename it or choose another")
    return FolderStore(root, {"landing": landing.absolute()} if landing else None)


def open_registry(root: Path) -> Registry:
    """The products of a lake; opens no engine."""
    store = open_store(root)
    return Registry(store, FolderCatalogue(store))


def open_lake(
    root: Path,
    *,
    landing: Path | None = None,
    infer: bool = False,
    console: Console | None = None,
    progress: Progress = silent,
) -> Lake:
    """A lake with its engine, ready to take files in."""
    store = open_store(root, landing)
    scratch = root / ".scratch"
    with translated(f"write {root}"):
        make_folder(store.folder("landing/"))
        make_folder(scratch)
        _sweep(scratch)
    engine = DuckDBEngine(scratch=scratch, memory_limit=os.environ.get("DAAP_MEMORY", "2GB"))
    inferrer = infer_product if infer else None
    publisher = local_publisher(store)
    return Lake(store, engine, FolderCatalogue(store), inferrer, console, progress, scratch, publisher)


def _sweep(scratch: Path) -> None:
    """Removes what killed processes left a day ago or longer."""
    for folder in scratch.glob("load-*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

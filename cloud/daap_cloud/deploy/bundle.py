"""The code as a zip file, for emulators: the same code gives the same bytes, wherever and whenever it is packed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import daap
import daap_cloud

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can tell
_MODE = 0o100644 << 16
_LEFT_OUT = frozenset({"__pycache__", "deploy", "testing"})


def pack_code() -> bytes:
    """daap and daap_cloud, but for what no function runs; the libraries are where the emulator runs."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(_list_files()):
            info = zipfile.ZipInfo(name, _MOMENT)
            info.external_attr, info.compress_type = _MODE, zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return target.getvalue()


def _list_files() -> Iterator[tuple[str, Path]]:
    for package in (daap, daap_cloud):
        folder = Path(str(package.__file__)).parent
        for path in folder.rglob("*"):
            below = path.relative_to(folder)
            if path.is_file() and path.suffix != ".pyc" and not _LEFT_OUT & set(below.parts):
                yield f"{folder.name}/{below.as_posix()}", path

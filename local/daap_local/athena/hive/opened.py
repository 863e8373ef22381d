"""Files behind an opener as a file system of Arrow's."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystemHandler, FileType

from daap_local.athena.hive.files import DataFile, Opener


class OpenedFiles(FileSystemHandler):  # type: ignore[misc]  # pyarrow ships no types
    """Reads the given files, by their URLs, and nothing else."""

    def __init__(self, opener: Opener, files: Sequence[DataFile]) -> None:
        self._opener, self._sizes = opener, {file.url: file.size for file in files}

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def get_type_name(self) -> str:
        """The name of this kind of file system."""
        return "opened"

    def normalize_path(self, path: str) -> str:
        """URLs stay as they are."""
        return path

    def get_file_info(self, paths: Sequence[str]) -> list[FileInfo]:
        """The files known, by size."""
        return [self._info(path) for path in paths]

    def get_file_info_selector(self, selector: FileSelector) -> list[FileInfo]:
        """Nothing: folders are not listed."""
        del selector
        return []

    def open_input_file(self, path: str) -> pa.NativeFile:
        """A file to be read at any place."""
        return pa.PythonFile(self._opener(path), mode="r")

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """A file to be read from its beginning."""
        return self.open_input_file(path)

    def _info(self, path: str) -> FileInfo:
        if path not in self._sizes:
            return FileInfo(path, FileType.NotFound)
        return FileInfo(path, FileType.File, size=self._sizes[path])

    def _refuse(self, *_: object, **__: object) -> None:
        raise PermissionError("these files are only read")

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _refuse
    move = copy_file = open_output_stream = open_append_stream = _refuse

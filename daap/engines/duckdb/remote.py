"""Files at addresses (`s3://bucket/key`): what the engine needs besides DuckDB to read and write them."""

from __future__ import annotations

from typing import Protocol

import duckdb


def is_remote(location: str) -> bool:
    """Whether `location` is an address rather than a path of this machine."""
    return "://" in location


def is_exact(location: str) -> bool:
    """Whether DuckDB takes `location` for the one file that it is: at an address, * ? [ make it a pattern.

    The mode that is to turn that off (URL_COMPATIBILITY_MODE) is not heeded where DuckDB looks for files.
    """
    return not (is_remote(location) and set(location) & set("*?["))


class Remote(Protocol):
    """Makes DuckDB reach a store, and does there what DuckDB cannot."""

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Loads the extension and gives DuckDB the credentials of now; called before each job, by many threads.

        Raises EngineFailed where the extension cannot be loaded, StoreUnavailable where there are no credentials.
        """

    def remove(self, address: str) -> None:
        """Removes a file that was written; one that is not there is no error. Raises StoreUnavailable."""

"""The query port: SQL over the curated tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from daap.model.loads import TableRef


class ArrowStream(Protocol):
    """Rows as an Arrow C stream: pyarrow, DuckDB and others read it as it is.

    Source: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class QueryEngine(ABC):
    """Answers SQL about database `{product}_v{major}`, tables and `{table}_latest`, and `daap_logs.events`."""

    @abstractmethod
    def query(self, sql: str) -> ArrowStream:
        """The rows of one SELECT; raises InvalidQuery, or NotRegistered for an unknown table."""

    @abstractmethod
    def preview(self, ref: TableRef, rows: int) -> ArrowStream:
        """The first `rows` rows of the newest snapshot of a table; raises NotRegistered."""

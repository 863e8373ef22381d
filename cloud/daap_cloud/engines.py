"""Which engine curates: Athena, DuckDB, or one of them by the size of the file. The check is always DuckDB's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict, Writer, Written
from daap.ports.engine import Engine, Progress, Source, silent
from daap_cloud.clients import Clients
from daap_cloud.settings import EngineChoice, Settings

if TYPE_CHECKING:
    from daap.engines.duckdb.engine import DuckDBEngine
    from daap_cloud.athena.engine import AthenaEngine
    from daap_cloud.athena.runner import AthenaRunner


@dataclass(frozen=True, slots=True)
class Both:
    """The two engines that there are."""

    duckdb: DuckDBEngine
    athena: AthenaEngine


def make_engine(settings: Settings, clients: Clients, runner: AthenaRunner) -> ChosenEngine:
    """The engine of a deployment. Its engines are opened by its first work: a Lambda may well have none."""
    return ChosenEngine(settings.engine, settings.duckdb_max_bytes, lambda: _open_both(settings, clients, runner))


def _open_both(settings: Settings, clients: Clients, runner: AthenaRunner) -> Both:
    from daap.engines.duckdb.engine import DuckDBEngine  # noqa: PLC0415 - slow to import
    from daap_cloud.athena.engine import AthenaEngine  # noqa: PLC0415
    from daap_cloud.duckdb_s3 import S3Remote  # noqa: PLC0415

    duckdb = DuckDBEngine(scratch=Path(settings.scratch), memory_limit=settings.memory, remote=S3Remote(clients))
    return Both(duckdb, AthenaEngine(clients, runner, duckdb, settings.work_database))


class ChosenEngine(Engine):
    """Checks with DuckDB, and converts with the engine that the deployment chose for such a file.

    What Athena would misread is converted by DuckDB whatever was chosen. What was written says by whom, and why.
    It does not stage: in AWS the check and the conversion are different functions, with nothing between them but
    the raw file.
    """

    name = "duckdb"
    version = version("duckdb")

    def __init__(self, choice: EngineChoice, most: int, open_both: Callable[[], Both]) -> None:
        """`most` is how many bytes a file may have for `auto` to take DuckDB."""
        self._choice, self._most, self._open = choice, most, open_both

    @cached_property
    def _both(self) -> Both:
        return self._open()

    @property
    def athena(self) -> AthenaEngine:
        """The engine that may leave tables behind when it is killed; see AthenaEngine.tidy."""
        return self._both.athena

    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        """See Engine."""
        return self._both.duckdb.check(source, schema, progress)

    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        """See Engine."""
        from daap_cloud.athena.fits import Unsuited  # noqa: PLC0415 - numpy is slow to import

        reason = self._why_duckdb(source)
        if reason is None:
            try:
                written = self._both.athena.curate(source, schema, target, progress, columns)
                return _noted(written, self._why_athena(source))
            except Unsuited as misread:
                reason = f"not by Athena: {misread}"
        written = self._both.duckdb.curate(source, schema, target, progress, columns)
        return replace(written, writer=Writer(self.name, self.version, reason))

    def _why_duckdb(self, source: Source) -> str | None:
        """Why DuckDB converts a file, whatever is in it; None if Athena may."""
        if self._choice is EngineChoice.DUCKDB:
            return "chosen by the deployment"
        if self._choice is EngineChoice.AUTO and source.size <= self._most:
            return f"chosen by size: at most {self._most} bytes"
        return None

    def _why_athena(self, source: Source) -> str:
        if self._choice is EngineChoice.AUTO:
            return f"chosen by size: {source.size} bytes are more than {self._most}"
        return "chosen by the deployment"


def _noted(written: Written, reason: str) -> Written:
    writer = written.writer
    return replace(written, writer=replace(writer, reason=reason) if writer else None)

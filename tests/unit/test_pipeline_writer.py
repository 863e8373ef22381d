"""The receipt says which engine curated and why, where it need not be the one that checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.loads import CuratorNote
from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict, Writer, Written
from daap.pipeline.reload import reload_tables, select_tables
from daap.ports.engine import Engine, Progress, Source, silent
from tests.support.lakes import AMOUNT, ID, PRODUCT, Bench, make_csv, open_folders

STAMP = "20260101T000000Z"


class Choosing(Engine):
    """Checks with DuckDB, and says that another wrote, for a reason that may change."""

    name, version = DuckDBEngine.name, DuckDBEngine.version

    def __init__(self, inner: DuckDBEngine) -> None:
        self._inner, self.reason = inner, "chosen by size"

    def check(self, source: Source, schema: TableSchema, progress: Progress = silent) -> Verdict:
        return self._inner.check(source, schema, progress)

    def curate(
        self,
        source: Source,
        schema: TableSchema,
        target: str,
        progress: Progress = silent,
        columns: Sequence[Column] | None = None,
    ) -> Written:
        written = self._inner.curate(source, schema, target, progress, columns)
        return replace(written, writer=Writer("other", "7", self.reason))


@pytest.fixture
def engine(tmp_path: Path) -> Choosing:
    return Choosing(DuckDBEngine(scratch=tmp_path / "scratch"))


@pytest.fixture
def bench(tmp_path: Path, engine: Choosing) -> Bench:
    bench = open_folders(tmp_path / "lake", engine)  # type: ignore[arg-type]
    bench.register()
    bench.load(STAMP, make_csv())
    return bench


def test_the_engine_that_wrote_stands_beside_the_one_that_checked(bench):
    (receipt,) = bench.receipts()
    assert (receipt.engine.name, receipt.engine.path) == ("duckdb", "direct")
    assert receipt.curated_by == CuratorNote(name="other", version="7", reason="chosen by size")


def test_a_reload_notes_who_wrote_this_time(bench, engine):
    engine.reason = "chosen by the deployment"
    assert len(list(reload_tables(bench.lake, select_tables(bench.lake, PRODUCT), "bob"))) == 1
    assert bench.receipts()[0].curated_by.reason == "chosen by the deployment"


def test_a_snapshot_carried_into_a_new_major_version_notes_it_too(bench):
    bench.change(ID, AMOUNT)
    assert [receipt.curated_by.name for receipt in bench.receipts()] == ["other", "other"]


def test_where_the_engine_that_checked_also_wrote_there_is_no_second_note(tmp_path):
    bench = open_folders(tmp_path / "other", DuckDBEngine(scratch=tmp_path / "scratch"))
    bench.register()
    bench.load(STAMP, make_csv())
    assert bench.receipts()[0].curated_by is None

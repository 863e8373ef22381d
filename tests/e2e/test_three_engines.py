"""Real files of public bodies, converted by each engine: Parquet against Parquet of DuckDB on folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.model.table import TableSchema
from daap.model.verdict import Writer, Written
from daap.registry.spec import parse_spec
from tests.e2e.test_open_data import FILES, SAMPLES, SPECS, Sample
from tests.oracle.harness import file_source, open_parquet, sort_rows
from tests.support.remote_engine import Cloud, shared_cloud

WHOLE, SMALL = 1 << 30, 1


@dataclass(frozen=True)
class Sent:
    """A sample with its schema, and what DuckDB on folders makes of it."""

    sample: Sample
    schema: TableSchema
    path: Path
    expected: pa.Table

    @property
    def rows(self) -> list[list[str]]:
        """The rows of the expected table."""
        return sort_rows(self.expected.to_pylist())


def read_table(folder: Path, written: Written) -> pa.Table:
    """What was written, as one table."""
    names = [file.name for file in written.files]
    return pa.concat_tables(open_parquet(folder / name).read() for name in names)


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return shared_cloud()


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda sample: sample.spec)
def sent(request, tmp_path_factory) -> Sent:
    sample: Sample = request.param
    if not FILES.is_dir():
        pytest.skip("../shared/data/open-data is not beside the checkout")
    folder = tmp_path_factory.mktemp(sample.spec)
    (schema,) = parse_spec((SPECS / f"{sample.spec}.yaml").read_text(encoding="utf-8")).tables.values()
    engine, path = DuckDBEngine(scratch=folder / "scratch"), FILES / sample.file
    assert engine.check(file_source(path), schema).accepted
    written = engine.curate(file_source(path), schema, str(folder / "out"))
    return Sent(sample, schema, path, read_table(folder / "out", written))


def convert(cloud: Cloud, sent: Sent, choice: str, most: int = WHOLE) -> tuple[pa.Table, Writer]:
    """What a deployment with this choice makes of the file, and who wrote it."""
    source, target = cloud.put(sent.path.read_bytes()), cloud.new_target()
    engine = cloud.engine(choice, duckdb_max_bytes=most)
    verdict = engine.check(source, sent.schema)
    written = engine.curate(source, sent.schema, target)
    assert verdict.accepted
    assert verdict.rows == written.rows
    return cloud.read(written), written.writer


@pytest.mark.parametrize(
    ("choice", "most"),
    [("duckdb", WHOLE), ("athena", WHOLE), ("auto", WHOLE), ("auto", SMALL)],
    ids=["duckdb", "athena", "auto, small files", "auto, large files"],
)
def test_every_engine_writes_the_same_table(cloud, sent, choice, most):
    found, _ = convert(cloud, sent, choice, most)
    assert found.schema.names == sent.expected.schema.names
    assert found.schema.types == sent.expected.schema.types
    assert sort_rows(found.to_pylist()) == sent.rows


def test_who_wrote_is_noted(cloud, sent):
    """One of the files has blank lines at its end, which Athena would take for rows."""
    blank = sent.sample.spec == "planning_applications"
    assert convert(cloud, sent, "athena")[1].name == ("duckdb" if blank else "athena")

"""TPC-H's 22 queries, asked through the server, give DuckDB's own answers on the same files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from fixtures.trino import tpch
from tests.athena.serving import Row, Served, serving

QUERIES = sorted((Path(__file__).parents[2] / "fixtures" / "tpch").glob("q*.sql"))
TYPES = {"VARCHAR": "string", "INTEGER": "int"}
CLOSE = 1e-9


@dataclass(frozen=True)
class Bench:
    """A server that has the tables, and bare DuckDB over the same files."""

    served: Served
    bare: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("tpch")
    made = tmp_path_factory.mktemp("made")
    tpch.generate_tables(made)
    with serving(root) as served, duckdb.connect(config={"threads": 1}) as bare:
        served.glue.create_database(DatabaseInput={"Name": "tpch"})
        for path in sorted(made.glob("*.parquet")):
            served.put(f"s3://tpch/{path.stem}/{path.name}", path.read_bytes())
            create(served, bare, path)
        yield Bench(served, bare)


def create(served: Served, bare: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The table of a file, at both."""
    described = bare.read_parquet(str(path))
    described.create_view(path.stem)
    types = [TYPES.get(str(kind), str(kind).lower()) for kind in described.types]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(described.columns, types, strict=True))
    place = f"s3://tpch/{path.stem}/"
    served.finish(f"CREATE EXTERNAL TABLE {path.stem} ({columns}) STORED AS PARQUET LOCATION '{place}'", "tpch")


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_a_tpch_query_is_answered_as_duckdb_does(bench: Bench, query: Path):
    sql = query.read_text(encoding="utf-8").strip().rstrip(";")
    found = bench.served.rows(sql, "tpch")
    expected = bench.bare.execute(bare_text(sql)).fetchall()
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert same_row(ours, theirs), (ours, theirs)


def bare_text(sql: str) -> str:
    """DuckDB's decimals are plain literals; in `DECIMAL '0.0001'` it keeps three digits only."""
    return re.sub(r"DECIMAL '([0-9.]+)'", r"\1", sql)


def same_row(ours: Row, theirs: tuple[object, ...]) -> bool:
    return len(ours) == len(theirs) and all(map(same, ours, theirs))


def same(text: str | None, value: object) -> bool:
    """The same text; of a number, as far as the digits go that Athena's type has: its decimals have fewer of them."""
    if text is None or not isinstance(value, float | Decimal | int):
        return text == (None if value is None else str(value))
    number = Decimal(text)
    digits = min(0, int(number.as_tuple().exponent))
    allowed = Decimal(10) ** digits / 2 + abs(number) * Decimal(CLOSE)
    return abs(number - Decimal(value)) <= allowed

"""Rows as multisets of exact values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daap.errors import EngineFailed
from daap_local.parity.rows import RowBench, RowsFound

NAMES = ["id", "text"]
LONG = Decimal("123456789012345678901234567890.12")
MOMENT = datetime(2026, 1, 31, 23, 59, 59, 120_000, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def bench(tmp_path) -> Iterator[RowBench]:
    bench = RowBench(tmp_path / "bench")
    yield bench
    bench.close()


def write(path: Path, *rows: tuple, types: tuple[pa.DataType, ...] = (pa.int32(), pa.string()), names=None) -> Path:
    names = names or NAMES
    columns = [pa.array([row[place] for row in rows], type_) for place, type_ in enumerate(types)]
    pq.write_table(pa.table(columns, names=names), path)
    return path


def compare(bench: RowBench, tmp_path: Path, left: list[tuple], right: list[tuple], **given) -> RowsFound:
    files = [write(tmp_path / f"{side}.parquet", *rows, **given) for side, rows in (("l", left), ("r", right))]
    return bench.compare_files(files[:1], files[1:], given.get("names") or NAMES)


class TestFiles:
    def test_order_and_division_into_files_do_not_matter(self, bench, tmp_path):
        left = [write(tmp_path / "l.parquet", (1, "a"), (2, None), (2, None))]
        right = [write(tmp_path / "r1.parquet", (2, None), (1, "a")), write(tmp_path / "r2.parquet", (2, None))]
        assert bench.compare_files(left, right, NAMES) == RowsFound((3, 3), 0, (), ())

    def test_a_row_too_few_is_found_with_its_record(self, bench, tmp_path):
        found = compare(bench, tmp_path, [(1, "a"), (2, "b"), (3, "c")], [(3, "c"), (1, "a")])
        assert (found.counts, found.odd, found.right) == ((3, 2), 1, ())
        assert [(odd.values, odd.times, odd.record) for odd in found.left] == [(("2", "b"), 1, 2)]

    def test_a_row_twice_too_often_is_found(self, bench, tmp_path):
        found = compare(bench, tmp_path, [(1, "a")], [(1, "a")] * 3)
        assert (found.odd, found.left) == (2, ())
        assert [(odd.values, odd.times, odd.record) for odd in found.right] == [(("1", "a"), 2, 1)]

    def test_nothing_and_an_empty_text_are_not_alike(self, bench, tmp_path):
        assert compare(bench, tmp_path, [(1, None)], [(1, "")]).odd == 2

    @pytest.mark.parametrize(("type_", "one", "other"), [
        (pa.float64(), 0.0, -0.0),
        (pa.float64(), 0.1, 0.1 + 2**-55),
        (pa.float64(), float("nan"), None),
        (pa.decimal128(38, 2), LONG, LONG + Decimal("0.01")),
        (pa.timestamp("us"), MOMENT, MOMENT + timedelta(milliseconds=1)),
        (pa.string(), "a", "a "),
        (pa.string(), "\u00e9", "e\u0301"),
        (pa.string(), "NULL", None),
    ])  # fmt: skip
    def test_near_is_not_equal(self, bench, tmp_path, type_, one, other):
        assert compare(bench, tmp_path, [(one,)], [(other,)], types=(type_,), names=["v"]).odd == 2

    @pytest.mark.parametrize("value", [float("nan"), float("-inf"), -0.0, 5e-324, None])
    def test_what_is_no_common_number_equals_itself(self, bench, tmp_path, value):
        assert compare(bench, tmp_path, [(value,)], [(value,)], types=(pa.float64(),), names=["v"]).odd == 0

    def test_values_may_not_change_columns(self, bench, tmp_path):
        types, names = (pa.string(), pa.string()), ["a", "b"]
        assert compare(bench, tmp_path, [("x", "y")], [("y", "x")], types=types, names=names).odd == 2

    def test_units_of_time_and_widths_do_not_matter(self, bench, tmp_path):
        left = write(tmp_path / "l.parquet", (MOMENT, 1), types=(pa.timestamp("us"), pa.int32()))
        right = write(tmp_path / "r.parquet", (MOMENT, 1), types=(pa.timestamp("ms"), pa.int64()))
        assert bench.compare_files([left], [right], NAMES).odd == 0

    @pytest.mark.parametrize(
        "names", [["file_row_number", "n"], ["s", "c0"], ["l", "r"], ["load_timestamp", "filename"]]
    )
    def test_names_that_the_comparison_uses_itself_are_names_like_others(self, bench, tmp_path, names):
        assert compare(bench, tmp_path, [(1, "a")], [(1, "a")], names=names).odd == 0
        assert compare(bench, tmp_path, [(1, "a")], [(1, "b")], names=names).odd == 2

    def test_no_files_are_no_rows(self, bench, tmp_path):
        left = write(tmp_path / "l.parquet", (1, "a"))
        found = bench.compare_files([left], [], NAMES)
        assert (found.counts, found.odd) == ((1, 0), 1)

    def test_rows_without_a_common_column_are_counted(self, bench, tmp_path):
        files = [write(tmp_path / f"{n}.parquet", *[(1, "a")] * n) for n in (2, 3)]
        assert bench.compare_files(files[:1], files[:1], []).odd == 0
        assert bench.compare_files(files[:1], files[1:], []).odd == 1

    def test_many_rows_are_compared_in_little_memory(self, bench, tmp_path):
        """More rows than the first thousand that are told, and one among them that differs."""
        rows = [(n, f"text {n}") for n in range(50_000)]
        found = compare(bench, tmp_path, rows, [*rows[:40_000], (-1, "x"), *rows[40_001:]])
        assert (found.odd, found.left[0].record, found.left[0].values) == (2, 40_001, ("40000", "text 40000"))

    def test_a_file_that_is_none_is_told(self, bench, tmp_path):
        (tmp_path / "l.parquet").write_bytes(b"no Parquet")
        with pytest.raises(EngineFailed, match="comparing Parquet"):
            bench.compare_files([tmp_path / "l.parquet"], [], NAMES)


class TestAnswers:
    def stream(self, *rows: tuple) -> pa.RecordBatchReader:
        columns = [pa.array([row[0] for row in rows], pa.int32()), pa.array([row[1] for row in rows], pa.string())]
        return pa.table(columns, names=NAMES).to_reader()

    def test_answers_are_compared_as_files_are(self, bench):
        one, other = self.stream((1, "a"), (2, "b")), self.stream((2, "b"), (1, ""))
        assert bench.compare_streams(one, other, NAMES, set()).odd == 2

    def test_padding_counts_where_it_is_data(self, bench):
        assert bench.compare_streams(self.stream((1, "a")), self.stream((1, "a  ")), NAMES, {"text"}).odd == 0
        assert bench.compare_streams(self.stream((1, "a")), self.stream((1, "a  ")), NAMES, set()).odd == 2

    def test_a_part_has_only_rows_of_the_whole(self, bench, tmp_path):
        whole = [write(tmp_path / "w.parquet", (1, "a"), (2, "b"), (2, "b"))]
        assert bench.compare_part(self.stream((2, "b")), whole, NAMES, set()).left == ()
        assert bench.compare_part(self.stream((2, "x")), whole, NAMES, set()).left[0].values == ("2", "x")
        assert bench.compare_part(self.stream((1, "a"), (1, "a")), whole, NAMES, set()).left[0].times == 1

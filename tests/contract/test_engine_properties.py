"""What every engine does with files nobody thought of: compared with the contract read aloud (tests/oracle)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from daap.model.table import Column, TableSchema
from daap.model.verdict import Verdict
from daap.ports.engine import Engine
from tests.oracle.contract import BROKEN, Judgement, Misfit, Row, judge, read_field
from tests.oracle.harness import (
    list_errors,
    make_schema,
    read_rows,
    sort_errors,
    sort_rows,
    stage_file,
    write_source,
)
from tests.oracle.strategies import (
    CsvFile,
    any_files,
    broken_files,
    byte_soups,
    columns,
    odd_texts,
    write_field,
)

FEW = 20
"""Files for an engine that takes a while for each."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one example; a test's own would be shared by all of them."""
    with tempfile.TemporaryDirectory(prefix="daap-") as folder:
        yield Path(folder)


def stage_bytes(engine: Engine, data: bytes, schema: TableSchema) -> tuple[Verdict, list[Row] | None]:
    with scratch() as folder:
        verdict, written = stage_file(engine, write_source(folder, data), schema, folder / "out")
        rows = read_rows(folder / "out")
    assert verdict.accepted == (written is not None)
    assert written is None or written.rows == verdict.rows == len(rows)
    return verdict, rows if written else None


def compare(engine: Engine, data: bytes, schema: TableSchema) -> Judgement:
    """Asserts that the engine's verdict and rows are those of the contract."""
    verdict, rows = stage_bytes(engine, data, schema)
    judgement = judge(data, schema)
    if judgement.rows is not None:
        assert list_errors(verdict) == []
        assert sort_rows(rows) == sort_rows(judgement.rows)
    elif judgement.is_sound:
        assert list_errors(verdict) == sort_errors(judgement.errors)
    else:
        compare_broken(verdict, judgement)
    return judgement


def compare_broken(verdict: Verdict, judgement: Judgement) -> None:
    """Readers agree up to where the structure breaks first; how they find back is their own affair.

    If a record breaks in two ways, either may be told.
    """
    assert not verdict.accepted
    first = min(line for code, line, _ in judgement.errors if code in BROKEN)
    found, expected = list_errors(verdict), sort_errors(judgement.errors)
    assert [error for error in found if error[1] < first] == [error for error in expected if error[1] < first]
    told, true = ({code for code, line, _ in errors if line == first} for errors in (found, expected))
    assert told
    assert told <= true


@given(file=any_files())
def test_any_table_comes_through_as_the_same_values(near_engine, file: CsvFile):
    verdict, rows = stage_bytes(near_engine, file.data, file.schema)
    assert list_errors(verdict) == []
    assert sort_rows(rows) == sort_rows(file.rows)


@given(file=broken_files())
def test_a_file_with_a_few_changes_is_judged_as_the_contract_says(near_engine, file: CsvFile):
    judgement = compare(near_engine, file.data, file.schema)
    event("accepted" if judgement.rows is not None else "refused" if judgement.is_sound else "broken")


@given(file=byte_soups())
def test_any_bytes_are_judged_as_the_contract_says(near_engine, file: CsvFile):
    judgement = compare(near_engine, file.data, file.schema)
    event("accepted" if judgement.rows is not None else "refused" if judgement.is_sound else "broken")


@given(data=st.binary(max_size=60))
@example(data=b"\xff\xfe")
@example(data=b"\xfe\xff\0")
@example(data=b"\xef\xbb")
def test_no_bytes_whatever_make_an_engine_fail(near_engine, data: bytes):
    for encoding in ("utf-8", "utf-16", "cp1252"):
        compare(near_engine, data, make_schema("a string", "b int", encoding=encoding))


@settings(max_examples=FEW)
@given(file=any_files())
def test_any_table_comes_through_every_engine_as_the_same_values(engine, file: CsvFile):
    verdict, rows = stage_bytes(engine, file.data, file.schema)
    assert list_errors(verdict) == []
    assert sort_rows(rows) == sort_rows(file.rows)


@st.composite
def odd_columns(draw: st.DrawFn) -> tuple[Column, list[str]]:
    """A column with a page full of texts, good, odd and bad."""
    column = Column.model_validate(draw(columns("v")))
    return column, draw(st.lists(odd_texts(column), min_size=1, max_size=60))


@given(odd=odd_columns())
def test_any_text_is_taken_or_refused_as_the_contract_says(near_engine, odd: tuple[Column, list[str]]):
    """All texts together, where each wrong one must be named; then the good ones alone, to see their values."""
    column, texts = odd
    schema = make_schema("id int", column.model_dump(mode="json"))
    judgement = compare(near_engine, write_texts(texts, schema), schema)
    if judgement.rows is None:
        good = [text for text in texts if fits(text, column)]
        assert compare(near_engine, write_texts(good, schema), schema).rows is not None


@settings(max_examples=FEW)
@given(odd=odd_columns())
def test_any_text_that_fits_has_the_same_value_in_every_engine(engine, odd: tuple[Column, list[str]]):
    column, texts = odd
    schema = make_schema("id int", column.model_dump(mode="json"))
    good = [text for text in texts if fits(text, column)]
    assert compare(engine, write_texts(good, schema), schema).rows is not None


def write_texts(texts: list[str], schema: TableSchema) -> bytes:
    fields = (write_field(text, schema.dialect, quoted=False, alone=False) for text in texts)
    return ("id,v\n" + "".join(f"{number},{field}\n" for number, field in enumerate(fields))).encode()


def fits(text: str, column: Column) -> bool:
    try:
        read_field(text, column)
    except Misfit:
        return False
    return True

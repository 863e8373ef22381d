"""The producer's file with its errors beside the records."""

from __future__ import annotations

import io

import pytest

from daap.model.table import Dialect
from daap.model.verdict import Code, DataError
from daap.pipeline.report import annotate_file
from daap.ports.engine import Source


def annotate(data: bytes, *errors: DataError, **dialect: object) -> list[str]:
    out = io.StringIO()
    source = Source("x.csv", len(data), lambda: io.BytesIO(data))
    annotate_file(source, Dialect.model_validate(dialect), errors, out)
    return out.getvalue().splitlines()


def test_an_error_stands_before_its_record():
    wrong = DataError(Code.TYPE_ERROR, "int", 3, "id", "x")
    assert annotate(b"id\n1\nx\n", wrong) == ['"daap_line","daap_error",id', '"2",,1', '"3","type_error: id: int",x']


@pytest.mark.parametrize("data", [b"", b"only a preamble\n", b"only a preamble"])
def test_an_error_of_a_line_without_a_record_is_kept(data):
    missing = DataError(Code.MISSING_HEADER, "a header after the 1 skipped lines", 1)
    told = annotate(data, missing, skipLines=1)
    assert told == ['"daap_line","daap_error",', '"1","missing_header: a header after the 1 skipped lines",']

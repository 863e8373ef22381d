"""The readers of text give what Trino gave for the same files, value by value."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime
from decimal import Decimal

import pytest

from daap_local.athena.faults import AthenaFault
from tests.athena_hive.cases import cases
from tests.athena_hive.record import RECORDED
from tests.athena_hive.support import text_rows

CASES = list(zip(cases(), json.loads(RECORDED.read_text()), strict=True))


def _plain(value):
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    if isinstance(value, Decimal | date) and not isinstance(value, datetime):
        return str(value)
    if isinstance(value, datetime):
        return f"{value.year:04d}{value:-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("at", range(len(CASES)))
def test_a_file_is_read_as_trino_reads_it(at):
    case, rows = CASES[at]
    if rows is None:
        with pytest.raises(AthenaFault, match=r"HIVE_BAD_DATA|HIVE_CURSOR_ERROR"):
            text_rows(case.columns, case.clauses, case.content, case.more)
    else:
        assert _plain(text_rows(case.columns, case.clauses, case.content, case.more)) == rows

"""No query reaches a file, a setting, or a function that is DuckDB's alone."""

from __future__ import annotations

import duckdb
import pytest

from daap_local.athena.faults import AthenaFault
from daap_local.athena.sql.functions.aggregates import AGGREGATES, WINDOWED
from daap_local.athena.sql.functions.scalars import SCALARS
from daap_local.athena.sql.functions.signatures import Signature
from daap_local.athena.sql.macros import _NAME, MACROS, install
from daap_local.athena.sql.udfs import FUNCTIONS
from tests.athena_sql.asking import row, translated

FORBIDDEN = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM 'data.csv'",
    'SELECT * FROM "data.csv"',
    "SELECT * FROM glob('*')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM information_schema_tables",
    "SELECT getenv('HOME')",
    "SELECT read_text('/etc/passwd')",
    "SELECT athena_fail('x')",
    "SELECT current_setting('memory_limit')",
    "SELECT list_transform([1], x -> x)",
    "SELECT * FROM range(5)",
    "SELECT error('x')",
    "SET memory_limit = '1GB'",
    "COPY sales TO 'x.csv'",
    "ATTACH 'x.db'",
    "INSTALL httpfs",
    "PRAGMA version",
    "SELECT 1; SELECT 2",
    "SELECT * FROM sales QUALIFY true",
    "SELECT COLUMNS('a') FROM sales",
    "SELECT {'a': 1}",
    "SELECT * EXCLUDE (id) FROM sales",
    "FROM sales",
]


@pytest.mark.parametrize("query", FORBIDDEN)
def test_what_is_no_query_of_athenas_is_refused(query):
    with pytest.raises(AthenaFault):
        translated(query)


def test_a_text_that_looks_like_the_hole_of_a_table_stays_a_text():
    assert row("""SELECT '"scan 0"', item FROM sales WHERE id = 1""") == ('"scan 0"', "apple")


def test_no_text_can_name_the_hole_of_a_table():
    first, second = (translated("SELECT item FROM sales").scans[0].token for _ in range(2))
    assert first != second


def test_every_function_that_a_translation_may_call_can_be_installed():
    with duckdb.connect() as connection:
        install(connection)
        known = {name for (name,) in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    assert set(MACROS) | set(FUNCTIONS) <= known


@pytest.mark.parametrize("table", [SCALARS, AGGREGATES, WINDOWED], ids=["scalars", "aggregates", "windows"])
def test_every_template_names_functions_that_there_are(table):
    missing = {name for signatures in table.values() for one in signatures for name in _missing(one)}
    assert not missing


def _missing(signature: Signature) -> set[str]:
    return set(_NAME.findall(signature.template)) - set(MACROS) - set(FUNCTIONS)


def test_every_macro_calls_functions_that_there_are():
    called = {name for text in MACROS.values() for name in _NAME.findall(text)}
    assert called <= set(MACROS) | set(FUNCTIONS)

"""What is refused, by which code, and in which words."""

from __future__ import annotations

import pytest

from daap_local.athena.faults import AthenaFault
from tests.athena_sql.asking import shown, translated

AT_ANALYSIS = {
    "SELECT nothing FROM sales": ("COLUMN_NOT_FOUND", "line 1:8: Column 'nothing' cannot be resolved"),
    "SELECT 1 FROM nowhere": ("TABLE_NOT_FOUND", "line 1:15: Table 'awsdatacatalog.shop.nowhere' does not exist"),
    "SELECT frobnicate(1)": ("FUNCTION_NOT_FOUND", "line 1:8: Function 'frobnicate' not registered"),
    "SELECT 'a' = 1": ("TYPE_MISMATCH", "line 1:8: Cannot apply operator: varchar(1) = integer"),
    "SELECT 'a' + 1": ("TYPE_MISMATCH", "line 1:8: Cannot apply operator: varchar(1) + integer"),
    "SELECT 'a' || 1": ("FUNCTION_NOT_FOUND", None),
    "SELECT id FROM sales WHERE id": ("TYPE_MISMATCH", None),
    "SELECT id FROM sales WHERE day = '2024-01-01'": ("TYPE_MISMATCH", None),
    "SELECT CASE WHEN true THEN 1 ELSE 'a' END": ("TYPE_MISMATCH", None),
    "SELECT CAST(true AS date)": ("TYPE_MISMATCH", None),
    "SELECT item FROM sales, items": ("AMBIGUOUS_NAME", "line 1:8: Column 'item' is ambiguous"),
    "SELECT id FROM sales WHERE count(*) > 1": ("EXPRESSION_NOT_SCALAR", None),
    "SELECT 1 UNION SELECT 'a'": ("TYPE_MISMATCH", None),
    "SELECT 1 UNION SELECT 1, 2": ("TYPE_MISMATCH", None),
    "SELECT id FROM sales ORDER BY 5": ("INVALID_COLUMN_REFERENCE", None),
    "SELECT DISTINCT id FROM sales ORDER BY item": ("EXPRESSION_NOT_IN_DISTINCT", None),
    "SELECT id FROM sales LIMIT 3 OFFSET 2": ("SYNTAX_ERROR", None),
    "SELECT id::int FROM sales": ("SYNTAX_ERROR", None),
    "SELECT 1,": ("SYNTAX_ERROR", None),
    "SELECT CAST(1 AS string)": ("TYPE_MISMATCH", None),
    "SELECT DATE '2024-02-30'": ("INVALID_LITERAL", None),
    "SELECT checksum(id) FROM sales": ("NOT_SUPPORTED", None),
    "WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t": ("NOT_SUPPORTED", None),
}
AT_RUN = {
    "SELECT 1 / (id - id) FROM sales": ("DIVISION_BY_ZERO", "Division by zero"),
    "SELECT 5 % 0": ("DIVISION_BY_ZERO", "Division by zero"),
    "SELECT random(0)": ("INVALID_FUNCTION_ARGUMENT", "bound must be positive"),
    "SELECT random(id - 100) FROM sales": ("INVALID_FUNCTION_ARGUMENT", "bound must be positive"),
    "SELECT CAST(item AS bigint) FROM sales": ("INVALID_CAST_ARGUMENT", "Cannot cast 'apple' to BIGINT"),
    "SELECT CAST('1_000' AS integer)": ("INVALID_CAST_ARGUMENT", "Cannot cast '1_000' to INT"),
    "SELECT CAST('2024/01/02' AS date)": ("INVALID_CAST_ARGUMENT", "Value cannot be cast to date: 2024/01/02"),
    "SELECT CAST('2024-01-02T03:04:05' AS timestamp)": ("INVALID_CAST_ARGUMENT", None),
    "SELECT CAST('inf' AS double)": ("INVALID_CAST_ARGUMENT", "Cannot cast 'inf' to DOUBLE"),
    "SELECT ARRAY[1][2]": (
        "INVALID_FUNCTION_ARGUMENT", "Array subscript must be less than or equal to array length: 2 > 1",
    ),
    "SELECT MAP(ARRAY['a'], ARRAY[1])['z']": ("INVALID_FUNCTION_ARGUMENT", "Key not present in map: z"),
    "SELECT (SELECT id FROM sales)": ("SUBQUERY_MULTIPLE_ROWS", None),
    "SELECT 2147483647 + 1": ("NUMERIC_VALUE_OUT_OF_RANGE", None),
    "SELECT region, id FROM sales GROUP BY region": ("EXPRESSION_NOT_AGGREGATE", None),
}  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), AT_ANALYSIS.items(), ids=list(AT_ANALYSIS))
def test_a_query_that_trino_refuses_is_refused_before_it_runs(query, expected):
    with pytest.raises(AthenaFault) as caught:
        translated(query)
    _check(caught.value, *expected)


@pytest.mark.parametrize(("query", "expected"), AT_RUN.items(), ids=list(AT_RUN))
def test_a_query_that_fails_in_trino_fails_with_its_code(query, expected):
    with pytest.raises(AthenaFault) as caught:
        shown(query)
    _check(caught.value, *expected)


def _check(fault: AthenaFault, code: str, message: str | None) -> None:
    assert fault.code == code
    if message is not None:
        assert str(fault) == f"{code}: {message}"

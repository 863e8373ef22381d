"""Failures tell their category and type as Athena's do.

The numbers were measured on Athena: https://github.com/aoyagikouhei/athena-local (2026-09-14).
"""

import pytest

from daap_local.athena.execution.errors import failure_of
from daap_local.athena.faults import AthenaFault
from tests.athena.serving import Served

USER = 2


@pytest.mark.parametrize(("sql", "code", "number"), [
    ("SELECT nope FROM shop_v1.orders", "COLUMN_NOT_FOUND", 1006),
    ("SELECT * FROM shop_v1.nope", "TABLE_NOT_FOUND", 1301), ("SELECT * FROM nope.orders", "SCHEMA_NOT_FOUND", 1301),
    ("SELECT 1 / 0", "DIVISION_BY_ZERO", 1001), ("SELECT nope(1)", "FUNCTION_NOT_FOUND", 1303),
    ("SELECT 1 + 'a'", "TYPE_MISMATCH", 1002), ("SELECT CAST('a' AS bigint)", "INVALID_CAST_ARGUMENT", 1100),
    ("SELECT 9223372036854775807 + id FROM shop_v1.orders", "NUMERIC_VALUE_OUT_OF_RANGE", 1100),
    ("SHOW TBLPROPERTIES shop_v1.nope", "FAILED", 1301),
])  # fmt: skip
def test_a_fault_has_athenas_number(server: Served, sql, code, number):
    status = server.fail(sql)
    error = status["AthenaError"]
    assert (error["ErrorCategory"], error["ErrorType"], error["Retryable"]) == (USER, number, False)
    assert status["StateChangeReason"].startswith(f"{code}: ")
    assert error["ErrorMessage"] == status["StateChangeReason"]


@pytest.mark.parametrize(("sql", "told"), [
    ("CREATE TABLE shop AS SELECT 1 / 0 AS a", "You may need to manually clean the data at location 's3://"),
    ("INSERT INTO nope SELECT 1", "If a data manifest file was generated at 's3://"),
])  # fmt: skip
def test_a_failed_write_tells_where_files_may_be_left(server: Served, database, sql, told):
    reason = server.fail(sql, database)["StateChangeReason"]
    assert f". {told}" in reason
    assert reason.endswith("Athena will not delete data in your account.")


def test_what_nobody_foresaw_is_the_systems_error():
    assert (failure_of(RuntimeError("x")).category, failure_of(RuntimeError("x")).type) == (1, 100)
    assert failure_of(AthenaFault("SOMETHING_ELSE", "x")).type == 1000

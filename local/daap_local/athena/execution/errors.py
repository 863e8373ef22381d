"""Faults as AthenaError: category, type and message.

Source: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
"""

from __future__ import annotations

from daap.errors import DaapError, InvalidName, ObjectMissing, StoreUnavailable
from daap_local.athena.catalog.faults import EntityExists, EntityMissing, EntityRefused, GlueFault
from daap_local.athena.execution.record import Failure
from daap_local.athena.faults import AthenaFault
from daap_local.athena.objects.faults import AccessRefused, BucketMissing, KeyConflict

SYSTEM, USER, OTHER = 1, 2, 3
_EXHAUSTED, _INTERNAL = 1, 100
_DATA, _DDL, _SYNTAX, _REJECTED, _CANCELLED = 1001, 1003, 1006, 1008, 1011
_ARGUMENT, _PROPERTY, _FUNCTION, _VIEW, _NO_TABLE = 1100, 1103, 1106, 1107, 1110
_UNSUPPORTED, _NOT_FOUND, _FILE, _NO_FUNCTION, _BUCKET = 1200, 1301, 1302, 1303, 1306
_PERMISSION, _S3_PERMISSION = 1500, 1501

_TYPES = {
    "SYNTAX_ERROR": _SYNTAX, "COLUMN_NOT_FOUND": _SYNTAX, "TYPE_MISMATCH": _SYNTAX, "AMBIGUOUS_NAME": _SYNTAX,
    "DUPLICATE_COLUMN_NAME": _SYNTAX, "MISSING_COLUMN_NAME": _SYNTAX, "EXPRESSION_NOT_AGGREGATE": _SYNTAX,
    "FUNCTION_NOT_FOUND": _SYNTAX, "MISMATCHED_COLUMN_ALIASES": _SYNTAX, "INVALID_LITERAL": _SYNTAX,
    "TABLE_NOT_FOUND": _SYNTAX, "SCHEMA_NOT_FOUND": _SYNTAX, "CATALOG_NOT_FOUND": _SYNTAX,
    "TABLE_ALREADY_EXISTS": _SYNTAX, "SCHEMA_NOT_EMPTY": _DDL, "INVALID_VIEW": _VIEW, "VIEW_IS_STALE": _VIEW,
    "NOT_SUPPORTED": _UNSUPPORTED, "INVALID_TABLE_PROPERTY": _PROPERTY, "INVALID_FUNCTION_ARGUMENT": _FUNCTION,
    "INVALID_CAST_ARGUMENT": _DATA, "DIVISION_BY_ZERO": _DATA, "NUMERIC_VALUE_OUT_OF_RANGE": _DATA,
    "PERMISSION_DENIED": _PERMISSION, "HIVE_PATH_ALREADY_EXISTS": _ARGUMENT, "QUERY_REJECTED": _REJECTED,
    "INVALID_ARGUMENTS": _ARGUMENT, "INVALID_PARAMETER_USAGE": _ARGUMENT, "FAILED": _DDL,
}  # fmt: skip
_OWN: tuple[tuple[type[DaapError], str, int], ...] = (
    (EntityExists, "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. ", _DDL),
    (EntityMissing, "FAILED: SemanticException ", _DDL),
    (EntityRefused, "PERMISSION_DENIED: ", _PERMISSION),
    (GlueFault, "FAILED: ", _DDL),
    (AccessRefused, "PERMISSION_DENIED: ", _S3_PERMISSION),
    (BucketMissing, "", _BUCKET),
    (ObjectMissing, "", _FILE),
    (KeyConflict, "", _ARGUMENT),
    (InvalidName, "", _ARGUMENT),
)


def failure_of(error: Exception) -> Failure:
    """What a client is told of an error; one that nobody foresaw is the server's own."""
    if isinstance(error, AthenaFault):
        return _failure_of_fault(error)
    for kind, prefix, number in _OWN:
        if isinstance(error, kind):
            return Failure(f"{prefix}{error}", USER, number)
    if isinstance(error, StoreUnavailable):
        return Failure(str(error), SYSTEM, _INTERNAL, retryable=True)
    return Failure(f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", SYSTEM, _INTERNAL)


def _failure_of_fault(error: AthenaFault) -> Failure:
    if error.code == "EXHAUSTED_RESOURCES":
        return Failure("Query exhausted resources at this scale factor", USER, _EXHAUSTED)
    if error.code.startswith("HIVE_"):
        return Failure(str(error), USER, _TYPES.get(error.code, _DATA))
    if error.code == "GENERIC_INTERNAL_ERROR":
        return Failure(str(error), SYSTEM, _INTERNAL)
    message = str(error.args[0]).removeprefix("FAILED: ") if error.code == "FAILED" else str(error)
    return Failure(f"FAILED: {message}" if error.code == "FAILED" else message, USER, _TYPES.get(error.code, _SYNTAX))

"""Faults as AthenaError: category, type and message.

The numbers' meanings: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html. It does not say which fault
gets which number. Those of DIVISION_BY_ZERO, TYPE_MISMATCH, COLUMN_NOT_FOUND, CATALOG_NOT_FOUND, INVALID_CAST_ARGUMENT,
NUMERIC_VALUE_OUT_OF_RANGE, INVALID_PARAMETER_USAGE, INVALID_FUNCTION_ARGUMENT, TABLE_ALREADY_EXISTS, NOT_SUPPORTED,
TABLE_NOT_FOUND, SCHEMA_NOT_FOUND and FUNCTION_NOT_FOUND were measured on Athena (https://github.com/aoyagikouhei/athena-local,
2026-09-14); the others follow from the words of AWS's table, and 1000 is what is left for a user's error.
"""

from __future__ import annotations

from dataclasses import replace

from daap.errors import DaapError, InvalidName, ObjectMissing, StoreUnavailable
from daap_local.athena.catalog.faults import EntityExists, EntityMissing, EntityRefused, GlueFault
from daap_local.athena.execution.record import Failure, Request, result_location
from daap_local.athena.faults import AthenaFault
from daap_local.athena.objects.faults import AccessRefused, BucketMissing, KeyConflict

SYSTEM, USER = 1, 2
_EXHAUSTED, _SERVICE, _ENGINE = 1, 100, 200
_OF_USER, _DATA, _TYPES_DIFFER, _DDL, _SCHEMA, _SYNTAX, _REJECTED = 1000, 1001, 1002, 1003, 1004, 1006, 1008
_ARGUMENT, _PROPERTY, _FUNCTION, _VIEW, _TABLE = 1100, 1103, 1106, 1107, 1110
_UNSUPPORTED, _NOT_FOUND, _FILE, _NO_FUNCTION, _BUCKET = 1200, 1301, 1302, 1303, 1306
_PERMISSION, _S3_PERMISSION = 1500, 1501

_TYPES = {
    "SYNTAX_ERROR": _SYNTAX, "COLUMN_NOT_FOUND": _SYNTAX, "CATALOG_NOT_FOUND": _SYNTAX, "MISSING_SCHEMA_NAME": _SYNTAX,
    "AMBIGUOUS_NAME": _SYNTAX, "DUPLICATE_COLUMN_NAME": _SYNTAX, "MISSING_COLUMN_NAME": _SYNTAX,
    "MISMATCHED_COLUMN_ALIASES": _SYNTAX, "EXPRESSION_NOT_AGGREGATE": _SYNTAX, "EXPRESSION_NOT_SCALAR": _SYNTAX,
    "EXPRESSION_NOT_IN_DISTINCT": _SYNTAX, "NESTED_AGGREGATION": _SYNTAX, "INVALID_COLUMN_REFERENCE": _SYNTAX,
    "INVALID_LITERAL": _SYNTAX, "MISSING_OVER": _SYNTAX, "INVALID_WINDOW_REFERENCE": _SYNTAX,
    "COLUMN_TYPE_UNKNOWN": _SYNTAX,
    "TYPE_MISMATCH": _TYPES_DIFFER, "DIVISION_BY_ZERO": _DATA, "HIVE_BAD_DATA": _DATA, "HIVE_CURSOR_ERROR": _DATA,
    "HIVE_INVALID_PARTITION_VALUE": _SCHEMA, "HIVE_INVALID_METADATA": _SCHEMA, "HIVE_COLUMN_ORDER_MISMATCH": _SCHEMA,
    "FAILED": _DDL, "SCHEMA_NOT_EMPTY": _DDL, "QUERY_REJECTED": _REJECTED,
    "INVALID_CAST_ARGUMENT": _ARGUMENT, "NUMERIC_VALUE_OUT_OF_RANGE": _ARGUMENT, "INVALID_PARAMETER_USAGE": _ARGUMENT,
    "INVALID_ARGUMENTS": _ARGUMENT, "HIVE_PATH_ALREADY_EXISTS": _ARGUMENT, "INVALID_TABLE_PROPERTY": _PROPERTY,
    "INVALID_FUNCTION_ARGUMENT": _FUNCTION, "INVALID_VIEW": _VIEW, "VIEW_IS_STALE": _VIEW, "VIEW_IS_RECURSIVE": _VIEW,
    "TABLE_ALREADY_EXISTS": _TABLE, "NOT_SUPPORTED": _UNSUPPORTED, "TABLE_NOT_FOUND": _NOT_FOUND,
    "SCHEMA_NOT_FOUND": _NOT_FOUND, "FUNCTION_NOT_FOUND": _NO_FUNCTION, "PERMISSION_DENIED": _PERMISSION,
}  # fmt: skip
_ABSENT = ("SemanticException [Error 10001]", "SemanticException [Error 10006]", "SemanticException [Error 10072]")
"""How Hive begins to say that a table, a partition or a database is not there."""
_OWN: tuple[tuple[type[DaapError], str, int], ...] = (
    (EntityExists, "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. ", _DDL),
    (EntityMissing, "FAILED: SemanticException ", _NOT_FOUND),
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
        return Failure(str(error), SYSTEM, _SERVICE, retryable=True)
    return Failure(f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", SYSTEM, _SERVICE)


def _failure_of_fault(error: AthenaFault) -> Failure:
    if error.code == "EXHAUSTED_RESOURCES":
        return Failure("Query exhausted resources at this scale factor", USER, _EXHAUSTED)
    if error.code == "GENERIC_INTERNAL_ERROR":
        return Failure(str(error), SYSTEM, _ENGINE)
    if error.code == "FAILED":
        return _failure_of_hive(str(error.args[0]).removeprefix("FAILED: "))
    return Failure(str(error), USER, _TYPES.get(error.code, _OF_USER))


def _failure_of_hive(message: str) -> Failure:
    return Failure(f"FAILED: {message}", USER, _NOT_FOUND if message.startswith(_ABSENT) else _DDL)


def with_leftovers(failure: Failure, request: Request) -> Failure:
    """A failure of a statement that writes says as well where files may be left, as Athena's does."""
    place = result_location(request)
    if request.kind[1] == "CREATE_TABLE_AS_SELECT":
        told = f"You may need to manually clean the data at location '{place}' before retrying."
    elif request.kind[1] == "INSERT":
        told = (
            f"If a data manifest file was generated at '{place}-manifest.csv', you may need to manually clean the data "
            "from locations specified in the manifest."
        )
    else:
        return failure
    stop = "" if failure.message.endswith(".") else "."
    told = f"{failure.message}{stop} {told} Athena will not delete data in your account."
    return replace(failure, message=told)

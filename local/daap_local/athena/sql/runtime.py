"""What DuckDB raises while a translated query runs, in Athena's terms.

Failures of this package's own functions carry their code in the text: `athena!DIVISION_BY_ZERO: Division by zero`.
"""

from __future__ import annotations

import re

import duckdb

from daap_local.athena.faults import AthenaFault

_OWN = re.compile(r"athena!([A-Z][A-Z0-9_]+): (.*?)(?:' to INT64|\n\nLINE |\n\nAt:|\Z)", re.DOTALL)
_NAMED = re.compile(r"\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (.*)", re.DOTALL)
_KINDS: tuple[tuple[str, str, str], ...] = (
    (
        r"must appear in the GROUP BY clause",
        "EXPRESSION_NOT_AGGREGATE",
        "An expression must be an aggregate expression or appear in GROUP BY clause",
    ),
    (
        r"More than one row returned by a subquery",
        "SUBQUERY_MULTIPLE_ROWS",
        "Scalar sub-query has returned multiple rows",
    ),
    (r"Overflow in (addition|subtraction|multiplication|division|negation)", "NUMERIC_VALUE_OUT_OF_RANGE", "{0}"),
    (r"Out of Range Error", "NUMERIC_VALUE_OUT_OF_RANGE", "{0}"),
    (
        r"Invalid Input Error: (missing|invalid|no argument|unexpected \)|bad|trailing|pattern too large)",
        "INVALID_FUNCTION_ARGUMENT",
        "{0}",
    ),
    (r"Type INT128 with value .* out of range", "NUMERIC_VALUE_OUT_OF_RANGE", "{0}"),
    (r"Conversion Error", "INVALID_CAST_ARGUMENT", "{0}"),
    (
        r"Out of Memory Error|failed to (allocate|pin)",
        "EXCEEDED_LOCAL_MEMORY_LIMIT",
        "Query exceeded the local memory limit",
    ),
    (r"Interrupt", "USER_CANCELED", "Query was canceled"),
)


def fault_of(error: duckdb.Error) -> AthenaFault:
    """The fault that Athena would report for this error of a running query."""
    text = str(error)
    found = _OWN.search(text) or _NAMED.search(text)
    if found is not None:
        return AthenaFault(found.group(1), found.group(2).strip())
    for pattern, code, message in _KINDS:
        if re.search(pattern, text):
            return AthenaFault(code, message.format(_first_line(text)))
    return AthenaFault("GENERIC_INTERNAL_ERROR", _first_line(text))


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", line)

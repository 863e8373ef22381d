"""TABLE(function(...)) in FROM.

Source: https://trino.io/docs/current/functions/table.html
"""

from __future__ import annotations

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import coerce
from daap_local.athena.sql.coercion import coercible
from daap_local.athena.sql.scopes import Env, Scope, fault

SEQUENCE_COLUMN = "sequential_number"
_ARGUMENTS = ("START", "STOP", "STEP")
_DEFAULTS = {"START": "CAST(0 AS BIGINT)", "STEP": "CAST(1 AS BIGINT)"}


def is_table_function(node: exp.Expr) -> bool:
    """Whether an item of FROM is TABLE(...)."""
    return isinstance(node, exp.Anonymous) and str(node.this).upper() == "TABLE"


def sequence_rows(env: Env, node: exp.Anonymous) -> str:
    """TABLE(sequence(start, stop, step)) as a DuckDB table function with one bigint column.

    Raises AthenaFault for any other function, and for arguments that are not those of sequence.
    """
    call = node.expressions[0] if len(node.expressions) == 1 else None
    if not isinstance(call, exp.Func):
        raise fault("SYNTAX_ERROR", "TABLE(...) takes one call of a table function", node)
    name = str(call.this) if isinstance(call, exp.Anonymous) else call.sql_name()
    if name.lower() == "exclude_columns":
        raise fault("NOT_SUPPORTED", "Table function exclude_columns is not supported here", call)
    if name.lower() != "sequence" or not isinstance(call, exp.Anonymous):
        raise fault("FUNCTION_NOT_FOUND", f"Table function '{name}' not registered", call)
    given = _named(call)
    if "STOP" not in given:
        raise fault("MISSING_ARGUMENT", "Missing argument: STOP", call)
    constants = env.within(Scope())
    values = {key: _whole_number(constants, value) for key, value in given.items()}
    start, stop, step = (values.get(key) or _DEFAULTS[key] for key in _ARGUMENTS)
    last, by = f"athena_sequence_stop({start}, {stop})", f"athena_sequence_step({start}, {stop}, {step})"
    return f"generate_series({start}, {last}, {by})"


def _named(call: exp.Anonymous) -> dict[str, exp.Expr]:
    """The arguments by their names, given by place or all by name."""
    if len(call.expressions) > len(_ARGUMENTS):
        problem = f"Expected at most 3 arguments, got {len(call.expressions)} arguments"
        raise fault("INVALID_ARGUMENTS", f"Too many arguments. {problem}", call)
    by_name = [part for part in call.expressions if isinstance(part, exp.Kwarg)]
    if not by_name:
        return dict(zip(_ARGUMENTS, call.expressions, strict=False))
    if len(by_name) < len(call.expressions):
        problem = "All arguments must be passed by name or all must be passed positionally"
        raise fault("INVALID_ARGUMENTS", problem, call)
    given = {part.this.name.upper(): part.expression for part in by_name}
    for name in given:
        if name not in _ARGUMENTS:
            raise fault("INVALID_FUNCTION_ARGUMENT", f"Unexpected argument name: {name}", call)
    if len(given) < len(by_name):
        raise fault("INVALID_FUNCTION_ARGUMENT", "Duplicate argument name", call)
    return given


def _whole_number(env: Env, node: exp.Expr) -> str:
    value = env.typed(node)
    if not coercible(value.type, t.BIGINT):
        raise fault("TYPE_MISMATCH", f"Cannot cast type {value.type} to bigint", node)
    return coerce(value, t.BIGINT).sql

"""Filters on partitions, as GetPartitions takes them: SQL conditions over the partition keys.

Source: https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from daap_local.athena.catalog.faults import InvalidEntity
from daap_local.athena.catalog.port import Json

if TYPE_CHECKING:
    from sqlglot import exp

Value = str | Decimal | None
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "long", "decimal", "float", "double")


def matching(expression: str, keys: Sequence[Json], partitions: Sequence[Json]) -> list[Json]:
    """The partitions for which the expression is true; raises InvalidEntity where it cannot be understood."""
    tree = _parse(expression)
    names = [str(key["Name"]).lower() for key in keys]
    numbers = {name for name, key in zip(names, keys, strict=True) if str(key.get("Type", "")).startswith(_NUMBERS)}
    found = []
    for partition in partitions:
        pairs = zip(names, partition["Values"], strict=True)
        row = {name: _number(value) if name in numbers else value for name, value in pairs}
        if _judge(tree, row) is True:
            found.append(partition)
    return found


def _parse(expression: str) -> exp.Expr:
    import sqlglot  # noqa: PLC0415 - slow to import, and seldom needed

    try:
        return sqlglot.parse_one(expression, dialect="athena")
    except sqlglot.ParseError as error:
        raise InvalidEntity(f"Unsupported expression '{expression}'") from error


def _number(value: str) -> Value:
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def _judge(node: exp.Expr, row: Mapping[str, Value]) -> bool | None:
    """True, false, or None for unknown, as SQL has it."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    if isinstance(node, exp.Paren):
        return _judge(node.this, row)
    if isinstance(node, exp.Not):
        inner = _judge(node.this, row)
        return None if inner is None else not inner
    if isinstance(node, exp.And | exp.Or):
        return _join(isinstance(node, exp.And), _judge(node.left, row), _judge(node.right, row))
    return _compare(node, row)


def _join(conjunct: bool, left: bool | None, right: bool | None) -> bool | None:
    decisive = not conjunct
    if decisive in (left, right):
        return decisive
    return None if left is None or right is None else conjunct


def _compare(node: exp.Expr, row: Mapping[str, Value]) -> bool | None:
    from sqlglot import exp  # noqa: PLC0415 - as above

    orders: dict[type[Any], Callable[[Any, Any], bool]] = {
        exp.EQ: lambda a, b: a == b, exp.NEQ: lambda a, b: a != b, exp.LT: lambda a, b: a < b,
        exp.LTE: lambda a, b: a <= b, exp.GT: lambda a, b: a > b, exp.GTE: lambda a, b: a >= b,
        exp.Like: _is_like,
    }  # fmt: skip
    if type(node) in orders:
        return _ordered(orders[type(node)], _value(node.this, row), _value(node.args["expression"], row))
    if isinstance(node, exp.Between):
        low = _ordered(orders[exp.GTE], _value(node.this, row), _value(node.args["low"], row))
        high = _ordered(orders[exp.LTE], _value(node.this, row), _value(node.args["high"], row))
        return _join(True, low, high)
    if isinstance(node, exp.In):
        value = _value(node.this, row)
        return any(_ordered(orders[exp.EQ], value, _value(one, row)) for one in node.expressions)
    if isinstance(node, exp.Is):
        return _value(node.this, row) is None
    raise InvalidEntity(f"Unsupported expression '{node.sql()}'")


def _ordered(order: Callable[[Any, Any], bool], left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, Decimal) != isinstance(right, Decimal):
        left, right = (_number(str(left)), _number(str(right))) if isinstance(left, Decimal) else (left, str(right))
    return None if left is None or right is None else order(left, right)


def _is_like(value: Any, pattern: Any) -> bool:  # noqa: ANN401 - texts
    parts = (".*" if mark == "%" else "." if mark == "_" else re.escape(mark) for mark in str(pattern))
    return re.fullmatch("".join(parts), str(value), re.DOTALL) is not None


def _value(node: exp.Expr, row: Mapping[str, Value]) -> Value:
    from sqlglot import exp  # noqa: PLC0415 - as above

    if isinstance(node, exp.Column):
        if node.name.lower() not in row:
            raise InvalidEntity(f"Unsupported expression: {node.name} is no partition key")
        return row[node.name.lower()]
    if isinstance(node, exp.Literal):
        return str(node.this) if node.is_string else Decimal(str(node.this))
    if isinstance(node, exp.Neg):
        inner = _value(node.this, row)
        return -inner if isinstance(inner, Decimal) else None
    if isinstance(node, exp.Cast | exp.Paren):
        return _value(node.this, row)
    raise InvalidEntity(f"Unsupported expression '{node.sql()}'")

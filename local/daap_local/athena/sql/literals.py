"""Literals: numbers, texts, typed literals, intervals.

Source: https://trino.io/docs/current/language/types.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast
from daap_local.athena.sql.python.dates import read_date, read_timestamp, read_zoned
from daap_local.athena.sql.python.failures import Failed
from daap_local.athena.sql.scopes import Env, Typed, fault, only

_INT_MAX, _BIGINT_MAX = 2**31 - 1, 2**63 - 1
_UNIT_MILLIS = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
_UNIT_MONTHS = {"MONTH": 1, "YEAR": 12}


def literal(_env: Env, node: exp.Literal) -> Typed:
    """A string or a number as it is written."""
    if node.is_string:
        return text(str(node.this))
    return number(str(node.this).replace("_", ""), node)


def text(value: str) -> Typed:
    """A string literal: varchar of its own length."""
    return Typed(t.literal(value), t.varchar(len(value)), value, literal=True)


def whole(value: int) -> Typed:
    """An integer literal: integer where it fits, else bigint."""
    kind = t.INTEGER if -_INT_MAX - 1 <= value <= _INT_MAX else t.BIGINT
    return Typed(str(value), kind, value, literal=True)


def number(written: str, node: exp.Expr | None = None) -> Typed:
    """A number literal: integer or bigint, and double where it has a point or an exponent.

    Athena reads `1.5` as a double, as Trino does where decimal literals are told to be doubles; decimals are written
    DECIMAL '1.5' (https://docs.aws.amazon.com/athena/latest/ug/data-types-considerations.html).
    """
    if not re.fullmatch(r"-?[0-9]+", written):
        return Typed(f"CAST({t.literal(written)} AS DOUBLE)", t.DOUBLE, float(written), literal=True)
    if int(written) <= _BIGINT_MAX:
        return whole(int(written))
    if int(written) == _BIGINT_MAX + 1:
        return Typed(written, t.BIGINT, int(written), literal=True)
    raise fault("SYNTAX_ERROR", f"Invalid numeric literal: {written}", node)


def _decimal(written: str, node: exp.Expr | None) -> Typed:
    sign, digits = ("-", written[1:]) if written.startswith("-") else ("", written.lstrip("+"))
    whole_part, _, fraction = digits.partition(".")
    whole_part = whole_part.lstrip("0")
    precision = max(1, len(whole_part) + len(fraction))
    if precision > t.MAX_DECIMAL:
        raise fault("INVALID_LITERAL", f"Invalid decimal literal: {written}", node)
    kind = t.decimal(precision, len(fraction))
    shown = f"{sign}{whole_part or '0'}.{fraction}" if fraction else f"{sign}{whole_part or '0'}"
    return Typed(f"CAST({t.literal(shown)} AS {t.duckdb_type(kind)})", kind, Decimal(shown), literal=True)


def boolean(_env: Env, node: exp.Boolean) -> Typed:
    """TRUE or FALSE."""
    return Typed("true" if node.this else "false", t.BOOLEAN, bool(node.this), literal=True)


def null(_env: Env, _node: exp.Null) -> Typed:
    """NULL, of the type unknown."""
    return Typed("NULL", t.UNKNOWN, None, literal=True)


def hex_string(_env: Env, node: exp.HexString) -> Typed:
    """X'0A': varbinary."""
    digits = re.sub(r"\s", "", str(node.this))
    if len(digits) % 2 or not re.fullmatch(r"[0-9A-Fa-f]*", digits):
        raise fault("INVALID_LITERAL", "Binary literal must contain an even number of hexadecimal digits", node)
    return Typed(f"unhex('{digits}')", t.VARBINARY)


def unicode_string(_env: Env, node: exp.UnicodeString) -> Typed:
    """U&'...' with escapes of four or (after +) six hexadecimal digits."""
    escape = str(node.args["escape"].this) if node.args.get("escape") else "\\"
    mark = re.escape(escape)
    pattern = rf"{mark}({mark}|\+[0-9A-Fa-f]{{6}}|[0-9A-Fa-f]{{4}})"
    raw = str(node.this)
    if escape in re.sub(pattern, "", raw):
        raise fault("INVALID_LITERAL", "Incomplete escape sequence", node)
    return text(re.sub(pattern, lambda found: _unescaped(found.group(1), escape), raw))


def _unescaped(code: str, escape: str) -> str:
    return escape if code == escape else chr(int(code.lstrip("+"), 16))


def typed_literal(env: Env, node: exp.Expr) -> Typed:
    """DATE '...', DECIMAL '...', TIMESTAMP '...', BIGINT '...' and the like."""
    inner = node.this
    if not isinstance(inner, exp.Literal) or not inner.is_string:
        raise fault("SYNTAX_ERROR", "mismatched input", node)
    written = str(inner.this)
    name = node.args["to"].this
    if name == exp.DType.DECIMAL:
        return _decimal_literal(written.strip(), node)
    if name in {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPLTZ}:
        return _moment(env, written, node)
    if name in {exp.DType.TIME, exp.DType.TIMETZ}:
        return _time(env, written, node)
    if name == exp.DType.JSON:
        return Typed(f"athena_json_parse({t.literal(written)})", t.JSON)
    if name == exp.DType.DATE:
        _check_literal(read_date, written, "DATE", node)
    kind = t.Type("char", (len(written),)) if name == exp.DType.CHAR else read_type(node.args["to"])
    return cast(text(written), kind)


def _check_literal(read: Callable[[str], object], written: str, kind: str, node: exp.Expr) -> None:
    try:
        read(written)
    except Failed as error:
        raise fault("INVALID_LITERAL", f"'{written}' is not a valid {kind} literal", node) from error


def _decimal_literal(written: str, node: exp.Expr) -> Typed:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", written):
        raise fault("INVALID_LITERAL", f"'{written}' is not a valid DECIMAL literal", node)
    return _decimal(written, node)


_MOMENT = re.compile(r"\d{1,6}-\d{1,2}-\d{1,2}(?: \d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(\d+))?)?)?(\s*[A-Za-z+-].*)?")


def _moment(_env: Env, written: str, node: exp.Expr) -> Typed:
    found = _MOMENT.fullmatch(written.strip())
    if found is None:
        raise fault("INVALID_LITERAL", f"'{written}' is not a valid TIMESTAMP literal", node)
    name = t.ZONED if found.group(2) else "timestamp"
    kind = t.checked(t.Type(name, (len(found.group(1) or ""),)))
    _check_literal(read_zoned if found.group(2) else read_timestamp, written.strip(), "TIMESTAMP", node)
    made = cast(text(written.strip()), kind)
    zone = found.group(2).strip() if found.group(2) else None
    return Typed(made.sql, kind, written, zone=zone)


def _time(_env: Env, written: str, node: exp.Expr) -> Typed:
    found = re.fullmatch(r"\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(\d+))?)?(\s*[+-]\d\d:\d\d)?", written.strip())
    if found is None:
        raise fault("INVALID_LITERAL", f"'{written}' is not a valid TIME literal", node)
    name = t.ZONED_TIME if found.group(2) else "time"
    return cast(text(written.strip()), t.checked(t.Type(name, (len(found.group(1) or ""),))))


def interval(_env: Env, node: exp.Interval) -> Typed:
    """INTERVAL [sign] 'text' unit [TO unit], held as milliseconds or months."""
    only(node, "this", "unit")
    unit, inner, sign = node.args.get("unit"), node.this, 1
    while isinstance(inner, exp.Neg | exp.Paren):
        sign, inner = (-sign, inner.this) if isinstance(inner, exp.Neg) else (sign, inner.this)
    if not isinstance(inner, exp.Literal) or not inner.is_string:
        raise fault("SYNTAX_ERROR", "an interval's value is a text", node)
    written = str(inner.this)
    if isinstance(unit, exp.IntervalSpan):
        return _span(written, sign, str(unit.this.this).upper(), str(unit.expression.this).upper(), node)
    name = str(unit.this).upper() if unit is not None else ""
    return _single(written, sign, name, node)


def _single(written: str, sign: int, unit: str, node: exp.Expr) -> Typed:
    if unit not in {*_UNIT_MONTHS, *_UNIT_MILLIS}:
        raise fault("TYPE_NOT_FOUND", "Unknown type: INTERVAL", node)
    pattern = r"[+-]?[0-9]+(\.[0-9]+)?" if unit == "SECOND" else r"[+-]?[0-9]+"
    if not re.fullmatch(pattern, written.strip()):
        raise fault("INVALID_LITERAL", f"Invalid INTERVAL {unit} value: {written}", node)
    if unit in _UNIT_MONTHS:
        return _months(sign * int(written) * _UNIT_MONTHS[unit])
    return _millis(int(sign * Decimal(written.strip()) * _UNIT_MILLIS[unit]))


_SPANS = {
    ("YEAR", "MONTH"): (r"([0-9]+)-([0-9]+)", (12, 1)),
    ("DAY", "HOUR"): (r"([0-9]+) ([0-9]+)", (86_400_000, 3_600_000)),
    ("DAY", "MINUTE"): (r"([0-9]+) ([0-9]+):([0-9]+)", (86_400_000, 3_600_000, 60_000)),
    ("DAY", "SECOND"): (r"([0-9]+) ([0-9]+):([0-9]+):([0-9]+(?:\.[0-9]+)?)", (86_400_000, 3_600_000, 60_000, 1000)),
    ("HOUR", "MINUTE"): (r"([0-9]+):([0-9]+)", (3_600_000, 60_000)),
    ("HOUR", "SECOND"): (r"([0-9]+):([0-9]+):([0-9]+(?:\.[0-9]+)?)", (3_600_000, 60_000, 1000)),
    ("MINUTE", "SECOND"): (r"([0-9]+):([0-9]+(?:\.[0-9]+)?)", (60_000, 1000)),
}


def _span(written: str, sign: int, first: str, last: str, node: exp.Expr) -> Typed:
    pattern, factors = _SPANS.get((first, last), ("(?!)", ()))
    found = re.fullmatch(pattern, written.strip().lstrip("-"))
    if found is None:
        raise fault("INVALID_LITERAL", f"Invalid INTERVAL {first} TO {last} value: {written}", node)
    sign = -sign if written.strip().startswith("-") else sign
    total = sum(Decimal(part) * factor for part, factor in zip(found.groups(), factors, strict=True))
    return _months(sign * int(total)) if first == "YEAR" else _millis(sign * int(total))


def _millis(value: int) -> Typed:
    return Typed(f"CAST({value} AS BIGINT)", t.DAY_INTERVAL, value)


def _months(value: int) -> Typed:
    return Typed(f"CAST({value} AS INTEGER)", t.MONTH_INTERVAL, value)


_FOREIGN = frozenset({exp.DType.TEXT, exp.DType.NCHAR, exp.DType.NVARCHAR, exp.DType.BINARY, exp.DType.DATETIME})


def read_type(node: exp.Expr) -> t.Type:
    """The type that a cast names. Raises TYPE_MISMATCH for names that are no types of Trino's."""
    for part in node.find_all(exp.DataType):
        if part.this in _FOREIGN:
            raise fault("TYPE_MISMATCH", f"Unknown type: {str(part.this.value).lower()}", node)
    return t.parse_type(node.sql(dialect="trino"))

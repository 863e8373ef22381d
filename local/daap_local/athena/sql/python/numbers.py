"""Numbers: decimals of more digits than DuckDB's arithmetic has, roundings, bases and bits.

Sources: https://trino.io/docs/current/functions/decimal.html, /math.html, /bitwise.html, /binary.html.
"""

from __future__ import annotations

import math
import struct
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

from daap_local.athena.sql.python.failures import Failed, invalid

_WIDE = Context(prec=120)
_LIMIT = Decimal(10) ** 38


def exact(sign: str, left: str, right: str, scale: int) -> str:
    """left sign right, rounded half up to `scale` places."""
    one, other = Decimal(left), Decimal(right)
    if sign in "/%" and not other:
        raise Failed("DIVISION_BY_ZERO", "Division by zero")
    made = _operated(sign, one, other)
    rounded = made.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)
    if abs(rounded.scaleb(scale, _WIDE)) >= _LIMIT:
        raise Failed("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow")
    return format(rounded, "f")


def _operated(sign: str, one: Decimal, other: Decimal) -> Decimal:
    if sign == "/":
        return _WIDE.divide(one, other)
    if sign == "%":
        return _WIDE.remainder(one, other)
    return {"+": _WIDE.add, "-": _WIDE.subtract, "*": _WIDE.multiply}[sign](one, other)


def round_to(value: str, places: int) -> str:
    """A decimal rounded half up to so many places, in its own scale."""
    return _placed(value, places, ROUND_HALF_UP)


def truncate_to(value: str, places: int) -> str:
    """A decimal cut to so many places, in its own scale."""
    return _placed(value, places, ROUND_DOWN)


def _placed(value: str, places: int, way: str) -> str:
    number = Decimal(value)
    scale = -int(number.as_tuple().exponent)
    if places >= scale:
        return value
    if places < -60:
        return format(Decimal(0).scaleb(-scale), "f")
    rounded = number.quantize(Decimal(1).scaleb(-places), way, _WIDE)
    return format(rounded.quantize(Decimal(1).scaleb(-scale), ROUND_DOWN, _WIDE), "f")


def power(base: float, exponent: float) -> float:
    """power(), as Java has it."""
    try:
        made = math.pow(base, exponent)
    except OverflowError:
        odd = exponent == int(exponent) and int(exponent) % 2 == 1
        return -math.inf if base < 0 and odd else math.inf
    except ValueError:
        return math.nan if base < 0 else math.inf
    return math.nan if abs(base) == 1 and math.isinf(exponent) else made


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def to_base(value: int, base: int) -> str:
    """A number in another base."""
    _check_base(base)
    rest, made = abs(value), ""
    while rest or not made:
        rest, digit = divmod(rest, base)
        made = _DIGITS[digit] + made
    return f"-{made}" if value < 0 else made


def from_base(text: str, base: int) -> int:
    """The number that digits in a base mean."""
    _check_base(base)
    digits = text.lower().removeprefix("-") if text.startswith("-") else text.lower().removeprefix("+")
    if not digits or any(character not in _DIGITS[:base] for character in digits):
        raise invalid(f"Not a valid base-{base} number: {text}")
    value = int(digits, base) * (-1 if text.startswith("-") else 1)
    if not -(2**63) <= value < 2**63:
        raise invalid(f"Not a valid base-{base} number: {text}")
    return value


def _check_base(base: int) -> None:
    if not 2 <= base <= len(_DIGITS):
        raise invalid("Radix must be between 2 and 36")


def bit_count(value: int, bits: int) -> int:
    """How many bits are set in a number of so many bits."""
    if not 2 <= bits <= 64:
        raise invalid("Bits specified in bit_count must be between 2 and 64, got " + str(bits))
    low = -(1 << (bits - 1))
    if not low <= value < -low:
        raise invalid(
            f"Number must be representable with the bits specified. {value} cannot be represented with {bits} bits"
        )
    return (value & ((1 << bits) - 1)).bit_count()


def shift(value: int, bits: int, width: int, way: str) -> int:
    """A shift within so many bits: left, right (zeros come in) or signed (the sign stays)."""
    if way == "signed":
        return value >> min(bits, width - 1)
    if not 0 <= bits < width:
        return 0
    mask = (1 << width) - 1
    low = (value << bits if way == "left" else (value & mask) >> bits) & mask
    return low - (1 << width) if low >= 1 << (width - 1) else low


def pack(value: float, form: str) -> bytes:
    """A number as its bytes."""
    return struct.pack(form, value)


def unpack(value: bytes, form: str) -> float:
    """A number from its bytes."""
    size = struct.calcsize(form)
    if len(value) != size:
        raise invalid(f"expected {size}-byte input, but got instead: {len(value)}")
    number: float = struct.unpack(form, value)[0]
    return number

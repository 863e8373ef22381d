"""One value by one of Java's format specifiers.

Source: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Formatter.html, as far as Trino's
format() documents its use: https://trino.io/docs/current/functions/conversion.html.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

_WIDE = Context(prec=400)


def format_value(text: str, flags: str, width: int, precision: int, letter: str) -> str:
    """A value's text by `%[flags][width][.precision]letter`; a precision or width below 0 is one that is not given."""
    shown = _converted(text, flags, precision, letter)
    if letter in {"X", "S", "E"}:
        shown = shown.upper()
    if "0" in flags and "-" not in flags and letter != "s" and shown[-1:].isalnum():
        sign = shown[:1] if shown[:1] in {"-", "+", " "} else ""
        return sign + shown[len(sign) :].rjust(width - len(sign), "0")
    return shown.ljust(width) if "-" in flags else shown.rjust(width)


def _converted(text: str, flags: str, precision: int, letter: str) -> str:
    if letter in {"s", "S"} or text in {"null", "NaN", "Infinity", "-Infinity"}:
        return text if precision < 0 else text[:precision]
    if letter in {"x", "X"}:
        bits = 64 if abs(int(text)) >= 2**31 else 32
        return format(int(text) & ((1 << bits) - 1), "x")
    if letter == "d":
        return _signed(int(text), format(abs(int(text)), "," if "," in flags else ""), flags)
    number, places = Decimal(text), 6 if precision < 0 else precision
    if letter in {"e", "E"}:
        return _signed(number, _exponential(abs(number), places), flags)
    rounded = abs(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)
    return _signed(number, format(rounded, ",f" if "," in flags else "f"), flags)


def _exponential(number: Decimal, places: int) -> str:
    if not number:
        return f"{Decimal(0):.{places}f}e+00"
    power = number.adjusted()
    mantissa = number.scaleb(-power, _WIDE).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)
    if mantissa >= Decimal(10):
        power, mantissa = power + 1, mantissa.scaleb(-1).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _WIDE)
    return f"{mantissa:f}e{'-' if power < 0 else '+'}{abs(power):02}"


def _signed(number: Decimal | int, digits: str, flags: str) -> str:
    if number < 0:
        return f"({digits})" if "(" in flags else f"-{digits}"
    return f"+{digits}" if "+" in flags else f" {digits}" if " " in flags else digits

"""format(template, value, ...): the template is taken apart when the query is translated.

Source: https://trino.io/docs/current/functions/conversion.html.
"""

from __future__ import annotations

import re

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import varchar_of
from daap_local.athena.sql.scopes import Env, Typed, fault

_SPECIFIER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")
_SHOWN = frozenset({"boolean", "varchar", "char", "date", "decimal", "real", "double", "unknown", *t.INTEGERS})
_KINDS = {
    **dict.fromkeys("sS", _SHOWN),
    **dict.fromkeys("dxX", frozenset({*t.INTEGERS, "unknown"})),
    **dict.fromkeys("feE", frozenset({"real", "double", "decimal", "unknown"})),
}


def format_text(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """format(template, value, ...). Raises INVALID_FUNCTION_ARGUMENT where a value does not fit its specifier."""
    if len(given) < 2:
        return None
    template = given[0].value
    if not given[0].literal or not isinstance(template, str):
        raise fault("NOT_SUPPORTED", "format with a template that is no constant is not supported here", node)
    parts, end, place = [], 0, 0
    for found in _SPECIFIER.finditer(template):
        parts.append(_plain(template[end : found.start()], template, node))
        end = found.end()
        if found.group(5) in {"%", "n"}:
            parts.append(t.literal("%" if found.group(5) == "%" else "\n"))
            continue
        place = place + 1 if found.group(1) is None else place
        number = int(found.group(1)) if found.group(1) else place
        parts.append(_formatted(found, given, number, node))
    parts.append(_plain(template[end:], template, node))
    return Typed(f"({' || '.join(parts)})", t.VARCHAR)


def _plain(text: str, template: str, node: exp.Expr) -> str:
    if "%" in text:
        raise fault("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {template}", node)
    return t.literal(text)


def _formatted(found: re.Match[str], given: list[Typed], number: int, node: exp.Expr) -> str:
    _, flags, width, precision, letter = found.groups()
    if not 1 <= number < len(given):
        raise fault("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: missing argument for {found.group(0)}", node)
    value = given[number]
    if letter not in _KINDS or "#" in flags:
        raise fault("NOT_SUPPORTED", f"format with {found.group(0)} is not supported here", node)
    if value.type.name not in _KINDS[letter]:
        if value.type.name in _SHOWN:
            raise fault("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {found.group(0)} of {value.type}", node)
        raise fault("NOT_SUPPORTED", f"format of {value.type} is not supported here", node)
    shown = f"coalesce({_text_of(value)}, 'null')"
    return f"athena_format_value({shown}, {t.literal(flags)}, {width or 0}, {precision or -1}, '{letter}')"


def _text_of(value: Typed) -> str:
    """A value's text as Java has it."""
    if value.type == t.UNKNOWN:
        return "CAST(NULL AS VARCHAR)"
    if value.type.name in {"real", "double"}:
        return f"athena_{value.type.name}_text({value.sql})"
    return varchar_of(value.sql, value.type)

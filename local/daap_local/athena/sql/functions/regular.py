"""Regular expressions: Java's dialect as far as RE2 reads it alike; the rest is refused by name.

Source: https://trino.io/docs/current/functions/regexp.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import cast, coerce
from daap_local.athena.sql.coercion import coercible
from daap_local.athena.sql.functions.special import Special
from daap_local.athena.sql.moments import is_text
from daap_local.athena.sql.patterns import group_count, group_names
from daap_local.athena.sql.python import texts
from daap_local.athena.sql.python.failures import Failed
from daap_local.athena.sql.scopes import Env, Typed, fault


def _pattern(value: Typed, node: exp.Expr) -> str:
    """A pattern as DuckDB SQL: a constant, checked. Raises NOT_SUPPORTED for others."""
    if not value.literal or not isinstance(value.value, str):
        raise fault("NOT_SUPPORTED", f"{node.name} with a pattern that is no constant is not supported here", node)
    return value.value


def _texts(given: list[Typed], count: int) -> bool:
    return len(given) >= count and all(is_text(value) for value in given[:count])


def _null(given: list[Typed], kind: t.Type) -> Typed | None:
    if any(value.type == t.UNKNOWN for value in given):
        return Typed(f"CAST(NULL AS {t.duckdb_type(kind)})", kind)
    return None


def regexp_like(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_like(text, pattern)."""
    if len(given) != 2 or not _texts(given, 2):
        return None
    return _null(given, t.BOOLEAN) or Typed(_call("like", given, node), t.BOOLEAN)


def _call(name: str, given: list[Typed], node: exp.Expr, *more: str) -> str:
    from daap_local.athena.sql.patterns import is_plain, to_re2  # noqa: PLC0415

    pattern = _pattern(given[1], node)
    text = cast(given[0], t.VARCHAR).sql
    native = is_plain(pattern) and (name == "like" or (name == "extract" and not _MAY_MISS.search(pattern)))
    if not native:
        _check(pattern, node)
    way = "athena_regexp" if native else "athena_java_regexp"
    written = t.literal(to_re2(pattern) if way == "athena_regexp" else pattern)
    return f"{way}_{name}({', '.join((text, written, *more))})"


def _check(pattern: str, node: exp.Expr) -> None:
    """Refuse a pattern that Python's engine does not read: it is none, or it is Java's alone."""
    try:
        texts.regexp_like("", pattern)
    except Failed as error:
        if "\\p" in pattern or "&&" in pattern:
            raise fault("NOT_SUPPORTED", f"The regular expression {pattern} is not supported here", node) from error
        raise fault("INVALID_FUNCTION_ARGUMENT", f"Invalid regular expression: {pattern}", node) from error


_MAY_MISS = re.compile(r"\)[?*{]|\|")
"""A group that a match may do without is NULL to Java, and empty to RE2."""


def _group(given: list[Typed], node: exp.Expr) -> str:
    if len(given) < 3:
        return "0"
    if not coercible(given[2].type, t.BIGINT):
        raise fault("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {node.name}", node)
    count = group_count(_pattern(given[1], node))
    if given[2].literal and isinstance(given[2].value, int) and not 0 <= given[2].value <= count:
        raise fault(
            "INVALID_FUNCTION_ARGUMENT", f"Pattern has {count} groups. Cannot access group {given[2].value}", node
        )
    if not given[2].literal:
        raise fault("NOT_SUPPORTED", f"{node.name} with a group that is no constant is not supported here", node)
    return given[2].sql


def regexp_extract(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_extract(text, pattern [, group]): NULL where nothing matches."""
    if len(given) not in {2, 3} or not _texts(given, 2):
        return None
    kind = given[0].type if given[0].type.name == "varchar" else t.VARCHAR
    return _null(given, t.VARCHAR) or Typed(_call("extract", given, node, _group(given, node)), kind)


def regexp_extract_all(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_extract_all(text, pattern [, group])."""
    if len(given) not in {2, 3} or not _texts(given, 2):
        return None
    kind = t.array(given[0].type if given[0].type.name == "varchar" else t.VARCHAR)
    return _null(given, kind) or Typed(_call("extract_all", given, node, _group(given, node)), kind)


def regexp_split(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_split(text, pattern)."""
    if len(given) != 2 or not _texts(given, 2):
        return None
    kind = t.array(given[0].type if given[0].type.name == "varchar" else t.VARCHAR)
    return _null(given, kind) or Typed(_call("split", given, node), kind)


def regexp_count(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_count(text, pattern)."""
    if len(given) != 2 or not _texts(given, 2):
        return None
    return _null(given, t.BIGINT) or Typed(_call("count", given, node), t.BIGINT)


def regexp_position(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_position(text, pattern [, start [, occurrence]]): -1 where nothing matches."""
    if not 2 <= len(given) <= 4 or not _texts(given, 2):
        return None
    more = [coerce(value, t.BIGINT).sql for value in given[2:] if coercible(value.type, t.BIGINT)]
    return _null(given, t.INTEGER) or Typed(_call("position", given, node, *more, *["1"] * (2 - len(more))), t.INTEGER)


def regexp_replace(_env: Env, node: exp.Anonymous, given: list[Typed]) -> Typed | None:
    """regexp_replace(text, pattern [, replacement]): `$1` and `${name}` are groups, `\\` takes the next as it is."""
    if len(given) not in {2, 3} or not _texts(given, len(given)):
        return None
    nothing = _null(given, t.VARCHAR)
    if nothing is not None:
        return nothing
    pattern = _pattern(given[1], node)
    wanted = given[2] if len(given) == 3 else None
    if wanted is not None and (not wanted.literal or not isinstance(wanted.value, str)):
        raise fault(
            "NOT_SUPPORTED", "regexp_replace with a replacement that is no constant is not supported here", node
        )
    template = _template(str(wanted.value), pattern, node) if wanted is not None else ""
    return Typed(_call("replace", given, node, t.literal(template)), _replaced_type(given))


def _replaced_type(given: list[Typed]) -> t.Type:
    """The longest that a replacement can make of a text of bounded length."""
    if not given[0].type.params:
        return t.VARCHAR
    size = given[0].type.params[0]
    if len(given) == 2:
        return t.varchar(size)
    added = given[2].type.params[0] if given[2].type.params else 2**31 - 1
    return t.varchar(min(2**31 - 1, size + max(size * added // 2, added) * (size + 1)))


def _template(text: str, pattern: str, node: exp.Expr) -> str:
    """A Java replacement as a Python one. Raises INVALID_FUNCTION_ARGUMENT for groups that the pattern has not."""
    names, count = group_names(pattern), group_count(pattern)

    def part(found: re.Match[str]) -> str:
        if found.group("escaped") is not None:
            return _literal(found.group("escaped"))
        if found.group("name") is not None:
            number = names.get(found.group("name"), -1)
        elif found.group("number") is not None:
            return _numbered(found.group("number"), count, node)
        else:
            raise fault("INVALID_FUNCTION_ARGUMENT", "Illegal replacement sequence: illegal group reference", node)
        if number < 0:
            raise fault(
                "INVALID_FUNCTION_ARGUMENT",
                f"Illegal replacement sequence: unknown group {{ {found.group('name')} }}",
                node,
            )
        return rf"\g<{number}>"

    pieces = re.compile(
        r"\\(?P<escaped>.)|\$\{(?P<name>\w+)\}|\$(?P<number>[0-9]+)|(?P<bad>\$|\\)|(?P<plain>[^$\\]+)", re.DOTALL
    )
    return "".join(
        _literal(found.group("plain")) if found.group("plain") else part(found) for found in pieces.finditer(text)
    )


def _literal(text: str) -> str:
    return text.replace("\\", r"\\")


def _numbered(digits: str, count: int, node: exp.Expr) -> str:
    """As many digits as make a group that there is; the rest is text."""
    for end in range(len(digits), 0, -1):
        if int(digits[:end]) <= count:
            return rf"\g<{int(digits[:end])}>{digits[end:]}"
    raise fault("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {digits}", node)


REGULAR: Mapping[str, Special] = MappingProxyType({
    "regexp_like": regexp_like, "regexp_extract": regexp_extract, "regexp_extract_all": regexp_extract_all,
    "regexp_split": regexp_split, "regexp_count": regexp_count, "regexp_position": regexp_position,
    "regexp_replace": regexp_replace,
})  # fmt: skip

"""Signatures of functions as data: `strpos(varchar, varchar) -> bigint`, and which of several a call means.

Single capitals stand for any type (the same one wherever they occur), `E` for any
type whose values the function compares, `S` for varchar of any length, `D` for a decimal;
`...` after the last parameter lets it occur any number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daap_local.athena.faults import unsupported
from daap_local.athena.sql import types as t
from daap_local.athena.sql.casts import coerce
from daap_local.athena.sql.coercion import coercible, common
from daap_local.athena.sql.scopes import Typed
from daap_local.athena.sql.types import Type

Bindings = dict[str, Type]


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function, and the DuckDB SQL it becomes: `{0}`, `{1}` are arguments, `{args}` all of them."""

    parameters: tuple[Type, ...]
    result: Type
    template: str
    repeats: bool = False

    def accepts(self, count: int) -> bool:
        """Whether it takes so many arguments."""
        return count == len(self.parameters) or (self.repeats and count >= len(self.parameters) - 1)

    def parameters_for(self, count: int) -> tuple[Type, ...]:
        """A parameter for each argument."""
        if not self.repeats:
            return self.parameters
        return self.parameters[:-1] + self.parameters[-1:] * (count - len(self.parameters) + 1)


_VARIABLE = re.compile(r"\b([A-Z])\b")


def _type(text: str) -> Type:
    """A parameter's type; a variable is a type of that name."""
    if re.fullmatch(r"[A-Z]", text):
        return Type(text)
    found = re.fullmatch(r"(array|map)\((.*)\)", text)
    if found and _VARIABLE.search(text):
        return Type(found.group(1), args=tuple(_type(part) for part in _parts(found.group(2))))
    return t.parse_type(text)


def _parts(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


def read_signatures(table: Mapping[str, str]) -> dict[str, tuple[Signature, ...]]:
    """Signatures by the function's name, from texts such as `upper(S) -> S`; an empty template is a call as it is."""
    found: dict[str, tuple[Signature, ...]] = {}
    for text, template in table.items():
        name, signature = _read(text, template)
        found[name] = (*found.get(name, ()), signature)
    return found


def _read(text: str, template: str) -> tuple[str, Signature]:
    head, _, result = text.partition(" -> ")
    name, _, inner = head.partition("(")
    parts = _parts(inner[:-1])
    repeats = bool(parts) and parts[-1].endswith("...")
    parameters = tuple(_type(part.removesuffix("...")) for part in parts)
    return name, Signature(parameters, _type(result), template or f"{name}({{args}})", repeats)


def call(signatures: Iterable[Signature], arguments: list[Typed]) -> Typed | None:
    """The call by the signature that fits best, its arguments coerced; None if none fits."""
    best: tuple[int, Signature, Bindings] | None = None
    for signature in signatures:
        fit = _fit(signature, arguments)
        if fit is not None and (best is None or fit[0] < best[0]):
            best = (fit[0], signature, fit[1])
    return _applied(best[1], best[2], arguments) if best is not None else None


def _fit(signature: Signature, arguments: list[Typed]) -> tuple[int, Bindings] | None:
    """How many arguments need a coercion, and what the variables stand for."""
    if not signature.accepts(len(arguments)):
        return None
    parameters = signature.parameters_for(len(arguments))
    bindings: Bindings = {}
    for parameter, argument in zip(parameters, arguments, strict=True):
        if not _bind(parameter, argument.type, bindings):
            return None
    wanted = [resolved(parameter, bindings) for parameter in parameters]
    if not all(coercible(argument.type, kind) for argument, kind in zip(arguments, wanted, strict=True)):
        return None
    return sum(_distance(argument.type, kind) for argument, kind in zip(arguments, wanted, strict=True)), bindings


def _distance(source: Type, target: Type) -> int:
    """How far a coercion goes: none within varchar, less among like types than across kinds."""
    if source == target or source.name == target.name:
        return 0
    order = t.NUMERIC
    if source.name in order and target.name in order:
        return order.index(target.name) - order.index(source.name)
    return 1


def _bind(parameter: Type, argument: Type, bindings: Bindings) -> bool:
    if parameter.name == "S" and not (argument.name == "varchar" or argument == t.UNKNOWN):
        return False
    if parameter.name == "D" and argument.name != "decimal":
        return False
    if len(parameter.name) == 1:
        return _bind_variable(parameter.name, argument, bindings)
    if argument == t.UNKNOWN or not parameter.args:
        return True
    if argument.name != parameter.name:
        return False
    return all(_bind(one, other, bindings) for one, other in zip(parameter.args, argument.args, strict=True))


def _bind_variable(name: str, argument: Type, bindings: Bindings) -> bool:
    shared = common(bindings.get(name, t.UNKNOWN), argument)
    if shared is None:
        return False
    bindings[name] = shared
    return True


def resolved(kind: Type, bindings: Bindings) -> Type:
    """A type with its variables replaced."""
    if len(kind.name) == 1:
        bound = bindings.get(kind.name, t.UNKNOWN)
        return t.varchar(0) if kind.name == "S" and bound == t.UNKNOWN else bound
    if kind.args:
        return Type(kind.name, kind.params, tuple(resolved(part, bindings) for part in kind.args), kind.fields)
    return kind


def _applied(signature: Signature, bindings: Bindings, arguments: list[Typed]) -> Typed:
    _check_compared(bindings.get("E", t.UNKNOWN), arguments)
    wanted = [resolved(parameter, bindings) for parameter in signature.parameters_for(len(arguments))]
    given = [coerce(argument, kind).sql for argument, kind in zip(arguments, wanted, strict=True)]
    return Typed(filled(signature.template, given), resolved(signature.result, bindings))


def _check_compared(kind: Type, arguments: list[Typed]) -> None:
    """Raises NOT_SUPPORTED where DuckDB would take one moment in two zones for two values."""
    if t.with_zone(kind) and any(t.with_zone(one.type) and one.zone is None for one in arguments):
        raise unsupported(f"Comparing values of {kind} whose time zones may differ, inside of a function,")


def filled(template: str, given: list[str]) -> str:
    """A template with its arguments put in."""

    def part(found: re.Match[str]) -> str:
        return ", ".join(given) if found.group(1) == "args" else given[int(found.group(1))]

    return re.sub(r"\{(args|\d)\}", part, template)


def described(signatures: Iterable[Signature], name: str) -> str:
    """The ways to call a function, for a message."""
    return ", ".join(f"{name}({', '.join(str(part) for part in one.parameters)})" for one in signatures)

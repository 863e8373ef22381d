"""Reading a product's spec: YAML or plain data in, a Product or every problem with its path out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from daap.errors import InvalidSpec, SpecProblem
from daap.model.product import GENERATED, Product
from daap.model.table import TableSchema

_MAX_BYTES = 8 << 20


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a key may stand only once: of two, one would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a key has to be plain text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 2026-01-31 as a date and 1:30 as 90; in a spec, all such text is text.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_spec(text: str | bytes) -> Product:
    """The product that a YAML document describes; raises InvalidSpec with every problem found."""
    if len(text) > _MAX_BYTES:
        raise InvalidSpec([SpecProblem("", f"the spec is larger than {_MAX_BYTES >> 20} MiB")])
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidSpec([SpecProblem("", f"this is no YAML: {_place(error)}")]) from None
    return build_product(data)


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or error}{where}"


def build_schema(data: object) -> TableSchema:
    """The schema of a table in plain data; raises InvalidSpec with every problem found."""
    if not isinstance(data, Mapping):
        raise InvalidSpec([SpecProblem("schema", "is a mapping of fields: tableDescription, columns, ...")])
    try:
        return TableSchema.model_validate(data)
    except ValidationError as error:
        raise InvalidSpec([_describe(detail, TableSchema) for detail in _own_errors(error)]) from None


def build_product(data: object) -> Product:
    """The product in plain data; raises InvalidSpec with every problem found."""
    if not isinstance(data, Mapping):
        raise InvalidSpec([SpecProblem("", "a spec is a mapping of fields: name, description, ..., tables")])
    problems = [
        SpecProblem(str(field), "is set by daap; remove it") for field in data if field in GENERATED
    ]  # fmt: skip
    try:
        product = Product.model_validate({k: v for k, v in data.items() if k not in GENERATED})
    except ValidationError as error:
        problems += [_describe(detail) for detail in _own_errors(error)]
    if problems:
        raise InvalidSpec(problems)
    return product


def _own_errors(error: ValidationError) -> list[ErrorDetails]:
    """The errors, without those that follow from others: a list is not too short if its items are wrong."""
    details = error.errors(include_url=False)
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(d["loc"][: len(detail["loc"])] == detail["loc"] for d in details if d is not detail)
    ]


def _describe(detail: ErrorDetails, model: type[BaseModel] = Product) -> SpecProblem:
    if detail["type"] == "extra_forbidden":
        return SpecProblem(_path(detail["loc"]), _unknown(detail, model))
    return SpecProblem(_path(detail["loc"]), _MESSAGES.get(detail["type"], _plain)(detail))


def _path(location: tuple[int | str, ...]) -> str:
    """`tables.march.columns[2].type`."""
    path = ""
    for part in location:
        if part == "[key]":
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _plain(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _unknown(detail: ErrorDetails, model: type[BaseModel]) -> str:
    if detail["loc"][-1] in GENERATED:
        return "is set by daap; remove it"
    return f"is no field here; allowed are {', '.join(_allowed_fields(detail['loc'], model))}"


def _allowed_fields(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The fields of the model that a location lies in, by the published JSON Schema."""
    schema = model.model_json_schema(by_alias=True)
    node: dict[str, Any] = schema
    for part in location[:-1]:
        node = _resolve(schema, node["items"] if isinstance(part, int) else _child(node, part))
    return list(node.get("properties", {}))


def _child(node: dict[str, Any], part: str) -> dict[str, Any]:
    if part in node.get("properties", {}):
        named: dict[str, Any] = node["properties"][part]
        return named
    # A mapping of names: its values are described below the pattern of its keys, where these have one.
    described = [*node.get("patternProperties", {}).values(), node.get("additionalProperties", {})]
    child: dict[str, Any] = described[0]
    return child


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        found: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
        return found
    return node


_MESSAGES: dict[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda _detail: "is missing",
    "literal_error": lambda detail: f"is {detail['input']!r}; allowed are {detail['ctx']['expected']}",
    "bool_type": lambda detail: f"is {detail['input']!r}; allowed are true and false",
    "tuple_type": lambda _detail: "is no list",
    "too_short": lambda _detail: "needs at least one entry",
    "string_too_short": lambda _detail: "is empty",
    "bool_parsing": lambda detail: f"is {detail['input']!r}; allowed are true and false",
    "greater_than_equal": lambda detail: f"is {detail['input']!r}; at least {detail['ctx']['ge']} is allowed",
    "less_than_equal": lambda detail: f"is {detail['input']!r}; at most {detail['ctx']['le']} is allowed",
    "invalid_key": lambda _detail: "has a name that is no text; put quotes around it",
    "string_type": lambda detail: f"is {detail['input']!r}, not text; put quotes around it",
}

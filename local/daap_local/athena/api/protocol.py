"""AWS JSON 1.1: requests checked against, and answers cut to, the shapes of botocore's service models.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from daap_local.athena.api.faults import ApiFault

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

    Shape = Any  # a structure, a list, a map or a plain value: which one is told by its type_name

Json = dict[str, Any]
Operation = Callable[[Json], "Json | None"]


@functools.cache
def load_model(service: str) -> ServiceModel:
    """botocore's model of a service; loaded when it is first needed."""
    from botocore.loaders import Loader  # noqa: PLC0415 - takes a tenth of a second
    from botocore.model import ServiceModel  # noqa: PLC0415

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@dataclass(frozen=True, slots=True)
class Service:
    """One JSON service: its operations by name, and the exception it answers to a request of the wrong shape."""

    name: str
    operations: Mapping[str, Operation]
    invalid: Callable[[str], ApiFault]
    translate: Callable[[Exception], ApiFault | None] = lambda _error: None

    def answer(self, operation: str, body: bytes) -> tuple[int, Json]:
        """Status and body of the answer to one request."""
        try:
            return 200, self._call(operation, body)
        except ApiFault as fault:
            return _refusal(fault)
        except Exception as error:
            fault_or_none = self.translate(error)
            if fault_or_none is None:
                raise
            return _refusal(fault_or_none)

    def _call(self, operation: str, body: bytes) -> Json:
        model = self._model_of(operation)
        given = self._read(body)
        self._check(given, model)
        answer = self.operations[operation](given) or {}
        shaped = shape_answer(answer, model.output_shape) if model.output_shape else {}
        return shaped if isinstance(shaped, dict) else {}

    def _model_of(self, operation: str) -> OperationModel:
        model = load_model(self.name)
        if operation not in model.operation_names:
            raise ApiFault("UnknownOperationException", f"{self.name} has no operation {operation!r}")
        if operation not in self.operations:
            raise self.invalid(f"the operation {operation} is not supported here")
        return model.operation_model(operation)

    def _read(self, body: bytes) -> Json:
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            raise ApiFault("SerializationException", "the request's body is no JSON") from None
        if not isinstance(given, dict):
            raise ApiFault("SerializationException", "the request's body is no JSON object")
        return given

    def _check(self, given: Json, model: OperationModel) -> None:
        from botocore.validate import ParamValidator  # noqa: PLC0415 - as above

        if model.input_shape is None:
            return
        report = ParamValidator().validate(given, model.input_shape)
        problems = report.generate_report() if report.has_errors() else find_problem(given, model.input_shape, "")
        if problems:
            raise self.invalid(problems)


def _refusal(fault: ApiFault) -> tuple[int, Json]:
    return fault.status, {"__type": fault.code, "message": str(fault), "Message": str(fault), **fault.fields}


def find_problem(value: Any, shape: Shape, path: str) -> str:  # noqa: ANN401 - JSON, and botocore's shapes
    """What botocore's own validator leaves out: the most, the patterns and the choices. Empty where all is well."""
    inner = _inner(value, shape, path)
    for part, part_shape, part_path in inner:
        if part is not None and (problem := find_problem(part, part_shape, part_path)):
            return problem
    return _own_problem(value, shape, path)


def _inner(value: Any, shape: Shape, path: str) -> list[tuple[Any, Shape, str]]:  # noqa: ANN401 - JSON
    if shape.type_name == "structure":
        return [(value[n], s, f"{path}.{_camel(n)}".lstrip(".")) for n, s in shape.members.items() if n in value]
    if shape.type_name == "list":
        return [(one, shape.member, f"{path}.{at}.member") for at, one in enumerate(value, 1)]
    return []


def _own_problem(value: Any, shape: Shape, path: str) -> str:  # noqa: ANN401 - JSON, and botocore's shapes
    rules = shape.metadata
    size = value if isinstance(value, int) else len(value) if isinstance(value, str | list) else 0
    if "max" in rules and size > rules["max"]:
        measure = "value" if isinstance(value, int) else "length"
        return _constraint(value, path, f"Member must have {measure} less than or equal to {rules['max']}")
    if isinstance(value, str) and "enum" in rules and value not in rules["enum"]:
        return _constraint(value, path, f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]")
    if isinstance(value, str) and "pattern" in rules and not _matches(rules["pattern"], value):
        return _constraint(value, path, f"Member must satisfy regular expression pattern: {rules['pattern']}")
    return ""


def _constraint(value: Any, path: str, rule: str) -> str:  # noqa: ANN401 - JSON
    return f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: {rule}"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _matches(pattern: str, value: str) -> bool:
    """Patterns with Java's surrogate ranges or classes, which Python reads otherwise, are let pass."""
    if "\\u" in pattern or "\\p" in pattern:
        return True
    return re.fullmatch(pattern, value) is not None


def shape_answer(value: Any, shape: Shape) -> Any:  # noqa: ANN401 - JSON
    """`value` with what the shape knows, without Nones, and times as seconds since 1970."""
    if value is None:
        return None
    if shape.type_name == "structure":
        pairs = ((name, shape_answer(value.get(name), member)) for name, member in shape.members.items())
        return {name: part for name, part in pairs if part is not None}
    if shape.type_name == "list":
        return [shape_answer(one, shape.member) for one in value]
    if shape.type_name == "map":
        return {key: shape_answer(one, shape.value) for key, one in value.items()}
    return value.timestamp() if isinstance(value, datetime) else value

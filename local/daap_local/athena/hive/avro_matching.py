"""A file's Avro schema beside a table's: the reader's schema for fastavro, or why there is none.

fastavro resolves the two by the specification. What Trino does otherwise is settled here: it does not ask for equal
names of records, asks for those of enums and fixed types, takes logical types from the table and not from the file,
and fails on opening where fastavro would by a value.
Source: https://avro.apache.org/docs/1.11.1/specification/#schema-resolution
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count

from daap_local.athena.faults import AthenaFault, unsupported
from daap_local.athena.hive.avro_schema import Schema

_PROMOTED = {
    "int": ("long", "float", "double"), "long": ("float", "double"), "float": ("double",), "string": ("bytes",),
    "bytes": ("string",),
}  # fmt: skip
_HELD = {**_PROMOTED, "enum": ("string",), "fixed": ("bytes",)}
"""What else a column may hold of the table's own schema."""
_ALIKE = {"timestamp-millis": ("timestamp-millis", "local-timestamp-millis", ""), "date": ("date", "")}
"""The file's logical types that the table's can be read from; of its own schema, the first alone."""
_DEFAULTS = frozenset({"boolean", "int", "long", "float", "double", "string", "enum"})


class Unresolved(AthenaFault):
    """A file's schema that cannot be read as the table's."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__("HIVE_CANNOT_OPEN_SPLIT", f"Avro type resolution error: found {found}, expecting {wanted}")


def plain_schema(found: Schema) -> Schema:
    """A file's schema without logical types, so that values come as they lie there; decimals alone stay."""
    return json.loads(json.dumps(found), object_hook=_plain_part)


def _plain_part(found: Schema) -> Schema:
    return {key: value for key, value in found.items() if key != "logicalType" or _is_decimal(found)}


class Matching:
    """The named types of one file, or of the table's `own` schema; the reader's get names of their own."""

    def __init__(self, named: Mapping[str, Schema], *, own: bool = False) -> None:
        self._named, self._own, self._numbers = named, own, count()
        self._promoted = _HELD if own else _PROMOTED

    def schema(self, found: Schema, wanted: Schema) -> Schema:
        """The reader's schema: the table's in the shape of the file's. Raises AthenaFault."""
        if isinstance(found, list):
            return self._union(found, wanted)
        found = self._named.get(found, found) if isinstance(found, str) else found
        wanted, nullable = _without_null(wanted)
        kind, as_kind = _kind(found), _kind(wanted)
        if kind == "null" and nullable:
            return "null"
        if as_kind != kind and as_kind not in self._promoted.get(kind, ()):
            raise Unresolved(kind, as_kind)
        if kind in ("array", "map"):
            inner = "items" if kind == "array" else "values"
            return {"type": kind, inner: self.schema(found[inner], wanted[inner])}
        if kind == "record":
            return self._new(found, fields=[self._field(found["fields"], field) for field in wanted["fields"]])
        if as_kind in ("enum", "fixed"):
            if (found["name"], found.get("size")) != (wanted["name"], wanted.get("size")):
                raise Unresolved(found["name"], wanted["name"])
            return self._new(found, **{key: wanted[key] for key in ("size", "symbols", "default") if key in wanted})
        return self._simple(found, wanted)

    def _union(self, found: Schema, wanted: Schema) -> Schema:
        """A branch may be of another type as long as no value is."""
        branches, problem = [], Unresolved("an empty union", "a type")
        for branch in found:
            try:
                branches.append(self.schema(branch, wanted))
            except Unresolved as error:
                problem = error
        if not branches:
            raise problem
        return branches

    def _field(self, found: Schema, wanted: Schema) -> Schema:
        name = wanted["name"]
        fields = [field for field in found if field["name"] in (name, *wanted.get("aliases", ()))]
        if len(fields) > 1:
            raise Unresolved("several fields", name)
        if not fields:
            if any(field["name"].lower() == name.lower() for field in found):
                raise unsupported(f"the column {name} for an Avro field with capitals")
            return {"name": name, **_default(wanted)}
        schema = self.schema(fields[0]["type"], wanted["type"])
        return {"name": name, "aliases": [fields[0]["name"]], "type": schema}

    def _simple(self, found: Schema, wanted: Schema) -> Schema:
        logical, as_logical = _logical(found), _logical(wanted)
        if (_is_decimal(found) or _is_decimal(wanted)) and _digits(found) != _digits(wanted):
            raise Unresolved(_digits(found), _digits(wanted))
        if as_logical in _ALIKE and logical not in _ALIKE[as_logical][: 1 if self._own else None]:
            raise unsupported(f"reading Avro's {logical or _kind(found)} as {as_logical}")
        return _kind(wanted)

    def _new(self, found: Schema, **parts: Schema) -> Schema:
        names = {"name": f"daap_wanted_{next(self._numbers)}", "aliases": [found["name"]]}
        return {"type": found["type"], **names, **parts}


def _default(wanted: Schema) -> Schema:
    """The type and the value of a field that a file does not have."""
    from fastavro.validation import validate  # noqa: PLC0415 - slow to import, and seldom needed

    _without_null(wanted["type"])
    if "default" not in wanted:
        raise Unresolved("nothing", f"the required field {wanted['name']}")
    first = wanted["type"][0] if isinstance(wanted["type"], list) else wanted["type"]
    kind, default = _kind(first), wanted["default"]
    if kind not in _DEFAULTS | {"null"} or not validate(default, first, raise_errors=False):
        raise unsupported(f"the Avro default {default} of type {kind}")
    return {"type": "string" if kind == "enum" else kind, "default": default}


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    """What a union with null is beside it, and whether it is one."""
    if not isinstance(schema, list):
        return schema, False
    others = [one for one in schema if one != "null"]
    if len(others) != 1:
        raise unsupported(f"an Avro union of {len(others)} types")
    return others[0], len(others) < len(schema)


def _kind(schema: Schema) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _logical(schema: Schema) -> str:
    return str(schema.get("logicalType", "")) if isinstance(schema, dict) else ""


def _is_decimal(schema: Schema) -> bool:
    return (_kind(schema), _logical(schema)) == ("bytes", "decimal")


def _digits(schema: Schema) -> str:
    return f"decimal({schema['precision']},{schema.get('scale', 0)})" if _is_decimal(schema) else _kind(schema)

"""What differs between two schemas or two metadata, and how large a step of the version that makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from daap.model.product import Metadata
from daap.model.table import Column, TableSchema

Increment = Literal["minor", "major"]

COLUMN_ORDER = "columnOrder"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The difference between two schemas of a table: names of columns, and of other fields.

    `rules` are columns whose text is read otherwise (format, nullValues, required, ...); the type and
    so the stored data keep their shape. `required` are the added columns that may not be NULL.
    """

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the schemas are the same."""
        return self == SchemaChange()

    @property
    def increment(self) -> Increment:
        """`major` where queries or snapshots of the old schema do not fit the new one."""
        return "major" if self.removed or self.types or self.required else "minor"

    def dump(self) -> dict[str, Any]:
        """As clients know it: null for what did not change."""
        return {
            "columns": {
                "removed_columns": _listed(self.removed),
                "added_columns": _listed(self.added),
                "types_changed": _listed(self.types),
                "descriptions_changed": _listed(self.descriptions),
                "rules_changed": _listed(self.rules),
            },
            "non_column_fields": _listed(self.other),
        }


def _listed(names: tuple[str, ...]) -> list[str] | None:
    return list(names) or None


def compare_schemas(old: TableSchema, new: TableSchema) -> SchemaChange:
    """The difference of `new` from `old`. Columns are matched by name."""
    before, after = _by_name(old), _by_name(new)
    both = [(before[name], after[name]) for name in before if name in after]
    return SchemaChange(
        removed=tuple(name for name in before if name not in after),
        added=tuple(name for name in after if name not in before),
        required=tuple(name for name, column in after.items() if name not in before and column.required),
        types=tuple(a.name for a, b in both if a.type != b.type),
        descriptions=tuple(a.name for a, b in both if a.description != b.description),
        rules=tuple(a.name for a, b in both if _rules(a) != _rules(b)),
        other=_other_fields(old, new, [a.name for a, _ in both]),
    )


def _by_name(schema: TableSchema) -> dict[str, Column]:
    return {column.name: column for column in schema.columns}


def _rules(column: Column) -> dict[str, Any]:
    return {k: v for k, v in column.dump().items() if k not in ("name", "type", "description")}


def _other_fields(old: TableSchema, new: TableSchema, both: list[str]) -> tuple[str, ...]:
    fields = []
    if old.table_description != new.table_description:
        fields.append("tableDescription")
    if old.dialect != new.dialect:
        fields.append("dialect")
    if [column.name for column in new.columns if column.name in set(both)] != both:
        fields.append(COLUMN_ORDER)
    return tuple(fields)


def changed_fields(old: Metadata, new: Metadata) -> tuple[str, ...]:
    """The metadata fields that differ, as a spec names them."""
    before, after = old.dump(), new.dump()
    return tuple(sorted(field for field in before.keys() | after.keys() if before.get(field) != after.get(field)))


def compare_products(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What changed between two specs: metadata fields with both values, tables added, removed and changed."""
    ours, theirs = old.get("tables", {}), new.get("tables", {})
    fields = sorted((old.keys() | new.keys()) - {"tables", "files"})
    return {
        "metadata": {
            field: {"from": old.get(field), "to": new.get(field)}
            for field in fields
            if old.get(field) != new.get(field)
        },
        "tables_added": sorted(theirs.keys() - ours.keys()),
        "tables_removed": sorted(ours.keys() - theirs.keys()),
        "tables_changed": {
            table: _compare_dumps(ours[table], theirs[table])
            for table in sorted(ours.keys() & theirs.keys())
            if ours[table] != theirs[table]
        },
        "files": sorted(old.get("files", {}).keys() ^ new.get("files", {}).keys()),
    }


def _compare_dumps(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return compare_schemas(TableSchema.model_validate(old), TableSchema.model_validate(new)).dump()

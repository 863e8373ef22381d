"""What differs between two schemas or specs, and which step of the version that makes."""

from __future__ import annotations

import pytest

from daap.registry.changes import COLUMN_ORDER, SchemaChange, changed_fields, compare_products, compare_schemas
from tests.support.lakes import make_product, make_table

OLD = make_table("a int", "b string", "c date")
SAME: dict[str, object] = {"name": "a", "type": "int"}

MINOR = {
    "a nullable column at the end": make_table("a int", "b string", "c date", "d int"),
    "a nullable column in the middle": make_table("a int", "x int", "b string", "c date"),
    "a description": make_table(SAME | {"description": "The number"}, "b string", "c date"),
    "a format": make_table("a int", "b string", {"name": "c", "type": "date", "format": "%d/%m/%Y"}),
    "texts that mean NULL": make_table(SAME | {"nullValues": ["-"]}, "b string", "c date"),
    "a column that is required from now on": make_table(SAME | {"required": True}, "b string", "c date"),
    "a column that is personal from now on": make_table(SAME | {"personal": True}, "b string", "c date"),
    "another order": make_table("b string", "a int", "c date"),
    "another delimiter": make_table("a int", "b string", "c date", delimiter=";"),
}
MAJOR = {
    "a column removed": make_table("a int", "b string"),
    "a type changed": make_table("a bigint", "b string", "c date"),
    "a length given": make_table("a int", "b varchar(10)", "c date"),
    "a column renamed": make_table("a int", "b string", "day date"),
    "a required column added": make_table(
        "a int", "b string", "c date", {"name": "d", "type": "int", "required": True}
    ),
    "one added and one removed": make_table("a int", "b string", "d int"),
}


@pytest.mark.parametrize("what", MINOR)
def test_what_old_queries_and_snapshots_fit_is_minor(what):
    change = compare_schemas(OLD, MINOR[what])
    assert not change.is_empty
    assert change.increment == "minor"


@pytest.mark.parametrize("what", MAJOR)
def test_what_they_do_not_fit_is_major(what):
    assert compare_schemas(OLD, MAJOR[what]).increment == "major"


@pytest.mark.parametrize("schema", [OLD, *MINOR.values(), *MAJOR.values()])
def test_a_schema_does_not_differ_from_itself(schema):
    assert compare_schemas(schema, schema) == SchemaChange()
    assert compare_schemas(schema, schema).is_empty


@pytest.mark.parametrize("what", [*MINOR, *MAJOR])
def test_a_change_and_its_way_back_name_the_same_columns(what):
    new = (MINOR | MAJOR)[what]
    there, back = compare_schemas(OLD, new), compare_schemas(new, OLD)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert (there.types, there.descriptions, there.rules) == (back.types, back.descriptions, back.rules)
    assert there.other == back.other


def test_each_kind_of_change_is_told_apart():
    new = make_table(
        {"name": "c", "type": "date", "format": "%d/%m/%Y"}, "a bigint", {"name": "e", "type": "int", "required": True},
        "d int", delimiter=";",
    )  # fmt: skip
    assert compare_schemas(OLD, new).dump() == {
        "columns": {
            "removed_columns": ["b"], "added_columns": ["e", "d"], "types_changed": ["a"],
            "descriptions_changed": None, "rules_changed": ["c"],
        },
        "non_column_fields": ["dialect", COLUMN_ORDER],
    }  # fmt: skip


def test_a_column_between_others_does_not_change_their_order():
    assert compare_schemas(OLD, make_table("x int", "a int", "y int", "b string", "c date")).other == ()


def test_metadata_fields_are_named_as_in_a_spec():
    old = make_product().metadata
    new = old.model_copy(update={"data_product_owner": "other", "tags": {"a": "b"}})
    assert changed_fields(old, new) == ("dataProductOwner", "tags")
    assert changed_fields(old, old) == ()


class TestProducts:
    def test_two_versions_are_compared_field_by_field_and_table_by_table(self):
        old = make_product(tables=("orders", "sales"))
        spec = make_product(tables=("orders", "returns")).dump() | {"domain": "other", "tags": {"a": "b"}}
        spec["tables"]["orders"] = MAJOR["a type changed"].dump()
        told = compare_products(old.dump(), spec)
        assert told["metadata"] == {
            "domain": {"from": "test", "to": "other"}, "tags": {"from": None, "to": {"a": "b"}},
        }  # fmt: skip
        assert (told["tables_added"], told["tables_removed"]) == (["returns"], ["sales"])
        assert list(told["tables_changed"]) == ["orders"]
        assert told["tables_changed"]["orders"]["columns"]["removed_columns"] == ["id", "customer", "amount"]
        assert told["files"] == []

    def test_a_product_does_not_differ_from_itself(self):
        spec = make_product().dump()
        assert compare_products(spec, spec) == {
            "metadata": {}, "tables_added": [], "tables_removed": [], "tables_changed": {}, "files": [],
        }  # fmt: skip

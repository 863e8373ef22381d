"""Schemas and specs as plain data: what is wrong is told by its path, and nothing else ever happens."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.errors import InvalidChange, InvalidSpec
from daap.model.table import TableSchema
from daap.registry.amend import amend_metadata, insert_table, replace_schema
from daap.registry.spec import build_product, build_schema
from tests.support.lakes import make_product, make_table

GOOD = {"tableDescription": "x", "columns": [{"name": "id", "type": "int"}]}


def problems(data: object) -> dict[str, str]:
    with pytest.raises(InvalidSpec) as told:
        build_schema(data)
    return {problem.path: problem.message for problem in told.value.problems}


def test_a_schema_comes_back_as_it_was_given():
    schema = make_table(
        {"name": "day", "type": "date", "format": "%d/%m/%Y", "required": True, "personal": True, "nullValues": ["-"]},
        "n decimal(18,2)", delimiter=";", encoding="utf-16",
    )  # fmt: skip
    assert build_schema(schema.dump()) == schema


@pytest.mark.parametrize("data", [None, [], "x", 7, True])
def test_what_is_no_mapping_is_told_so(data):
    assert "mapping" in problems(data)["schema"]


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({"columns": None}, "columns", "no list"),
        ({"columns": []}, "columns", "at least one"),
        ({"columns": ["id"]}, "columns[0]", ""),
        ({"columns": [{"name": "id"}]}, "columns[0].type", "missing"),
        ({"columns": [{"name": "Id", "type": "int"}]}, "columns[0].name", "not allowed"),
        ({"columns": [{"name": "load_timestamp", "type": "int"}]}, "columns[0].name", "reserved"),
        ({"columns": [{"name": "id", "type": "money"}]}, "columns[0].type", "decimal(p,s)"),
        ({"columns": [{"name": "id", "type": "int", "color": 1}]}, "columns[0].color", "allowed are name, type"),
        ({"columns": [{"name": "id", "type": "int", "required": "x"}]}, "columns[0].required", "true and false"),
        ({"columns": [{"name": "a", "type": "int"}] * 2}, "columns", "same standard name"),
        ({"dialect": {"delimiter": "||"}}, "dialect.delimiter", "one plain character"),
        ({"dialect": {"color": 1}}, "dialect.color", "allowed are delimiter"),
        ({"dialect": {"encoding": "ebcdic"}}, "dialect.encoding", "allowed are"),
        ({"tableDescription": 7}, "tableDescription", "not text"),
        ({"color": 1}, "color", "allowed are tableDescription, columns, dialect"),
        ({"version": "v1.0"}, "version", "set by daap"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(changed, path, said):
    assert said in problems(GOOD | changed)[path]


def test_every_problem_is_told_at_once():
    columns = [{"name": "A", "type": "x"}, {"type": "int"}, {"name": "b", "type": "int", "format": "%d"}]
    assert len(problems({"columns": columns})) == 5


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["tableDescription", "columns", "dialect", "name", "type", "tables", "files", "tags", "email", "x"]
)
COLUMN = st.dictionaries(
    st.sampled_from(["name", "type", "format", "required", "nullValues", "x"]), ANYTHING, max_size=4
)
DATA = ANYTHING | st.dictionaries(FIELDS, ANYTHING | st.lists(COLUMN, max_size=3) | st.dictionaries(FIELDS, COLUMN))


@given(DATA)
def test_whatever_is_given_is_a_schema_or_refused(data):
    with suppress(InvalidSpec):
        assert isinstance(build_schema(data), TableSchema)
    merged = GOOD | data if isinstance(data, dict) else data
    with suppress(InvalidSpec):
        assert build_schema(merged).dump()


@given(DATA)
def test_whatever_is_given_is_a_product_or_refused(data):
    merged = make_product().dump() | data if isinstance(data, dict) else data
    with suppress(InvalidSpec):
        product = build_product(merged)
        assert build_product(product.dump()) == product


@given(DATA)
def test_whatever_is_given_amends_the_metadata_or_is_refused(data):
    before = make_product()
    with suppress(InvalidSpec, InvalidChange):
        after = amend_metadata(before, data)
        assert (after.name, after.tables, after.files) == (before.name, before.tables, before.files)
        assert after != before


@pytest.mark.parametrize("name", ["orders_latest", "ORDERS", "Papers", "x", "1x", "a-b", "../x", "", "x" * 129])
def test_a_table_that_may_not_be_called_so_is_refused(name):
    with pytest.raises(InvalidSpec):
        insert_table(make_product(), name, make_table())


def test_a_change_of_one_table_leaves_the_others_and_their_order():
    before = make_product()
    after = replace_schema(before, "sales", make_table("id int"))
    assert list(after.tables) == list(before.tables)
    assert after.tables["orders"] == before.tables["orders"]
    assert after.metadata == before.metadata

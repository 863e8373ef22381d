"""The value contract as SQL of Athena, asked of daap's own Athena, and the statements it makes."""

from __future__ import annotations

import pytest

from daap.engines.duckdb.sql import literal
from daap.errors import InvalidQuery
from daap.model.table import Column
from daap_cloud.athena.sql import select_values, typed_value, unload
from tests.contract.test_engine import REFUSED, TAKEN, TOO_LONG, column_spec
from tests.oracle.contract import Misfit, read_field
from tests.oracle.harness import make_schema
from tests.oracle.near_misses import NEAR_MISSES
from tests.support.remote_engine import Cloud, shared_cloud

POSITIONS = {"a": 1, "b": 0}


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return shared_cloud()


def ask(cloud: Cloud, sql: str) -> list[tuple[str | None, ...]]:
    """The rows of a query."""
    execution = cloud.runner.run(sql)
    pages = cloud.clients.athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution.id)
    rows = [row for page in pages for row in page["ResultSet"]["Rows"]]
    return [tuple(datum.get("VarCharValue") for datum in row["Data"]) for row in rows[1:]]


def is_fit(text: str, column: Column) -> bool:
    try:
        read_field(text, column)
    except Misfit:
        return False
    return True


def texts_for(key: str) -> list[str]:
    """Texts that fit and texts that nearly do; those with line breaks are never read by Athena."""
    texts = [*TAKEN[key], *(REFUSED | TOO_LONG).get(key, ()), *NEAR_MISSES]
    return [text for text in dict.fromkeys(texts) if text and not set(text) & set("\n\r\0") and len(text) < 1000]


@pytest.mark.parametrize("key", TAKEN)
def test_a_text_is_taken_or_fails_just_as_the_contract_says(cloud, key):
    column = Column.model_validate(column_spec(key))
    texts = texts_for(key)
    listed = ", ".join(f"({number}, {literal(text)})" for number, text in enumerate(texts))
    value = f"TRY({typed_value(column, 't0')})"
    found = ask(cloud, f"SELECT n, {value} IS NOT NULL FROM (VALUES {listed}) AS x(n, t0) ORDER BY n")
    taken = {text for text, (_, is_taken) in zip(texts, found, strict=True) if is_taken == "true"}
    assert taken == {text for text in texts if is_fit(text, column)}


@pytest.mark.parametrize("kind", ["int", "string", "decimal(5,2)", "date", "boolean", "double", "timestamp"])
def test_a_required_value_that_is_missing_fails(cloud, kind):
    column = Column.model_validate({"name": "v", "type": kind, "required": True})
    with pytest.raises(InvalidQuery, match="unfit: v"):
        cloud.runner.run(f"SELECT {typed_value(column, 't0')} FROM (VALUES CAST(NULL AS varchar)) AS x(t0)")


@pytest.mark.parametrize("kind", ["int", "varchar(2)", "decimal(5,2)", "date", "boolean", "double", "timestamp"])
def test_a_value_that_does_not_fit_is_not_shown(cloud, kind):
    """What Athena says of a failure is kept where everybody may read it."""
    column = Column.model_validate({"name": "v", "type": kind})
    with pytest.raises(InvalidQuery, match="unfit: v") as caught:
        cloud.runner.run(f"SELECT {typed_value(column, 't0')} FROM (VALUES 'Ada Lovelace') AS x(t0)")
    assert "Ada" not in str(caught.value)


def test_columns_are_taken_by_their_places_in_the_file():
    select = select_values('"work"."raw"', make_schema("a string", "b string"), POSITIONS, None)
    assert select == (
        'SELECT t0 AS "a", t1 AS "b" FROM (SELECT '
        "CASE WHEN c1 IN ('') THEN NULL ELSE c1 END AS t0, CASE WHEN c0 IN ('') THEN NULL ELSE c0 END AS t1 "
        'FROM "work"."raw")'
    )


def test_null_values_are_quoted():
    schema = make_schema({"name": "a", "type": "string", "nullValues": ["it's", "\\N"]})
    assert "c0 IN ('', 'it''s', '\\N')" in select_values("raw", schema, {"a": 0}, None)


def test_of_other_columns_those_that_are_kept_are_read_and_the_others_null():
    schema = make_schema("a string", "b int")
    wanted = make_schema("b bigint", "new decimal(5,2)", "a string").columns
    select = select_values("raw", schema, POSITIONS, wanted)
    assert select == (
        'SELECT CAST(NULL AS bigint) AS "b", CAST(NULL AS decimal(5,2)) AS "new", t0 AS "a" '
        "FROM (SELECT CASE WHEN c1 IN ('') THEN NULL ELSE c1 END AS t0 FROM raw)"
    )


def test_the_target_is_quoted():
    assert unload("SELECT 1", "s3://bucket/it's/").startswith("UNLOAD (SELECT 1) TO 's3://bucket/it''s/' WITH (")

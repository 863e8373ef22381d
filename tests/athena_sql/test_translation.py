"""What a translation tells besides its SQL: columns, scans, predicates of partitions, assignment to a table."""

from __future__ import annotations

import base64
import json

import duckdb
import pytest

from daap_local.athena import sql
from daap_local.athena.faults import AthenaFault
from tests.athena_sql.asking import sources, translated


def names(query: str) -> list[str]:
    return [column.name for column in translated(query).columns]


def types(query: str) -> list[str]:
    return [str(column.type) for column in translated(query).columns]


def predicates(query: str) -> list[str | None]:
    return [scan.predicate for scan in translated(query).scans]


def test_columns_without_a_name_are_numbered_and_names_may_come_twice():
    assert names("SELECT 1, id AS n, id, s.id, count(*) AS n, address.city FROM sales s GROUP BY 2, 6") == [
        "_col0", "n", "id", "id", "n", "city",
    ]  # fmt: skip


def test_names_are_shown_as_they_are_written():
    assert names('SELECT id AS "My Id", ID AS Total FROM sales') == ["My Id", "Total"]


def test_types_are_trinos_own():
    assert types("SELECT 1, 'abc', DECIMAL '1.50', 1.5, sum(price), avg(price), count(*) FROM sales") == [
        "integer", "varchar(3)", "decimal(3,2)", "double", "decimal(38,2)", "decimal(10,2)", "bigint",
    ]  # fmt: skip


def test_a_native_translation_yields_the_types_that_hold_trinos():
    made = translated("SELECT sum(id), sum(price), count(*), day + INTERVAL '1' DAY FROM sales GROUP BY day")
    text = made.sql(sources(made))
    with duckdb.connect() as connection:
        sql.install(connection, text)
        found = [str(column[1]) for column in connection.execute(text).description]
    assert found == [sql.duckdb_type(column.type) for column in made.columns]


def test_a_scan_tells_which_columns_are_named_and_which_are_read():
    (scan,) = translated("SELECT count(*) FROM (SELECT id, item FROM sales WHERE price > 1)").scans
    assert set(scan.columns) == {"id", "item", "price"}
    assert set(scan.read) == {"price"}


def test_filters_on_partition_keys_are_told():
    assert predicates("SELECT 1 FROM sales WHERE region = 'eu' AND id = 1 AND day >= DATE '2024-01-02'") == [
        """("region" = 'eu') AND ("day" >= athena_text_date('2024-01-02'))"""
    ]


def test_filters_reach_through_views_and_subqueries_and_unions():
    assert predicates("SELECT 1 FROM recent WHERE region = 'eu'") == [
        """("day" > athena_text_date('2024-01-01')) AND ("region" = 'eu')"""
    ]
    union = "(SELECT region AS r FROM sales UNION ALL SELECT region FROM sales)"
    assert predicates(f"SELECT 1 FROM {union} WHERE r = 'eu'") == ["""("region" = 'eu')"""] * 2


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 FROM items LEFT JOIN sales ON true WHERE region IS NULL",
        "SELECT 1 FROM (SELECT region FROM sales LIMIT 5) WHERE region = 'eu'",
        "SELECT 1 FROM (SELECT region, count(*) AS n FROM sales GROUP BY 1) WHERE region = 'eu'",
        "SELECT 1 FROM sales WHERE region = 'eu' OR id = 1",
        "SELECT 1 FROM sales WHERE region = (SELECT 'eu')",
        "SELECT 1 FROM sales WHERE region = 'eu' AND false OR random() > 0",
    ],
)
def test_filters_that_say_nothing_of_whole_partitions_are_not_told(query):
    assert predicates(query)[-1] is None


def test_filters_on_one_mention_of_a_with_query_hold_for_no_other():
    query = "WITH s AS (SELECT region FROM sales) SELECT 1 FROM s WHERE region = 'eu' UNION SELECT 1 FROM s"
    assert predicates(query) == [None]


def test_a_predicate_can_be_run_over_the_keys_of_partitions():
    (predicate,) = predicates(
        "SELECT 1 FROM sales WHERE day BETWEEN DATE '2024-01-02' AND date_add('day', 1, DATE '2024-01-02')"
    )
    with duckdb.connect() as connection:
        sql.install(connection, predicate)
        keys = "(VALUES (DATE '2024-01-01'), (DATE '2024-01-03')) AS k(day)"
        assert connection.execute(f"SELECT {predicate} FROM {keys}").fetchall() == [(False,), (True,)]


def test_an_insert_takes_what_can_be_coerced_to_its_columns():
    made = sql.inserted(translated("SELECT 1, 'a'"), (("n", "bigint"), ("t", "string")))
    with duckdb.connect() as connection:
        text = made.sql({})
        sql.install(connection, text)
        assert connection.execute(text).fetchall() == [(1, "a")]
    assert [str(column.type) for column in made.columns] == ["bigint", "varchar"]


@pytest.mark.parametrize("targets", [(("n", "bigint"),), (("n", "string"), ("t", "string"))])
def test_an_insert_refuses_other_numbers_of_columns_and_other_types(targets):
    with pytest.raises(AthenaFault, match="mismatched column types"):
        sql.inserted(translated("SELECT 1, 'a'"), targets)


def test_the_text_of_a_presto_view_is_found_in_what_glue_keeps():
    body = base64.b64encode(json.dumps({"originalSql": "SELECT 1"}).encode()).decode()
    assert sql.view_text(f"/* Presto View: {body} */") == "SELECT 1"
    assert sql.view_text("SELECT 2") == "SELECT 2"


def test_another_number_of_parameters_is_refused():
    with pytest.raises(AthenaFault, match="expected 1 but found 0"):
        translated("SELECT ?")


def test_a_parameter_is_one_expression():
    with pytest.raises(AthenaFault):
        translated("SELECT ?", "1 FROM sales")


def test_views_that_were_inlined_are_told():
    assert [view.table for view in translated("SELECT * FROM recent").views] == ["recent"]


def test_what_now_means_is_fixed_when_a_query_begins():
    assert "2024-05-06" in translated("SELECT current_date").text

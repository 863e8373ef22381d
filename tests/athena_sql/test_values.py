"""What expressions give, where DuckDB alone would give something else. Expected values are Trino's."""

from __future__ import annotations

import pytest

from tests.athena_sql.asking import row, shown, value

CASES = {
    "5 / 2": "2",
    "-7 / 2": "-3",
    "-7 % 3": "-1",
    "5 / 2e0": "2.5",
    "1e0 / 0": "Infinity",
    "1e10": "1.0E10",
    "0.0001e0": "1.0E-4",
    "DECIMAL '1.00' / 3": "0.33",
    "CAST(1 AS decimal(10,2)) / CAST(3 AS decimal(10,4))": "0.3333",
    "CAST(2.5e0 AS bigint)": "3",
    "CAST(-2.5e0 AS bigint)": "-3",
    "CAST('abcdef' AS varchar(3))": "abc",
    "length(CAST('a' AS char(3)))": "3",
    "CAST(1.5e0 AS varchar)": "1.5E0",
    "TRY(1 / 0)": None,
    "TRY_CAST('1.5' AS bigint)": None,
    "TRY_CAST('yes' AS boolean)": None,
    "nan() = nan()": "false",
    "nan() > 1e0": "false",
    "substr('hello', 0)": "",
    "substr('hello', -3, 2)": "ll",
    "split_part('a,b', ',', 3)": None,
    "regexp_replace('John Smith', '(\\w+) (\\w+)', '$2, $1')": "Smith, John",
    "regexp_extract('price: 100 EUR', '\\d+(?= EUR)')": "100",
    "format('%05d|%,.2f|%s', 42, 1234.567, 'x')": "00042|1,234.57|x",
    "date_diff('month', DATE '2024-01-31', DATE '2024-03-01')": "1",
    "date_diff('hour', TIMESTAMP '2024-01-01 10:59:00', TIMESTAMP '2024-01-01 11:01:00')": "0",
    "date_add('month', 1, DATE '2024-01-31')": "2024-02-29",
    "DATE '2024-01-31' + INTERVAL '1' MONTH": "2024-02-29",
    "date_trunc('month', DATE '2024-02-29')": "2024-02-01",
    "extract(DOW FROM DATE '2024-03-03')": "7",
    "week(DATE '2021-01-03')": "53",
    "TIMESTAMP '2024-01-01 10:00:00'": "2024-01-01 10:00:00.000",
    "TIMESTAMP '2024-02-29 12:00:00 UTC' AT TIME ZONE 'America/New_York'": "2024-02-29 07:00:00.000 America/New_York",
    "from_unixtime(0)": "1970-01-01 00:00:00.000 UTC",
    "to_iso8601(TIMESTAMP '2024-02-29 01:02:03.456 UTC')": "2024-02-29T01:02:03.456Z",
    "format_datetime(TIMESTAMP '2024-02-29 13:05:09', 'EEEE, d MMMM yyyy')": "Thursday, 29 February 2024",
    "date_parse('2024-2-9', '%Y-%m-%d')": "2024-02-09 00:00:00.000",
    "date_format(TIMESTAMP '2024-02-29 13:05:09', '%h:%i %p')": "01:05 PM",
    "now()": "2024-05-06 07:08:09.123 UTC",
    "current_date": "2024-05-06",
    "ARRAY[1, NULL]": "[1, null]",
    "MAP(ARRAY['k'], ARRAY[1.5])": "{k=1.5}",
    "ROW(1, 'a')": "{field0=1, field1=a}",
    "CAST(ROW(1, 'a') AS row(x bigint, y varchar))": "{x=1, y=a}",
    "X'00ff10'": "00 ff 10",
    "slice(ARRAY[1, 2, 3, 4], -2, 2)": "[3, 4]",
    "element_at(ARRAY[1, 2], 5)": None,
    "reduce(ARRAY[1, 2, 3], 'x', (s, x) -> s || CAST(x AS varchar), s -> s || '!')": "x123!",
    "transform(ARRAY[1, 2], x -> x * 2)": "[2, 4]",
    "zip(ARRAY[1, 2], ARRAY['a'])": "[{field0=1, field1=a}, {field0=2, field1=null}]",
    "array_distinct(ARRAY[2, 1, 2, NULL, NULL])": "[2, 1, null]",
    "contains(ARRAY[1, NULL], 2)": None,
    "json_extract_scalar('{\"a\": 1.50}', '$.a')": "1.50",
    "json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a')": None,
    "json_extract('no json', '$.a')": None,
    "CAST(ROW(1, 'a') AS json)": '{"":1,"":"a"}',
    "CAST(JSON '[1, 2]' AS array(integer))": "[1, 2]",
    "typeof(1 + 1.5)": "double",
    "1 / 0.0": "Infinity",
    "typeof(DECIMAL '1.50')": "decimal(3,2)",
    "typeof(date_trunc('day', TIMESTAMP '2024-01-01 00:00:00.000'))": "timestamp(3)",
    "levenshtein_distance('Zoë', 'Zoe')": "1",
    "upper('straße')": "STRAßE",
    "url_extract_parameter('https://x.y/?q=a%20b', 'q')": "a b",
    "to_hex(md5(to_utf8('abc')))": "900150983CD24FB0D6963F7D28E17F72",
    "from_base('ff', 16)": "255",
    "round(2.5e0)": "3.0",
    "round(1.005e0, 2)": "1.0",
    "width_bucket(5.3e0, 0e0, 10e0, 5)": "3",
}


@pytest.mark.parametrize(("expression", "expected"), CASES.items(), ids=list(CASES))
def test_an_expression_gives_what_it_gives_in_trino(expression, expected):
    assert value(expression) == expected


def test_a_struct_a_map_and_an_array_of_a_table_are_shown_as_athena_shows_them():
    assert shown("SELECT address, attributes, tags FROM sales ORDER BY id") == [
        ("{city=Ulm, zip=89073}", "{x=1}", "[a, b]"),
        (None, None, None),
    ]


def test_nulls_come_last_in_either_direction():
    assert shown("SELECT sold_at IS NULL FROM sales ORDER BY sold_at DESC") == [("false",), ("true",)]


def test_not_a_number_is_neither_more_nor_less_in_a_filter():
    assert shown("SELECT id FROM sales WHERE weight > 0") == [("1",)]
    assert shown("SELECT id FROM sales WHERE NOT (weight > 0)") == [("2",)]


def test_columns_joined_by_using_are_one():
    query = "SELECT * FROM (SELECT item, id FROM sales) JOIN items USING (item)"
    assert shown(query) == [("apple", "1", "5")]


def test_arrays_are_unnested_with_their_places_and_empty_ones_kept_by_a_left_join():
    query = "SELECT id, tag, n FROM sales LEFT JOIN UNNEST(tags) WITH ORDINALITY AS u (tag, n) ON true ORDER BY 1, 3"
    assert shown(query) == [("1", "a", "1"), ("1", "b", "2"), ("2", None, None)]


def test_an_aggregate_in_having_may_be_a_long_expression():
    query = """SELECT region FROM sales GROUP BY region
        HAVING round(sum(CAST(price AS double) * 1.5e0 + CAST(id AS double) * 100 + length(item)), 1) > 200"""
    assert shown(query) == [("us",)]


def test_parameters_stand_for_question_marks_outside_of_texts():
    assert row("SELECT ?, '?' , ? + 1", "'it''s'", "41") == ("it's", "?", "42")


def test_a_view_is_read_as_its_query():
    assert shown("SELECT * FROM recent WHERE region = 'us'") == [("2", "2024-01-03", "us")]


def test_hidden_columns_can_be_named_and_are_no_part_of_a_star():
    assert shown('SELECT "$path" FROM sales WHERE id = 1') == [("s3://b/1",)]
    assert len(row("SELECT * FROM sales WHERE id = 1")) == 10

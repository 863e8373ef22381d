"""Partition projection: the partitions that properties give, narrowed by a query's conditions."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daap_local.athena.faults import AthenaFault
from daap_local.athena.hive.predicates import conjuncts
from daap_local.athena.hive.projection import escaped_location, is_projected, projected_partitions
from tests.athena_hive.support import plainly_connected, table_of

NOW = datetime.fromisoformat("2024-03-15 10:30")
DAYS = {"type": "date", "range": "2024/03/01,NOW", "format": "yyyy/MM/dd"}
HOURS = {"type": "integer", "range": "0,23", "digits": "2"}


def values_of(keys: str, predicate: str | None = None, template: str = "", **properties: dict[str, str]):
    """The values and locations of the projected partitions."""
    texts = {"projection.enabled": "true"} | ({"storage.location.template": template} if template else {})
    texts |= {f"projection.{key}.{name}": text for key, given in properties.items() for name, text in given.items()}
    table = table_of("a int", more=", ".join(f"'{key}' = '{text}'" for key, text in texts.items()), keys=keys)
    assert is_projected(table)
    with plainly_connected() as connection:
        found = projected_partitions(table, predicate, connection, NOW)
    return [partition.values for partition in found], [partition.storage.location for partition in found]


def test_a_table_is_projected_only_where_it_says_so():
    assert not is_projected(table_of("a int", keys="dt string"))
    assert not is_projected(table_of("a int", more="'projection.enabled' = 'true'"))


@pytest.mark.parametrize(
    ("given", "first", "last", "count"),
    [
        ({"type": "enum", "values": "a,b c,d"}, "a", "d", 3),
        ({"type": "INTEGER", "range": "1,10", "interval": "3"}, "1", "10", 4),
        ({"type": "integer", "range": "-1, 1", "digits": "3"}, "-01", "001", 3),
        (DAYS, "2024/03/01", "2024/03/15", 15),
        ({"type": "date", "range": "NOW-1YEARS,NOW", "format": "yyyy-MM"}, "2023-03", "2024-03", 13),
        ({"type": "date", "range": "NOW-2DAYS,NOW+1DAYS", "format": "yyyy-MM-dd"}, "2024-03-13", "2024-03-16", 4),
        ({"type": "date", "range": "2024-03-15-00,NOW", "format": "yyyy-MM-dd-HH", "interval": "2",
          "interval.unit": "HOURS"}, "2024-03-15-00", "2024-03-15-10", 6),
        ({"type": "date", "range": "20240131,20240430", "format": "yyyyMMdd", "interval.unit": "MONTHS"},
         "20240131", "20240430", 4),
        ({"type": "date", "range": "2023,NOW", "format": "yyyy", "interval.unit": "YEARS"}, "2023", "2024", 2),
        ({"type": "date", "range": "2024-03-14T00,NOW", "format": "yyyy-MM-dd''T''HH", "interval.unit": "DAYS"},
         "2024-03-14T00", "2024-03-15T00", 2),
    ],
)  # fmt: skip
def test_a_range_gives_its_values(given, first, last, count):
    given = {name: text.replace("''", "\\'") for name, text in given.items()}
    values, _ = values_of("k string", None, k=given)
    assert (values[0], values[-1], len(values)) == ((first,), (last,), count)


def test_conditions_narrow_each_key_and_all_together():
    keys = "dt string, h int"
    assert values_of(keys, "\"dt\" >= '2024/03/14' AND \"h\" IN (5, 6)", dt=DAYS, h=HOURS)[0] == [
        ("2024/03/14", "05"), ("2024/03/14", "06"), ("2024/03/15", "05"), ("2024/03/15", "06"),
    ]  # fmt: skip
    either = '("dt" = \'2024/03/14\' AND "h" = 5) OR ("dt" = \'2024/03/15\' AND "h" BETWEEN 22 AND 30)'
    assert values_of(keys, either, dt=DAYS, h=HOURS)[0] == [
        ("2024/03/14", "05"), ("2024/03/15", "22"), ("2024/03/15", "23"),
    ]  # fmt: skip


def test_a_huge_range_is_no_matter_where_it_is_compared_with_numbers():
    huge = {"type": "integer", "range": "0,9000000000000000000", "interval": "7"}
    assert values_of("n bigint", '"n" BETWEEN 700 AND 710', n=huge)[0] == [("700",), ("707",)]
    assert values_of("n bigint", '"n" > 20 AND 30 > "n"', n=huge)[0] == [("21",), ("28",)]
    with pytest.raises(AthenaFault, match="more than 1000000 projected partitions"):
        values_of("n bigint", n=huge)


@pytest.mark.parametrize(
    ("predicate", "values"),
    [
        ("\"u\" = 'x'", ["x"]), ("\"u\" IN ('x', 'y')", ["x", "y"]), ("'x' = \"u\" OR \"u\" = 'y'", ["x", "y"]),
        ("\"u\" IN ('x', 'y') AND \"u\" <> 'x'", ["y"]), ("\"u\" = 'x' AND \"u\" = 'y'", []),
    ],
)  # fmt: skip
def test_an_injected_key_takes_its_values_from_the_query(predicate, values):
    assert values_of("u string", predicate, u={"type": "injected"})[0] == [(value,) for value in values]


@pytest.mark.parametrize("predicate", [None, "\"u\" > 'x'", "\"u\" = 'x' OR \"v\" = '1'", "NOT (\"u\" = 'x')"])
def test_an_injected_key_without_values_is_an_error(predicate):
    with pytest.raises(AthenaFault, match="injected projected partition column u"):
        values_of("u string, v string", predicate, u={"type": "injected"}, v={"type": "enum", "values": "1"})


def test_locations_follow_the_template_or_the_names_of_the_keys():
    one, two = ({"type": "enum", "values": text} for text in ("x/y", "z"))
    _, locations = values_of("k string, l string", k=one, l=two)
    assert locations == ["s3://lake/t/k=x/y/l=z/"]
    _, locations = values_of("dt string", "\"dt\" > '2024/03/14'", "s3://other/${dt}/in/", dt=DAYS)
    assert locations == ["s3://other/2024/03/15/in/"]


def test_hives_folder_is_another_only_where_a_value_needs_escapes():
    properties = "'projection.enabled' = 'true'"
    table = table_of("a int", more=properties, keys="at string")
    assert escaped_location(table, ["2024-01-02"]) is None
    assert escaped_location(table, ["2024-01-02 03:04"]) == "s3://lake/t/at=2024-01-02 03%3A04/"
    template = "'storage.location.template' = 's3://lake/${at}'"
    templated = table_of("a int", more=f"{properties}, {template}", keys="at string")
    assert escaped_location(templated, ["03:04"]) is None
    assert escaped_location(table_of("a int", keys="at string"), ["03:04"]) is None


@pytest.mark.parametrize(
    "given",
    [
        {}, {"type": "nonsense"}, {"type": "enum"}, {"type": "integer"}, {"type": "integer", "range": "1"},
        {"type": "integer", "range": "a,b"}, {"type": "integer", "range": "1,2", "interval": "0"},
        {"type": "date", "range": "2024,2025"}, {"type": "date", "range": "x,NOW", "format": "yyyy-MM-dd"},
        {"type": "date", "range": "2024,NOW", "format": "yyyy"}, {"type": "date", "range": "1,2", "format": "QQQ"},
        {"type": "date", "range": "NOW,NOW", "format": "yyyy-MM-dd", "interval.unit": "FORTNIGHTS"},
    ],
)  # fmt: skip
def test_properties_that_make_no_sense_are_refused(given):
    with pytest.raises(AthenaFault, match=r"INVALID_TABLE_PROPERTY|NOT_SUPPORTED"):
        values_of("k string", k=given)


def test_a_template_needs_a_place_for_every_key():
    one = {"type": "enum", "values": "x"}
    with pytest.raises(AthenaFault, match="has no place for l"):
        values_of("k string, l string", None, "s3://other/${k}/", k=one, l=one)


CONDITIONS = some.recursive(
    some.sampled_from(['"a" = 1', '"b" < 3', "\"c\" IN ('x AND y', 'OR')", '"a" BETWEEN 1 AND 2', '"a" + "b" > 2',
                       'CASE WHEN "a" = 1 AND "b" = 2 THEN true ELSE false END', '"b" IS NOT NULL']),
    lambda inner: some.tuples(inner, some.sampled_from(["AND", "OR"]), inner).map(lambda three: f"({' '.join(three)})"),
    max_leaves=6,
)  # fmt: skip


@given(CONDITIONS)
def test_the_parts_of_a_condition_say_together_what_the_whole_says(condition):
    rows = "SELECT * FROM range(3) AS a(a), range(4) AS b(b), (VALUES ('x AND y'), ('z')) AS c(c)"
    with plainly_connected() as connection:
        whole = connection.sql(rows).filter(condition).order("ALL").fetchall()
        parts = " AND ".join(f"({part.text})" for part in conjuncts(condition))
        assert connection.sql(rows).filter(parts).order("ALL").fetchall() == whole

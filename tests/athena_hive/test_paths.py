"""Partition values in folders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daap_local.athena.hive.paths import escape_path, is_hidden, partition_name, partition_values, unescape_path

TEXTS = some.text(some.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXTS)
def test_a_value_comes_back_from_its_path(value):
    assert unescape_path(escape_path(value)) == value


@given(TEXTS)
def test_an_escaped_value_is_one_part_of_a_path(value):
    assert not set(escape_path(value)) & set("/=#?*:\\'\"{[]^")


@given(some.lists(some.none() | TEXTS, min_size=1, max_size=4))
def test_the_values_of_a_partition_come_back_from_its_name(values):
    keys = [f"k{at}" for at in range(len(values))]
    name = partition_name(keys, values)
    assert partition_values(f"{name}/part-0.parquet", keys) == tuple(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-01-02", "2024-01-02"), ("a/b", "a%2Fb"), ("a=b", "a%3Db"), ("10:00", "10%3A00"), ("50%", "50%25"),
        ("a b", "a b"), ("é", "é"), ("[x]", "%5Bx%5D"), ("}", "}"), ("", "__HIVE_DEFAULT_PARTITION__"),
        (None, "__HIVE_DEFAULT_PARTITION__"), ("\x7f\n", "%7F%0A"),
    ],
)  # fmt: skip
def test_values_are_escaped_as_hive_does(value, text):
    assert escape_path(value) == text


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("a=1/b=2/f", ("1", "2")), ("A=1/B=2/", ("1", "2")), ("a=1", None), ("b=2/a=1/f", None), ("x/a=1/b=2", None),
        ("a=1/b=2/c=3/f", ("1", "2")), ("a=%41/b=%/f", ("A", "%")), ("a=/b=2", ("", "2")),
    ],
)  # fmt: skip
def test_folders_that_are_not_the_keys_are_no_partition(path, values):
    assert partition_values(path, ["a", "b"]) == values


@pytest.mark.parametrize(("url", "hidden"), [("s3://b/_SUCCESS", True), ("s3://b/.x", True), ("s3://_b/x_y", False)])
def test_files_that_begin_with_a_point_or_underscore_are_hidden(url, hidden):
    assert is_hidden(url) is hidden

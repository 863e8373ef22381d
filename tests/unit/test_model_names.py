"""Names, and how headers become them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.errors import InvalidName
from daap.model.names import check_column, check_product, check_table, name_header, standardise

ODD_NAMES = ["", " ", "a b", "a-b", "a.b", "a/b", "../a", "a\n", "a\0", "é", "a'b", 'a"b', "a;b", "ａ", "٣", "a" * 129]


@pytest.mark.parametrize("name", ["spend", "a", "1", "_", "spend_over_25k", "2024", "a" * 128])
def test_a_product_name_is_of_small_letters_digits_and_underscores(name):
    assert check_product(name) == name


@pytest.mark.parametrize("name", [*ODD_NAMES, "Spend", "SPEND"])
def test_any_other_product_name_is_refused(name):
    with pytest.raises(InvalidName, match="use a-z, 0-9 and _"):
        check_product(name)


@pytest.mark.parametrize("name", ["march", "March", "m1", "a_", "Z" + "9" * 127])
def test_a_table_name_begins_with_a_letter(name):
    assert check_table(name) == name


@pytest.mark.parametrize("name", [*ODD_NAMES, "m", "1march", "_march", "a" * 129])
def test_any_other_table_name_is_refused(name):
    with pytest.raises(InvalidName, match="begin with a letter"):
        check_table(name)


@pytest.mark.parametrize("name", ["a", "1", "_a", "a_", "net__amount", "select", "a" * 128])
def test_a_column_name_is_of_small_letters_digits_and_underscores(name):
    assert check_column(name) == name


@pytest.mark.parametrize("name", [*ODD_NAMES, "Amount"])
def test_any_other_column_name_is_refused(name):
    with pytest.raises(InvalidName, match="use a-z, 0-9 and _"):
        check_column(name)


def test_the_added_column_s_name_is_reserved():
    with pytest.raises(InvalidName, match="reserved"):
        check_column("load_timestamp")


@pytest.mark.parametrize("name", ["_", "___"])
def test_a_column_name_needs_a_letter_or_digit_that_a_header_can_match(name):
    with pytest.raises(InvalidName, match="a letter or a digit"):
        check_column(name)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (" Net Amount (£) ", "net_amount"), ("Côte d'Or", "cote_d_or"), ("ÀÉÎõü", "aeiou"), ("a\u0301", "a"),
        ("A--B__C", "a_b_c"),
        ("_a_", "a"), ("1st", "1st"), ("ﬁ", "fi"), ("net\namount", "net_amount"), ("ａｂｃ", "abc"),
        ("Straße", "strasse"),
        ("\ufeffid", "id"), ("£", ""), ("", ""), ("日本", ""),
    ],
)  # fmt: skip
def test_a_header_is_standardised(header, name):
    assert standardise(header) == name


@given(st.text())
def test_a_standard_name_is_standard_already(header):
    name = standardise(header)
    assert standardise(name) == name
    assert re.fullmatch("([a-z0-9]+(_[a-z0-9]+)*)?", name)


@given(st.text(), st.sampled_from(["_", " ", "-", "()", "\t"]))
def test_what_stands_around_a_header_does_not_count(header, junk):
    assert standardise(junk + header + junk) == standardise(header)


@given(st.from_regex("[a-z0-9_]{1,128}", fullmatch=True))
def test_a_name_that_is_allowed_can_be_matched_by_a_header(name):
    try:
        assert standardise(check_column(name))
    except InvalidName:
        assert not name.strip("_") or name == "load_timestamp"


@pytest.mark.parametrize("header", ["", " ", "\t", "\u00a0", "\r\n"])
def test_a_header_without_text_is_called_by_its_position(header):
    assert name_header(header, 3) == "column_3"


def test_a_header_with_text_is_called_by_it():
    assert (name_header(" A b", 3), name_header("£", 3)) == ("a_b", "")

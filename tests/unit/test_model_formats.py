"""Declared formats: patterns of dates, examples of numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.model.formats import NumberFormat, check_time_format, parse_number_format


@pytest.mark.parametrize(
    ("example", "form"),
    [
        ("1234", NumberFormat()),
        ("0.5", NumberFormat()),
        ("12,34", NumberFormat(point=",")),
        ("1234,5", NumberFormat(point=",")),
        ("1,234", NumberFormat(grouping=",")),
        ("1,234,567", NumberFormat(grouping=",")),
        ("1,234.50", NumberFormat(grouping=",")),
        ("1.234,50", NumberFormat(grouping=".", point=",")),
        ("1'234.50", NumberFormat(grouping="'")),
        ("1_234.5", NumberFormat(grouping="_")),
        ("1 234,5", NumberFormat(grouping=" ", point=",")),
        ("1\u00a0234,5", NumberFormat(grouping="\u00a0", point=",")),
        ("£1,234.50", NumberFormat(prefix="£", grouping=",")),
        ("-£1,234.50", NumberFormat(prefix="£", grouping=",")),
        ("£ 1", NumberFormat(prefix="£")),
        ("USD 1.0", NumberFormat(prefix="USD")),
        ("1 234,5 €", NumberFormat(suffix="€", grouping=" ", point=",")),
        ("5%", NumberFormat(suffix="%")),
        ("(1,234)", NumberFormat(grouping=",", negative="parentheses")),
        ("(£1.5)", NumberFormat(prefix="£", negative="parentheses")),
        ("1,234-", NumberFormat(grouping=",", negative="trailing")),
        ("1 kg-", NumberFormat(suffix="kg", negative="trailing")),
        (" 1.5 ", NumberFormat()),
    ],
)
def test_an_example_shows_how_numbers_are_written(example, form):
    assert parse_number_format(example) == form


@pytest.mark.parametrize("example", ["1.234", "12.345", "£1.234"])
def test_an_example_that_could_be_either_is_refused(example):
    with pytest.raises(ValueError, match="two ways"):
        parse_number_format(example)


@pytest.mark.parametrize("example", ["1,23,456", "1.234.50", "12,34.5", "1,234,56", "1 1", "1.", "1,", "1,234.5,6"])
def test_an_example_that_does_not_show_its_grouping_is_refused(example):
    with pytest.raises(ValueError, match="write an example such as"):
        parse_number_format(example)


@pytest.mark.parametrize(
    "example", ["", "abc", "£", "(1", "1)", "£(1)", "1e5", "--1", ".5", "£-1", "1 £ 2", "#,##0.00"]
)
def test_what_is_no_number_is_no_example(example):
    with pytest.raises(ValueError, match="no example of a number"):
        parse_number_format(example)


@given(
    st.integers(1, 10**9),
    st.sampled_from([",", ".", "'", " "]),
    st.sampled_from(["", "£", "EUR "]),
    st.sampled_from(["", " kr", "%"]),
)
def test_grouped_examples_of_every_kind_are_read(number, mark, prefix, suffix):
    point = "," if mark == "." else "."
    example = prefix + f"{number + 999:,}".replace(",", mark) + point + "25" + suffix
    assert parse_number_format(example) == NumberFormat(prefix.strip(), suffix.strip(), mark, point)


@given(st.text(alphabet="0123456789.,' £€()+-kg_", max_size=12))
def test_any_text_is_an_example_or_refused(text):
    try:
        form = parse_number_format(text)
    except ValueError:
        return
    assert form.grouping != form.point


@pytest.mark.parametrize(
    "pattern",
    ["%d-%b-%y", "%Y-%m-%d", "%-d/%-m/%Y", "%Y%m%d", "%A, %d %B %Y", "%Y.%j", "(%Y)_%m:%d;", "%j%y", "%a %d %b %Y"],
)  # fmt: skip
def test_a_date_pattern_names_a_whole_date(pattern):
    assert check_time_format(pattern, "date") == pattern
    assert check_time_format(pattern, "timestamp") == pattern


@pytest.mark.parametrize(
    "pattern",
    ["%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %I:%M %p", "%Y%m%d %-I%p", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %-H:%-M:%-S.%g",
    "%Y%j%H"],
)  # fmt: skip
def test_a_timestamp_pattern_may_name_a_time(pattern):
    assert check_time_format(pattern, "timestamp") == pattern
    with pytest.raises(ValueError, match=r"not allowed in a date format; allowed are .*%d"):
        check_time_format(pattern, "date")


@pytest.mark.parametrize(
    "pattern", ["%c", "%x", "%U", "%G", "%s", "%z", "%Z", "%%", "%", "%-", "%e", "%D", "%Y-%m-%d%", "%-Y-%m-%d", "%-y"],
)  # fmt: skip
def test_other_parts_are_refused_with_those_that_are_allowed(pattern):
    with pytest.raises(ValueError, match=r"allowed are .*%Y"):
        check_time_format(pattern, "timestamp")


@pytest.mark.parametrize("pattern", ["%Y-%m", "%d/%m", "%Y", "", "abc", "%b %Y", "%a %Y", "%Y-%d", "%j"])
def test_a_pattern_that_names_no_whole_date_is_refused(pattern):
    with pytest.raises(ValueError, match=r"whole date|may stand between"):
        check_time_format(pattern, "date")


@pytest.mark.parametrize("pattern", ["%Y%y-%m-%d", "%d-%m-%b-%Y", "%d %-d %m %Y", "%a %A %d %m %Y"])
def test_a_pattern_that_names_a_part_twice_is_refused(pattern):
    with pytest.raises(ValueError, match="twice"):
        check_time_format(pattern, "date")


@pytest.mark.parametrize("pattern", ["%Y-%m-%d %H %-H", "%Y-%m-%d %H %I %p", "%Y-%m-%d %f%g"])
def test_a_pattern_that_names_a_part_of_the_time_twice_is_refused(pattern):
    with pytest.raises(ValueError, match="twice"):
        check_time_format(pattern, "timestamp")


@pytest.mark.parametrize("pattern", ["%Y-%m-%d %I:%M", "%Y-%m-%d %H:%M %p", "%Y-%m-%d %p"])
def test_twelve_hours_and_the_half_of_the_day_belong_together(pattern):
    with pytest.raises(ValueError, match="belong together"):
        check_time_format(pattern, "timestamp")


@pytest.mark.parametrize(
    "pattern", ["%d'%m'%Y", "%d of %m %Y", "%d\n%m%Y", "%d|%m|%Y", "%dé%m%Y", "%d\u00a0%m%Y", "%d1%m%Y"]
)
def test_other_characters_between_the_parts_are_refused(pattern):
    with pytest.raises(ValueError, match="may stand between"):
        check_time_format(pattern, "date")


@pytest.mark.parametrize("example", ["٣", "1٣.5", "£１.50"])
def test_an_example_has_the_digits_of_ascii_alone(example):
    with pytest.raises(ValueError, match="no example of a number"):
        parse_number_format(example)


@pytest.mark.parametrize("example", ["(1-)", "-1-", "(-1)"])
def test_an_example_shows_one_sign(example):
    with pytest.raises(ValueError, match="example"):
        parse_number_format(example)


@pytest.mark.parametrize("pattern", ["%-d%-m%Y", "%-d%Y-%m", "%d%-m%y", "%B%-d%y"])
def test_an_unpadded_part_may_not_touch_another_number(pattern):
    """`1112024` would be the 1st of November or the 11th of January."""
    with pytest.raises(ValueError, match="format"):
        check_time_format(pattern, "date")

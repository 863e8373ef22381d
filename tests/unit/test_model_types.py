"""Column types by their Athena names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.model.types import ALLOWED, ColumnType, parse_type

PLAIN = ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "date", "timestamp"]


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_type_is_its_name(text):
    assert parse_type(text) == ColumnType(text)
    assert str(parse_type(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("decimal(18,2)", "decimal(18,2)"), ("decimal(38,38)", "decimal(38,38)"), ("decimal(1,0)", "decimal(1,0)"),
        (" DECIMAL( 18 , 2 ) ", "decimal(18,2)"), ("varchar(1)", "varchar(1)"), ("varchar(65535)", "varchar(65535)"),
        ("char(255)", "char(255)"), ("Varchar(020)", "varchar(20)"), ("INT", "int"),
    ],
)  # fmt: skip
def test_case_and_spaces_do_not_count(text, written):
    assert str(parse_type(text)) == written


@pytest.mark.parametrize(
    "text",
    ["", "integer", "text", "number", "varchar2(3)", "decimal(18,2", "decimal 18,2", "int[]", "array<int>",
    "timestamp(3)x", "int;"],
)  # fmt: skip
def test_an_unknown_type_is_refused_with_those_that_are_allowed(text):
    with pytest.raises(ValueError, match=re.escape(ALLOWED)):
        parse_type(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("decimal", "decimal(18,2)"), ("decimal(5)", "decimal(18,2)"), ("decimal(39,0)", "1 to 38"),
        ("decimal(0,0)", "1 to 38"),
        ("decimal(2,3)", "at most the precision"), ("varchar", "1 to 65535"), ("varchar(0)", "1 to 65535"),
        ("varchar(65536)", "1 to 65535"), ("varchar(1,2)", "1 to 65535"), ("char(256)", "1 to 255"),
        ("char", "1 to 255"),
        ("int(4)", "takes no length"), ("string(4)", "takes no length"), ("timestamp(3)", "takes no length"),
    ],
)  # fmt: skip
def test_a_wrong_length_is_refused_with_what_is_allowed(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_type(text)


TYPES = st.one_of(
    st.sampled_from(PLAIN),
    st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: f"decimal({p},{s})")),
    st.integers(1, 65535).map("varchar({})".format),
    st.integers(1, 255).map("char({})".format),
)


@given(TYPES)
def test_a_type_written_and_read_is_the_same(text):
    assert str(parse_type(text)) == text
    assert parse_type(str(parse_type(text.upper()))) == parse_type(text)


@given(st.text(max_size=20))
def test_any_text_is_a_type_or_refused(text):
    try:
        kind = parse_type(text)
    except ValueError:
        return
    assert parse_type(str(kind)) == kind


@pytest.mark.parametrize("text", ["varchar(٣)", "decimal(1８,2)"])
def test_a_length_has_the_digits_of_ascii_alone(text):
    with pytest.raises(ValueError, match="is not a type"):
        parse_type(text)

"""Load timestamps and versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.errors import InvalidName
from daap.model.stamps import format_stamp, next_stamp, parse_stamp
from daap.model.versions import FIRST, Version, parse_version

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds have none


def test_a_stamp_is_utc_to_the_second():
    moment = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert format_stamp(moment) == "20260131T235959Z"
    assert format_stamp(moment.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "20260131T235959Z"


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-01-31T23:59:59Z", "20260131T235959", "20260131235959", "20260131T235959z", "20260132T000000Z",
        "20260131T240000Z",
        "20260229T000000Z", " 20260131T235959Z", "20260131T235959Z\n", "20260131T235960Z", "20260131T235961Z",
        "00000101T000000Z",
    ],
)  # fmt: skip
def test_anything_else_is_no_stamp(text):
    with pytest.raises(InvalidName, match="looks like 20260131T235959Z"):
        parse_stamp(text)


@given(MOMENTS)
def test_a_stamp_written_and_read_is_the_same(moment):
    assert parse_stamp(format_stamp(moment)) == moment.replace(microsecond=0)


@given(MOMENTS)
def test_the_next_stamp_is_one_second_later_and_sorts_behind(moment):
    stamp = format_stamp(moment)
    assert next_stamp(stamp) > stamp
    assert parse_stamp(next_stamp(stamp)) - parse_stamp(stamp) == timedelta(seconds=1)


def test_the_next_stamp_carries_over():
    assert next_stamp("20241231T235959Z") == "20250101T000000Z"


def test_versions_are_ordered_by_number():
    texts = ["v10.0", "v9.12", "v9.2", "v1.0", "v2.0"]
    assert [str(version) for version in sorted(map(parse_version, texts))] == ["v1.0", "v2.0", "v9.2", "v9.12", "v10.0"]


def test_the_first_version_and_the_one_after():
    assert (str(FIRST), str(FIRST.next_minor), str(Version(10, 9).next_minor)) == ("v1.0", "v1.1", "v10.10")


@given(st.integers(1, 999_999), st.integers(0, 999_999))
def test_a_version_written_and_read_is_the_same(major, minor):
    assert parse_version(str(Version(major, minor))) == Version(major, minor)


@pytest.mark.parametrize(
    "text",
    ["", "1.0", "v1", "v0.1", "v01.0", "v1.01", "v1.0.0", "V1.0", "v1.0 ", "v1.0\n", "v-1.0", "v1.", "v1000000.0",
    "latest"],
)  # fmt: skip
def test_anything_else_is_no_version(text):
    with pytest.raises(InvalidName, match=r"looks like v1\.0"):
        parse_version(text)


@pytest.mark.parametrize("text", ["２0260131T235959Z", "20260131T23595٩Z"])
def test_a_stamp_has_the_digits_of_ascii_alone(text):
    with pytest.raises(InvalidName):
        parse_stamp(text)


@pytest.mark.parametrize("text", ["v1٣.0", "v1.1２"])
def test_a_version_has_the_digits_of_ascii_alone(text):
    with pytest.raises(InvalidName):
        parse_version(text)

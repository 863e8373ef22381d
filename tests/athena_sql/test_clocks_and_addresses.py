"""Times with a time zone, and IP addresses. Expected values are Trino's."""

from __future__ import annotations

import pytest

from daap_local.athena.faults import AthenaFault
from tests.athena_sql.asking import row, shown, value

CLOCKS = {
    "TIME '12:34:56.789 -00:30'": "12:34:56.789-00:30",
    "TIME '1:02+05:30'": "01:02:00+05:30",
    "TIME '01:02:03 -00:00'": "01:02:03+00:00",
    "typeof(TIME '01:02:03.5 +05:30')": "time(1) with time zone",
    "CAST('10:00' AS time with time zone)": "10:00:00.000+00:00",
    "CAST('23:59:59.9999 +14:00' AS time(3) with time zone)": "00:00:00.000+14:00",
    "CAST(TIME '10:20:30' AS time(3) with time zone)": "10:20:30.000+00:00",
    "CAST(TIMESTAMP '2024-07-01 23:02:03.456 Europe/London' AS time(2) with time zone)": "23:02:03.46+01:00",
    "CAST(TIME '10:20:30.5 +02:00' AS time(0))": "10:20:31",
    "CAST(TIME '10:20:30.5 +02:00' AS varchar)": "10:20:30.5+02:00",
    "TRY_CAST('ten' AS time with time zone)": None,
    "TRY_CAST('10:00 +15:00' AS time with time zone)": None,
    "CAST(NULL AS time with time zone)": None,
    "TIME '10:00 +02:00' = TIME '08:00 +00:00'": "true",
    "TIME '01:00 +02:00' > TIME '22:00 +00:00'": "true",
    "TIME '10:00' IN (TIME '11:00 +01:00')": "true",
    "TIME '10:00' IN (SELECT TIME '11:00 +01:00')": "true",
    "nullif(TIME '10:00', TIME '11:00 +01:00')": None,
    "TIME '00:30 +02:00' - INTERVAL '1' HOUR": "23:30:00.000+02:00",
    "TIME '23:00 +02:00' + INTERVAL '90' MINUTE": "00:30:00.000+02:00",
    "extract(HOUR FROM TIME '10:20:30 -00:30')": "10",
    "extract(TIMEZONE_HOUR FROM TIME '10:20 -05:30')": "-5",
    "extract(TIMEZONE_MINUTE FROM TIME '10:20 -05:30')": "-30",
    "current_time": "07:08:09.123+00:00",
    "typeof(current_time(6))": "time(6) with time zone",
    "ARRAY[TIME '10:00 +02:00']": "[10:00:00+02:00]",
}
ADDRESSES = {
    "IPADDRESS '10.0.0.1'": "10.0.0.1",
    "IPADDRESS '2001:0db8:0:0:1:0:0:1'": "2001:db8::1:0:0:1",
    "IPADDRESS '::ffff:1.2.3.4'": "1.2.3.4",
    "typeof(IPADDRESS '::1')": "ipaddress",
    "CAST(IPADDRESS '10.0.0.1' AS varchar)": "10.0.0.1",
    "CAST(X'01020304' AS ipaddress)": "1.2.3.4",
    "CAST(IPADDRESS '1.2.3.4' AS varbinary)": "00 00 00 00 00 00 00 00 00 00 ff ff 01 02 03 04",
    "TRY_CAST('256.1.1.1' AS ipaddress)": None,
    "TRY_CAST('fe80::1%eth0' AS ipaddress)": None,
    "CAST(CAST(NULL AS varchar) AS ipaddress)": None,
    "IPADDRESS '10.0.0.2' < IPADDRESS '10.0.0.10'": "true",
    "contains('10.0.0.0/8', IPADDRESS '10.255.0.1')": "true",
    "contains('10.0.0.0/8', IPADDRESS '11.0.0.1')": "false",
    "contains('2001:db8::/32', IPADDRESS '2001:db8:1::')": "true",
    "contains('::/0', IPADDRESS '1.2.3.4')": "false",
    "MAP(ARRAY[IPADDRESS '1.2.3.4'], ARRAY[1])": "{1.2.3.4=1}",
}
FAILING = {
    "CAST('10:00 +15:00' AS time with time zone)": "INVALID_CAST_ARGUMENT: Value cannot be cast to time with time zone",
    "TIME '10:00 Europe/London'": "INVALID_LITERAL: .* is not a valid TIME literal",
    "TIME '10:00 +01:00' + INTERVAL '1' MONTH": "TYPE_MISMATCH: .* Cannot apply operator",
    "date_diff('hour', TIME '10:00 +01:00', TIME '11:00 +01:00')": "NOT_SUPPORTED: .* date_diff of time",
    "TIME '10:00 +01:00' AT TIME ZONE 'UTC'": "NOT_SUPPORTED: .* AT TIME ZONE",
    "CAST('1.2.3' AS ipaddress)": "INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: 1.2.3",
    "CAST(X'0102' AS ipaddress)": "INVALID_CAST_ARGUMENT: Invalid InetAddress binary length: 2",
    "CAST(IPADDRESS '::1' AS json)": "TYPE_MISMATCH: .* Cannot cast ipaddress to json",
    "contains('10.0.0.0', IPADDRESS '10.0.0.1')": "INVALID_FUNCTION_ARGUMENT: Invalid CIDR",
    "contains('ten/8', IPADDRESS '10.0.0.1')": "INVALID_FUNCTION_ARGUMENT: Invalid network IP address",
    "contains('10.0.0.0/33', IPADDRESS '10.0.0.1')": "INVALID_FUNCTION_ARGUMENT: Invalid prefix length",
}


@pytest.mark.parametrize(("expression", "expected"), CLOCKS.items(), ids=list(CLOCKS))
def test_a_time_with_a_time_zone_keeps_its_offset_and_is_compared_by_the_time_in_utc(expression, expected):
    assert value(expression) == expected


@pytest.mark.parametrize(("expression", "expected"), ADDRESSES.items(), ids=list(ADDRESSES))
def test_an_address_is_shown_in_its_shortest_form_and_compared_by_its_bytes(expression, expected):
    assert value(expression) == expected


@pytest.mark.parametrize(("expression", "problem"), FAILING.items(), ids=list(FAILING))
def test_what_is_no_time_or_address_is_said_as_trino_says_it(expression, problem):
    with pytest.raises(AthenaFault, match=problem):
        value(expression)


def test_times_of_several_zones_are_ordered_by_the_time_in_utc_and_never_grouped():
    times = "(VALUES TIME '10:00 +02:00', TIME '09:00 +00:00', TIME '01:00 -01:00') AS t(x)"
    expected = [("01:00:00-01:00",), ("10:00:00+02:00",), ("09:00:00+00:00",)]
    assert shown(f"SELECT x FROM {times} ORDER BY x") == expected
    assert row(f"SELECT min(x), max(x) FROM {times}") == (expected[0][0], expected[-1][0])
    with pytest.raises(AthenaFault, match=r"NOT_SUPPORTED: .* time zones differ from row to row"):
        shown(f"SELECT x, count(*) FROM {times} GROUP BY x")


def test_addresses_are_grouped_ordered_and_counted():
    addresses = "(VALUES IPADDRESS '1.2.3.4', IPADDRESS '::ffff:1.2.3.4', IPADDRESS '::1') AS t(x)"
    assert shown(f"SELECT x, count(*) FROM {addresses} GROUP BY x ORDER BY x") == [("::1", "1"), ("1.2.3.4", "2")]
    assert row(f"SELECT count(DISTINCT x), max(x) FROM {addresses}") == ("2", "1.2.3.4")


TWO = "(VALUES (TIMESTAMP '2024-01-01 11:00 +01:00', 1), (TIMESTAMP '2024-01-01 10:00 UTC', 2)) AS t(x, n)"
COMPARING = (
    "contains(ARRAY[x], TIMESTAMP '2024-01-01 10:00 UTC')",
    "array_distinct(ARRAY[x, TIMESTAMP '2024-01-01 10:00 UTC'])",
    "map(ARRAY[x], ARRAY[n])",
    "map_agg(x, n)",
    "approx_distinct(x)",
    "histogram(x)",
)


@pytest.mark.parametrize("expression", COMPARING)
def test_a_function_that_compares_moments_of_several_zones_is_refused(expression):
    with pytest.raises(AthenaFault, match=r"NOT_SUPPORTED: .*time zones"):
        shown(f"SELECT {expression} FROM {TWO}")


def test_moments_of_one_zone_are_compared_by_functions_too():
    assert row("SELECT approx_distinct(now()), map_agg(now(), 1) FROM (VALUES 1, 2) AS t(n) LIMIT 1")[0] == "1"


def test_an_array_of_times_of_several_zones_is_not_grouped_by():
    with pytest.raises(AthenaFault, match=r"NOT_SUPPORTED: .* time zones differ"):
        shown(f"SELECT count(*) FROM {TWO} GROUP BY ARRAY[x]")

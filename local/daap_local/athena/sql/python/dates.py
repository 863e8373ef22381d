"""Dates and times from text and to text, by MySQL's and Joda's patterns, ISO 8601 and Trino's casts.

Source: https://trino.io/docs/current/functions/datetime.html.
"""

from __future__ import annotations

import math
import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from daap_local.athena.sql.python.failures import Failed, invalid, uncast
from daap_local.athena.sql.python.patterns import Parsed, format_joda, parse_joda, parse_mysql

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (all moments here are without zone)
_DATE = re.compile(r"\s*([+-]?\d+)-(\d{1,2})-(\d{1,2})\s*")
_TIMESTAMP = re.compile(
    r"([+-]?\d{4,9})-(\d{1,2})-(\d{1,2})(?: (?:(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?\s*(?P<zone>.+)?)?"
)


def read_date(text: str) -> date:
    """CAST(text AS date)."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        _check_year(found.group(1), text)
        return date(*(int(part) for part in found.groups()))
    except (ValueError, OverflowError) as error:
        raise uncast(f"Value cannot be cast to date: {text}") from error


def _check_year(year: str, text: str) -> None:
    if not MINYEAR <= int(year) <= MAXYEAR:
        raise Failed("NOT_SUPPORTED", f"Years before 1 and after 9999 are not supported here: {text}")


def _moment(text: str, found: re.Match[str] | None, what: str) -> datetime:
    """The date and time that a match holds, its fraction rounded half up to microseconds."""
    try:
        if found is None:
            raise ValueError(text)
        year, month, day, hour, minute, second, fraction = found.groups()[:7]
        _check_year(year, text)
        micros = int(Decimal(f"0.{fraction or 0}").scaleb(6).quantize(Decimal(1), ROUND_HALF_UP))
        made = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
        return made + timedelta(microseconds=micros)
    except (ValueError, OverflowError) as error:
        raise uncast(f"Value cannot be cast to {what}: {text}") from error


def read_timestamp(text: str) -> datetime:
    """CAST(text AS timestamp): a time zone after the time is passed over, anything else is refused."""
    return _zoned(text)[0]


def read_zoned(text: str) -> str:
    """CAST(text AS timestamp with time zone), as `microseconds|zone`."""
    return _packed(*_zoned(text))


def _zoned(text: str) -> tuple[datetime, str]:
    found = _TIMESTAMP.fullmatch(text.strip())
    local = _moment(text, found, "timestamp")
    try:
        return local, zone_name((found.group("zone") if found is not None else None) or "UTC")
    except Failed as error:
        raise uncast(f"Value cannot be cast to timestamp: {text}") from error


def _packed(local: datetime, zone: str) -> str:
    return f"{micros(instant(local, zone))}|{zone}"


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def instant(local: datetime, zone: str) -> datetime:
    """The UTC time of a local time; a time that a clock change leaves out is moved on by the gap."""
    if zone == "UTC":
        return local
    if zone[0] in "+-":
        sign = 1 if zone[0] == "-" else -1
        return local + sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None)


_SAME = frozenset({"utc", "z", "gmt", "ut", "zulu", "etc/utc", "etc/gmt", "etc/zulu", "etc/uct", "uct", "greenwich",
                   "etc/greenwich", "etc/universal", "universal", "gmt0", "etc/gmt0", "+00:00", "-00:00"})  # fmt: skip


def zone_name(text: str) -> str:
    """A time zone as Trino names it. Raises INVALID_FUNCTION_ARGUMENT where there is none."""
    if text.lower() in _SAME:
        return "UTC"
    bare = re.sub(r"^(utc|gmt|ut)(?=[+-])", "", text, flags=re.IGNORECASE)
    found = re.fullmatch(r"([+-])(\d{1,2})(?::?(\d{2}))?", bare)
    if found is not None:
        hours, minutes = int(found.group(2)), int(found.group(3) or 0)
        if hours <= 14 and minutes < 60:
            return f"{found.group(1)}{hours:02}:{minutes:02}" if hours or minutes else "UTC"
    elif _is_zone(text):
        return text
    raise invalid(f"'{text}' is not a valid time zone")


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return "/" in text


def date_parse(text: str, pattern: str) -> datetime:
    """date_parse: by MySQL's pattern, cut to milliseconds."""
    parsed = parse_mysql(text, pattern)
    return _built(parsed, text)


def _built(parsed: Parsed | None, text: str) -> datetime:
    if parsed is None:
        raise invalid(f'Invalid format: "{text}"')
    try:
        return parsed.moment()
    except (ValueError, OverflowError) as error:
        raise invalid(f'Cannot parse "{text}": {error}') from error


def parse_datetime(text: str, pattern: str) -> str:
    """parse_datetime: by Joda's pattern, as `microseconds|zone`."""
    parsed = parse_joda(text, pattern)
    local = _built(parsed, text)
    return _packed(local, zone_name(parsed.zone) if parsed is not None and parsed.zone else "UTC")


def format_datetime(local: datetime, zone: str, offset: int, pattern: str) -> str:
    """format_datetime: by Joda's pattern."""
    return format_joda(local, zone, offset, pattern)


_ISO_DATE = (
    r"(?P<year>[+-]?\d{1,9})(?:-W(?P<week>\d{2})(?:-(?P<weekday>\d))?"
    r"|-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?|-(?P<ordinal>\d{3}))?"
)
_ISO = re.compile(
    _ISO_DATE + r"(?:T(?:(?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?)?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?"
)


def iso_date(text: str) -> date:
    """from_iso8601_date."""
    found = re.fullmatch(_ISO_DATE, text)
    try:
        return _iso_day(found, text)
    except (ValueError, OverflowError) as error:
        raise invalid(f'Invalid format: "{text}"') from error


def _iso_day(found: re.Match[str] | None, text: str) -> date:
    if found is None:
        raise ValueError(text)
    year = int(found.group("year"))
    if found.group("week"):
        return date.fromisocalendar(year, int(found.group("week")), int(found.group("weekday") or 1))
    if found.group("ordinal"):
        made = date(year, 1, 1) + timedelta(days=int(found.group("ordinal")) - 1)
        if made.year != year:
            raise ValueError(text)
        return made
    return date(year, int(found.group("month") or 1), int(found.group("day") or 1))


def iso_timestamp(text: str) -> str:
    """from_iso8601_timestamp, as `microseconds|zone`: milliseconds, in UTC where it names no zone."""
    found = _ISO.fullmatch(text)
    try:
        day = _iso_day(found, text)
        parts: dict[str, str | None] = found.groupdict() if found is not None else {}
        millis = int((parts["fraction"] or "0").ljust(3, "0")[:3])
        clock = time(int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0), millis * 1000)
        local = datetime.combine(day, clock)
    except (ValueError, OverflowError) as error:
        raise invalid(f'Invalid format: "{text}"') from error
    return _packed(local, zone_name(parts["zone"] or "UTC"))


_DURATIONS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7}


def parse_duration(text: str) -> int:
    """parse_duration: milliseconds."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", text)
    if found is None:
        raise invalid(f"duration is not a valid data duration string: {text}")
    if found.group(2) not in _DURATIONS:
        raise invalid(f"Unknown time unit: {found.group(2)}")
    return math.floor(float(found.group(1)) * _DURATIONS[found.group(2)] + 0.5)


def readable_seconds(value: float) -> str:
    """human_readable_seconds."""
    if not math.isfinite(value):
        raise invalid(f"Invalid argument found: {value}")
    total = math.floor(abs(value) + 0.5)
    parts: list[str] = []
    for name, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, total = divmod(total, size)
        if count or (name == "second" and not parts):
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(parts)


def unsupported_pattern(pattern: str) -> Failed:
    """A pattern with letters that are not known here."""
    return Failed("NOT_SUPPORTED", f"The pattern {pattern} is not supported here")

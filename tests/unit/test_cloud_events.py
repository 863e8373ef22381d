"""What EventBridge tells of an object, read with care."""

from __future__ import annotations

import pytest

from daap.errors import InvalidName
from daap_cloud.events import ObjectEvent, read_event


def event_of(detail: object) -> dict[str, object]:
    return {"detail-type": "Object Created", "source": "aws.s3", "detail": detail}


WHOLE = {
    "version": "0", "bucket": {"name": "landing"}, "object": {"key": "spend/march/a b+c%20ü.csv", "size": 3},
    "request-id": "1", "requester": "123456789012", "source-ip-address": "1.2.3.4", "reason": "PutObject",
}  # fmt: skip


def test_an_event_names_an_object_and_who_put_it_there():
    assert read_event(event_of(WHOLE)) == ObjectEvent("landing", "spend/march/a b+c%20ü.csv", "123456789012")


@pytest.mark.parametrize(("name", "meant"), [
    ("spend/load_timestamp%3D2026/a%20b%2Bc%2520%C3%BC.csv", "spend/load_timestamp=2026/a b+c%20ü.csv"),
    ("spend/march/a+b.csv", "spend/march/a+b.csv"),
])  # fmt: skip
def test_an_emulators_percent_signs_are_taken_away_once_where_the_deployment_says_so(name, meant):
    event = event_of({**WHOLE, "object": {"key": name}})
    assert read_event(event, quoted=True).name == meant
    assert read_event(event).name == name


@pytest.mark.parametrize(("requester", "actor"), [
    (None, "unknown"), ("", "unknown"), ("s3.amazonaws.com", "s3.amazonaws.com"), ("a\nb\x00c", "abc"),
    ("x" * 1000, "x" * 256), (7, "7"), ("\u202e", "unknown"),
])  # fmt: skip
def test_who_it_was_is_fit_for_a_log(requester, actor):
    assert read_event(event_of({**WHOLE, "requester": requester})).actor == actor


@pytest.mark.parametrize("detail", [
    None, "text", [], {}, {"bucket": {}}, {"bucket": {"name": "b"}}, {"bucket": "b", "object": "k"},
    {"bucket": {"name": "b"}, "object": {}}, {"bucket": {"name": 1}, "object": {"key": "k"}},
    {"bucket": {"name": "b"}, "object": {"key": None}},
])  # fmt: skip
def test_an_event_that_is_about_no_object_is_said_to_be_so(detail):
    with pytest.raises(InvalidName, match="about no object"):
        read_event(event_of(detail))


def test_an_event_without_a_detail_is_too():
    with pytest.raises(InvalidName, match="about no object"):
        read_event({})

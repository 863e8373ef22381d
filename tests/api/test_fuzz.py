"""The API against its own description: requests that fit it, that nearly do, and that do not.

`DAAP_FUZZ_EXAMPLES=2000 pytest tests/api/test_fuzz.py` looks longer, and elsewhere each time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.schemas import BaseSchema

from tests.api.conftest import fill_lake
from tests.api.site import BAD, PAYMENTS, Site

LONG = int(os.environ.get("DAAP_FUZZ_EXAMPLES", "0"))
EXAMPLES = LONG or 6
TAGS = ("products", "tables", "uploads", "loads", "upkeep")
UPLOAD = "20260131T235959Z/7c1c62a1-6c1b-4f0e-9a52-6d5c0e1e9a3b.csv"
"""The load timestamp and the upload that the description has as its examples."""

UNCHECKED = (
    "positive_data_acceptance",  # what fits the description may stand against a rule: a table exists, nothing changes
    "allow_header_conformance",  # of two paths that overlap, such as register and {name}; has tests of its own
)  # fmt: skip
KNOWN = (
    "Unsupported method GET returned 400",  # .../upload/multipart, where multipart is taken for an upload's id
)  # fmt: skip

MET = {
    "products": {"GET /data-product", "GET /data-product/{name}", "GET /data-product/{name}/versions"},
    "tables": {"GET /data-product/{name}/table/{table}/schema", "GET /data-product/{name}/table/{table}/preview"},
    "uploads": {"GET /data-product/{name}/table/{table}/upload/{upload_id}"},
    "loads": {
        f"GET /data-product/{{name}}/table/{{table}}/loads{rest}"
        for rest in ("", "/{load_timestamp}", "/{load_timestamp}/errors", "/{load_timestamp}/file")
    },
    "upkeep": {f"POST /data-product/{{name}}/{what}" for what in ("reload", "resync", "retention")} | {"GET /health"},
}
"""Calls that have to succeed at least once, or else the search has missed what there is."""


@pytest.fixture
def full(empty: Site) -> Site:
    """A lake with some of everything, and the upload of the examples."""
    fill_lake(empty)
    empty.lake.store.put(f"landing/spend/v1/payments/load_timestamp={UPLOAD}", BAD)
    empty.drain()
    assert empty.admin.get(f"{PAYMENTS}/loads/{UPLOAD.partition('/')[0]}/errors").status_code == 200
    return empty


@dataclass
class Report:
    """What a search has found."""

    failures: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)


def describe_app(site: Site, *phases: str, examples: int = EXAMPLES) -> BaseSchema:
    """The app's own description, to be searched in some ways."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
    config = schema.config
    config.update(headers={"authorizationToken": site.admin.token})
    config.generation.update(max_examples=examples, deterministic=not LONG)
    for name in ("examples", "coverage", "fuzzing", "stateful"):
        getattr(config.phases, name).enabled = name in phases
    for name in UNCHECKED:
        getattr(config.checks, name).enabled = False
    return schema


def search(schema: BaseSchema) -> Report:
    """Sends what there is to send, and looks at all answers."""
    report = Report()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), vars(event)
        if isinstance(event, events.ScenarioFinished):
            _look_at(event, report)
    return report


def _look_at(event: events.ScenarioFinished, report: Report) -> None:
    recorder = event.recorder
    for number, interaction in recorder.interactions.items():
        if interaction.response is not None:
            status = interaction.response.status_code
            report.statuses[status] += 1
            if status < 300:
                report.met.add(recorder.cases[number].value.operation.label)
    report.failures |= set(_list_failures(event))


def _list_failures(event: events.ScenarioFinished) -> Iterator[str]:
    recorder = event.recorder
    for number, checks in recorder.checks.items():
        for found in (check.failure_info.failure for check in checks if check.failure_info is not None):
            if not any(known in found.message for known in KNOWN):
                case = recorder.cases[number].value
                yield f"{case.operation.label}: {found.title}: {found.message}\n{case.as_curl_command()}"


@pytest.mark.parametrize("tag", TAGS)
def test_every_call_answers_as_it_is_described(full, tag):
    report = search(describe_app(full, "examples", "coverage", "fuzzing").include(tag=tag))
    assert not report.failures, "\n\n".join(sorted(report.failures))
    assert not [status for status in report.statuses if status >= 500]
    assert report.met >= MET[tag]


def test_calls_that_follow_from_others_answer_as_they_are_described(full):
    report = search(describe_app(full, "stateful", examples=4 * EXAMPLES))
    assert not report.failures, "\n\n".join(sorted(report.failures))
    assert not [status for status in report.statuses if status >= 500]
    assert report.statuses[200] > 10

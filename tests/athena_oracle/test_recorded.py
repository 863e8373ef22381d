"""Every recorded answer of Trino is given here as well, or the statement is refused by name."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fixtures.trino import corpus
from fixtures.trino.corpus import Case, Recorded
from fixtures.trino.judging import Outcome, Verdict, judge_cast, judge_statement, judge_utility
from fixtures.trino.report import recall_all
from tests.athena_oracle.known import KNOWN_WRONG

_SAVED = {one.case.id: one.verdict for one in recall_all().all()}
_OLDER = {one.case.id: one for one in corpus.load_casts(corpus.OLDER)}


def _marked(cases: Iterable[Recorded | Case]) -> list[object]:
    return [_mark_case(one, one.case.id if isinstance(one, Recorded) else one.id) for one in cases]


def _mark_case(value: Recorded | Case, name: str) -> object:
    reason = KNOWN_WRONG.get(name)
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return pytest.param(value, id=name, marks=marks)


def check_verdict(verdict: Verdict, name: str) -> None:
    """Holds a verdict to the outcome that docs/athena-support.md tells; a wrong one fails all the same."""
    assert verdict.outcome is not Outcome.WRONG, verdict.reason
    assert verdict == _SAVED[name], "run: python -m fixtures.trino.report"


@pytest.mark.parametrize("recorded", _marked(corpus.load_recorded(corpus.STATEMENTS)))
def test_a_statement_is_answered_as_trino_does_or_refused(lab, recorded):
    check_verdict(judge_statement(lab, recorded), recorded.case.id)


@pytest.mark.parametrize("recorded", _marked(corpus.load_casts()))
def test_a_cast_is_answered_as_trino_does_or_refused(lab, recorded):
    check_verdict(judge_cast(lab, recorded, _OLDER.get(recorded.case.id)), recorded.case.id)


@pytest.mark.parametrize("case", _marked(corpus.read_utility()))
def test_a_utility_statement_is_taken_for_what_it_is_or_refused(case):
    check_verdict(judge_utility(case), case.id)


def test_every_known_difference_is_of_a_case_of_the_corpora():
    cases = [*corpus.read_statements(), *corpus.read_casts(), *corpus.read_utility()]
    assert KNOWN_WRONG.keys() <= {case.id for case in cases}

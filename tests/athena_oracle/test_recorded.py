"""Every recorded answer of Trino is given here as well, or the statement is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from fixtures.trino import corpus
from fixtures.trino.corpus import Recorded
from fixtures.trino.judging import Outcome, judge_cast, judge_statement
from tests.athena_oracle.known import KNOWN_WRONG

_OLDER = {one.case.id: one for one in corpus.load_casts(corpus.OLDER)}


def _marked(recorded: Iterable[Recorded]) -> Iterator[object]:
    for one in recorded:
        reason = KNOWN_WRONG.get(one.case.id)
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        yield pytest.param(one, id=one.case.id, marks=marks)


@pytest.mark.parametrize("recorded", _marked(corpus.load_recorded(corpus.STATEMENTS)))
def test_a_statement_is_answered_as_trino_does_or_refused(lab, recorded):
    verdict = judge_statement(lab, recorded)
    assert verdict.outcome is not Outcome.WRONG, verdict.reason


@pytest.mark.parametrize("recorded", _marked(corpus.load_casts()))
def test_a_cast_is_answered_as_trino_does_or_refused(lab, recorded):
    verdict = judge_cast(lab, recorded, _OLDER.get(recorded.case.id))
    assert verdict.outcome is not Outcome.WRONG, verdict.reason


def test_every_known_difference_is_of_a_case_of_the_corpora():
    cases = [*corpus.load_recorded(corpus.STATEMENTS), *corpus.load_casts()]
    assert KNOWN_WRONG.keys() <= {one.case.id for one in cases}

"""TPC-H's 22 queries give Trino's answers on the same rows."""

from __future__ import annotations

import pytest

from fixtures.trino import corpus, tpch
from fixtures.trino.judging import Outcome, judge_statement


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tpch")
    tpch.generate_tables(folder)
    return tpch.open_tpch(folder)


@pytest.mark.parametrize("recorded", corpus.load_recorded(corpus.TPCH), ids=lambda recorded: recorded.case.name)
def test_a_tpch_query_is_answered_as_trino_does(tiny, recorded):
    verdict = judge_statement(tiny, recorded)
    assert verdict.outcome is Outcome.RIGHT, verdict.reason

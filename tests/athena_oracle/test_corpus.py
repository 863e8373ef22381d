"""The recordings belong to the corpora as they stand, and are big enough to mean something."""

from __future__ import annotations

from collections import Counter

from fixtures.trino import corpus


def test_every_statement_is_recorded_and_nothing_else():
    assert [one.case for one in corpus.load_recorded(corpus.STATEMENTS)] == list(corpus.read_statements())


def test_every_cast_is_recorded_and_nothing_else():
    assert [one.case for one in corpus.load_casts()] == list(corpus.read_casts())


def test_every_sample_table_is_recorded_and_nothing_else():
    assert [one.case for one in corpus.load_recorded(corpus.TABLES)] == list(corpus.read_tables())


def test_every_tpch_query_is_recorded_and_nothing_else():
    assert [one.case for one in corpus.load_recorded(corpus.TPCH)] == list(corpus.read_tpch())


def test_no_two_cases_are_called_the_same():
    cases = [*corpus.read_statements(), *corpus.read_casts(), *corpus.read_utility()]
    doubles = [name for name, times in Counter(case.id for case in cases).items() if times > 1]
    assert doubles == []


def test_the_corpora_are_as_large_as_promised():
    assert len(list(corpus.read_statements())) >= 450
    assert len(list(corpus.read_casts())) >= 700

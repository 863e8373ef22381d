"""docs/athena-support.md says what the tests find."""

from __future__ import annotations

from fixtures.trino import report


def test_the_support_page_is_of_the_saved_outcomes():
    page = report.render_page(report.recall_all())
    assert report.PAGE.read_text(encoding="utf-8") == page, "write it anew: python -m fixtures.trino.report"
